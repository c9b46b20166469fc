"""Any server that speaks one of the dialects: vLLM, Ollama, LM Studio, Groq, Mistral, … Data, no code.

Its base URL ends where its OpenAI-like paths begin (usually ``/v1``). It speaks ``chat`` unless ``dialects`` says more.
"""

from typing import ClassVar

from providers.provider import Provider


class Compatible(Provider):
    """A compatible server; a key is sent as a bearer token where one is configured."""

    __slots__ = ()
    kind: ClassVar[str] = "compatible"
    price_list: ClassVar[str | None] = ""
    known_by_name: ClassVar[bool] = True
