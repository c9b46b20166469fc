"""How large a prompt is about, in tokens, where no provider can be asked.

The rule: text counts one token for every four bytes of UTF-8, JSON schemas and tool arguments likewise as compact JSON;
4 tokens for each message and 8 for each tool around that; an image 1,600 tokens (the most that Anthropic counts for one
it does not scale down); a document one token for every 40 bytes of its file, at least 1,500 (a page of PDF); audio one
token for every 3,200 bytes. System and tools always count: leaving them out is the usual mistake, and a tenfold one.
"""

from collections.abc import Iterable

from providers.wire import neutral
from providers.wire.values import raw_json

_BYTES = 4
_MESSAGE, _TOOL, _IMAGE, _PAGE = 4, 8, 1_600, 1_500
_FILE_BYTES, _AUDIO_BYTES = 40, 3_200


def estimate_tokens(request: neutral.Request) -> int:
    """Say how many tokens the prompt of ``request`` has, by the rule above; at least 1."""
    total = _parts(request.system) + (_MESSAGE if request.system else 0)
    total += sum(_MESSAGE + _parts(turn.parts) for turn in request.turns)
    total += sum(_tool(tool) for tool in request.tools)
    if request.output is not None and request.output.schema:
        total += _json(request.output.schema)
    return max(1, total)


def _parts(parts: Iterable[neutral.Part]) -> int:
    return sum(map(_part, parts))


def _part(part: neutral.Part) -> int:
    match part:
        case neutral.Image():
            return _IMAGE
        case neutral.Document():
            said = text_tokens(part.text) + text_tokens(part.title) + text_tokens(part.context) + _parts(part.parts)
            has_file = part.data or part.url or part.file_id
            return said + (max(_PAGE, _decoded(part.data) // _FILE_BYTES) if has_file else 0)
        case neutral.Audio():
            return max(1, _decoded(part.data) // _AUDIO_BYTES)
        case neutral.ToolUse():
            return _MESSAGE + text_tokens(part.name) + text_tokens(part.arguments)
        case neutral.ToolResult():
            return _MESSAGE + _parts(part.parts)
        case neutral.SearchResult():
            return text_tokens(part.title) + text_tokens(part.source) + _parts(part.parts)
        case neutral.Opaque():
            return _json(part.raw)
        case neutral.Thinking():
            return text_tokens(part.text) + sum(map(text_tokens, part.summary))
    return text_tokens(part.text)


def _tool(tool: neutral.Tool) -> int:
    if tool.schema is None and tool.raw:
        return _TOOL + _json(tool.raw)
    return _TOOL + text_tokens(tool.name) + text_tokens(tool.description) + (_json(tool.schema) if tool.schema else 0)


def _json(value: object) -> int:
    return text_tokens(raw_json(value))


def text_tokens(text: str) -> int:
    """Say how many tokens a text has, by the rule above."""
    size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    return -(-size // _BYTES)


def _decoded(base64: str) -> int:
    return len(base64) * 3 // 4
