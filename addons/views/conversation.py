"""The view *Conversation* of a JSON body: a request, or an answer that came whole. It reads, and it takes edits back.

Strategy: the text is a pure function of the body, so an edit needs nothing but the body that it was made of: the text
is made again to know what its numbers stand for, and the body's own bytes change only where the edit differs.
"""

from dataclasses import dataclass

from addons.views.dialect_rules import wrong_in
from addons.views.json_edit import edited
from addons.views.outline import Outline
from addons.views.refused import EditRefused
from addons.views.yaml_reading import read_edit
from providers.redaction import redact
from providers.wire.endpoints import Operation
from providers.wire.splice import NotAnObject, read_object

_MOST_RAW = 20_000  # characters shown of a body that cannot be read
_LONGEST_EDIT = 2_000_000  # characters; what is shown has a tenth of it


@dataclass(frozen=True, slots=True)
class Side:
    """Whose body it is: ``operation`` is what was asked for (None: not known), ``title`` what stands above."""

    operation: Operation | None
    is_request: bool
    title: str


def show_body(body: bytes, side: Side) -> str:
    """Return the body as YAML, or its beginning as it is where it is no JSON object. Never raises."""
    if not body.strip():
        return f"# {side.title}\n# There is no body.\n"
    try:
        outline = _outline(body)
    except NotAnObject as error:
        said = redact(body[: _MOST_RAW * 4].decode("utf-8", "replace")[:_MOST_RAW])
        cut = "" if len(body) <= _MOST_RAW else f"\n# cut here: {len(body):,} bytes in all"
        return f"# {side.title}\n# {error}\n{said}{cut}\n"
    return f"# {side.title}\n{_hint(outline)}{outline.text}"


def edit_body(text: str, body: bytes, side: Side) -> bytes:
    """Return ``body`` with what was edited in ``text``, which `show_body` made of it. Raises EditRefused."""
    if _lines(text) == _lines(show_body(body, side)):
        return body
    if len(text) > _LONGEST_EDIT:
        raise EditRefused(f"this is longer than {_LONGEST_EDIT:,} characters: edit the body itself")
    try:
        outline = _outline(body)
    except NotAnObject as error:
        raise EditRefused(f"{error}; edit the body itself") from error
    if not outline.is_whole:
        raise EditRefused("this body is shown without some of its fields: edit the body itself")
    try:
        return _edited(text, body, outline, side)
    except RecursionError as error:
        raise EditRefused("this is nested too deeply: edit the body itself") from error


def _edited(text: str, body: bytes, outline: Outline, side: Side) -> bytes:
    edit = read_edit(text, outline.kept)
    if not isinstance(edit.value, dict):
        raise edit.refusal("this must be an object: fields and their values", ())
    if side.is_request and side.operation is not None:
        wrong = wrong_in(side.operation, edit.value, read_object(body).value)
        if wrong is not None:
            raise edit.refusal(wrong.message, wrong.path)
    return edited(body.decode(), edit.value).encode()


def _outline(body: bytes) -> Outline:
    """Raise NotAnObject where there is nothing to outline."""
    return Outline(read_object(body).value)


def _hint(outline: Outline) -> str:
    if not outline.is_whole:
        return "# This body is not shown whole, and cannot be edited here.\n"
    return "# What stands under !kept stays as it is.\n" if any(kept.shown for kept in outline.kept) else ""


def _lines(text: str) -> list[str]:
    """The lines of a text, without what editors change at their ends."""
    return [line.rstrip() for line in text.rstrip().splitlines()]
