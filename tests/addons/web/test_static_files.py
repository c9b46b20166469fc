"""The page's files: the right type, known to a browser that has them, and nothing beside them."""

from pathlib import Path

import pytest
from mitmproxy.http import HTTPFlow, Response
from mitmproxy.test import tflow

from addons.web.static_files import FOLDER, INDEX, StaticFiles


@pytest.fixture(name="files")
def fixture_files(tmp_path: Path) -> StaticFiles:
    folder = tmp_path / "static"
    folder.mkdir()
    (folder / "main.js").write_text("let a;")
    (folder / "page.css").write_text("a{}")
    (folder / ".env").write_text("SECRET=1")
    (folder / "notes.txt").write_text("secret")
    (tmp_path / "outside.js").write_text("secret")
    return StaticFiles(folder)


def served(files: StaticFiles, name: str, **headers: str) -> Response:
    flow: HTTPFlow = tflow.tflow()
    for header, value in headers.items():
        flow.request.headers[header.replace("_", "-")] = value
    files.serve(flow, name)
    assert flow.response is not None
    return flow.response


def test_a_file_has_its_type_and_must_be_asked_for_again(files: StaticFiles) -> None:
    response = served(files, "main.js")
    assert (response.status_code, response.content) == (200, b"let a;")
    assert response.headers["content-type"] == "text/javascript; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache"
    assert "script-src 'self'" in response.headers["content-security-policy"]
    again = served(files, "main.js", if_none_match=response.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")
    assert served(files, "main.js", if_none_match='"another"').status_code == 200


@pytest.mark.parametrize(
    "name", ["", "none.js", "../outside.js", "..%2Foutside.js", "/etc/passwd", ".env", "notes.txt", "main.js/"]
)
def test_what_is_no_file_of_the_page_is_not_found(files: StaticFiles, name: str) -> None:
    response = served(files, name)
    assert response.status_code == 404
    assert "secret" not in (response.get_text() or "").lower()


def test_the_page_is_there() -> None:
    assert (FOLDER / INDEX).is_file()
    assert served(StaticFiles(), INDEX).headers["content-type"] == "text/html; charset=utf-8"
