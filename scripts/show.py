"""``patchbay show``: one conversation as readable text."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from textwrap import indent
from typing import Any

import click
import zstandard

from addons.telemetry.bodies import Side
from addons.telemetry.queries import AmbiguousError, Record, attempts, body, conversation, find
from providers.wire import request as wire
from scripts.log import clock, dollars, number, open_or_fail, span, tokens

_HIDDEN = {"seq", "run", "prompt_hash", "answer_hash"}


@click.command("show")
@click.argument("id")
@click.option("--db", type=click.Path(path_type=Path), envvar="PATCHBAY_DB", default="patchbay.db", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Everything as one JSON object.")
@click.option("--body", "side", type=click.Choice(["request", "answer"]), help="The raw body, where it was kept.")
def command(id: str, db: Path, as_json: bool, side: Side | None) -> None:
    """Show one call: what was said, what was answered, who was tried, and the numbers.

    ID is the id of a call, its beginning, or "last".
    """
    with closing(open_or_fail(db)) as connection:
        try:
            record = find(connection, id)
            if side:
                _write_body(connection, record, side)
            elif as_json:
                click.echo(json.dumps(_everything(connection, record), ensure_ascii=False, indent=2))
            else:
                click.echo("\n".join(_text(connection, record)))
        except KeyError:
            raise click.ClickException(f"no call has an id that begins with {id}; see patchbay log") from None
        except AmbiguousError as error:
            raise click.ClickException(str(error)) from error
        except (sqlite3.Error, zstandard.ZstdError) as error:
            raise click.ClickException(f"{db} cannot be read: {error}") from error


def _write_body(connection: sqlite3.Connection, record: Record, side: Side) -> None:
    data = body(connection, str(record["id"]), side)
    if data is None:
        raise click.ClickException(
            f"the {side} body of this call was not kept "
            "(PATCHBAY_BODIES=none|errors|all decides; errors is the default)"
        )
    click.echo(data, nl=False)


def _everything(connection: sqlite3.Connection, record: Record) -> Record:
    said, answer = conversation(connection, record)
    plain: Record = {name: value for name, value in record.items() if name not in _HIDDEN}
    tries = [
        {name: value for name, value in attempt.items() if name not in ("seq", "exchange_id")}
        for attempt in attempts(connection, str(record["id"]))
    ]
    return {**plain, "attempts": tries, "messages": said, "answer": answer}


def _text(connection: sqlite3.Connection, record: Record) -> Iterator[str]:
    yield from _head(record)
    said, answer = conversation(connection, record)
    for value in said:
        yield from _message(value, str(value["role"]))
    if answer:
        yield from _message(answer, "answer")
    elif record["error"]:
        yield from ("", "── answer", f"   none: {record['error']}")
    tries = attempts(connection, str(record["id"]))
    yield from _attempts(tries)
    yield from _numbers(record)
    yield from _measure(tries[-1] if tries else record, record)
    yield from _rest(record)


def _head(record: Record) -> Iterator[str]:
    asked, sent = record["requested_model"] or "no model", f"{record['provider']}/{record['model']}"
    rescued = ", rescued" if record.get("rescued") else ""
    yield f"{record['id']}  {clock(record['started_at'])}  {record['outcome'] or 'open'}{rescued}"
    dialect, operation = record["dialect"], record["operation"]
    what = dialect if dialect == operation else f"{dialect}, {operation}"
    yield f"{sent if asked == sent else f'{asked} → {sent}'}  ({what})"
    if record["conversation"] != record["id"]:
        yield f"conversation {record['conversation']}"


def _message(value: dict[str, object], title: str) -> Iterator[str]:
    yield from ("", f"── {title}")
    for part in wire.from_json(value).parts:
        yield indent(_part(part), "   ", lambda _line: True)


def _part(part: wire.Part) -> str:
    return _PARTS[type(part)](part)


def _result(part: wire.ToolResultPart) -> str:
    inner = "\n".join(map(_part, part.parts))
    return f"[{'failed result' if part.is_error else 'result'} of {part.call_id}]\n{inner}"


def _arguments(text: str) -> str:
    """Lay arguments out if they are JSON; else they are shown as the model wrote them."""
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return text


def _media(part: wire.MediaPart) -> str:
    size = f", {part.size:,} bytes" if part.size else ""
    return f"[{part.kind} {part.media_type}{size}: {part.ref[:100]}]"


_PARTS: dict[type[wire.Part], Callable[[Any], str]] = {
    wire.TextPart: lambda part: str(part.text),
    wire.ReasoningPart: lambda part: f"[reasoning]\n{part.text or '(encrypted)'}\n[/reasoning]",
    wire.RefusalPart: lambda part: f"[refusal] {part.text}",
    wire.ToolCallPart: lambda part: f"[calls {part.name} as {part.id}]\n{_arguments(part.arguments)}",
    wire.ToolResultPart: _result,
    wire.MediaPart: _media,
    wire.OpaquePart: lambda part: f"[{part.type}] {part.raw}",
}


def _attempts(tries: list[Record]) -> Iterator[str]:
    if tries:
        yield from ("", "── attempts")
    for attempt in tries:
        status = attempt["status"] or "no status"
        stale = ", on a connection that had died" if attempt["stale"] else ""
        why = f": {attempt['error']}" if attempt["error"] else ""
        yield (
            f"   {attempt['number']}. {attempt['provider']}/{attempt['model']}{_endpoint(attempt)}  {status}  "
            f"{attempt['outcome'] or 'open'}{stale}  {span(attempt['duration_us'])}{_used(attempt)}{why}"
        )


def _endpoint(attempt: Record) -> str:
    """Say which of a provider's servers it was, where there are several."""
    return f", endpoint {attempt['endpoint']}" if attempt.get("endpoint") else ""


