"""The thirty traps that other translators fell into (specs: translation, section 13), in their order."""

import json
from typing import Any

import pytest

from providers.quirks import capabilities
from providers.wire.endpoints import Dialect, Operation
from providers.wire.notes import Rejected
from providers.wire.translate import Translation
from tests.providers.wire import lookalikes_chat as c
from tests.providers.wire import lookalikes_messages as m
from tests.providers.wire import lookalikes_responses as r
from tests.providers.wire.calls import (
    CHAT,
    CLAUDE,
    GPT,
    HI,
    MESSAGES,
    NEW_CLAUDE,
    NEW_GPT,
    PLAIN,
    RESPONSES,
    answered,
    asked,
    frames,
    plain,
    plan,
    sent,
)
from tests.providers.wire.chat.chunks import call, chunk
from tests.providers.wire.playbook import sse
from tests.providers.wire.sdk_readings import read_chat, read_messages, read_responses

SCHEMA = {"type": "object", "properties": {"pages": {"type": "string"}}}
TOOL: dict[str, Any] = {"type": "function", "function": {"name": "f", "description": "d", "parameters": SCHEMA}}
CLAUDE_TOOL: dict[str, Any] = {"name": "f", "description": "d", "input_schema": SCHEMA}
PNG = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}}
MARK = {"type": "ephemeral"}


def called(*ids: str, content: Any = None, arguments: str = "{}") -> dict[str, Any]:
    calls = [{"id": id_, "type": "function", "function": {"name": "f", "arguments": arguments}} for id_ in ids]
    return {"role": "assistant", "content": content, "tool_calls": calls}


def result(id_: str, text: str = "1") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": id_, "content": text}


def to_messages(stream: bytes, /, **body: Any) -> bytes:
    return answered(plan(MESSAGES, CHAT, asked(MESSAGES, **body)), stream)


def to_chat(stream: bytes, /, **body: Any) -> bytes:
    return answered(plan(CHAT, MESSAGES, asked(CHAT, **body)), stream)


def blocks(stream: bytes) -> list[tuple[int, str]]:
    """Index and type of each block that is opened."""
    return [(e["index"], e["content_block"]["type"]) for e in frames(stream) if e["type"] == "content_block_start"]


def test_01_parallel_tool_calls_stay_apart() -> None:
    written = to_messages(c.STREAMS["interleaved tools"])
    seen = read_messages(written)
    assert seen.calls == (("call_1", "f", {"x": 1}), ("call_2", "g", {"y": 2}))
    assert [index for index, _ in blocks(written)] == [0, 1, 2]
    chat = to_chat(m.STREAMS["a tool in crumbs"])  # its block is number 1, its tool call number 0
    indexes = {
        call["index"] for e in frames(chat) for choice in e["choices"] for call in choice["delta"].get("tool_calls", ())
    }
    assert indexes == {0}


def test_02_cumulative_usage_overwrites_and_caches_count_once() -> None:
    growing = read_chat(to_chat(m.STREAMS["growing input"], stream_options={"include_usage": True}))
    assert (growing.usage.input, growing.usage.output) == (24, 9)
    cached = read_chat(to_chat(m.STREAMS["text only"], stream_options={"include_usage": True}))
    assert (cached.usage.input, cached.usage.cache_read, cached.usage.cache_write) == (123, 20, 100)
    message = plain(plan(MESSAGES, CHAT, asked(MESSAGES)), c.STREAMS["text only"])
    assert (message["usage"]["input_tokens"], message["usage"]["cache_read_input_tokens"]) == (20, 100)


@pytest.mark.parametrize(
    ("provider", "stream"),
    [(CHAT, stream) for stream in c.FAILURES.values()]
    + [(MESSAGES, stream) for stream in m.FAILURES.values()]
    + [(RESPONSES, stream) for stream in r.FAILURES.values()],
)
def test_03_an_error_in_a_stream_is_no_end(provider: Dialect, stream: bytes) -> None:
    for client in Dialect:
        if client is provider:
            continue
        translation = plan(client, provider, asked(client, HI))
        reader, writer = translation.reader(True), translation.writer(True)
        begun = b"".join([writer.write(event) for event in [*reader.feed(stream), *reader.close()]])
        assert not any(end in begun for end in (b"end_turn", b"message_stop", b"[DONE]", b"response.completed"))


