"""The inside of the tiny test model: its vocabulary, and matrices that answer by a script (see tiny_gguf.py).

The script is a bigram machine. Attention and FFN are zero, so the logits depend on the last token only, and every token
of a "chain" has its own embedding dimension. So it answers with fixed readable text and then stops, at any temperature.

Tokenizer: SentencePiece-style ("llama"): 256 byte tokens, printable ASCII and some merges learned from the help topics
every Python carries, so that an agent's 100 kB prompt stays near 30k tokens.
"""

import collections
import itertools
import json
import pydoc_data.topics
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float32]

REPLY = (
    "Hello from the tiny test model. This text is fixed, it was written into the weights, "
    "and a real llama.cpp server generated it token by token. Goodbye!"
)
THINK = "I was asked to think, so these few words are reasoning and not the answer."
LOOP = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty and round we go again ;"
)
AFTER_TOOL = "The tool has answered, so this turn is complete. Thank you."

# tool name -> arguments the model will "decide" on. The first match in the request's tools wins.
TOOLS: dict[str, dict[str, Any]] = {
    "get_weather": {"location": "Paris"},
    "get_current_weather": {"location": "Paris"},
    "Bash": {"command": "echo tiny-model-was-here", "description": "Print a marker"},
    "bash": {"command": "echo tiny-model-was-here", "description": "Print a marker"},
    "exec_command": {"cmd": "echo tiny-model-was-here"},
    "shell_command": {"command": "echo tiny-model-was-here"},
    "shell": {"command": ["echo", "tiny-model-was-here"]},
    "llm_version": {},
    "test": {"arg1": "value"},
}

TEMPLATE = Path(__file__).with_name("tiny_script.jinja").read_text("utf-8")
PLAIN_TEMPLATE = (
    "{%- for m in messages -%}{{- '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' -}}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}"
)

T = gguf.TokenType
N_MERGES = 1500
STRONG = 40.0  # logit of the chain's next token; everything else is below 10


class Vocabulary:
    """The token list as GGUF wants it: texts, types and scores side by side."""

    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.types: list[int] = []
        self.scores: list[float] = []
        self.index: dict[str, int] = {}

    def add(self, text: str, kind: int = T.NORMAL, score: float = 0.0) -> int:
        """Append one token and return its id; a duplicate raises ValueError."""
        if text in self.index:
            raise ValueError(f"duplicate token {text!r}")
        self.index[text] = len(self.tokens)
        self.tokens.append(text)
        self.types.append(int(kind))
        self.scores.append(float(score))
        return self.index[text]

    def id_of(self, text: str) -> int:
        """The token's id, added first if it is new."""
        return self.index[text] if text in self.index else self.add(text, score=-1e6)


@dataclass(frozen=True)
class Machine:
    """A model before it is written: vocabulary, input embedding and output matrix (tokens × width), chat template."""

    vocabulary: Vocabulary
    width: int
    embedding: Floats
    output: Floats
    template: str


def learn_merges(n: int) -> list[str]:
    """Plain byte-pair encoding over Python's help topics; returns merged pieces in order."""
    text = " ".join(pydoc_data.topics.topics.values())
    counted = collections.Counter(re.findall(r" ?[A-Za-z]+| ?[0-9]+| +", text))
    words = [(list(w.replace(" ", "\u2581")), c) for w, c in counted.most_common(4000) if w.isascii()]
    pairs: collections.Counter[tuple[str, str]] = collections.Counter()
    where: collections.defaultdict[tuple[str, str], set[int]] = collections.defaultdict(set)

    def count(k: int, sign: int) -> None:
        symbols, times = words[k]
        for pair in itertools.pairwise(symbols):
            pairs[pair] += sign * times
            where[pair].add(k)

    for k in range(len(words)):
        count(k, 1)
    out: list[str] = []
    while len(out) < n:
        best = max(pairs, key=lambda p: (pairs[p], p))
        out.append(best[0] + best[1])
        for k in where.pop(best):
            count(k, -1)
            words[k] = (merged(words[k][0], best), words[k][1])
            count(k, 1)
        del pairs[best]
    return out


def merged(symbols: list[str], pair: tuple[str, str]) -> list[str]:
    """``symbols`` with each occurrence of ``pair`` joined."""
    out: list[str] = []
    i = 0
    while i < len(symbols):
        joined = tuple(symbols[i : i + 2]) == pair
        out.append(pair[0] + pair[1] if joined else symbols[i])
        i += 2 if joined else 1
    return out


def base_vocabulary() -> Vocabulary:
    """Control tokens, the 256 bytes, printable ASCII, and the learned merges."""
    v = Vocabulary()
    v.add("<unk>", T.UNKNOWN)
    v.add("<s>", T.CONTROL)
    v.add("</s>", T.CONTROL)
    for byte in range(256):
        v.add(f"<0x{byte:02X}>", T.BYTE)
    for text in ("<|im_start|>", "<|im_end|>", "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"):
        v.add(text, T.CONTROL)
    for text in ("<tool_call>", "</tool_call>", "<think>", "</think>"):
        v.add(text, T.USER_DEFINED)
    v.add("\u2581", score=-1e6)
    for code in range(0x21, 0x7F):
        v.add(chr(code), score=-1e6)
    for i, piece in enumerate(learn_merges(N_MERGES)):
        if piece not in v.index:
            v.add(piece, score=-float(i + 1))
    return v


