"""FlowCommands: what a person can do with a call in mitmweb's and mitmproxy's command bar."""

import asyncio
import logging
import os
from collections.abc import Sequence
from pathlib import Path

from mitmproxy import command, exceptions, http
from mitmproxy.flow import Flow
from mitmproxy.log import ALERT
from mitmproxy.types import Path as PathArgument

from addons.configuration import Configuration
from addons.flows.client_call import ClientCall, client_call
from addons.flows.comparison import MOST, compare, side_of
from addons.flows.curl_script import as_script, needs_file
from addons.flows.replay import own_address
from addons.relay.wire_view import byte_headers
from providers.redaction import redact, redact_bytes
from providers.wire.splice import NotAnObject, read_object

logger = logging.getLogger(__name__)

_PIECE = 1 << 16


class FlowCommands:
    """``patchbay.resend``, ``patchbay.compare`` and ``patchbay.export.curl``."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._asking: set[asyncio.Task[None]] = set()

    @command.command("patchbay.resend")  # type: ignore[untyped-decorator]  # mitmproxy's
    def resend(self, flow: Flow, model: str) -> str:
        """Ask a call's question again, of another PROVIDER/MODEL (or any name that clients may use).

        The answer comes as a new flow, streamed if the first one was.
        """
        call = _call_of(flow)
        self._check_target(model)
        try:
            body = read_object(call.body).replace({"model": model})
        except NotAnObject as error:
            raise exceptions.CommandError(f"This call cannot be sent again: {error}.") from error
        asked = _written(ClientCall(call.method, call.path, call.headers, body))
        task = asyncio.get_running_loop().create_task(_ask(asked, model))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)
        return f"Asked {model}: the answer comes as a new flow."

    @command.command("patchbay.compare")  # type: ignore[untyped-decorator]  # mitmproxy's
    def compare(self, flows: Sequence[Flow]) -> str:
        """Show two answers or more side by side, with their numbers; in mitmweb, see the event log."""
        calls = [flow for flow in flows if isinstance(flow, http.HTTPFlow) and client_call(flow) is not None]
        if not 2 <= len(calls) <= MOST:
            raise exceptions.CommandError(
                f"Two to {MOST} calls can be compared; these flows hold {len(calls)}. Choose them by a filter "
                "(~comment anthropic), by @marked, or as @ID,ID."
            )
        text = redact(compare([side_of(flow) for flow in calls]), self._secrets())
        logger.log(ALERT, "\n%s", text)  # mitmweb runs the lines of a command's result together
        return text

    @command.command("patchbay.export.curl")  # type: ignore[untyped-decorator]  # mitmproxy's
    def export_curl(self, flow: Flow, path: PathArgument) -> str:
        """Write a call as a shell script that makes it again with curl; keys are placeholders.

        A long body goes into a file beside it, PATH.body. No file is overwritten.
        """
        call, secrets = _call_of(flow), self._secrets()
        body = redact_bytes(call.body, secrets)
        script, beside = Path(path).expanduser(), Path(f"{path}.body").expanduser()
        in_file = needs_file(body)
        host, port = own_address()
        base = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        text = as_script(call, base, body, str(beside.absolute()) if in_file else None)
        if in_file:
            _write_new(beside, body)
        _write_new(script, redact(text, secrets).encode("utf-8", "surrogateescape"))
        return f"Written: {script}{f' and {beside}' if in_file else ''}. Run it with: sh {script}"

    def done(self) -> None:
        """Wait for no answer any more."""
        for task in self._asking:
            task.cancel()

    def _secrets(self) -> tuple[str, ...]:
        return tuple(self._configuration.registry.secrets())

    def _check_target(self, model: str) -> None:
        """Refuse a name that would lead to the default provider by mistake, or to one that cannot be used."""
        registry = self._configuration.registry
        route = registry.resolve(model, self._configuration.catalog.local_ids())
        if route.rule == "default":
            names = ", ".join(sorted(registry.providers))
            raise exceptions.CommandError(
                f"Nothing is called {model!r}. Write PROVIDER/MODEL; the providers are {names}."
            )
        provider = route.targets[0].provider
        if provider.problem:
            raise exceptions.CommandError(f"{provider.name} cannot be asked: {provider.problem}")


def _call_of(flow: Flow) -> ClientCall:
    call = client_call(flow) if isinstance(flow, http.HTTPFlow) else None
    if call is None:
        raise exceptions.CommandError(
            "This flow is no call of a model that Patchbay has sent on; `export.file` exports any flow as it is."
        )
    return call


def _written(call: ClientCall) -> bytes:
    """Write a request as it goes to our own door."""
    host, port = own_address()
    at = ("host", f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    framing = (("content-length", str(len(call.body))), ("connection", "close"))
    fields = byte_headers([at, *call.headers, *framing])
    head = b"".join(b"%s: %s\r\n" % field for field in fields)
    return f"{call.method} {call.path} HTTP/1.1\r\n".encode("utf-8", "surrogateescape") + head + b"\r\n" + call.body


async def _ask(call: bytes, model: str) -> None:
    """Make the call as a client would; its flow shows the answer, and nobody else wants it."""
    try:
        reader, writer = await asyncio.open_connection(*own_address())
        try:
            writer.write(call)
            await writer.drain()
            while await reader.read(_PIECE):
                pass
        finally:
            writer.close()
    except OSError as error:
        logger.error("The call could not be sent again to %s: %s", model, error)


def _write_new(path: Path, content: bytes) -> None:
    """Write a file that only its owner reads: it holds a conversation."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
    except FileExistsError as error:
        raise exceptions.CommandError(f"{path} is there already; choose another name.") from error
    except OSError as error:
        raise exceptions.CommandError(f"{path} cannot be written: {error.strerror}") from error
