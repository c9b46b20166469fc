"""Keys: where one is read from, what a usable one looks like, and a wrapper that neither prints nor pickles it.

A key that is there but cannot be one (a space inside, a control character, a letter outside ASCII) is an error,
because it would end up in a header. One that is missing, blank or plainly a stand-in means "not configured".
"""

import re
from pathlib import Path
from typing import NoReturn, Self

from pydantic import SecretStr

# ${NAME}  $NAME  os.environ/NAME  ${env.NAME}
_REFERENCE = re.compile(
    r"\$\{(?:env\.)?(?P<braced>[A-Za-z_]\w*)\}|\$(?P<bare>[A-Za-z_]\w*)|os\.environ/(?P<path>[A-Za-z_]\w*)", re.ASCII
)
REFERENCES = "${NAME}, $NAME, os.environ/NAME, ${env.NAME}"
# What people leave in an example file. Never a pattern that a real key or an honest test key could match.
_PLACEHOLDER = re.compile(
    r"""  \W*                                                          # blank, "...", "***", "-"
        | <.*> | \{.*\} | \[.*\]
        | (?:[a-z0-9]{1,6}[-_])*x{3,}[x-]*                             # sk-xxx, sk-ant-xxxx, gsk_xxx
        | .*(?:\.\.\.|…)                                               # sk-...
        | (?:please[-_ ]?)?change[-_ ]?(?:me|this|it)\W*
        | (?:[a-z0-9]{1,6}[-_])*(?:your|my|insert|put|paste|enter|add|replace)[-_ ]
            (?:.*[-_ ])?(?:key|token|secret)(?:[-_ ].*)?              # your-key-here, sk-your-api-key
        | (?:none|null|nil|todo|tbd|placeholder|unset|undefined|replace[-_ ]?me|api[-_ ]?key)
    """,
    re.IGNORECASE | re.VERBOSE,
)
_LONGEST_KEY = 16 * 1024


class Key(SecretStr):
    """A secret whose repr and str are asterisks and which refuses to be pickled; a copy is the same object."""

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a key is never pickled")


def referred_name(text: str) -> str | None:
    """Return the variable that ``text`` as a whole refers to, or None when it is no reference."""
    found = _REFERENCE.fullmatch(text.strip())
    return found and (found["braced"] or found["bare"] or found["path"])


def usable_key(text: str) -> Key | None:
    """Return the key in ``text``, or None when it is blank or a placeholder; ValueError says what is wrong with it.

    A byte order mark, surrounding white space and the newline at the end of a key file are not part of a key.
    """
    bare = text.removeprefix("\ufeff").strip()
    if len(bare) > _LONGEST_KEY:
        raise ValueError(f"is longer than {_LONGEST_KEY} characters: that is no key")
    if _PLACEHOLDER.fullmatch(bare):
        return None
    if any(c.isspace() for c in bare):
        raise ValueError("has white space inside: a key is one word")
    if not (bare.isascii() and bare.isprintable()):
        raise ValueError("has a control character or a letter outside ASCII: copy the key again")
    return Key(bare)


def read_key_file(path: Path) -> str:
    """Return the text of a key file, cut well above a key's length; ValueError says why it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(2 * _LONGEST_KEY).decode("utf-8-sig")
    except OSError as error:
        raise ValueError(f"names {path}, which cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"names {path}, which is not text") from error
