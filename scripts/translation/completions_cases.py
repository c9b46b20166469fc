"""OpenAI's older text completions (openai 3.52, 2026-11-20); decisions for chat, messages, responses."""

from scripts.translation.case import Case


def _field(name: str, value: object, letters: str, **beside: object) -> Case:
    return Case("field", name, {**beside, name: value}, letters, dict(beside))


CASES: tuple[Case, ...] = (
    _field("best_of", 2, "RRR"),
    _field("echo", True, "RRR"),
    _field("frequency_penalty", 0.5, "MDD"),
    _field("logit_bias", {"50256": -100}, "MDD"),
    _field("logprobs", 2, "RRR"),
    _field("max_tokens", 500, "MMM"),
    _field("model", "another", "KKK"),
    _field("n", 2, "RRR"),
    _field("presence_penalty", 0.5, "MDD"),
    _field("prompt", "Hello", "MMM"),
    Case("field", "prompt, several", {"prompt": ["a", "b"]}, "RRR"),
    Case("field", "prompt, token numbers", {"prompt": [1, 2]}, "RRR"),
    _field("seed", 7, "MDD"),
    _field("stop", ["END"], "MMR"),
    _field("stream", True, "MMM"),
    _field("stream_options", {"include_usage": True}, "KKK", stream=True),
    _field("suffix", "z", "RRR"),
    _field("temperature", 0.5, "MMM"),
    _field("top_p", 0.5, "MMM"),
    _field("user", "u", "MMM"),
)
