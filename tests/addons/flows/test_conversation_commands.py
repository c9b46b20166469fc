"""A flow's conversation as a file or a text, edited without mitmproxy's editor."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from mitmproxy import types
from mitmproxy.addons.view import View
from mitmproxy.exceptions import CommandError
from mitmproxy.hooks import UpdateHook
from mitmproxy.http import HTTPFlow
from mitmproxy.test import taddons, tflow, tutils

from addons.flows.conversation_commands import ConversationCommands

BODY = json.dumps({"model": "m", "messages": [{"role": "user", "content": 'a "b" \\n'}]}).encode()


@pytest.fixture(name="context")
def fixture_context() -> Iterator[taddons.context]:
    with taddons.context(ConversationCommands(), View()) as context:
        yield context


def a_flow() -> HTTPFlow:
    return tflow.tflow(req=tutils.treq(method=b"POST", path=b"/v1/chat/completions", content=BODY))


def add(context: taddons.context) -> HTTPFlow:
    flow = a_flow()
    context.master.addons.get("view").add([flow])
    return flow


def call(context: taddons.context, name: str, flow: HTTPFlow, *arguments: str) -> None:
    """As mitmweb does it: every argument is a text."""
    context.master.commands.call_strings(f"patchbay.conversation.{name}", [f"@{flow.id}", *arguments])


def test_out_to_a_file_and_back(context: taddons.context, tmp_path: Path) -> None:
    flow, path = add(context), tmp_path / "talk.yaml"
    call(context, "save", flow, "request", str(path))
    path.write_text("\ufeff" + path.read_text().replace("role: user", "role: system"), encoding="utf-8")
    call(context, "load", flow, "request", str(path))
    assert flow.request.content == BODY.replace(b"user", b"system")
    assert flow.modified()
    flow.revert()
    assert flow.request.content == BODY


def test_a_text_is_taken_as_it_is(context: taddons.context) -> None:
    """Its backslashes are the YAML's own."""
    flow = add(context)
    text = 'model: m\nmessages:\n- role: user\n  content: "a \\"c\\" \\\\n"\n'
    call(context, "put", flow, "request", text)
    assert flow.request.content == BODY.replace(b'\\"b\\"', b'\\"c\\"')


def test_the_view_hears_of_it(context: taddons.context) -> None:
    heard: list[UpdateHook] = []

    class Listener:
        def update(self, flows: list[HTTPFlow]) -> None:
            heard.append(UpdateHook(flows))

    context.master.addons.add(Listener())
    flow = add(context)
    call(context, "put", flow, "request", "model: x\nmessages: []\n")
    assert [hook.flows for hook in heard] == [[flow]]


def test_an_edit_that_cannot_be_taken_changes_nothing(context: taddons.context) -> None:
    flow = add(context)
    with pytest.raises(CommandError, match=r"line 1, model: must be a text\. Nothing was changed"):
        call(context, "put", flow, "request", "model: 5\nmessages: []\n")
    assert flow.request.content == BODY
    assert not flow.modified()


def test_what_has_no_conversation_says_so(context: taddons.context, tmp_path: Path) -> None:
    flow = add(context)
    for part, said in (("response", "no response of a call"), ("body", 'say "request" or "response"')):
        with pytest.raises(CommandError, match=said):
            call(context, "put", flow, part, "a: 1")
    flow.request.path = "/props"
    with pytest.raises(CommandError, match="no request of a call"):
        call(context, "put", flow, "request", "a: 1")
    with pytest.raises(CommandError, match="no request of a call"):
        ConversationCommands().put(tflow.ttcpflow(), "request", types.CmdArgs("a: 1"))


def test_files_that_cannot_be_used_say_so(context: taddons.context, tmp_path: Path) -> None:
    flow = add(context)
    with pytest.raises(CommandError, match="cannot be written: No such file"):
        call(context, "save", flow, "request", str(tmp_path / "none" / "x"))
    with pytest.raises(CommandError, match="cannot be read: "):
        call(context, "load", flow, "request", str(tmp_path / "none"))
    (tmp_path / "bad").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(CommandError, match="cannot be read: "):
        call(context, "load", flow, "request", str(tmp_path / "bad"))
