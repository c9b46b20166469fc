import json
from typing import Any

import pytest
from openai.types.responses import Response

from providers.wire.events import FinishReason, Usage
from providers.wire.responses.response_object import ResponseObject, ending
from providers.wire.writer import Answering

REQUEST: dict[str, Any] = {
    "tools": [{"type": "function", "name": "f", "parameters": {}, "strict": True}],
    "tool_choice": "required",
    "temperature": 0.5,
    "instructions": "Be brief",
    "metadata": {"a": "b"},
    "parallel_tool_calls": False,
    "text": {"format": {"type": "json_object"}, "verbosity": "low"},
    "reasoning": {"effort": "low", "summary": "auto"},
    "max_output_tokens": 9,
    "truncation": "auto",
    "store": True,
    "top_p": None,
    "input": "Hi",
}


ITEM = '{"id":"rs_1","type":"reasoning","summary":[]}'


def made(request: dict[str, Any], *arguments: Any, **more: Any) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(
        ResponseObject(Answering("resp_1", "m", 5, request=request)).text(*arguments, **more)
    )
    Response.model_validate(value)
    return value


def test_it_repeats_the_request() -> None:
    value = made(REQUEST, "in_progress")
    echoed = {name: value[name] for name in REQUEST if name not in ("store", "input")}
    assert echoed == {name: REQUEST[name] for name in echoed}
    assert (value["store"], "input" in value) == (False, False)


def test_what_nobody_said_stands_there_with_its_meaning() -> None:
    value = made({}, "completed")
    assert (value["tools"], value["tool_choice"], value["parallel_tool_calls"]) == ([], "auto", True)
    assert (value["id"], value["model"], value["created_at"], value["object"]) == ("resp_1", "m", 5, "response")
    assert (value["usage"], value["incomplete_details"], value["error"]) == (None, None, None)


def test_its_end() -> None:
    value = made({}, "incomplete", ITEM, reason="max_output_tokens", usage=Usage(5, 6, 1, 2, 3), more=',"x":1')
    assert (value["output"], value["incomplete_details"], value["x"]) == (
        [json.loads(ITEM)],
        {"reason": "max_output_tokens"},
        1,
    )
    assert value["usage"] == {
        "input_tokens": 5,
        "input_tokens_details": {"cached_tokens": 1, "cache_write_tokens": 2},
        "output_tokens": 6,
        "output_tokens_details": {"reasoning_tokens": 3},
        "total_tokens": 11,
    }


def test_no_number_is_invented() -> None:
    assert made({}, "completed", usage=Usage())["usage"] is None
    assert made({}, "completed", usage=Usage(output=4))["usage"]["total_tokens"] == 4


COMPLETED = ("completed", "")


@pytest.mark.parametrize(
    ("finish", "raw", "refused", "expected"),
    [
        (None, "", False, COMPLETED),
        (FinishReason.STOP, "end_turn", False, COMPLETED),
        (FinishReason.TOOL_CALLS, "tool_use", False, COMPLETED),
        (FinishReason.STOP_SEQUENCE, "stop", False, COMPLETED),
        (FinishReason.PAUSE, "pause_turn", False, COMPLETED),
        (FinishReason.PAUSE, "steered", False, ("incomplete", "steered")),
        (FinishReason.UNKNOWN, "odd", False, COMPLETED),
        (FinishReason.LENGTH, "max_tokens", False, ("incomplete", "max_output_tokens")),
        (FinishReason.REFUSAL, "refusal", False, ("incomplete", "content_filter")),
        (FinishReason.REFUSAL, "content_filter", True, ("incomplete", "content_filter")),
        (FinishReason.REFUSAL, "stop", True, COMPLETED),
    ],
)
def test_how_it_ends(finish: FinishReason | None, raw: str, refused: bool, expected: tuple[str, str]) -> None:
    assert ending(finish, raw, refused=refused) == expected


def test_a_function_says_what_it_leaves_out() -> None:
    tools = [{"type": "function", "name": "f"}, {"type": "web_search"}]
    assert made({"tools": tools}, "completed")["tools"] == [{**tools[0], "parameters": None, "strict": True}, tools[1]]
