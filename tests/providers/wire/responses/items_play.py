"""Look-alikes of Responses events, as short as a test needs them."""

from typing import Any

from providers.wire.events import Begin, Event
from providers.wire.responses.reader import ResponsesStreamReader
from tests.providers.wire.playbook import events_of, named


def event(kind: str, index: int | None = None, **more: Any) -> dict[str, Any]:
    place = {} if index is None else {"output_index": index}
    return {"type": f"response.{kind}", **place, **more}


def added(index: int | None, **item: Any) -> dict[str, Any]:
    return event("output_item.added", index, item=item)


def done(index: int | None, **item: Any) -> dict[str, Any]:
    return event("output_item.done", index, item=item)


def response(status: str = "completed", output: list[Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"id": "resp_1", "object": "response", "model": "m", "status": status, "output": output or [], **more}


CREATED = event("created", response=response("in_progress"))


def ended(status: str = "completed", output: list[Any] | None = None, **more: Any) -> dict[str, Any]:
    return event(status, response=response(status, output, **more))


def read(*events: dict[str, Any]) -> list[Event]:
    """The events of a stream without its ``Begin``, the same in any cut."""
    return [event_ for event_ in events_of(ResponsesStreamReader, named(*events)) if not isinstance(event_, Begin)]
