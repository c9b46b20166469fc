"""Whatever a client sends and a provider answers: a refusal by field or a request, and bytes; never an exception."""

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from providers.wire.endpoints import Dialect, Operation
from providers.wire.notes import Rejected
from providers.wire.translate import TRANSLATABLE, Translation
from scripts.translation.case import LEAST, TARGETS, providers_of
from scripts.translation_matrix import CASES
from tests.providers.wire.calls import USUAL
from tests.providers.wire.playbook import JSON, cut
from tests.providers.wire.sdk_types import DOCUMENTED

FIELDS = {client: sorted(DOCUMENTED[client, "field"]) for client, section in DOCUMENTED if section == "field"}
TYPES = sorted({name for names in DOCUMENTED.values() for name in names})
KEYS = sorted(
    "type role content text id name input output arguments call_id tool_use_id tool_call_id tool_calls function "
    "summary source data media_type url file_id image_url file parameters input_schema schema cache_control signature "
    "thinking encrypted_content reasoning_details reasoning_content provider_fields tools "
    "mode status action queries".split()
)
LEAVES = JSON | st.sampled_from([*TYPES, "user", "assistant", "system", "tool", "text", "input_text", "ephemeral"])
PARTS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=15,
)


@st.composite
def bodies(draw: st.DrawFn) -> tuple[Operation, Dialect, dict[str, Any]]:
    """A request with some of its dialect's fields, filled with anything, some of it shaped like the real thing."""
    client = draw(st.sampled_from(sorted(CASES)))
    provider = draw(st.sampled_from(providers_of(client)))
    chosen = draw(st.lists(st.sampled_from(FIELDS[client]), max_size=4, unique=True))
    body: dict[str, Any] = {**LEAST[client], **{name: draw(PARTS) for name in chosen if name != "include"}}
    for case in draw(st.lists(st.sampled_from(CASES[client]), max_size=2)):
        body.update(case.patch)
    place = "input" if client is Operation.RESPONSES else "messages"
    if draw(st.booleans()) and isinstance(body.get(place), list):
        messages = [
            *body[place],
            {"role": draw(st.sampled_from(["user", "assistant", "tool"])), "content": draw(PARTS)},
        ]
        body[place] = messages
    return client, provider, body


# A body of any values is refused with the name of a field, or becomes a request that is JSON.
@given(made=bodies(), usual=st.booleans())
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_body_is_refused_or_translated(made: tuple[Operation, Dialect, dict[str, Any]], usual: bool) -> None:
    client, provider, body = made
    dialect = Dialect.CHAT if client is Operation.COMPLETIONS else Dialect(client)
    target = (USUAL if usual else TARGETS)[provider]
    refused: Rejected | None = None
    try:
        planned = Translation.plan(dialect, client, provider, body, target, "m", id="x", created=1)
    except Rejected as error:
        refused = error
    else:
        json.loads(planned.body)
        assert planned.estimate()
    assert refused is None or (refused.field and str(refused))


def test_an_include_of_anything() -> None:
    body: dict[str, Any] = {**LEAST[Operation.RESPONSES], "include": [[]]}
    target = USUAL[Dialect.MESSAGES]
    Translation.plan(Dialect.RESPONSES, Operation.RESPONSES, Dialect.MESSAGES, body, target, "m", id="x", created=1)


EVENTS = st.fixed_dictionaries({}, optional={key: PARTS for key in ("choices", "delta", "message", "item", "response")})
TYPED = st.sampled_from(
    "message_start content_block_start content_block_delta content_block_stop message_delta message_stop ping error "
    "response.created response.output_item.added response.output_text.delta response.output_item.done "
    "response.completed response.function_call_arguments.delta response.failed".split()
)


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    """A stream of events that look like something."""
    frames = []
    for _ in range(draw(st.integers(0, 6))):
        value = {**draw(EVENTS), "type": draw(TYPED), "index": draw(st.integers(0, 2)), "output_index": draw(JSON)}
        if draw(st.booleans()):
            value["choices"] = [{"index": 0, "delta": draw(PARTS), "finish_reason": draw(LEAVES)}]
        frames.append(f"event: {value['type']}\ndata: {json.dumps(value)}\n\n")
    return "".join(frames).encode()


# A stream of any values becomes bytes of the client's dialect: neither a reader nor a writer raises.
@given(answer=answers(), stream=st.booleans(), places=st.lists(st.integers(0, 999), max_size=4))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_answer_becomes_bytes(answer: bytes, stream: bool, places: list[int]) -> None:
    for client, body in LEAST.items():
        dialect = Dialect.CHAT if client is Operation.COMPLETIONS else Dialect(client)
        for provider in providers_of(client):
            made = Translation.plan(dialect, client, provider, body, USUAL[provider], "m", id="x", created=1)
            reader, writer = made.reader(True), made.writer(stream)
            read = [event for piece in cut(answer, places) for event in reader.feed(piece)] + reader.close()
            written = b"".join([*(writer.write(event) for event in read), writer.close()])
            written.decode()


def test_all_that_can_be_translated_is_tried() -> None:
    assert set(LEAST) == TRANSLATABLE - {Operation.COUNT_TOKENS, Operation.INPUT_TOKENS}
