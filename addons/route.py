"""The entry of ``mitmdump -s addons/route.py``: the chain of addons, nothing else.

mitmproxy's script loader puts only this folder on the path; the root on top of it makes the plain command work from
any folder, uninstalled. This script is not loaded again when its file changes (`addons.process.loaded_once`): start
anew.
"""

import sys
from pathlib import Path

if (root := str(Path(__file__).resolve().parent.parent)) not in sys.path:
    sys.path.insert(0, root)

from addons.process.start_check import make_supported_chain

addons = make_supported_chain()