def _used(attempt: Record) -> str:
    """Say what a try used and cost, as far as it told; most that failed told nothing."""
    counted = attempt.get("input_tokens") is not None or attempt.get("output_tokens") is not None
    return (f"  {tokens(attempt)} tokens" if counted else "") + (
        f"  {_cost(attempt)}" if attempt.get("cost") is not None else ""
    )


def _cost(record: Record) -> str:
    """Write a cost and whose price it is."""
    whose = f" by {record['price_source']}" if record.get("price_source") else ""
    return f"{dollars(record.get('cost'))}{whose}"


def _numbers(record: Record) -> Iterator[str]:
    counts = ("input", "output", "cache_read", "cache_write", "reasoning")
    said = ", ".join(
        f"{number(record[f'{name}_tokens'])} {name.replace('_', ' ')}"
        for name in counts
        if record[f"{name}_tokens"] is not None
    )
    yield from ("", "── numbers")
    yield f"   tokens: {said or 'not known'} (source: {record['usage_source']})"
    yield f"   cost: {_cost(record)}"
    yield (
        f"   connect {span(record['connect_us'])}, first byte {span(record['ttfb_us'])}, "
        f"first token {span(record['ttft_us'])}, whole {span(record['duration_us'])}"
    )
    if record.get("overhead_us") is not None:
        yield f"   Patchbay's own share: {int(str(record['overhead_us'])) / 1000:.1f} ms before the first try"


def _measure(attempt: Record, record: Record) -> Iterator[str]:
    """Say how fast llama-server was, by its own measure, which is about the last try."""
    prompt, answer = record.get("prompt_us"), record.get("decode_us")
    if prompt is None and answer is None:
        return
    whole, cached = attempt.get("input_tokens"), attempt.get("cache_read_tokens")
    worked_on = None if whole is None else max(0, int(str(whole)) - int(str(cached or 0)))
    yield (
        f"   llama-server: prompt {span(prompt)}{_speed(worked_on, prompt)}, "
        f"answer {span(answer)}{_speed(attempt.get('output_tokens'), answer)}"
    )


def _speed(count: object, micros: object) -> str:
    """Say how fast so many tokens were done in a span; nothing where one of them is not known."""
    return f" ({int(str(count)) * 1e6 / int(str(micros)):,.1f} tokens/s)" if count and micros else ""


def _rest(record: Record) -> Iterator[str]:
    bytes_in, bytes_out = number(record["bytes_in"]), number(record["bytes_out"])
    yield f"   {bytes_in} bytes in, {bytes_out} bytes out, status {record['status']}"
    if record.get("translation") is not None:
        yield f"   translated: {record['translation'] or 'nothing was lost'}"
    for name in ("finish_reason", "who_ended", "error", "client", "request_id_upstream"):
        if record[name]:
            yield f"   {name.replace('_', ' ')}: {record[name]}"
