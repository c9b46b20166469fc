"""A call as a shell script: the shell and curl's own rules leave every byte as it was."""

import json
import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addons.flows.client_call import ClientCall
from addons.flows.curl_script import as_script, needs_file

BASE = "http://127.0.0.1:8088"


def call(body: bytes = b"{}", headers: list[tuple[str, str]] | None = None) -> ClientCall:
    return ClientCall("POST", "/v1/chat/completions?a=1&b='2'", headers or [("content-type", "application/json")], body)


def arguments(script: str) -> list[str]:
    """What curl is called with, by the shell's rules."""
    assert script.startswith("#!/bin/sh\ncurl ")
    return shlex.split(script.replace("\\\n", ""), comments=True)[1:]


# What the shell hands to curl is the body, whatever stands in it.
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=60))
def test_the_body_is_the_body(text: str) -> None:
    given_to_curl = as_script(call(text.encode()), BASE, text.encode(), None)
    shown = given_to_curl.split(" \\\n  ")
    assert shlex.split(" \\\n  ".join(shown[3:]))[-2:] == ["--data-raw", text]


def test_a_real_shell_reads_it_the_same_way(tmp_path: Path) -> None:
    body = json.dumps({"messages": [{"role": "user", "content": 'it\'s $HOME\n`ls` \\ "quoted" !'}]}, indent=1)
    script = as_script(call(body.encode()), BASE, body.encode(), None)
    curl = tmp_path / "curl"
    curl.write_text('#!/bin/sh\nfor last; do :; done\nprintf %s "$last"\n')
    curl.chmod(0o700)
    path = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    done = subprocess.run(["sh", "-c", script], env=path, capture_output=True, text=True, check=True)
    assert done.stdout == body


def test_it_asks_us_with_a_placeholder_for_the_key() -> None:
    told = arguments(as_script(call(), BASE, b"{}", None))
    assert f"{BASE}/v1/chat/completions?a=1&b='2'" in told
    assert "authorization: Bearer PLACEHOLDER" in told
    assert "content-type: application/json" in told
    assert "--no-buffer" in told  # a stream is shown as it comes


def test_a_client_of_anthropic_sends_its_key_elsewhere() -> None:
    headers = [("anthropic-version", "2023-06-01"), ("user-agent", "sdk"), ("x-empty", "")]
    told = arguments(as_script(call(headers=headers), BASE, b"{}", None))
    assert "x-api-key: PLACEHOLDER" in told
    assert "x-empty;" in told
    assert not any("sdk" in argument or argument.startswith("authorization") for argument in told)


def test_a_body_may_stand_in_a_file_and_there_may_be_none() -> None:
    assert arguments(as_script(call(), BASE, b"{}", "/x/it's a body"))[-1] == "@/x/it's a body"
    assert "--data-raw" not in as_script(call(b""), BASE, b"", None)


@pytest.mark.parametrize(
    ("body", "file"), [(b"{}", False), (b"x" * 65537, True), (b"\xff", True), (b"a\0b", True), ("é".encode(), False)]
)
def test_what_no_argument_can_be_goes_into_a_file(body: bytes, file: bool) -> None:
    assert needs_file(body) is file
