"""What servers and model families can be told, as rows of facts: the data behind `providers.quirks.capabilities`.

Strategy: a server's row describes its newest models, so that a model which is younger than this table works; the rows
of families take back what older ones cannot. Rows are applied in order, a later one wins field by field. Sources are
specs: translation (sections 0, 1.6, 2, 5 to 8) and the vendors' references; where those are silent a row says what no
server of its kind refuses. The meaning of each fact is in `providers.wire.capabilities`.
"""

import re
from typing import NamedTuple, TypedDict


class Facts(TypedDict, total=False):
    """Some fields of `Capabilities`; tests hold the two together."""

    token_limit: str
    default_max_tokens: int
    temperature_max: float
    temperature: bool
    top_p: bool
    top_k: bool
    stop_most: int
    system_role: str
    mid_system: bool
    prefill: bool
    effort: tuple[str, ...]
    adaptive_thinking: bool
    thinking_disabled: bool
    reasoning_back: str
    reasoning_details: bool
    signatures: str
    tool_id: str
    tool_id_length: int
    tool_name_length: int
    cache_marks: str
    structured: str
    image_urls: bool
    include_usage: bool
    openai_extras: bool
    completions: bool


class Family(NamedTuple):
    """A row: on ``servers`` (all of them where empty), what models that ``pattern`` finds in lower case can be told."""

    servers: tuple[str, ...]
    pattern: re.Pattern[str]
    facts: Facts


def _family(servers: str, pattern: str, facts: Facts) -> Family:
    return Family(tuple(servers.split()), re.compile(pattern), facts)


ANTHROPIC_ID = r"[a-zA-Z0-9_-]+"
_MISTRAL_ID = r"[a-zA-Z0-9]{9}"
_MISTRAL_CALLS: Facts = {"tool_id": _MISTRAL_ID, "tool_id_length": 9}
_MANY = 1000  # stop sequences: no bound is documented
_TO_HIGH = ("low", "medium", "high")

# By kind of provider, and by what a compatible one may be said to be `like` (registry: quirks). What stands in no row
# is an unknown server: the defaults of `Capabilities`.
SERVERS: dict[str, Facts] = {
    # It downloads pictures only if it was built with TLS: what is inline works with every build.
    "llamacpp": {"prefill": True, "stop_most": _MANY},
    "anthropic": {
        "default_max_tokens": 64_000,
        "temperature_max": 1.0,
        "temperature": False,
        "top_p": False,
        "top_k": False,
        "stop_most": _MANY,
        "effort": ("none", "low", "medium", "high", "xhigh", "max"),
        "adaptive_thinking": True,
        "reasoning_back": "",
        "signatures": "anthropic-claude-v1",
        "tool_id": ANTHROPIC_ID,
        "tool_name_length": 128,
        "cache_marks": "anthropic",
        "image_urls": True,
        "completions": False,
    },
    "openai": {
        "token_limit": "max_completion_tokens",
        "temperature": False,
        "top_p": False,
        "top_k": False,
        "stop_most": 0,
        "system_role": "developer",
        "effort": ("none", "low", "medium", "high", "xhigh", "max"),
        "reasoning_back": "",
        "signatures": "openai-responses-v1",
        "tool_id_length": 40,
        "cache_marks": "openai",
        "image_urls": True,
        "openai_extras": True,
        "completions": False,
    },
    "openrouter": {
        "prefill": True,
        "effort": ("none", "minimal", "low", "medium", "high", "xhigh"),
        "reasoning_back": "reasoning",
        "reasoning_details": True,
        "image_urls": True,
    },
    "cerebras": {"top_k": False, "reasoning_back": "reasoning"},
    "deepseek": {"top_k": False, "structured": "json_object", "stop_most": 16},
    "groq": {
        "token_limit": "max_completion_tokens",
        "top_k": False,
        "reasoning_back": "reasoning",
        "image_urls": True,
        "completions": False,
    },
    "mistral": {
        "temperature_max": 1.5,
        "top_k": False,
        "effort": (),
        "reasoning_back": "",
        **_MISTRAL_CALLS,
        "image_urls": True,
        "include_usage": False,
        "completions": False,
    },
    "moonshot": {"temperature_max": 1.0, "top_k": False},
    "ollama": {"effort": ("none", *_TO_HIGH), "reasoning_back": "reasoning", "stop_most": _MANY},
    "together": {"reasoning_back": "reasoning", "image_urls": True},
    "vllm": {"reasoning_back": "reasoning", "stop_most": _MANY, "image_urls": True},
    "xai": {"top_k": False, "effort": (), "image_urls": True},
    "zai": {"top_k": False, "structured": "json_object", "effort": (), "image_urls": True},
}

