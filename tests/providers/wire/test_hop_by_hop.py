"""What belongs to one connection."""

import pytest

from providers.wire.hop_by_hop import HOP_BY_HOP, named_by_connection


@pytest.mark.parametrize("name", ["connection", "te", "trailer", "transfer-encoding", "upgrade", "keep-alive"])
def test_the_names_of_rfc_9110(name: str) -> None:
    assert name in HOP_BY_HOP


@pytest.mark.parametrize(
    ("headers", "named"),
    [
        ([], set()),
        ([("Accept", "close")], set()),
        ([("Connection", "close")], {"close"}),
        ([("Connection", "Keep-Alive, X-Hop"), ("connection", "x-other ")], {"keep-alive", "x-hop", "x-other"}),
    ],
)
def test_what_a_connection_header_names(headers: list[tuple[str, str]], named: set[str]) -> None:
    assert named_by_connection(headers) == named
