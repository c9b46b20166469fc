"""Tools that Anthropic's models know by heart and clients run themselves, written out for every other model.

Sources: Anthropic's tool documentation (bash, text editor, memory), 2026-11-20. A tool's type is its name and a date
(``text_editor_20250728``); only the oldest editors had ``undo_edit``, so it is left out for all.
"""

from providers.wire.neutral import Json, Tool

_TEXT: Json = {"type": "string"}
_PATH: Json = {"type": "string", "description": "Absolute path of a file or folder"}
_RANGE: Json = {
    "type": "array",
    "items": {"type": "integer"},
    "description": "view: first and last line, counted from 1; -1 is the end of the file",
}


def written_out(tool: Tool) -> Tool | None:
    """A client tool as an ordinary function of the same name, or None when nobody knows its schema."""
    kind = str(tool.raw.get("type") or "").rpartition("_")[0]
    if kind not in _KNOWN:
        return None
    description, schema = _KNOWN[kind]
    return Tool("function", tool.name, description, schema, cache=tool.cache, dialect=tool.dialect, raw=tool.raw)


def _commands(names: list[str], properties: Json) -> Json:
    command: Json = {"type": "string", "enum": names, "description": "What to do"}
    return {"type": "object", "properties": {"command": command, **properties}, "required": ["command"]}


_BASH: Json = {
    "type": "object",
    "properties": {
        "command": {"type": "string", "description": "The command to run; required unless restart is true"},
        "restart": {"type": "boolean", "description": "Restart the shell"},
    },
}
_EDITOR = _commands(
    ["view", "create", "str_replace", "insert"],
    {
        "path": _PATH,
        "file_text": {"type": "string", "description": "create: the content of the new file"},
        "old_str": {"type": "string", "description": "str_replace: the text to replace, exactly as it stands"},
        "new_str": {"type": "string", "description": "str_replace: the new text"},
        "insert_line": {"type": "integer", "description": "insert: the line after which to insert; 0 is the top"},
        "insert_text": {"type": "string", "description": "insert: the text to insert"},
        "view_range": _RANGE,
    },
)
_MEMORY = _commands(
    ["view", "create", "str_replace", "insert", "delete", "rename"],
    {
        "path": {"type": "string", "description": "A path under /memories"},
        "file_text": _TEXT,
        "old_str": _TEXT,
        "new_str": _TEXT,
        "insert_line": {"type": "integer"},
        "insert_text": _TEXT,
        "old_path": {"type": "string", "description": "rename: the old path"},
        "new_path": {"type": "string", "description": "rename: the new path"},
        "view_range": _RANGE,
    },
)
_KNOWN: dict[str, tuple[str, Json]] = {
    "bash": ("Run a command in a bash shell that keeps its state between calls.", _BASH),
    "text_editor": ("View, create and edit text files.", _EDITOR),
    "memory": ("Store and read notes in files that stay between conversations.", _MEMORY),
}
