from providers.wire import side_channel
from providers.wire.endpoints import Dialect
from providers.wire.neutral import Json, Opaque, Part, Text, Thinking, ToolUse, Turn
from providers.wire.responses.carried import restore

BLOCK: Json = {"type": "server_tool_use", "id": "srvtoolu_1"}


def packed(text: str) -> Opaque:
    unpacked = side_channel.unpack(text)
    assert unpacked is not None
    return Opaque(Dialect.RESPONSES, *unpacked)


def search(id_: str) -> Opaque:
    return Opaque(Dialect.RESPONSES, "web_search_call", {"type": "web_search_call", "id": id_})


def restored(*parts: Part) -> tuple[Part, ...]:
    return restore(Turn("assistant", parts)).parts


def test_a_block_is_itself_again_and_its_search_is_said_once() -> None:
    block = packed(side_channel.pack_opaque(Dialect.MESSAGES, "server_tool_use", BLOCK))
    assert restored(Text("a"), block, search("ws_srvtoolu_1"), search("ws_2")) == (
        Text("a"),
        Opaque(Dialect.MESSAGES, "server_tool_use", BLOCK),
        search("ws_2"),
    )


def test_what_nobody_understands_is_left_out() -> None:
    assert restored(Opaque(Dialect.RESPONSES, side_channel.OPAQUE, {"dialect": "klingon"})) == ()


def test_a_field_goes_back_onto_its_call() -> None:
    field = packed(side_channel.pack_opaque(Dialect.CHAT, "extra_content", {"k": 1}, "c"))
    call, other = ToolUse("c", "f", "{}"), ToolUse("d", "f", "{}")
    assert restored(other, call, field) == (other, ToolUse("c", "f", "{}", extra={"extra_content": {"k": 1}}))
    assert restored(other, field) == (other,)


def test_a_late_signature_goes_onto_the_reasoning_before_it() -> None:
    late = packed(side_channel.pack_reasoning("f", signature="s", late=True))
    sealed = Thinking("b", "t")
    assert restored(Thinking("a", summary=("a",)), sealed, late) == (
        Thinking("a", "s", format="f", summary=("a",)),
        sealed,
    )
    assert restored(Text("x"), late) == (Text("x"), Thinking("", "s", format="f"))
