"""One model of the merged list: read from any provider's list, told in OpenAI's or Anthropic's shape.

Strategy: what is known is found under the names that servers use for it, in a table; what is not known stays unknown.
The provider's own fields are kept beside ours, so that nothing a client might use is lost.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pydantic import JsonValue

from providers.exchange.price import Price
from providers.provider import Provider

Raw = Mapping[str, JsonValue]

# Where servers say how much a model can read, in tokens: llama-server, Anthropic, OpenRouter, vLLM, Groq, Mistral.
_CONTEXT_FIELDS: tuple[tuple[str, ...], ...] = (
    ("meta", "n_ctx"),
    ("meta", "n_ctx_train"),
    ("max_input_tokens",),
    ("context_length",),
    ("max_model_len",),
    ("context_window",),
    ("max_context_length",),
)
_MODALITY_FIELDS: tuple[tuple[str, ...], ...] = (
    ("architecture", "input_modalities"),
    ("input_modalities",),
    ("modalities",),
)
EXTERNAL = "external"
LOADED = "loaded"


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A model that a client can name.

    ``id``              what the client writes; it resolves to ``provider``
    ``upstream_id``     what the provider calls it
    ``context_length``  tokens, None if not known
    ``modalities``      what it reads (text, image, …), None if not known
    ``created``         seconds since the epoch, None if not known
    ``status``          llama-server's own word for the local server (``loaded`` where it has none), else ``external``
    ``raw``             the provider's own entry
    ``price``           the registry's price of the route that an alias stands for, None where it has none of its own
    """

    id: str
    provider: str
    upstream_id: str
    context_length: int | None = None
    modalities: tuple[str, ...] | None = None
    created: int | None = None
    status: str = EXTERNAL
    raw: Raw = field(default_factory=dict)
    price: Price | None = None

    @property
    def owned_by(self) -> str:
        """The provider's name: who answers."""
        return self.provider


def entries_from(provider: Provider, answer: JsonValue) -> list[ModelEntry]:
    """Read a provider's answer to ``GET /models``; what has no id is no model. The ids are the provider's own."""
    if not isinstance(answer, dict):
        return []
    listed = answer.get("data")
    if not isinstance(listed, list):
        return []
    details = _by_name(answer.get("models"))
    return [
        _entry(provider, {**raw}, details.get(str(raw["id"]), {}))
        for raw in listed
        if isinstance(raw, dict) and isinstance(raw.get("id"), str) and raw["id"]
    ]


def static_entry(provider: Provider, name: str) -> ModelEntry:
    """Make the entry of a model of which only the name is known."""
    return ModelEntry(name, provider.name, name, status=EXTERNAL if provider.external else LOADED)


def _entry(provider: Provider, raw: dict[str, JsonValue], details: Raw) -> ModelEntry:
    name = str(raw["id"])
    return ModelEntry(
        id=name,
        provider=provider.name,
        upstream_id=name,
        context_length=_number(raw, _CONTEXT_FIELDS),
        modalities=_modalities(raw, details),
        created=_created(raw),
        status=EXTERNAL if provider.external else _status(raw),
        raw=raw,
    )


def _by_name(listed: JsonValue) -> dict[str, Raw]:
    """Return llama-server's second list (Ollama's shape), which alone tells what a model can see."""
    rows = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
    return {str(row[key]): row for key in ("model", "name") for row in rows if key in row}


def _status(raw: Raw) -> str:
    status = raw.get("status")
    value = status.get("value") if isinstance(status, dict) else status
    return value if isinstance(value, str) and value else LOADED


def _at(raw: JsonValue | Raw, path: Sequence[str]) -> JsonValue | Raw:
    for part in path:
        raw = raw.get(part) if isinstance(raw, Mapping) else None
    return raw


def _number(raw: Raw, paths: Iterable[Sequence[str]]) -> int | None:
    values = (_at(raw, path) for path in paths)
    return next((value for value in values if type(value) is int and value > 0), None)


def _modalities(raw: Raw, details: Raw) -> tuple[str, ...] | None:
    for path in _MODALITY_FIELDS:
        found = _at(raw, path)
        if isinstance(found, list) and found:
            return tuple(str(item) for item in found)
    capabilities = details.get("capabilities")
    if isinstance(capabilities, list):  # llama-server: "completion", and "multimodal" with a projector
        return ("text", "image") if "multimodal" in capabilities else ("text",)
    image = _at(raw, ("capabilities", "image_input", "supported"))  # Anthropic
    return None if image is None else ("text", "image") if image is True else ("text",)


def _created(raw: Raw) -> int | None:
    created, created_at = raw.get("created"), raw.get("created_at")
    if type(created) in (int, float) and isinstance(created, int | float) and created > 0:
        return int(created)
    if isinstance(created_at, str):
        try:
            return int(datetime.fromisoformat(created_at).timestamp())
        except ValueError:
            return None
    return None


def openai_model(entry: ModelEntry) -> dict[str, JsonValue]:
    """Return one entry in OpenAI's shape, the provider's own fields kept."""
    known: dict[str, JsonValue] = {
        "id": entry.id,
        "object": "model",
        "created": entry.created or 0,
        "owned_by": entry.provider,
    }
    if entry.context_length is not None:
        known["context_length"] = entry.context_length
    if entry.modalities is not None:
        known["modalities"] = list(entry.modalities)
    return {**entry.raw, **known, "status": _told_status(entry)}


def _told_status(entry: ModelEntry) -> JsonValue:
    """Return llama-server's status object, or one like it: its own web page reads ``status.value``."""
    own = entry.raw.get("status")
    return own if entry.status != EXTERNAL and isinstance(own, dict) else {"value": entry.status}


def anthropic_model(entry: ModelEntry) -> dict[str, JsonValue]:
    """Return one entry in Anthropic's shape; the epoch stands for an unknown date, as in Anthropic's own lists."""
    name = entry.raw.get("display_name")
    known: dict[str, JsonValue] = {
        "type": "model",
        "id": entry.id,
        "display_name": name if isinstance(name, str) else entry.id,
        "created_at": datetime.fromtimestamp(entry.created or 0, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "max_input_tokens": entry.context_length,
        "owned_by": entry.provider,
    }
    return {"lifecycle": "active", **entry.raw, **known, "status": _told_status(entry)}


def openai_shape(entries: Iterable[ModelEntry]) -> dict[str, JsonValue]:
    """Return the list as OpenAI tells it: whole, no pages."""
    return {"object": "list", "data": [openai_model(entry) for entry in entries]}


def anthropic_shape(
    entries: Sequence[ModelEntry], after_id: str | None = None, before_id: str | None = None, limit: int = 1000
) -> dict[str, JsonValue]:
    """Return a page of the list as Anthropic tells it: ``limit`` entries behind ``after_id`` or ahead of ``before_id``.

    All by default (Anthropic's own is 20): a client that knows no pages sees every model. A cursor that is no longer
    listed gives an empty page, which ends the client's loop.
    """
    ids = [entry.id for entry in entries]
    limit = min(max(limit, 1), 1000)
    start, stop = 0, len(ids)
    if after_id is not None:
        start = ids.index(after_id) + 1 if after_id in ids else stop
    if before_id is not None:
        stop = ids.index(before_id) if before_id in ids else start
    backwards = before_id is not None and after_id is None
    page = entries[max(start, stop - limit) : stop] if backwards else entries[start : min(stop, start + limit)]
    return {
        "data": [anthropic_model(entry) for entry in page],
        "has_more": len(page) < stop - start,
        "first_id": page[0].id if page else None,
        "last_id": page[-1].id if page else None,
    }