def test_04_a_cut_stream_has_no_end_and_a_clean_one_has() -> None:
    whole = c.STREAMS["no usage"]
    cut = whole[: whole.index(b'"finish_reason": "stop"')]
    translation = plan(MESSAGES, CHAT, asked(MESSAGES))
    reader, writer = translation.reader(True), translation.writer(True)
    begun = b"".join([writer.write(event) for event in [*reader.feed(cut), *reader.close()]])
    assert b"message_stop" not in begun
    ends = [event["type"] for event in frames(to_messages(whole))][-2:]
    assert ends == ["message_delta", "message_stop"]


def test_05_the_open_block_has_a_type() -> None:
    mixed = sse(
        chunk({"content": "a"}),
        chunk({"reasoning_content": "b"}),
        chunk({"content": "c"}),
        chunk({"tool_calls": [c.function(0, "call_1", "f", "{}")]}),
        chunk({"content": "d"}),
        chunk(finish="tool_calls"),
        done=True,
    )
    written = to_messages(mixed)
    assert blocks(written) == [(0, "text"), (1, "thinking"), (2, "text"), (3, "tool_use"), (4, "text")]
    assert read_messages(written).text == "acd"


def test_06_arguments_in_one_piece_at_the_end_or_none_at_all() -> None:
    assert read_chat(to_chat(m.STREAMS["already filled"])).calls == (("toolu_1", "f", {"x": 1}),)
    late = r.stream(r.call(0, "call_1", "f"))
    done = late.replace(b'"arguments": ""', b'"arguments": "{\\"x\\": 1}"').replace(
        b'"status": "in_progress", "arguments": "{\\"x\\": 1}"', b'"status": "in_progress", "arguments": ""'
    )
    assert read_messages(answered(plan(MESSAGES, RESPONSES, asked(MESSAGES)), done)).calls[0][2] == {"x": 1}
    nothing = to_messages(c.STREAMS["text and a tool without arguments"])
    assert read_messages(nothing).calls == (("call_1", "now", {}),)
    (item,) = sent(CHAT, MESSAGES, asked(CHAT, HI, called("a", arguments=""), result("a")))["messages"][1]["content"]
    assert item["input"] == {}


def history(stream: bytes, *, client: Dialect = CHAT) -> list[Any]:
    """What a Claude is sent in the next turn, when a client of another dialect returns its answer as it got it."""
    said = plain(plan(client, MESSAGES, asked(client, HI)), stream)
    if client is CHAT:
        message = said["choices"][0]["message"]
        results = [result(call["id"]) for call in message.get("tool_calls") or []]
        body = asked(CHAT, HI, message, *results, {"role": "user", "content": "Go on"})
    else:
        calls = [item["call_id"] for item in said["output"] if item["type"] == "function_call"]
        outputs = [{"type": "function_call_output", "call_id": id_, "output": "1"} for id_ in calls]
        body = asked(RESPONSES, HI, *said["output"], *outputs, {"role": "user", "content": "Go on"})
    blocks: list[Any] = sent(client, MESSAGES, body)["messages"][1]["content"]
    return blocks


@pytest.mark.parametrize("client", [CHAT, RESPONSES])
def test_07_signatures_and_the_order_of_blocks_come_back(client: Dialect) -> None:
    found = history(m.STREAMS["thinking between tools"], client=client)
    assert [block["type"] for block in found] == ["thinking", "tool_use", "thinking", "tool_use"]
    assert [(b["thinking"], b["signature"]) for b in found if b["type"] == "thinking"] == [("one", "a"), ("two", "b")]
    (hidden, text) = history(m.STREAMS["thinking that is not shown"], client=client)
    assert (hidden["type"], hidden["signature"], text["text"]) == ("thinking", "c2ln", "4")


@pytest.mark.parametrize("client", [CHAT, RESPONSES])
def test_08_redacted_thinking_comes_back(client: Dialect) -> None:
    found = history(m.STREAMS["redacted thinking"], client=client)
    assert [block["type"] for block in found] == ["thinking", "redacted_thinking", "text"]
    assert found[1]["data"] == "b3Bh"


def test_09_reasoning_alone_is_a_block() -> None:
    written = to_messages(c.STREAMS["reasoning alone"])
    assert blocks(written)[0] == (0, "thinking")
    assert read_messages(written).reasoning == "I think"


