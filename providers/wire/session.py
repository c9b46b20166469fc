"""Which session of a client a request belongs to, from what known clients send.

Sources: Claude Code puts it into ``metadata.user_id`` (``user_<hash>_account_<uuid>_session_<uuid>``, or an object with
``session_id`` as JSON text, both observed 2026); Codex and other OpenAI clients use ``prompt_cache_key``; some use
``metadata.session_id``, or ``session_id`` (OpenRouter).
"""

from providers.wire.values import mapping, parse, string


def session_of(body: dict[str, object]) -> str | None:
    """The session id of a request body in any dialect, or None."""
    metadata = mapping(body.get("metadata"))
    candidates = (
        string(metadata.get("session_id")),
        _of_user_id(string(metadata.get("user_id"))),
        string(body.get("session_id")),
        string(body.get("prompt_cache_key")),
    )
    return next((candidate for candidate in candidates if candidate), None)


def _of_user_id(user_id: str) -> str:
    if not user_id.startswith("{"):
        return user_id.rpartition("_session_")[2] if "_session_" in user_id else ""
    try:
        return string(mapping(parse(user_id)).get("session_id"))
    except ValueError:
        return ""
