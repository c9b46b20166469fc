"""One running gateway per module and way to run it; upstreams that start every test with a clean slate."""

from collections.abc import Iterator

import pytest

from tests.rig_gateway import WAYS, Behind, Gateway, behind, run_gateway


@pytest.fixture(name="all_upstreams", scope="module")
def fixture_all_upstreams() -> Iterator[Behind]:
    with behind() as upstreams:
        yield upstreams


@pytest.fixture(name="running", scope="module", params=WAYS)
def fixture_running(
    request: pytest.FixtureRequest, all_upstreams: Behind, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """The standard gateway, both ways; shared by the tests of a module, none of which may make it crash."""
    way = str(request.param)
    with run_gateway(way, all_upstreams, tmp_path_factory.mktemp(way)) as gateway:
        yield gateway
        assert "Traceback" not in gateway.program.output
        assert "crashed" not in gateway.program.output


@pytest.fixture(name="upstreams")
def fixture_upstreams(all_upstreams: Behind) -> Behind:
    """The upstreams without rules and without memories."""
    all_upstreams.local.reset()
    all_upstreams.external.reset()
    return all_upstreams


@pytest.fixture(name="gateway")
def fixture_gateway(running: Gateway, upstreams: Behind) -> Gateway:
    """The running gateway in front of clean upstreams; it must still be alive."""
    assert running.program.process.poll() is None, running.program.output
    assert running.behind is upstreams
    return running
