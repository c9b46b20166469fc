"""What to set up in common clients so that they ask Patchbay; ``{root}`` is where it was found by its page."""

from typing import NamedTuple

from addons.web.replies import Json


class _Client(NamedTuple):
    name: str
    about: str
    lines: tuple[str, ...]


# Patchbay asks for no key of its own, but clients do not start without one.
_CLIENTS = (
    _Client(
        "OpenAI SDK",
        "Also most programs that ask for an OpenAI base URL. The key may be any word.",
        ("export OPENAI_BASE_URL={root}/v1", "export OPENAI_API_KEY=patchbay"),
    ),
    _Client(
        "Claude Code",
        "Also the Anthropic SDK. Choose a model with: claude --model NAME",
        ("export ANTHROPIC_BASE_URL={root}", "export ANTHROPIC_API_KEY=patchbay"),
    ),
    _Client(
        "Codex",
        "In ~/.codex/config.toml, with a model's NAME; then: export OPENAI_API_KEY=patchbay",
        (
            'model = "NAME"',
            'model_provider = "patchbay"',
            "",
            "[model_providers.patchbay]",
            'name = "Patchbay"',
            'base_url = "{root}/v1"',
            'wire_api = "responses"',
            'env_key = "OPENAI_API_KEY"',
        ),
    ),
    _Client(
        "Open WebUI",
        "Set before it starts, or under Admin, Settings, Connections. From a container, localhost is another machine.",
        ("export OPENAI_API_BASE_URL={root}/v1", "export OPENAI_API_KEY=patchbay"),
    ),
    _Client(
        "llm",
        "Simon Willison's tool: in extra-openai-models.yaml, in the folder of `llm logs path`; then: llm -m patchbay",
        ("- model_id: patchbay", "  model_name: NAME", '  api_base: "{root}/v1"', "  api_key_name: patchbay"),
    ),
    _Client(
        "aider",
        "Then: aider --model openai/NAME",
        ("export OPENAI_API_BASE={root}/v1", "export OPENAI_API_KEY=patchbay"),
    ),
)


def clients(host: str) -> list[Json]:
    """Return each client with its lines; ``host`` is the name and port by which the page was asked for."""
    root = f"http://{host}"
    return [
        {"name": each.name, "about": each.about, "lines": [line.replace("{root}", root) for line in each.lines]}
        for each in _CLIENTS
    ]
