"""Losses by grade: each once, in order, in one header; and the errors of what cannot be lost."""

import pytest

from providers.wire.notes import Notes, Rejected, Unfetched


@pytest.mark.parametrize(
    ("dropped", "approximated", "header"),
    [
        ((), (), ""),
        (("seed",), (), "dropped=seed"),
        ((), ("thinking.budget_tokens",), "approximated=thinking.budget_tokens"),
        (
            ("seed", "verbosity", "seed"),
            ("thinking.budget_tokens",) * 2,
            "dropped=seed,verbosity; approximated=thinking.budget_tokens",
        ),
    ],
)
def test_the_header_has_each_field_once(dropped: tuple[str, ...], approximated: tuple[str, ...], header: str) -> None:
    notes = Notes()
    for path in dropped:
        notes.drop(path)
    for path in approximated:
        notes.approximate(path)
    assert notes.header() == header


def test_every_request_has_notes_of_its_own() -> None:
    Notes().drop("seed")
    assert Notes().header() == ""


@pytest.mark.parametrize("kind", [Rejected, Unfetched])
def test_a_refusal_keeps_the_clients_name_of_the_field(kind: type[Rejected]) -> None:
    refusal = kind("messages.image_url", "send it as base64")
    assert (refusal.field, str(refusal)) == ("messages.image_url", "send it as base64")
    assert isinstance(refusal, Rejected)
    assert isinstance(refusal, ValueError)
