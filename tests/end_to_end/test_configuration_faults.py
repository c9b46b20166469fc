"""The configuration is broken while calls go on: what held before goes on to hold, and it is told once, with its place.

Everything here happens under steady load: not one call may fail because of an edit.
"""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.rig_gateway import Behind, Gateway, ask, run_gateway
from tests.steady_load import steady_load

REGISTRY = """\
default_provider: local
providers:
  local:  {{kind: llamacpp, base_url: {local}, dialects: [chat, messages, responses]}}
  openai: {{kind: openai, base_url: {external}/openai/v1, api_key: $OPENAI_API_KEY}}
models:
  fast: local/qwen3-8b
  far: openai/gpt-9
"""
PICKED_UP = 2.0  # seconds: the promise
ALLOWED = 4.0  # on a machine that does other things as well
LOOKS = 0.5  # seconds in which the files are looked at twice


@pytest.fixture(name="own", scope="module", params=["serve"])
def fixture_own(
    request: pytest.FixtureRequest, all_upstreams: Behind, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    text = REGISTRY.format(local=all_upstreams.local.url, external=all_upstreams.external.url)
    folder = tmp_path_factory.mktemp("faults")
    with (
        run_gateway(str(request.param), all_upstreams, folder, registry=text) as gateway,
        steady_load(gateway, ("fast", "far")) as load,
    ):
        yield gateway
        load.assert_served(200)
    assert "Traceback" not in gateway.program.output


@pytest.fixture(name="file")
def fixture_file(own: Gateway) -> Iterator[Path]:
    """The registry, whole again afterwards and taken up."""
    file = own.folder / "registry.yaml"
    text, generation = file.read_text(), generation_of(own)
    yield file
    restore(file, text)
    until(own, lambda told: not told["last_edit_refused"] and told["generation"] > generation)


def restore(file: Path, text: str) -> None:
    """Put the file back as it was, whatever stands in its place."""
    if file.is_dir() and not file.is_symlink():
        file.rmdir()
    file.unlink(missing_ok=True)
    file.write_text(text)


def health(gateway: Gateway) -> Any:
    return gateway.get("/patchbay/health").json()


def generation_of(gateway: Gateway) -> int:
    return int(health(gateway)["configuration"]["generation"])


def until(gateway: Gateway, holds: Callable[[Any], bool], seconds: float = ALLOWED) -> Any:
    """Ask for health until its part about the configuration is so; returns all of it."""
    deadline = time.monotonic() + seconds
    while not holds((told := health(gateway))["configuration"]):
        assert time.monotonic() < deadline, told
        time.sleep(0.02)
    return told


def refusals(gateway: Gateway) -> list[str]:
    return [line for line in gateway.program.output.splitlines() if "edited configuration is refused" in line]


def append(more: str) -> Callable[[Path], object]:
    return lambda file: file.write_text(file.read_text() + more)


def replace(old: str, new: str) -> Callable[[Path], object]:
    def edit(file: Path) -> None:
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    return edit


def cut(file: Path) -> None:
    """Half written, and the writer has died."""
    text = file.read_text()
    file.write_text(text[: text.index("$OPENAI_API_KEY")])


def link_to_nothing(file: Path) -> None:
    file.unlink()
    file.symlink_to("nowhere.yaml")


def link_to_a_broken_one(file: Path) -> None:
    other = file.with_name("other.yaml")
    other.write_text("nonsense: 1\n")
    file.unlink()
    file.symlink_to(other.name)


def turn_into_a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


GONE = r"registry\.yaml has been deleted or is empty"
# What is done to the file → what is said of it: the place, the field, and where there is one the way out.
BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "syntax": (append("  bad: [\n"), r"registry\.yaml:9:1: is not YAML"),
    "a tab": (append("\tbad: 1\n"), r"registry\.yaml:8:1: is not YAML"),
    "an unknown key": (append("modles: {}\n"), r"registry\.yaml:8:1: modles: .*did you mean 'models'\?"),
    "an unknown field": (
        replace("$OPENAI_API_KEY}", "$OPENAI_API_KEY, dialect: [chat]}"),
        r"registry\.yaml:4:\d+: providers\.openai\.dialect: .*did you mean 'dialects'\?",
    ),
    "a wrong type": (append("settings: {demo: 3}\n"), r"registry\.yaml:8:12: settings\.demo: must be true or false"),
    "a model twice": (append("  fast: openai\n"), r"registry\.yaml:8:3: models\.fast: stands twice, first on line 6"),
    "a circle of aliases": (append("  a: b\n  b: a\n"), r"registry\.yaml:8:3: models\.a: is an alias loop: a → b → a"),
    "a circle of fallbacks": (
        append("  a: {target: local, fallback_on: {stall: b}}\n  b: {target: local, fallback_on: {stall: a}}\n"),
        r"registry\.yaml:8:3: models\.a: is an alias loop: a → b → a",
    ),
    "a provider that is none": (append("  a: opnai/x\n"), r"registry\.yaml:8:3: models\.a: .*did you mean 'openai'\?"),
    "half a file": (cut, r"registry\.yaml:4:\d+: is not YAML"),
    "deleted": (Path.unlink, GONE),
    "empty": (lambda file: file.write_text(""), GONE),
    "a link to nothing": (link_to_nothing, GONE),
    "a link to a broken one": (link_to_a_broken_one, r"registry\.yaml:1:1: nonsense: is no field here"),
    "a folder": (turn_into_a_folder, r"registry\.yaml: cannot be read: Is a directory"),
    "no text": (lambda file: file.write_bytes(b"models: \xff\n"), r"registry\.yaml:1: is not UTF-8"),
    "nested without end": (lambda file: file.write_text("a: " + "[" * 500), r"registry\.yaml.*is nested too deeply"),
    "a number that is none": (append("settings: {demo: !!int x}\n"), r"registry\.yaml:8:18: settings\.demo: cannot be"),
    "a key": (append("# sk-proj-abcdefghijklmnop123\n"), r"registry\.yaml:8: holds what looks like a key"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_edit_changes_nothing_and_is_told_once(own: Gateway, file: Path, fault: str) -> None:
    do, said = BROKEN[fault]
    generation, before = generation_of(own), len(refusals(own))
    do(file)
    told = until(own, lambda configuration: configuration["last_edit_refused"])
    time.sleep(LOOKS)
    assert generation_of(own) == generation
    assert own.post(*ask("chat", "far")).get("x-patchbay-provider") == "openai"
    (line,) = refusals(own)[before:]
    reason = next(reason for reason in told["reasons"] if "configuration" in reason)
    for place in (line, reason):
        assert re.search(said, place), place
        assert "sk-proj" not in place
    assert told["status"] == "degraded"


def test_the_repair_is_taken_up_within_two_seconds(own: Gateway, file: Path) -> None:
    text, generation = file.read_text(), generation_of(own)
    file.unlink()
    until(own, lambda configuration: configuration["last_edit_refused"])
    began = time.monotonic()
    file.write_text(text + "  new: openai/new\n")
    told = until(own, lambda configuration: configuration["generation"] == generation + 1)
    assert time.monotonic() - began < PICKED_UP
    assert not told["configuration"]["last_edit_refused"]
    assert own.post(*ask("chat", "new")).get("x-patchbay-model") == "new"


def test_a_link_to_a_good_one_is_an_edit_and_so_is_an_edit_behind_it(own: Gateway, file: Path) -> None:
    text, other = file.read_text(), file.with_name("linked.yaml")
    other.write_text(text + "  linked: openai/first\n")
    file.unlink()
    file.symlink_to(other.name)
    generation = generation_of(own)
    until(own, lambda configuration: configuration["generation"] > generation)
    other.write_text(text + "  linked: openai/second\n")
    until(own, lambda configuration: configuration["generation"] > generation + 1)
    assert own.post(*ask("chat", "linked")).get("x-patchbay-model") == "second"


def test_a_file_that_is_written_slowly_is_taken_up_once(own: Gateway, file: Path) -> None:
    """Each beginning of it would be valid, and mean something else."""
    text, generation, before = file.read_text(), generation_of(own), len(refusals(own))
    lines = [f"  slow-{number}: openai/m\n" for number in range(30)]
    with file.open("w") as writer:
        for piece in (text, *lines):
            writer.write(piece)
            writer.flush()
            time.sleep(0.03)
    until(own, lambda configuration: configuration["generation"] > generation)
    time.sleep(LOOKS)
    assert generation_of(own) == generation + 1
    assert len(refusals(own)) == before


def test_what_an_edit_cannot_change_is_said(own: Gateway, file: Path) -> None:
    append("settings: {bodies: all}\n")(file)
    own.program.wait_for_output("bodies: the edit counts from the next start", ALLOWED)
