"""What is ours under /patchbay/, and the plain shape of what is said there."""

import pytest
from mitmproxy.http import HTTPFlow
from mitmproxy.test import tflow

from addons.own_pages import answer_error, is_own_page, own_page


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/patchbay", ""),
        ("/patchbay/", ""),
        ("/patchbay/health", "health"),
        ("/patchbay/health/", "health"),
        ("/patchbay/health?verbose=1", "health"),
        ("/patchbay/a/b", "a/b"),
        ("/patchbay?x=/y", ""),
        ("/patchbays", None),
        ("/v1/patchbay/health", None),
        ("/health", None),
        ("/?/patchbay/health", None),
        ("", None),
    ],
)
def test_which_paths_are_ours(path: str, page: str | None) -> None:
    assert own_page(path) == page
    assert is_own_page(path) is (page is not None)


def test_a_no_is_json_that_nobody_keeps() -> None:
    flow: HTTPFlow = tflow.tflow()
    answer_error(flow, 404, "There is none.")
    assert flow.response is not None
    assert (flow.response.status_code, flow.response.json()) == (404, {"error": "There is none."})
    assert flow.response.headers["content-type"] == "application/json"
    assert flow.response.headers["cache-control"] == "no-store"
