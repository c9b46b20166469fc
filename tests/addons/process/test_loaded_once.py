"""mitmproxy's watch of our script ends; that of other scripts goes on."""

import asyncio
from pathlib import Path
from types import ModuleType

import pytest
from mitmproxy.addons.script import Script, ScriptLoader
from mitmproxy.test import taddons

from addons.process.loaded_once import LoadedOnce

pytestmark = pytest.mark.anyio


def script(path: Path, name: str, *addons: object) -> tuple[Script, "asyncio.Task[None]"]:
    """A script that was loaded with these addons, and the watch of it."""
    (path / name).write_text("")
    made = Script(str(path / name), False)
    made.ns = ModuleType(name)
    made.ns.addons = list(addons)  # type: ignore[attr-defined]  # as a script has them
    watch = asyncio.get_running_loop().create_task(asyncio.sleep(60))
    made.reloadtask = watch
    return made, watch


async def test_only_our_own_is_watched_no_more(tmp_path: Path) -> None:
    mine = LoadedOnce()
    loader = ScriptLoader()
    with taddons.context(loader):
        ours, watch = script(tmp_path, "ours.py", object(), mine)
        other, other_watch = script(tmp_path, "other.py", object())
        broken, broken_watch = script(tmp_path, "broken.py")
        unwatched, left = script(tmp_path, "unwatched.py", mine)
        broken.ns = unwatched.reloadtask = None
        loader.addons = [ours, other, broken, unwatched]
        mine.running()
        await asyncio.sleep(0)
        assert [one.done() for one in (watch, other_watch, broken_watch, left)] == [True, False, False, False]
        loader.addons = []
        for one in (other_watch, broken_watch, left):
            one.cancel()
        await asyncio.sleep(0)


async def test_without_scripts_there_is_nothing_to_end() -> None:
    with taddons.context():
        LoadedOnce().running()
