"""The registry in force while the program runs."""

import asyncio
import logging
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.test import taddons

from addons import configuration as module
from addons.configuration import Configuration
from providers.pool.breaker import Circuit, Permit
from providers.pool.error_class import ErrorClass
from providers.registry import Registry, Watcher, load
from tests.addons.conftest import ACME_KEY

GOOD = "settings: {max_body_bytes: 1000}\n"
BETTER = "settings: {max_body_bytes: 2000}\n"
BROKEN = "settings: {max_body_bites: 1}\n"


@pytest.fixture(name="folder")
def fixture_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with nothing but a registry."""
    (tmp_path / "registry.yaml").write_text(GOOD)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def given(folder: Path) -> Configuration:
    def again() -> Registry:
        return load({}, folder, root=None)

    return Configuration(Watcher(again, again()))


def edit(folder: Path, text: str) -> None:
    (folder / "registry.yaml").write_text(text)


def test_the_limit_of_a_body_is_told_to_mitmproxy(folder: Path) -> None:
    with taddons.context(Proxyserver(), given(folder)) as context:
        assert context.options.body_size_limit == "1000"
        assert context.options.patchbay_flow_body_limit == 1 << 20


@pytest.mark.anyio
async def test_an_edit_is_taken_up_while_running(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "_POLL", 0.01)
    caplog.set_level(logging.INFO)
    configuration = given(folder)
    before = configuration.registry
    with taddons.context(Proxyserver(), configuration) as context:
        configuration.running()
        edit(folder, BETTER)
        await until(lambda: configuration.registry is not before)
        assert context.options.body_size_limit == "2000"
        assert configuration.registry.generation == 2
        configuration.done()
    assert "read again (generation 2)" in caplog.text


@pytest.mark.anyio
async def test_a_broken_edit_is_told_once_and_changes_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "_POLL", 0.01)
    configuration = given(folder)
    before = configuration.registry
    with taddons.context(Proxyserver(), configuration) as context:
        configuration.running()
        edit(folder, BROKEN)
        await until(lambda: "max_body_bites" in caplog.text)
        await asyncio.sleep(0.1)
        assert caplog.text.count("is refused") == 1
        assert configuration.registry is before
        assert context.options.body_size_limit == "1000"
        edit(folder, BETTER)
        await until(lambda: configuration.registry is not before)
        configuration.done()


@pytest.mark.anyio
async def test_a_fault_of_ours_does_not_end_the_watch(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "_POLL", 0.01)
    wrong = [True, False]

    def again() -> Registry:
        if wrong.pop(0):
            raise RuntimeError("never thought of")
        return load({}, folder, root=None)

    configuration = Configuration(Watcher(again, load({}, folder, root=None)))
    with taddons.context(Proxyserver(), configuration):
        configuration.running()
        edit(folder, BETTER)
        await until(lambda: configuration.edit_refused)
        assert "never thought of" in caplog.text
        assert (configuration.reload_failures, configuration.registry.generation) == (1, 1)
        assert configuration.refusal == "RuntimeError; the configuration stays as it was"
        edit(folder, BETTER + "# again\n")
        await until(lambda: configuration.registry.generation == 2)
        assert not configuration.edit_refused
        configuration.done()


def test_a_refusal_names_files_without_their_folders(folder: Path) -> None:
    watcher = Watcher(lambda: load({}, folder, root=None), load({}, folder, root=None))
    configuration = Configuration(watcher)
    assert (configuration.refusal, Configuration().refusal) == (None, None)
    watcher.refuse(f"{folder}/registry.yaml:3:1: a: names {folder}/secret, which cannot be read")
    assert configuration.refusal == "registry.yaml:3:1: a: names secret, which cannot be read"
    assert Configuration().reload_failures == 0


@pytest.mark.anyio
async def test_sighup_has_it_read_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_POLL", 60.0)
    configuration = given(folder)
    with taddons.context(Proxyserver(), configuration):
        configuration.running()
        for generation in (2, 3):  # also where nothing was edited
            os.kill(os.getpid(), signal.SIGHUP)
            await until(lambda: configuration.registry.generation == generation)  # noqa: B023 - awaited here
        configuration.done()
        asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)


@pytest.mark.anyio
async def test_what_an_edit_has_done_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "_POLL", 0.01)
    (folder / ".env").write_text("OPENAI_API_KEY=k-1\n")
    configuration = given(folder)
    with taddons.context(Proxyserver(), configuration):
        configuration.running()
        edit(folder, "settings: {bodies: all, listen: '127.0.0.1:1'}\n")
        (folder / ".env").write_text("OPENAI_API_KEY=changeme\nANTHROPIC_API_KEY=k-2\n")
        await until(lambda: configuration.registry.generation == 2)
        configuration.done()
    for said in (
        ".env:1: OPENAI_API_KEY is empty or a placeholder, so it counts as not set",
        "openai cannot be used now: no key: set OPENAI_API_KEY",
        "anthropic can be used now",
        "listen, bodies: the edit counts from the next start",
    ):
        assert caplog.text.count(said) == 1, caplog.text


@pytest.mark.anyio
async def test_what_a_provider_did_with_another_key_is_forgotten(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_POLL", 0.01)
    (folder / ".env").write_text("OPENAI_API_KEY=k-1\nANTHROPIC_API_KEY=k-2\n")
    configuration = given(folder)
    breakers = configuration.failover.breakers
    with taddons.context(Proxyserver(), configuration):
        configuration.running()
        for name in ("openai", "anthropic"):
            permit = breakers.admit(Circuit(name, "x", "ours"), 0)
            assert isinstance(permit, Permit)
            breakers.over(permit, ErrorClass.AUTH, 0)
        (folder / ".env").write_text("OPENAI_API_KEY=k-3\nANTHROPIC_API_KEY=k-2\n")
        await until(lambda: configuration.registry.generation == 2)
        configuration.done()
    assert [state.circuit.provider for state in breakers.snapshot(0)] == ["anthropic"]


async def until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not done():
            await asyncio.sleep(0.01)


# Under mitmdump and mitmweb it loads itself.


@pytest.mark.parametrize(
    ("mode", "local", "listen"),
    [
        ("reverse:http://127.0.0.1:8111", "http://127.0.0.1:8111", ("0.0.0.0", 8080)),
        ("reverse:https://llama.example@9000", "https://llama.example", ("0.0.0.0", 9000)),
        ("reverse:http://[::1]:8111@127.0.0.1:9000", "http://[::1]:8111", ("127.0.0.1", 9000)),
        ("regular", "http://127.0.0.1:8080", ("127.0.0.1", 8088)),
        ("reverse:tcp://127.0.0.1:1@9000", "http://127.0.0.1:8080", ("127.0.0.1", 8088)),
    ],
)
@pytest.mark.usefixtures("folder")
def test_the_address_of_the_mode_is_the_local_server(mode: str, local: str, listen: tuple[str, int]) -> None:
    configuration = Configuration()
    with taddons.context(Proxyserver()) as context:
        context.options.update(mode=[mode])
        context.master.addons.add(configuration)
        assert configuration.registry.local.base_url == local
        assert configuration.registry.listen == listen


def test_a_configuration_that_cannot_be_used_is_told_and_never_held(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    edit(folder, BROKEN)
    configuration = Configuration()
    with taddons.context(Proxyserver(), configuration):
        assert "registry.yaml:1" in caplog.text
        assert "max_body_bytes" in caplog.text  # the nearest spelling
        with pytest.raises(AttributeError):
            _ = configuration.registry
        configuration.running()
        configuration.done()


def test_notices_are_told_at_the_start(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    edit(folder, GOOD)
    monkeypatch.setenv("PATCHBAY_LISTENN", "x")
    with taddons.context(Proxyserver(), Configuration()):
        assert "PATCHBAY_LISTENN is no setting" in caplog.text


def test_a_key_that_is_not_taken_is_told_by_its_variable(
    make_registry: Callable[..., Registry], caplog: pytest.LogCaptureFixture
) -> None:
    registry = make_registry()
    configuration = Configuration(Watcher(lambda: registry, registry))
    troubles = configuration.failover.key_troubles
    for provider, kind in (
        ("acme", ErrorClass.AUTH),
        ("acme", ErrorClass.AUTH),
        ("chatty", ErrorClass.AUTH),
        ("gone", ErrorClass.AUTH),
    ):
        troubles.note(provider, kind, 0)
    troubles.forget("acme")
    troubles.note("acme", ErrorClass.SPEND_LIMIT, 1)
    first, second, third = [record.getMessage() for record in caplog.records]
    assert first.startswith("acme refuses the key in ACME_API_KEY: put a valid one there")
    assert second == "chatty wants an API key: name its variable under api_key in registry.yaml, and set it."
    assert third.startswith("acme says that the money or the quota behind the key in ACME_API_KEY is spent")
    assert ACME_KEY not in caplog.text


def test_who_is_left_alone_and_answers_again_is_told(
    configure: Callable[..., Configuration], caplog: pytest.LogCaptureFixture
) -> None:
    configuration = configure(
        'providers: {gpu: {kind: llamacpp, endpoints: [{base_url: "http://127.0.0.1:9001"}, '
        '{base_url: "http://127.0.0.1:9002"}]}}'
    )
    breakers, second = configuration.failover.breakers, "http://127.0.0.1:9002"
    for circuit in (Circuit("gpu", second), Circuit("gone", "http://10.0.0.1:1"), Circuit("demo", "x")):
        for _ in range(3):
            breakers.refused(circuit, 0)
    breakers.well("gpu", second, 1, mark=breakers.mark, was_ill=False)
    assert [record.getMessage() for record in caplog.records] == [
        f"{who} cannot be reached (refused): it is left alone and tried again in 1 s."
        for who in ("gpu (endpoint 2)", "gone", "demo")
    ] + ["gpu (endpoint 2) answers again."]
