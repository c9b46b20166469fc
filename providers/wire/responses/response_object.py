"""The response object: what every lifecycle event of a stream carries, and what a plain answer is.

It repeats the request's own fields; what the client did not say stands there with the value that it means. ``store`` is
always false: nothing of a translated answer can be fetched again.
"""

from collections.abc import Mapping

from providers.wire.events import FinishReason, Usage
from providers.wire.responses.frames import dumps, encode
from providers.wire.values import sequence
from providers.wire.writer import Answering

# Field of the request → what it means when it is left out. ``model`` is the provider's word, not the client's.
_ECHOED: dict[str, object] = {
    "background": False,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "reasoning": {"effort": None, "summary": None},
    "safety_identifier": None,
    "temperature": None,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": None,
    "top_p": None,
    "truncation": "disabled",
    "user": None,
}
_CUT = frozenset(("max_messages", "steered"))  # Responses' own words for a turn that is not finished
_IN_WORDS = frozenset(("", "stop", "completed"))
COMPLETED, INCOMPLETE = "completed", "incomplete"


class ResponseObject:
    """Writes the response object of one answer, each time with what is known by then."""

    def __init__(self, answering: Answering) -> None:
        self.id = answering.id
        self.model = answering.model
        self.service_tier = "null"
        self._created = answering.created
        self._echo = _echo(answering.request)

    def text(
        self, status: str, output: str = "", *, reason: str = "", usage: Usage | None = None, more: str = ""
    ) -> str:
        """Its JSON text; ``output`` is the inside of the list, ``more`` further members."""
        cut = f'{{"reason":"{reason}"}}' if reason else "null"
        return (
            f'{{"id":{encode(self.id)},"object":"response","created_at":{self._created},"status":"{status}",'
            f'"error":null,"incomplete_details":{cut},"model":{encode(self.model)},{self._echo},'
            f'"service_tier":{self.service_tier},"store":false,"output":[{output}],"usage":{_usage(usage)}{more}}}'
        )


def ending(finish: FinishReason | None, raw: str, *, refused: bool) -> tuple[str, str]:
    """Status and reason for a finish and the provider's word for it; ``refused`` says that the refusal's text was told.

    A model that refuses in words has completed its answer; one that was stopped has not.
    """
    if raw in _CUT:
        return INCOMPLETE, raw
    if finish is FinishReason.LENGTH:
        return INCOMPLETE, "max_output_tokens"
    if finish is FinishReason.REFUSAL and not (refused and raw in _IN_WORDS):
        return INCOMPLETE, "content_filter"
    return COMPLETED, ""


def _echo(request: Mapping[str, object]) -> str:
    said = {name: request[name] if request.get(name) is not None else value for name, value in _ECHOED.items()}
    said["tools"] = [_tool(tool) for tool in sequence(said["tools"])]
    return dumps(said)[1:-1]


def _tool(tool: object) -> object:
    """A tool as the official type has it: a function always says its parameters, and whether they are kept to."""
    if isinstance(tool, dict) and tool.get("type") == "function":
        return {"parameters": None, "strict": True, **tool}
    return tool


def _usage(usage: Usage | None) -> str:
    """Nobody's numbers are invented: without any, there is no usage; the parts of a sum default to zero."""
    if usage is None or not usage.counts:
        return "null"
    read, written = usage.input or 0, usage.output or 0
    return (
        f'{{"input_tokens":{read},"input_tokens_details":{{"cached_tokens":{usage.cache_read or 0},'
        f'"cache_write_tokens":{usage.cache_write or 0}}},"output_tokens":{written},'
        f'"output_tokens_details":{{"reasoning_tokens":{usage.reasoning or 0}}},"total_tokens":{read + written}}}'
    )
