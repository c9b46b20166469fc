"""What becomes of parts that only their own dialect understands, on their way to a chat provider.

Strategy: a table. What a server did for an earlier answer is left out with a note: the text beside it says what came of
it. What the conversation cannot do without is refused. What holds a text of its own is said as text.
"""

from providers.wire.chat.building import Building
from providers.wire.endpoints import Dialect
from providers.wire.neutral import Opaque
from providers.wire.values import mapping, sequence, string

_FILES = "this provider has no such files; send their content"
_TOOLS = "this provider's tools cannot change within a conversation; send the list that holds now"
_STATE = "this provider keeps no earlier answers; send the whole conversation"
_CLIENT_RUN = "this provider does not know this tool; offer it as a function"
_ENCRYPTED = "only the provider that made this can read it; send the conversation that it stands for"

_REFUSED: dict[tuple[Dialect, str], str] = {
    (Dialect.MESSAGES, "container_upload"): _FILES,
    (Dialect.MESSAGES, "tool_reference"): _TOOLS,
    (Dialect.MESSAGES, "tool_addition"): _TOOLS,
    (Dialect.MESSAGES, "tool_removal"): _TOOLS,
    (Dialect.MESSAGES, "browser_state"): _CLIENT_RUN,
    (Dialect.RESPONSES, "additional_tools"): _TOOLS,
    (Dialect.RESPONSES, "configuration_update"): _TOOLS,
    (Dialect.RESPONSES, "item_reference"): _STATE,
    (Dialect.RESPONSES, "compaction"): _ENCRYPTED,
    (Dialect.RESPONSES, "compaction_trigger"): _ENCRYPTED,
    (Dialect.RESPONSES, "mcp_approval_request"): _CLIENT_RUN,
    (Dialect.RESPONSES, "mcp_approval_response"): _CLIENT_RUN,
} | {
    (Dialect.RESPONSES, f"{tool}{end}"): _CLIENT_RUN
    for tool in ("computer_call", "local_shell_call", "shell_call", "apply_patch_call")
    for end in ("", "_output")
}


def text_of_opaque(part: Opaque, building: Building) -> str:
    """What is said of the part, "" for nothing. Notes it, or raises Rejected."""
    if why := _REFUSED.get((part.dialect, part.type)):
        raise building.rejected("turns", part.type, why)
    if part.type == "compaction" and (text := _compacted(part)):
        building.approximate("turns", part.type)
        return text
    building.drop("turns", part.type or "part")
    return ""


def _compacted(part: Opaque) -> str:
    """Anthropic's summary of what was said before: without it the model would know nothing of it."""
    content = part.raw.get("content")
    texts = [content] if isinstance(content, str) else [mapping(entry).get("text") for entry in sequence(content)]
    text = "".join(string(text) for text in texts)
    return f"[summary of the conversation so far]\n{text}" if text else ""
