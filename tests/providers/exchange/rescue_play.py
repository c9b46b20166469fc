"""Plays calls whose answer breaks off: a real registry, plan and course, three dialects in front, three behind.

``first-*`` providers break off, ``second-*`` ones go on with what they are told of the answer; the SDKs are the judges.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from providers.calls import ClientRequest, read_call
from providers.exchange.commands import Dial
from providers.exchange.machine import Exchange, Settings
from providers.exchange.plan import Plan, Target
from providers.failover import Failover
from providers.planning import plan_call
from providers.registry import Registry, load
from providers.wire.endpoints import Operation, endpoint_of
from providers.wire.readers import reader_for
from tests.fake_dialects import Json, chat_events, messages_events, responses_events
from tests.providers.exchange.playbook import Playbook, account, begin, data, ended, head, opened
from tests.providers.exchange.test_machine_sdks import ask_anthropic, ask_openai
from tests.rig_translation import Said, of_chat, of_messages, of_responses

DIALECTS = ("chat", "messages", "responses")
EVENTS = {"chat": chat_events, "messages": messages_events, "responses": responses_events}
OPERATION = {"chat": Operation.CHAT, "messages": Operation.MESSAGES, "responses": Operation.RESPONSES}
PATHS = {"chat": "/v1/chat/completions", "messages": "/v1/messages", "responses": "/v1/responses"}
WORDS = ("It", " rains", " in", " the\n", "\n", "valley", " and", " nobody", " minds", ".")
TEXT = "".join(WORDS)
HI = [{"role": "user", "content": "hi"}]
BODIES: dict[str, Json] = {
    "chat": {"messages": HI, "max_tokens": 900, "stream": True, "stream_options": {"include_usage": True}},
    "messages": {"messages": HI, "max_tokens": 900, "stream": True},
    "responses": {"input": "hi", "max_output_tokens": 900, "stream": True},
}
PROVIDER = """\
  {name}-{dialect}:
    kind: compatible
    base_url: https://{name}-{dialect}.example/v1
    dialects: [{dialect}]
    quirks: {{accepts_prefill: {prefill}}}
    deadlines: {{connect: 1, head: 2, first_content: 3, gap: 4, total: 100}}
"""
NARROW = """\
    max_in_flight: 1
    max_queued: 0
"""


def registry(folder: Path) -> Registry:
    """``A-B`` and ``A-B-C`` go from first-A to second-B (and third-C); ``A-no-B`` to one that takes no prefill."""
    names = (("first", "false"), ("second", "true"), ("third", "true"), ("stubborn", "false"))
    providers = "".join(
        PROVIDER.format(name=name, dialect=dialect, prefill=prefill) for name, prefill in names for dialect in DIALECTS
    )
    models = []
    for one in DIALECTS:
        for other in DIALECTS:
            pair = f"first-{one}/m, second-{other}/m"
            models.append(f"  {one}-{other}: {{targets: [{pair}], rescue: prefill}}\n")
            models.append(f"  {one}-no-{other}: {{targets: [first-{one}/m, stubborn-{other}/m], rescue: prefill}}\n")
            models += [
                f"  {one}-{other}-{last}: {{targets: [{pair}, third-{last}/m], rescue: prefill}}\n" for last in DIALECTS
            ]
    providers += PROVIDER.format(name="narrow", dialect="chat", prefill="true") + NARROW
    models.append("  narrow: narrow-chat/m\n")
    models.append("  past-narrow: {targets: [first-chat/m, narrow-chat/m, third-chat/m], rescue: prefill}\n")
    models.append("  to-narrow: {targets: [first-chat/m, narrow-chat/m], rescue: prefill}\n")
    (folder / "registry.yaml").write_text(f"providers:\n{providers}models:\n{''.join(models)}")
    return load({}, folder, root=None)


def planned(known: Registry, client: str, model: str, **more: object) -> Plan:
    """The plan of a call; ``more`` are fields of its body."""
    endpoint = endpoint_of("POST", PATHS[client])
    assert endpoint
    body = json.dumps({"model": model, **BODIES[client], **more}).encode()
    return plan_call(known, (), read_call(ClientRequest(endpoint, "", [], body), 1 << 20), id="pb-1", created=1).plan


def begun(
    known: Registry, client: str, model: str, attempts: int = 4, shared: Failover | None = None, **more: object
) -> Playbook:
    """A call that is about to be dialled; ``shared`` with others."""
    plan = planned(known, client, model, **more)
    course = (shared or Failover()).course(attempts)
    return Playbook(Exchange(account(OPERATION[client]), plan, reader_for, Settings(), course)) >> begin()


def streaming(play: Playbook, pieces: Sequence[bytes]) -> Playbook:
    """The target that was dialled answers with these pieces."""
    play >> opened() >> head()
    for piece in pieces:
        play >> data(piece)
    return play


def dialled(play: Playbook) -> Target:
    """Who was dialled last."""
    return next(command.target for command in reversed(play.asked) if isinstance(command, Dial))


def sent(target: Target) -> Json:
    """The body that a target is sent."""
    body: Json = json.loads(target.body)
    return body


def prefill(target: Target) -> str:
    """What a target is told of the answer."""
    body = sent(target)
    last: dict[str, Any] = (body.get("messages") or body["input"])[-1]
    assert last["role"] == "assistant"
    content = last["content"]
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


def rest_of(play: Playbook, provider: str, text: str = TEXT) -> list[bytes]:
    """How the target that was dialled goes on: exactly where it was told that the answer stands."""
    told = prefill(dialled(play))
    assert text.startswith(told)
    rest = text[len(told) :]
    return EVENTS[provider]([rest[at : at + 3] for at in range(0, len(rest), 3)])


def goes_on(play: Playbook, provider: str) -> Playbook:
    """The target that was dialled goes on to the end."""
    streaming(play, rest_of(play, provider))
    return play if play.end else play >> ended()


def heard(play: Playbook, client: str) -> Said:
    """What the dialect's official client makes of the stream; raises what it raises."""
    if client == "messages":
        with ask_anthropic(play) as sdk, sdk.messages.stream(model="m", max_tokens=1, messages=[]) as events:
            return of_messages(events.get_final_message())
    with ask_openai(play) as openai:
        if client == "chat":
            with openai.chat.completions.stream(
                model="m", messages=[], stream_options={"include_usage": True}
            ) as chunks:
                return of_chat(chunks.get_final_completion())
        with openai.responses.stream(model="m", input="") as parts:
            return of_responses(parts.get_final_response())
