"""KINDS: what may stand behind ``kind:`` in the registry. A new kind is a class and one line here."""

from providers.anthropic import Anthropic
from providers.compatible import Compatible
from providers.llamacpp import LlamaCpp
from providers.openai import OpenAI
from providers.openrouter import OpenRouter
from providers.provider import Provider
from providers.virtual import Demo

KINDS: dict[str, type[Provider]] = {
    "llamacpp": LlamaCpp,
    "anthropic": Anthropic,
    "openai": OpenAI,
    "openrouter": OpenRouter,
    "compatible": Compatible,
    "demo": Demo,
}
