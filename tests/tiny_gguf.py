"""Writes a tiny llama-architecture GGUF model, without downloading anything; the same bytes each time, in a second.

Needs `gguf` and `numpy`. Three kinds of model, of a few hundred kB to a few MB:

``script`` (default): answers by a script, at any temperature. Its chat template picks the answer:

* plain request: a fixed reply, then end of turn
* the user's text contains USE_TOOL, a known tool is offered, no tool result since: a well-formed tool call
* USE_TWO_TOOLS: two tool calls in one turn
* USE_THINK: ``<think>…</think>`` and a reply
* USE_LOOP: never stops by itself (max_tokens)

``random``: seeded random weights; garbage words, different per seed and temperature.
``embed``: like random, for embeddings (mean pooling in the metadata).
(Reranking needs another architecture: llama.cpp refuses a classification head on "llama".)
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import gguf
import numpy as np

from tests.tiny_machine import REPLY, Machine, build_random, build_script

type Mode = Literal["script", "random", "embed"]


@dataclass(frozen=True)
class Shape:
    """The transformer around the machine. One small head: agents send 50k-token prompts, and attention costs."""

    layers: int
    heads: int
    kv_heads: int
    feed_forward: int
    head_width: int
    context: int
    end_of_turn: str


SCRIPT_SHAPE = Shape(1, 1, 1, 32, 32, 262144, "<|im_end|>")
RANDOM_SHAPE = Shape(2, 4, 2, 96, 16, 2048, "</s>")


def write_model(
    path: Path, mode: Mode = "script", *, context: int | None = None, seed: int = 1, reply: str = REPLY
) -> Path:
    """Write a model to ``path`` and return it. ``context``: the length in tokens that its metadata names."""
    machine = build_script(reply) if mode == "script" else build_random(seed)
    shape = SCRIPT_SHAPE if mode == "script" else RANDOM_SHAPE
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name(f"tiny-{mode}")
    writer.add_description("Tiny hand-made test model, no training")
    writer.add_context_length(context or shape.context)
    add_shape(writer, machine, shape)
    add_tokenizer(writer, machine, shape)
    if mode == "embed":
        writer.add_pooling_type(gguf.PoolingType.MEAN)
    add_tensors(writer, machine, shape, None if mode == "script" else np.random.default_rng(seed + 1))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def add_shape(writer: gguf.GGUFWriter, machine: Machine, shape: Shape) -> None:
    """The hyperparameters."""
    writer.add_embedding_length(machine.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_key_length(shape.head_width)
    writer.add_value_length(shape.head_width)
    writer.add_rope_dimension_count(shape.head_width)
    writer.add_vocab_size(len(machine.vocabulary.tokens))
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)


def add_tokenizer(writer: gguf.GGUFWriter, machine: Machine, shape: Shape) -> None:
    """The vocabulary, its special tokens and the chat template."""
    v = machine.vocabulary
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(v.tokens)
    writer.add_token_scores(v.scores)
    writer.add_token_types(v.types)
    writer.add_bos_token_id(v.index["<s>"])
    writer.add_eos_token_id(v.index[shape.end_of_turn])
    writer.add_unk_token_id(v.index["<unk>"])
    for key, text in (("pre", "prefix"), ("suf", "suffix"), ("mid", "middle")):  # for /infill
        writer.add_uint32(f"tokenizer.ggml.fim_{key}_token_id", v.index[f"<|fim_{text}|>"])
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(False)
    writer.add_add_space_prefix(False)
    writer.add_chat_template(machine.template)


def add_tensors(writer: gguf.GGUFWriter, machine: Machine, shape: Shape, rng: np.random.Generator | None) -> None:
    """The weights: zeros inside the blocks without a generator, else drawn from it in this order."""
    width, head, kv, ff = (
        machine.width,
        shape.heads * shape.head_width,
        shape.kv_heads * shape.head_width,
        shape.feed_forward,
    )
    block: tuple[tuple[str, int, int, float], ...] = (
        ("attn_q", head, width, 0.3),
        ("attn_k", kv, width, 0.3),
        ("attn_v", kv, width, 0.2),
        ("attn_output", width, head, 0.2),
        ("ffn_norm", 0, 0, 0.0),
        ("ffn_gate", ff, width, 0.2),
        ("ffn_up", ff, width, 0.2),
        ("ffn_down", width, ff, 0.2),
    )
    writer.add_tensor("token_embd.weight", machine.embedding.astype(np.float16))
    writer.add_tensor("output_norm.weight", np.ones(width, np.float32))
    writer.add_tensor("output.weight", machine.output.astype(np.float16))
    for layer in range(shape.layers):
        writer.add_tensor(f"blk.{layer}.attn_norm.weight", np.ones(width, np.float32))
        for name, rows, columns, scale in block:
            tensor = rng.normal(0, scale, (rows, columns)) if rng and rows else np.zeros((rows, columns))
            tensor = tensor if rows else np.ones(width)
            writer.add_tensor(f"blk.{layer}.{name}.weight", tensor.astype(np.float32))


def main(arguments: Sequence[str] | None = None) -> None:
    """Write a model from the command line: `python -m tests.tiny_gguf OUT [--mode …]`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--mode", choices=["script", "random", "embed"], default="script")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ctx", type=int, default=None)
    parsed = parser.parse_args(arguments)
    write_model(parsed.out, parsed.mode, context=parsed.ctx, seed=parsed.seed)


if __name__ == "__main__":
    main()
