"""A client's call as a shell script for curl, with a placeholder where the client's key stood."""

import re
import shlex

from addons.flows.client_call import ClientCall

_LONGEST = 64 * 1024  # bytes of a body within the script; one argument may have 128 KiB on Linux
_UNFIT = re.compile(rb"\0")
_DEAD = frozenset(("user-agent",))  # curl has its own, and the question does not depend on it


def needs_file(body: bytes) -> bool:
    """Whether a body cannot stand in the script itself: it is too long for an argument, or no text."""
    if len(body) > _LONGEST or _UNFIT.search(body):
        return True
    try:
        body.decode()
    except UnicodeDecodeError:
        return True
    return False


def as_script(call: ClientCall, base: str, body: bytes, body_file: str | None) -> str:
    """Return the script. ``base`` is our address; ``body_file`` holds the body where it is not in the script."""
    lines = [
        f"curl --no-buffer --silent --show-error --request {shlex.quote(call.method)} {shlex.quote(base + call.path)}"
    ]
    lines += [_header(name, value) for name, value in call.headers if name.lower() not in _DEAD]
    lines.append(_header(*_key(call)))
    if body_file is not None:
        lines.append(f"--data-binary {shlex.quote('@' + body_file)}")
    elif body:
        # --data-raw takes an @ at the beginning literally, and every byte as it is
        lines.append(f"--data-raw {shlex.quote(body.decode())}")
    return "#!/bin/sh\n" + " \\\n  ".join(lines) + "\n"


def _key(call: ClientCall) -> tuple[str, str]:
    """Return the header that clients of this dialect send their key in, with a placeholder: Patchbay has the keys."""
    if any(name.lower() == "anthropic-version" for name, _ in call.headers):
        return "x-api-key", "PLACEHOLDER"
    return "authorization", "Bearer PLACEHOLDER"


def _header(name: str, value: str) -> str:
    # curl leaves out a header whose value is empty, unless a semicolon stands there instead
    return f"--header {shlex.quote(f'{name}: {value}' if value else f'{name};')}"
