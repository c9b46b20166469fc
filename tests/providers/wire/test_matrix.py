"""The matrix of decisions: complete by the SDKs' types, true by running it, printed as docs/translation.md.

A field, block or tool that a new version of an SDK adds fails the first test until it is decided.
"""

import json
from typing import Any

import pytest

from providers.wire.endpoints import Dialect, Operation
from providers.wire.notes import Rejected
from scripts.translation.case import LEAST, Case, Decision, observe, providers_of, translate
from scripts.translation_matrix import CASES, DOCUMENT, render
from tests.providers.wire.sdk_types import DOCUMENTED, judge


def run(client: Operation, case: Case, provider: Dialect) -> Any:
    """A line of the matrix as a parameter of a test."""
    return pytest.param(client, case, provider, id=f"{client}: {case.section} {case.name} to {provider}")


LINES = [
    (client, case, provider) for client, cases in CASES.items() for case in cases for provider in providers_of(client)
]


@pytest.mark.parametrize(("client", "section"), DOCUMENTED)
def test_everything_documented_is_decided(client: str, section: str) -> None:
    decided = {case.name for case in CASES[Operation(client)] if case.section == section}
    undecided = DOCUMENTED[client, section] - decided
    assert not undecided, f"decide in scripts/translation/{client}_cases.py: {sorted(undecided)}"
    variants = {name.partition(".")[0].partition(",")[0] for name in decided}
    gone = variants - DOCUMENTED[client, section] - EXTENSIONS.get((client, section), frozenset())
    assert not gone, f"no SDK documents {sorted(gone)} any more"


# What is decided although the typed models no longer have it: older models and other clients still send it.
EXTENSIONS: dict[tuple[str, str], frozenset[str]] = {
    ("messages", "field"): frozenset(("temperature", "top_p", "top_k")),
}


@pytest.mark.parametrize(("client", "case", "provider"), [run(*line) for line in LINES])
def test_the_decision_is_what_happens(client: Operation, case: Case, provider: Dialect) -> None:
    assert observe(client, provider, case).decision is case.declared(client)[provider]


@pytest.mark.parametrize(("client", "case", "provider"), [run(*line) for line in LINES])
def test_what_is_lost_is_named(client: Operation, case: Case, provider: Dialect) -> None:
    """A refusal and a note name the client's own field: its first word stands in the request."""
    observed = observe(client, provider, case)
    if observed.decision in (Decision.REJECTED, Decision.DROPPED, Decision.APPROXIMATED):
        sent = {**LEAST[client], **case.patch}
        assert {field.partition(".")[0].partition("[")[0] for field in observed.fields} <= set(sent) | {"cache_control"}


def test_every_case_is_there_once() -> None:
    for cases in CASES.values():
        names = [(case.section, case.name) for case in cases]
        assert len(set(names)) == len(names)


@pytest.mark.parametrize("client", CASES)
def test_the_least_request_loses_nothing(client: Operation) -> None:
    for provider in providers_of(client):
        header = translate(client, provider, LEAST[client]).notes.header()
        assert header == ("approximated=prompt" if client is Operation.COMPLETIONS else "")


def test_the_document_is_current() -> None:
    """If this fails: python -m scripts.translation_matrix --write."""
    assert DOCUMENT.read_text("utf-8") == render()


@pytest.mark.parametrize(("client", "case", "provider"), [run(*line) for line in LINES])
def test_what_is_sent_is_of_the_providers_type(client: Operation, case: Case, provider: Dialect) -> None:
    try:
        made = translate(client, provider, {**LEAST[client], **case.patch})
    except Rejected:
        return  # nothing is sent
    judge(provider, json.loads(made.body))
