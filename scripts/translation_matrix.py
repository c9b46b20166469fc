"""Prints `docs/translation.md`: what becomes of every documented field and type, checked by running each case.

``python -m scripts.translation_matrix`` prints, ``--write`` writes the file. A test holds the file to what this prints.
"""

import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from providers.wire.endpoints import Dialect, Operation
from scripts.translation import chat_cases, completions_cases, messages_cases, responses_cases
from scripts.translation.case import Case, Decision, observe, providers_of

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "translation.md"
CASES: dict[Operation, tuple[Case, ...]] = {
    Operation.CHAT: chat_cases.CASES,
    Operation.MESSAGES: messages_cases.CASES,
    Operation.RESPONSES: responses_cases.CASES,
    Operation.COMPLETIONS: completions_cases.CASES,
}
_TITLES: dict[Operation, str] = {
    Operation.CHAT: "Chat completions clients",
    Operation.MESSAGES: "Messages clients",
    Operation.RESPONSES: "Responses clients",
    Operation.COMPLETIONS: "Text completions clients",
}
_HEAD = """# What translation does with every field

This file is printed by `python -m scripts.translation_matrix --write`; each line is a case that was run.

A call is translated only where the provider does not speak the client's dialect; the same dialect passes untouched. The
columns are the provider's dialect, and name a provider that takes everything its dialect has: what single models refuse
(sampling parameters, prefill, …) is left out on top of this, with a note, by what `providers/model_facts.py` knows and
`quirks:` in `registry.yaml` corrects.

| decision | what happens |
| --- | --- |
| mapped | it is said in the provider's words |
| carried | it travels in an opaque field and comes back with the conversation |
| kept | nothing has to be sent: Patchbay sees to it itself, or it is what the provider does anyway |
| dropped | a hint that cannot be said is left out; named in `x-patchbay-translation` and in the record |
| approximated | the meaning is kept roughly; named likewise |
| fetched | what stands at an address is downloaded and sent inline, because the provider takes no address |
| rejected | the answer's shape, safety or bill would change: 400 in the client's dialect, naming the field |
"""


def render() -> str:
    """The whole document."""
    return "\n".join([_HEAD, *(line for client in CASES for line in _section(client))]) + "\n"


def _section(client: Operation) -> Iterator[str]:
    providers = providers_of(client)
    yield f"## {_TITLES[client]}\n"
    for section, cases in groupby(CASES[client], key=lambda case: case.section):
        yield f"| {section} | {' | '.join(providers)} |"
        yield "| --- " * (1 + len(providers)) + "|"
        for case in cases:
            shown = " | ".join(_cell(client, case, provider) for provider in providers)
            yield f"| `{case.name}` | {shown} |"
        yield ""


def _cell(client: Operation, case: Case, provider: Dialect) -> str:
    observed = observe(client, provider, case)
    named = ", ".join(f"`{field}`" for field in observed.fields if field != case.name)
    is_told = observed.decision in (Decision.DROPPED, Decision.APPROXIMATED, Decision.REJECTED)
    return f"{observed.decision} as {named}" if named and is_told else observed.decision.value


if __name__ == "__main__":
    if "--write" in sys.argv[1:]:
        DOCUMENT.write_text(render(), "utf-8")
        print(f"wrote {DOCUMENT}")
    else:
        print(render(), end="")