def test_10_images_of_tool_results_arrive() -> None:
    use = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}
    answer = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "see"}, PNG]}
    body = asked(MESSAGES, HI, {"role": "assistant", "content": [use]}, {"role": "user", "content": [answer]})
    *_, tool, user = sent(MESSAGES, CHAT, body)["messages"]
    assert (tool["role"], user["role"]) == ("tool", "user")
    assert any(part["type"] == "image_url" for part in user["content"])
    assert "toolu_1" in json.dumps(user)
    output = sent(MESSAGES, RESPONSES, body)["input"][-1]["output"]
    assert {part["type"] for part in output} == {"input_text", "input_image"}


def test_11_tool_results_stand_together_and_first() -> None:
    body = asked(CHAT, HI, called("a", "b"), result("a"), result("b"), {"role": "user", "content": "And?"})
    messages = sent(CHAT, MESSAGES, body)["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant", "user"]
    assert [block["type"] for block in messages[2]["content"]] == ["tool_result", "tool_result", "text"]
    blocks_ = [{"type": "text", "text": "And?"}, {"type": "tool_result", "tool_use_id": "toolu_1", "content": "1"}]
    use = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}
    back = asked(MESSAGES, HI, {"role": "assistant", "content": [use]}, {"role": "user", "content": blocks_})
    assert [message["role"] for message in sent(MESSAGES, CHAT, back)["messages"]] == [
        "user",
        "assistant",
        "tool",
        "user",
    ]


def test_12_text_beside_tool_calls_stays() -> None:
    body = asked(CHAT, HI, called("a", content="Let me."), result("a"))
    content = sent(CHAT, MESSAGES, body)["messages"][1]["content"]
    assert [block["type"] for block in content] == ["text", "tool_use"]
    assert content[0]["text"] == "Let me."


@pytest.mark.parametrize("blank", ["", " ", "\n", None])
def test_13_no_empty_text_blocks(blank: str | None) -> None:
    body = asked(CHAT, HI, called("a", content=blank), result("a"), {"role": "assistant", "content": ""}, HI)
    messages = sent(CHAT, MESSAGES, body)["messages"]
    texts = [block for message in messages for block in message["content"] if block["type"] == "text"]
    assert all(block["text"].strip() for block in texts)
    assert [message["role"] for message in messages] == ["user", "assistant", "user"]
    assert [block["type"] for block in messages[1]["content"]] == ["tool_use"]


