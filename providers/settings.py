"""What is set once for the whole program. ``PATCHBAY_X`` in the environment is ``settings: {x: …}`` in the file."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ByteSize, ConfigDict, Field, TypeAdapter, WithJsonSchema

_BYTES = TypeAdapter(ByteSize)


def _byte_count(value: object) -> object:
    """Take ``64 MiB`` and the like apart; anything else is judged by the field's own type."""
    return int(_BYTES.validate_python(value)) if isinstance(value, str) else value


Bytes = Annotated[
    int,
    BeforeValidator(_byte_count),
    WithJsonSchema(
        {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": r"^\d+(\.\d+)?\s*[KMGT]?i?B$"}]}
    ),
    Field(ge=0),
]


class Settings(BaseModel):
    """Settings of the whole program."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    listen: str = Field(default="127.0.0.1:8088", description="HOST:PORT where clients connect")
    db: str = Field(default="patchbay.db", description="the database file, relative to the working folder")
    allow_remote: bool = Field(default=False, description="let clients in that are not on this machine")
    page_remote: bool = Field(
        default=False, description="with allow_remote: show the page at /patchbay/, with all it tells, to them, too"
    )
    fetch_private: bool = Field(
        default=False, description="for clients elsewhere, too, download images by URL from private networks"
    )
    attempts: int = Field(
        default=3, ge=1, le=10, description="how often providers are asked for one call; 1 tells every failure at once"
    )
    shutdown_grace: float = Field(
        default=30.0,
        ge=0,
        le=86_400,
        description="seconds that calls in flight have to end in when Patchbay is stopped",
    )
    client_stall: float = Field(
        default=120.0,
        ge=0,
        le=86_400,
        description="seconds after which a client that takes nothing of its answer is hung up on; 0: never",
    )
    probe_for: float = Field(
        default=300.0,
        ge=0,
        le=86_400,
        description="seconds after its last call for which a provider's servers are asked how they are; 0: never",
    )
    record: Literal["optional", "required"] = Field(
        default="optional", description="whether calls are served while they cannot be recorded; required: 503"
    )
    bodies: Literal["none", "errors", "all"] = Field(
        default="errors", description="of which calls the raw bodies are kept (redacted, compressed)"
    )
    retention_days: int = Field(
        default=30, ge=0, description="calls older than this are deleted; 0 keeps them for ever"
    )
    retention_bytes: Bytes = Field(
        default=2 * 1024**3, description="the oldest calls beyond this size go; 0 means no limit"
    )
    max_body_bytes: Bytes = Field(
        default=64 * 1024**2, description="the largest request body, as sent and decompressed"
    )
    merge_models_at_root: bool = Field(
        default=False, description="/models answers the merged list too, instead of llama-server's own"
    )
    demo: bool = Field(default=True, description="offer the built-in model `demo`")
