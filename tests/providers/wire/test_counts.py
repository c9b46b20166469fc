"""Counting endpoints: what they are sent and what they answer, judged by the SDKs' own types."""

import json
from typing import Any, get_type_hints

import pytest
from anthropic.types import MessageTokensCount
from anthropic.types.message_count_tokens_params import MessageCountTokensParams
from openai.types.responses import InputTokenCountResponse
from openai.types.responses.input_token_count_params import InputTokenCountParams

from providers.wire.counts import COUNTING, CountWriter, count_body, countable
from providers.wire.endpoints import Operation
from providers.wire.events import Begin, Event, Text, Usage

HEADERS = {"user_profile_id", "workspace_id", "betas"}  # arguments of the SDK that become headers


@pytest.mark.parametrize(
    ("operation", "params"),
    [(Operation.COUNT_TOKENS, MessageCountTokensParams), (Operation.INPUT_TOKENS, InputTokenCountParams)],
)
def test_a_counting_endpoint_is_sent_what_its_type_has(operation: Operation, params: Any) -> None:
    documented = set(get_type_hints(params)) - HEADERS
    body: dict[str, object] = dict.fromkeys((*documented, "max_tokens", "stream", "temperature"), 1)
    assert set(countable(operation, body)) == documented


@pytest.mark.parametrize("operation", sorted(COUNTING))
def test_a_count_is_written_as_the_client_reads_it(operation: Operation) -> None:
    writer = CountWriter(operation)
    told: tuple[Event, ...] = (Begin(), Text("?"), Usage(input=7), Usage(output=1))
    assert b"".join([writer.write(event) for event in told]) == b""
    answer = json.loads(writer.close())
    model = MessageTokensCount if operation is Operation.COUNT_TOKENS else InputTokenCountResponse
    assert model.model_validate(answer, strict=True).input_tokens == 7
    assert json.loads(count_body(operation, 0))["input_tokens"] == 0