# Names of Anthropic's models: claude-3-5-haiku-20241022, claude-opus-4-20250514, claude-opus-4-8, claude-opus-4.8.
_BEFORE_4 = r"claude-(?:v?[123]\b|instant"
_UP_TO_4_4 = _BEFORE_4 + r"|\w+-4(?![-.][5-9](?!\d)))"
_UP_TO_4_5 = _BEFORE_4 + r"|\w+-4(?![-.][6-9](?!\d)))"
_UP_TO_4_6 = _BEFORE_4 + r"|\w+-4(?![-.][7-9](?!\d)))"

_CLAUDE = (
    _family("anthropic", _UP_TO_4_6, {"temperature": True, "top_p": True, "top_k": True}),
    _family("anthropic", _UP_TO_4_6, {"effort": ("none", *_TO_HIGH, "max")}),
    _family("anthropic", _UP_TO_4_6 + r"|claude-opus-4[-.]7|mythos-preview", {"mid_system": False}),
    _family("anthropic", _UP_TO_4_5, {"prefill": True, "adaptive_thinking": False, "effort": ("none", *_TO_HIGH)}),
    _family("anthropic", _UP_TO_4_4, {"structured": ""}),
    _family("anthropic", r"opus-4(?![-.][5-9](?!\d))", {"default_max_tokens": 32_000}),
    _family(
        "anthropic",
        r"claude-(?:v?[12]\b|instant|3(?![-.]7))",
        {"effort": (), "thinking_disabled": False, "default_max_tokens": 4_096},
    ),
    _family("anthropic", r"claude-3[-.]5", {"default_max_tokens": 8_192}),
)
_NO_REASONING: Facts = {
    "temperature": True,
    "top_p": True,
    "stop_most": 4,
    "system_role": "system",
    "effort": (),
    "cache_marks": "",
}
_GPT = (
    _family("openai", r"\bgpt-(?:3\.5|4|audio)|chatgpt-4o|\bgpt-5[.\d]*-chat", _NO_REASONING),
    _family("openai", r"\bgpt-(?:3\.5|4-)", {"structured": "json_object"}),
    _family("openai", r"\bgpt-4(?:-0\d+|-32k.*)?$", {"structured": ""}),
    _family("openai", r"gpt-3\.5-turbo-instruct|davinci|babbage", {**_NO_REASONING, "completions": True}),
    _family("openai", r"\bo\d|codex-mini", {"effort": _TO_HIGH, "cache_marks": ""}),
    _family("openai", r"\bo1", {"stop_most": 4}),
    _family("openai", r"\bo1-(?:mini|preview)", {"effort": ()}),
    _family("openai", r"\bgpt-5(?:-(?!chat)|$)", {"effort": ("minimal", *_TO_HIGH), "cache_marks": ""}),
    _family("openai", r"\bgpt-5\.1(?!\d|-chat)", {"effort": ("none", *_TO_HIGH), "cache_marks": ""}),
    _family("openai", r"\bgpt-5\.[2-5](?!\d|-chat)", {"effort": ("none", *_TO_HIGH, "xhigh"), "cache_marks": ""}),
    _family("openai", r"\bgpt-5-pro", {"effort": ("high",)}),
    _family("openai", r"\bgpt-5\.[2-5]-pro", {"effort": ("medium", "high", "xhigh")}),
)
_BEHIND_OPENROUTER = (
    _family(
        "openrouter",
        r"\bclaude-",
        {
            "cache_marks": "anthropic",
            "signatures": "anthropic-claude-v1",
            "tool_id": ANTHROPIC_ID,
            "prefill": False,
            "default_max_tokens": 64_000,
        },
    ),
    _family("openrouter", r"\bgemini-", {"cache_marks": "anthropic", "signatures": "google-gemini-v1"}),
    _family("openrouter", r"\bopenai/", {"signatures": "openai-responses-v1", "prefill": False}),
    _family("openrouter", r"\bx-ai/", {"signatures": "xai-responses-v1"}),
    _family("openrouter", _UP_TO_4_5, {"prefill": True}),
)
FAMILIES: tuple[Family, ...] = (
    *_CLAUDE,
    *_GPT,
    *_BEHIND_OPENROUTER,
    # Their chat templates refuse any other id, wherever they run.
    _family("", r"\b(?:mi[sx]tral|ministral|magistral|codestral|devstral|pixtral)", _MISTRAL_CALLS),
    _family("xai", r"grok-3-mini", {"effort": ("low", "high")}),
)