def test_14_tool_ids_and_names_fit_the_provider() -> None:
    body = asked(CHAT, HI, called("call:1|é", "call:1|è"), result("call:1|é"), result("call:1|è"), tools=[TOOL])
    uses, results = (message["content"] for message in sent(CHAT, MESSAGES, body)["messages"][1:3])
    ids = [use["id"] for use in uses]
    assert ids == [one["tool_use_id"] for one in results]
    assert len(set(ids)) == 2
    assert all(id_.replace("_", "").replace("-", "").isalnum() and id_.isascii() for id_ in ids)
    mistral = sent(
        MESSAGES,
        CHAT,
        asked(
            MESSAGES,
            HI,
            {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_01A", "name": "f", "input": {}}]},
        ),
        capabilities("compatible", "mistral-large"),
    )
    short = mistral["messages"][1]["tool_calls"][0]["id"]
    assert len(short) == 9
    assert short.isalnum()


def test_14_long_names_are_told_apart_and_come_back() -> None:
    names = [f"mcp__server__{'x' * 70}_{end}" for end in "ab"]
    tools = [{**CLAUDE_TOOL, "name": name} for name in names]
    translation = plan(MESSAGES, CHAT, asked(MESSAGES, tools=tools))
    short = [tool["function"]["name"] for tool in json.loads(translation.body)["tools"]]
    assert len(set(short)) == 2
    assert all(len(name) <= 64 for name in short)
    stream = sse(
        chunk({"tool_calls": [c.function(0, "call_1", short[1], "{}")]}), chunk(finish="tool_calls"), done=True
    )
    assert read_messages(answered(translation, stream)).calls == (("call_1", names[1], {}),)


def test_15_blank_stop_sequences_are_left_out() -> None:
    translation = plan(CHAT, MESSAGES, asked(CHAT, stop=["END", "\n", " ", ""]))
    assert json.loads(translation.body)["stop_sequences"] == ["END"]
    assert "stop" in translation.notes.dropped
    assert "stop_sequences" not in sent(CHAT, MESSAGES, asked(CHAT, stop="\n\n"))


def test_16_a_refusal_or_a_full_window_is_no_stop() -> None:
    refusal = read_chat(to_chat(m.STREAMS["refusal"]))
    assert (refusal.finish, refusal.refusal) == ("refusal", "That is not allowed.")
    assert read_chat(to_chat(m.STREAMS["a full window"])).finish == "length"
    assert read_messages(to_messages(c.STREAMS["content filter"])).finish == "refusal"
    filtered = answered(plan(MESSAGES, RESPONSES, asked(MESSAGES)), r.STREAMS["content filter"])
    assert read_messages(filtered).finish == "refusal"


def test_17_later_system_messages_stay_where_they_are() -> None:
    body = asked(CHAT, HI, {"role": "assistant", "content": "Hello"}, HI, {"role": "system", "content": "Be brief."})
    new = sent(CHAT, MESSAGES, body, NEW_CLAUDE)
    assert "system" not in new
    assert new["messages"][-1]["role"] == "system"
    old = sent(CHAT, MESSAGES, body, CLAUDE)
    assert "system" not in old
    assert "Be brief." in json.dumps(old["messages"][-1])
    back = asked(MESSAGES, HI, {"role": "system", "content": "Be brief."})
    assert [message["role"] for message in sent(MESSAGES, CHAT, back)["messages"]] == ["user", "system"]


def test_18_cache_marks_stand_on_parts() -> None:
    system = [{"type": "text", "text": "One."}, {"type": "text", "text": "Two.", "cache_control": MARK}]
    marked = {"role": "user", "content": [{"type": "text", "text": "Hi", "cache_control": MARK}]}
    router = capabilities("openrouter", "anthropic/claude-opus-4.5")
    first, second = sent(MESSAGES, CHAT, asked(MESSAGES, marked, system=system), router)["messages"]
    assert [part["text"] for part in first["content"]] == ["One.", "Two."]
    assert first["content"][1]["cache_control"] == MARK
    assert second["content"][0]["cache_control"] == MARK
    assert "cache_control" not in {**first, **second}
    openai = sent(MESSAGES, CHAT, asked(MESSAGES, marked), NEW_GPT)["messages"][0]
    assert openai["content"][0]["prompt_cache_breakpoint"]["mode"] == "explicit"
    assert "cache_control" not in json.dumps(openai)
    assert "cache_" not in json.dumps(sent(MESSAGES, CHAT, asked(MESSAGES, marked), PLAIN))


def test_19_the_billing_line_is_taken_out() -> None:
    line = {"type": "text", "text": "x-anthropic-billing-header: cc_version=2; cch=abc12;"}
    body = asked(MESSAGES, HI, system=[line, {"type": "text", "text": "You are a coding agent."}])
    for provider in (CHAT, RESPONSES):
        told = json.dumps(sent(MESSAGES, provider, body))
        assert "billing" not in told
        assert "You are a coding agent." in told


@pytest.mark.parametrize("provider", [CHAT, RESPONSES])
def test_20_new_body_fields_are_dropped_and_named(provider: Dialect) -> None:
    fields = {"context_management": {"edits": []}, "diagnostics": {"previous_message_id": None}, "brand_new": {"a": 1}}
    translation = plan(MESSAGES, provider, asked(MESSAGES, **fields))
    assert {"diagnostics", "brand_new"} <= set(translation.notes.dropped)
    assert not {*fields} & set(json.loads(translation.body))


def test_21_sampling_and_prefill_only_where_they_are_taken() -> None:
    body = asked(CHAT, HI, temperature=1.4, top_p=0.9)
    assert sent(CHAT, MESSAGES, body, CLAUDE)["temperature"] == 1
    translation = plan(CHAT, MESSAGES, body, NEW_CLAUDE)
    assert not {"temperature", "top_p"} & set(json.loads(translation.body))
    assert {"temperature", "top_p"} <= set(translation.notes.dropped)
    prefill = asked(CHAT, HI, {"role": "assistant", "content": "Sure,"})
    assert sent(CHAT, MESSAGES, prefill, CLAUDE)["messages"][-1]["role"] == "assistant"
    refused = plan(CHAT, MESSAGES, prefill, NEW_CLAUDE)
    assert json.loads(refused.body)["messages"][-1]["role"] == "user"
    assert refused.notes.approximated


def test_22_a_forced_tool_wins_over_thinking_that_we_added() -> None:
    body = asked(CHAT, tools=[TOOL], tool_choice="required", reasoning_effort="high", max_tokens=8000)
    for target in (CLAUDE, NEW_CLAUDE):
        translation = plan(CHAT, MESSAGES, body, target)
        made = json.loads(translation.body)
        assert made["tool_choice"]["type"] == "any"
        assert "thinking" not in made
        assert "reasoning_effort" in {**translation.notes.dropped, **translation.notes.approximated}


@pytest.mark.parametrize("step", [1, 2, 7, 1 << 20])
def test_23_framing_does_not_matter(step: int) -> None:
    stream = c.STREAMS["text only"].replace(b"\n", b"\r\n").replace(b"data: ", b"data:")
    odd = b"\xef\xbb\xbf: hello\r\n\r\n" + stream.replace(b"\\u", b"\\u")
    translation = plan(MESSAGES, CHAT, asked(MESSAGES))
    reader, writer = translation.reader(True), translation.writer(True)
    pieces = [odd[at : at + step] for at in range(0, len(odd), step)]
    read = [event for piece in pieces for event in reader.feed(piece)] + reader.close()
    written = b"".join([*map(writer.write, read), writer.close()])
    assert read_messages(written).text == "Žluťoučký 🐎"


def test_24_a_strict_server_gets_no_key_that_it_may_not_know() -> None:
    body = asked(MESSAGES, metadata={"user_id": "u"}, top_k=4, service_tier="auto", tools=[CLAUDE_TOOL], stream=True)
    usual = "model messages max_tokens tools stream stream_options user top_k"
    assert set(sent(MESSAGES, CHAT, body, PLAIN)) <= set(usual.split())
    mistral = sent(MESSAGES, CHAT, body, capabilities("compatible", "m", like="mistral"))
    assert not {"stream_options", "top_k"} & set(mistral)


@pytest.mark.parametrize("client", [CHAT, RESPONSES])
def test_25_server_tools_are_not_the_clients(client: Dialect) -> None:
    translation = plan(client, MESSAGES, asked(client, HI))
    read = read_chat if client is CHAT else read_responses
    seen = read(answered(translation, m.STREAMS["server tools"]))
    assert (seen.calls, seen.text) == ((), "I search. Found.")


def test_26_usage_is_always_asked_for_and_told_only_if_asked() -> None:
    assert sent(MESSAGES, CHAT, asked(MESSAGES, stream=True))["stream_options"] == {"include_usage": True}
    assert read_messages(to_messages(c.STREAMS["text only"])).usage.output == 7
    silent = to_chat(m.STREAMS["text only"])
    assert all(event["choices"] for event in frames(silent))
    told = to_chat(m.STREAMS["text only"], stream=True, stream_options={"include_usage": True})
    assert [event["usage"]["completion_tokens"] for event in frames(told) if not event["choices"]] == [9]


def test_27_a_message_start_that_is_already_filled() -> None:
    seen = read_chat(to_chat(m.STREAMS["already filled"]))
    assert (seen.calls, seen.finish) == ((("toolu_1", "f", {"x": 1}),), "tool_calls")


def test_28_counts_include_system_and_tools() -> None:
    body = {**asked(MESSAGES, system="Be short. " * 100, tools=[CLAUDE_TOOL] * 5)}
    del body["max_tokens"]
    counting = (MESSAGES, Operation.COUNT_TOKENS)
    asked_of = Translation.plan(*counting, RESPONSES, body, GPT, "told", id="x", created=1)
    assert asked_of.operation is Operation.INPUT_TOKENS
    made = json.loads(asked_of.body)
    assert len(made["tools"]) == 5
    assert "Be short." in json.dumps(made)
    assert not {"max_output_tokens", "store", "stream"} & set(made)
    guessed = Translation.plan(*counting, CHAT, body, PLAIN, "told", id="x", created=1)
    assert guessed.operation is None
    assert json.loads(guessed.estimate())["input_tokens"] > 250 + 5 * 20


def test_29_empty_optional_strings_are_left_alone() -> None:
    """They upset some strict tools, but they are what the model said."""
    stream = sse(chunk({"tool_calls": [{**call(0, "a", "f", '{"pages":""}'), "type": "function"}]}), done=True)
    assert read_messages(to_messages(stream)).calls == (("a", "f", {"pages": ""}),)


def test_30_a_pause_is_told_as_one() -> None:
    message = plain(plan(CHAT, MESSAGES, asked(CHAT)), m.STREAMS["pause_turn"])["choices"][0]
    assert message["finish_reason"] == "stop"
    assert message["message"]["provider_fields"]["stop_reason"] == "pause_turn"
    assert message["message"].get("tool_calls") is None


def test_what_cannot_be_said_is_refused_by_the_clients_name() -> None:
    with pytest.raises(Rejected) as refused:
        plan(CHAT, MESSAGES, asked(CHAT, n=2))
    assert refused.value.field == "n"