class Chains:
    """Which token follows which: every chain runs over tokens that no other chain uses."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.following: dict[int, int] = {}
        self._used: set[int] = set()

    def tokens_for(self, text: str) -> list[int]:
        """Split ``text`` at spaces into unused tokens and return their ids."""
        v, used = self.vocabulary, self._used
        ids: list[int] = []
        current = ""

        def take() -> bool:
            if v.index.get(current) in used:
                return False
            ids.append(v.id_of(current))
            used.add(ids[-1])
            return True

        for piece in re.findall("\u2581?[^\u2581]+", text.replace(" ", "\u2581")):
            current += piece
            if take():
                current = ""
        while current:  # the rest is taken: glue it to the pieces before it
            used.discard(ids[-1])
            current = v.tokens[ids.pop()] + current
            if take():
                current = ""
        return ids

    def link(self, start: int, ids: list[int], stop: int) -> None:
        """After ``start`` come ``ids``, then ``stop``."""
        self.following.update(zip([start, *ids], [*ids, stop], strict=True))


def unigram_logits(v: Vocabulary) -> Floats:
    """Preferences when a grammar forbids the chain: close JSON quickly, stay in ASCII."""
    by_type = {T.BYTE: -30.0, T.CONTROL: -30.0, T.UNKNOWN: -30.0, T.USER_DEFINED: 0.0}
    logits = np.array([by_type.get(T(kind), -4.0) for kind in v.types], np.float32)
    liked = {'"': 4, "}": 8, "]": 8, ",": 1, ":": 2, "{": 0, "[": 0, "0": -2, "\u2581": -6, "<0x0A>": -2}
    for text, logit in liked.items():
        logits[v.index[text]] = logit
    return logits


def call_text(name: str, arguments: dict[str, Any]) -> str:
    """A tool call as the chat template writes it."""
    return f'<tool_call>\n{{"name": "{name}", "arguments": {json.dumps(arguments)}}}\n</tool_call>'


def script_chains(v: Vocabulary, reply: str) -> tuple[Chains, int]:
    """All chains of the script, and the first token of the reply."""
    end = v.index["<|im_end|>"]
    names = ["text", "after", "think", "loop", *(f"tool:{t}" for t in TOOLS), *(f"two:{t}" for t in TOOLS)]
    control = {name: v.add(f"<|go:{name}|>", T.CONTROL) for name in names}
    chains = Chains(v)
    spoken = chains.tokens_for(reply)
    chains.link(control["text"], spoken, end)
    chains.link(control["after"], chains.tokens_for(AFTER_TOOL), end)
    chains.link(control["think"], chains.tokens_for(f"<think>\n{THINK}\n</think>\n\n"), spoken[0])
    loop = chains.tokens_for(LOOP)
    chains.link(control["loop"], loop, loop[0])
    for tool, arguments in TOOLS.items():
        call = call_text(tool, arguments)
        chains.link(control[f"tool:{tool}"], chains.tokens_for(call), end)
        chains.link(control[f"two:{tool}"], chains.tokens_for(call + "\n" + call), end)
    return chains, spoken[0]


def build_script(reply: str = REPLY) -> Machine:
    """The bigram machine. Dimension 0: any other token; 1: JSON punctuation; 2 and up: one per chain token."""
    v = base_vocabulary()
    chains, spoken = script_chains(v, reply)
    following = chains.following
    # tool_choice=required: the opening of a call, after which the grammar decides
    head = v.add('\n{"name":\u2581"', score=-1e6)
    following[v.index["<tool_call>"]] = head
    width = max(128, -(-(len(following) + 2) // 64) * 64)
    dimension = {token: i + 2 for i, token in enumerate(following)}
    punctuation = ['"', "{", "}", "[", "]", ":", ",", ">", "</tool_call>", v.tokens[head], *"0123456789"]
    dimension.update((v.index[text], 1) for text in punctuation)
    embedding = np.zeros((len(v.tokens), width), np.float32)
    for token in range(len(v.tokens)):
        embedding[token, dimension.get(token, 0)] = 1.0
    logits = script_logits(v, following, dimension, width)
    logits[spoken, 0] = STRONG  # anything that is not in a chain starts the reply
    output = logits / np.sqrt(width)  # RMS norm turns a one-hot row into sqrt(width)
    return Machine(v, width, embedding, output, TEMPLATE.replace("@KNOWN@", json.dumps(list(TOOLS))))


def script_logits(v: Vocabulary, following: dict[int, int], dimension: dict[int, int], width: int) -> Floats:
    """What each token (column: its dimension) makes likely next (row)."""
    end = v.index["<|im_end|>"]
    unigram = unigram_logits(v)
    unigram[list(following)] = -35.0  # chain pieces only in their chain
    for text, logit in {
        "</tool_call>": 6,
        "<think>": -30,
        "</think>": -30,
        "<": -12,
        "<0x0A>": -12,
        "<tool_call>": -10,
    }.items():
        unigram[v.index[text]] = logit
    logits: Floats = np.repeat(unigram[:, None], width, axis=1)
    # Grammar-constrained JSON: close strings at once, and end the turn as soon as that is allowed.
    logits[v.index['"'], 1] = 20.0
    logits[end, 1] = 30.0
    for token, successor in following.items():
        logits[successor, dimension[token]] = STRONG
        if successor == end:  # tool_choice=required forbids the end here: then open a tool call
            logits[v.index["<tool_call>"], dimension[token]] = STRONG - 10
    return logits


def build_random(seed: int = 1, width: int = 64) -> Machine:
    """Seeded random weights with a bias away from bytes and control tokens."""
    v = base_vocabulary()
    rng = np.random.default_rng(seed)
    embedding = rng.normal(0, 1, (len(v.tokens), width)).astype(np.float32)
    output = rng.normal(0, 0.35, (len(v.tokens), width)).astype(np.float32)
    embedding[:, 0] = 3.0  # a constant direction, used as a bias
    output[:, 0] = [0.0 if kind == T.NORMAL else -8.0 for kind in v.types]
    output[v.index["</s>"], 0] = -1.0
    return Machine(v, width, embedding, output, PLAIN_TEMPLATE)
