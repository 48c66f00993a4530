"""How much memory a model needs, by arithmetic; what this process really takes says `helpers.old.measuring.process`.

    weights_bytes(8_030_261_248, "int4")                 # 4_015_130_624

Everything is in bytes. 1 GB = 10⁹ bytes, 1 GiB = 2³⁰ bytes: files are sold in the first, memory comes in the second.

What it does not do: model parallelism, offloading, paged optimizers, mixture-of-experts, or any architecture but
Llama's (grouped-query attention, gated feed-forward, RMSNorm, no biases) and Qwen3's, which also normalizes queries and
keys.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

GB, GIB, MIB = 10**9, 2**30, 2**20

BITS = {"fp64": 64, "fp32": 32, "bf16": 16, "fp16": 16, "fp8": 8, "int8": 8, "int4": 4}
_ALIASES = {
    "float64": "fp64", "double": "fp64", "float32": "fp32", "float": "fp32", "float16": "fp16", "half": "fp16",
    "bfloat16": "bf16", "float8_e4m3fn": "fp8", "float8_e5m2": "fp8", "uint8": "int8", "8-bit": "int8", "8bit": "int8",
    "nf4": "int4", "fp4": "int4", "4-bit": "int4", "4bit": "int4",
}  # fmt: skip


def canonical_dtype(dtype: Any) -> str:
    """One of the keys of `BITS` for a name ("bf16", "bfloat16", "4-bit") or a torch dtype.

    A torch dtype is recognized by its text, "torch.bfloat16", so PyTorch is not imported. Raises ValueError if unknown.
    """
    name = str(dtype).removeprefix("torch.").lower()
    name = _ALIASES.get(name, name)
    if name not in BITS:
        raise ValueError(f"dtype {dtype!r} is not known: use one of {', '.join(BITS)} (or nf4, 4-bit, a torch dtype).")
    return name


def weights_bytes(n_parameters: int, dtype: Any) -> int:
    """Bytes that `n_parameters` numbers take in `dtype`; 4-bit ones stand two to a byte, rounded up.

    The scales of quantized groups are extra: `quantization_overhead_bytes` counts them.
    Raises ValueError for an unknown dtype or a negative count.
    """
    if n_parameters < 0:
        raise ValueError(f"A model cannot have {n_parameters} parameters: give a count of zero or more.")
    return -(-int(n_parameters) * BITS[canonical_dtype(dtype)] // 8)


def quantization_overhead_bytes(
    n_parameters: int, group_size: int = 64, scale_bits: int = 32, zero_point_bits: int = 0, nested_group: int = 0
) -> int:
    """Bytes for the constants of group-wise quantization, beside the weights themselves.

    Each `group_size` weights share a scale of `scale_bits` and, if asymmetric, a zero point. With `nested_group` > 0
    the scales are quantized in turn: each group of them shares one 32-bit constant ("double quantization", QLoRA,
    Dettmers et al. 2023: `scale_bits=8, nested_group=256` costs 0.127 bits a weight instead of 0.5).
    """
    if group_size < 1:
        raise ValueError(f"group_size must be 1 or more, not {group_size}.")
    groups = math.ceil(n_parameters / group_size)
    nested = math.ceil(groups / nested_group) * 32 if nested_group else 0
    return math.ceil((groups * (scale_bits + zero_point_bits) + nested) / 8)


@dataclass(frozen=True)
class Architecture:
    """The shape of a Llama-like decoder, enough to count its parameters (names as in `transformers.LlamaConfig`)."""

    name: str
    layers: int
    d_model: int
    d_ff: int
    heads: int
    kv_heads: int
    head_dim: int
    vocab: int
    tied: bool  # does the output head reuse the embedding matrix?
    qk_norm: bool = False  # does each layer normalize its queries and its keys, with one gain per number of a head?

    @property
    def embedding_parameters(self) -> int:
        """Embedding matrix, and the output head where it has its own."""
        return self.vocab * self.d_model * (1 if self.tied else 2)

    @property
    def linear_shapes(self) -> list[tuple[int, int]]:
        """(in, out) of one layer's seven matrices: query, key, value, output, gate, up, down."""
        query, key = self.heads * self.head_dim, self.kv_heads * self.head_dim
        attention = [(self.d_model, query), (self.d_model, key), (self.d_model, key), (query, self.d_model)]
        return [*attention, (self.d_model, self.d_ff), (self.d_model, self.d_ff), (self.d_ff, self.d_model)]

    @property
    def linear_parameters(self) -> int:
        """All matrices inside the layers: what quantization compresses and LoRA adapts."""
        return self.layers * sum(rows * columns for rows, columns in self.linear_shapes)

    @property
    def n_parameters(self) -> int:
        """Every parameter, a tied matrix once: embeddings, layers, the norms of each layer and the final norm."""
        norms = (2 * self.layers + 1) * self.d_model + 2 * self.layers * self.head_dim * self.qk_norm
        return self.embedding_parameters + self.linear_parameters + norms

    def lora_parameters(self, rank: int) -> int:
        """Parameters of LoRA adapters (Hu et al. 2021) on every matrix in the layers: rank · (in + out) each."""
        return self.layers * sum(rank * (rows + columns) for rows, columns in self.linear_shapes)


# Not computed from anything: the CUDA context with its libraries takes this order of memory, and the caching
# allocator leaves a few percent unused between blocks.
CONTEXT_BYTES, FRAGMENTATION = 512 * MIB, 0.05


@dataclass(frozen=True)
class GPU:
    """A card: the figure on its box, and the memory that its driver reports (`nvidia-smi`, MiB).

    NVIDIA's "24 GB" means 24 GiB, less what error correction and firmware keep; so the label is never divided by
    10⁹ here, and a model must fit what is reported.
    """

    name: str
    label_gb: int
    reported_mib: int

    @property
    def capacity(self) -> int:
        """Bytes that programs can use."""
        return self.reported_mib * MIB


GPUS = (
    GPU("RTX 4060", 8, 8_188),
    GPU("T4", 16, 15_360),
    GPU("L4", 24, 23_034),
    GPU("RTX 4090", 24, 24_564),
    GPU("RTX 5090", 32, 32_607),
    GPU("A100 40 GB", 40, 40_960),
    GPU("A100 80 GB", 80, 81_920),
    GPU("H100", 80, 81_559),
    GPU("H200", 141, 143_771),
)
