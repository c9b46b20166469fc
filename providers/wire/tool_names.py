"""Tool names and call ids as a target accepts them: the same in every request, different for different originals.

Strategy: what is valid stays. A name is made valid by replacing what no provider takes and, when that changed it or it
is too long, by 55 characters and 8 digits of its hash, so that two long names that begin alike stay two (plain cutting
collides). An id is treated alike, by the target's own pattern; a pattern that has no room for that (Mistral: exactly
nine letters and digits) gets digits of the hash alone.
"""

import hashlib
import re
from collections.abc import Iterable

_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_-]")
_HASH = 8  # hexadecimal digits


def sent_names(names: Iterable[str], longest: int) -> dict[str, str]:
    """Own name → the name that is sent, for those that differ. ``longest`` in characters, at least 10."""
    own = dict.fromkeys(names)
    sent = {name: _valid_name(name, longest) for name in own if name}
    return {name: other for name, other in sent.items() if other != name}


def sent_id(id_: str, pattern: str, longest: int) -> str:
    """The call id that is sent: the same on the call and on its result. ``pattern`` must match the whole."""
    if len(id_) <= longest and re.fullmatch(pattern, id_):
        return id_
    digest = hashlib.sha256(id_.encode("utf-8", "surrogatepass")).hexdigest()
    readable = f"{_NOT_IN_A_NAME.sub('_', id_)[: longest - _HASH - 1]}_{digest[:_HASH]}"
    return readable if re.fullmatch(pattern, readable) else digest[:longest]


def _valid_name(name: str, longest: int) -> str:
    clean = _NOT_IN_A_NAME.sub("_", name)
    if clean == name and len(name) <= longest:
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH]
    return f"{clean[: longest - _HASH - 1]}_{digest}"
