"""The check before `mitmdump -s addons/route.py` begins: with other versions of what we stand on, it does not."""

import logging
import sys

from providers.support import Unsupported, check_start

logger = logging.getLogger(__name__)


def make_supported_chain() -> list[object]:
    """Make the chain; end the program with exit code 2 and the reason where it could not work.

    mitmproxy logs an exception of a script and goes on without it, as an open proxy: that must not be.
    """
    try:
        warnings = check_start()
    except Unsupported as error:
        sys.stderr.write(f"patchbay: cannot run with what is installed:\n{error}\n")
        raise SystemExit(2) from error
    for warning in warnings:
        logger.warning(warning)
    from addons.chain import make_chain  # only now: it would fail with what is not supported

    return make_chain()
