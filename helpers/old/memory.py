"""How much memory a model needs, by arithmetic; what this process really takes says `helpers.old.measuring.process`.

    weights_bytes(8_030_261_248, "int4")                 # 4_015_130_624
    estimate("Llama-3.1-8B", task="lora", dtype="int4")  # weights, gradients, optimizer, activations, overhead
    fits_table()                                         # which model on which GPU

Everything is in bytes. 1 GB = 10⁹ bytes, 1 GiB = 2³⁰ bytes: files are sold in the first, memory comes in the second.

What it does not do: model parallelism, offloading, paged optimizers, mixture-of-experts, or any architecture but
Llama's (grouped-query attention, gated feed-forward, RMSNorm, no biases) and Qwen3's, which also normalizes queries and
keys. Activations and overhead are estimates
and are labeled so; weights, cache, gradients and optimizer states are exact.
"""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

GB, GIB, MIB = 10**9, 2**30, 2**20
Task = Literal["inference", "lora", "full"]
TASKS = ("inference", "lora", "full")

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


def kv_cache_bytes(layers: int, kv_heads: int, head_dim: int, tokens: int, batch: int = 1, dtype: Any = "fp16") -> int:
    """Bytes of a key-value cache: 2 (keys and values) · layers · kv_heads · head_dim · tokens · batch numbers.

    `tokens` counts prompt and answer together, for each of `batch` sequences.
    """
    return weights_bytes(2 * layers * kv_heads * head_dim * tokens * batch, dtype)


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


# Dense models with open weights: Llama 3.1 of July 2024, Llama 3.3 of December 2024, SmolLM2 and Qwen3 of 2025.
ARCHITECTURES = {
    a.name: a
    for a in (
        Architecture("SmolLM2-135M", 30, 576, 1536, 9, 3, 64, 49_152, True),
        Architecture("Qwen3-0.6B", 28, 1024, 3072, 16, 8, 128, 151_936, True, qk_norm=True),
        Architecture("Qwen3-1.7B", 28, 2048, 6144, 16, 8, 128, 151_936, True, qk_norm=True),
        Architecture("Qwen3-4B", 36, 2560, 9728, 32, 8, 128, 151_936, True, qk_norm=True),
        Architecture("Llama-3.1-8B", 32, 4096, 14_336, 32, 8, 128, 128_256, False),
        Architecture("Qwen3-8B", 36, 4096, 12_288, 32, 8, 128, 151_936, False, qk_norm=True),
        Architecture("Qwen3-14B", 40, 5120, 17_408, 40, 8, 128, 151_936, False, qk_norm=True),
        Architecture("Qwen3-32B", 64, 5120, 25_600, 64, 8, 128, 151_936, False, qk_norm=True),
        Architecture("Llama-3.3-70B", 80, 8192, 28_672, 64, 8, 128, 128_256, False),
    )
}

# Not computed from anything: the CUDA context with its libraries takes this order of memory, and the caching
# allocator leaves a few percent unused between blocks.
CONTEXT_BYTES, FRAGMENTATION = 512 * MIB, 0.05


@dataclass(frozen=True)
class MemoryEstimate:
    """Bytes by purpose. `activations` and `overhead` are estimates, the others are exact counts."""

    weights: int
    kv_cache: int
    gradients: int
    optimizer: int
    activations: int
    overhead: int

    @property
    def total(self) -> int:
        return sum(getattr(self, field.name) for field in fields(self))

    def __str__(self) -> str:
        rows = [(field.name.replace("_", " "), getattr(self, field.name)) for field in fields(self)]
        return "\n".join(f"{name:<12}{size / GIB:>9.2f} GiB" for name, size in [*rows, ("total", self.total)])


def estimate(
    architecture: Architecture | str,
    task: Task = "inference",
    dtype: Any = "fp16",
    context: int = 2048,
) -> MemoryEstimate:
    """Memory for running or training one model on one device, with one sequence of `context` tokens.

    weights      all parameters in `dtype`. int8 and int4 mean the matrices inside the layers only; embeddings, head
                 and norms stay in 16 bits, as bitsandbytes leaves them. int8 has one 32-bit scale a matrix row, int4
                 groups of 64 with doubly quantized scales (QLoRA, Dettmers et al. 2023). LoRA adds adapters in 32 bits.
    kv cache     inference only: see `kv_cache_bytes`; 16-bit, or 32-bit for an fp32 model.
    gradients    full: one for every parameter, in `dtype`. LoRA: 4 bytes for every adapter parameter.
    optimizer    Adam keeps two 32-bit moments: 8 bytes a trained parameter. Full training of 16-bit weights keeps a
                 32-bit master copy too: 12 (mixed precision, 16 bytes a parameter in all; Rajbhandari et al. 2020).
    activations  training, with gradient checkpointing (Chen et al. 2016): each layer's input, and one layer's
                 inside while it is recomputed. Korthikanti et al. (2022) count 34 bytes · tokens · d_model for the
                 inside of a GPT layer without its attention matrix; here it is counted for Llama's. To that come the
                 logits and their gradients in 32 bits. Inference: one layer's widest moment in the prefill, and the
                 last logits. In 8 and 4 bits also the largest matrix, unpacked.
    overhead     about 0.5 GiB for CUDA itself and 5 % for fragmentation: a rule of thumb, not a count.

    Raises ValueError for an unknown model, task or dtype, and for full training in 8 or 4 bits.
    """
    shape = _architecture(architecture)
    name = canonical_dtype(dtype)
    if task not in TASKS:
        raise ValueError(f"task {task!r} is not known: use 'inference', 'lora' or 'full'.")
    if task == "full" and BITS[name] < 16:
        raise ValueError(f"{name} is too coarse for full training's small updates: use dtype='bf16', or task='lora'.")
    adapters = shape.lora_parameters(16) if task == "lora" else 0
    trained = {"inference": 0, "lora": adapters, "full": shape.n_parameters}[task]
    wide = "fp32" if BITS[name] >= 32 else "fp16"  # what activations and cache are kept in
    cache = kv_cache_bytes(shape.layers, shape.kv_heads, shape.head_dim, context, 1, wide)
    parts = MemoryEstimate(
        weights=_model_bytes(shape, name) + 4 * adapters,
        kv_cache=cache if task == "inference" else 0,
        gradients=weights_bytes(trained, name if task == "full" else "fp32"),
        optimizer=trained * (12 if task == "full" and BITS[name] == 16 else 8),
        activations=_activation_bytes(shape, task, wide, context, 1, quantized=BITS[name] < 16),
        overhead=0,
    )
    return replace(parts, overhead=CONTEXT_BYTES + round(FRAGMENTATION * parts.total))


def _architecture(architecture: Architecture | str) -> Architecture:
    if isinstance(architecture, Architecture):
        return architecture
    if architecture not in ARCHITECTURES:
        near = difflib.get_close_matches(str(architecture), ARCHITECTURES, n=1, cutoff=0.3)
        meant = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"There is no preset {architecture!r}: use one of {', '.join(ARCHITECTURES)}.{meant}")
    return ARCHITECTURES[architecture]


def _model_bytes(shape: Architecture, dtype: str) -> int:
    if BITS[dtype] >= 16:
        return weights_bytes(shape.n_parameters, dtype)
    matrices = shape.linear_parameters
    rest = weights_bytes(shape.n_parameters - matrices, "fp16")
    if dtype == "int4":
        scales = quantization_overhead_bytes(matrices, group_size=64, scale_bits=8, nested_group=256)
    else:
        scales = 4 * shape.layers * sum(out for _, out in shape.linear_shapes)
    return weights_bytes(matrices, dtype) + scales + rest


def _activation_bytes(shape: Architecture, task: str, dtype: str, tokens: int, batch: int, quantized: bool) -> int:
    size = BITS[dtype] // 8
    # A 4- or 8-bit matrix is multiplied as 16-bit numbers: the largest one is unpacked beside the packed copy.
    unpacked = max(rows * columns for rows, columns in shape.linear_shapes) * 2 if quantized else 0
    if task == "inference":
        widest = 2 * shape.d_model + 3 * shape.d_ff  # residual and its norm; gate, up and their product
        return size * tokens * widest + 4 * batch * shape.vocab + unpacked
    query, key = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    # What one layer keeps for the backward pass, a token: the outputs of both norms before and after their gain, query,
    # key, value, the attention's output, and gate, its SiLU, up and their product; and, since RMSNorm computes in 32
    # bits, its two inputs once more in that width.
    inside = size * (4 * shape.d_model + 2 * query + 2 * key + 4 * shape.d_ff) + 2 * 4 * shape.d_model * (size < 4)
    checkpoints = size * shape.layers * shape.d_model
    logits = (4 + 4) * shape.vocab  # in 32 bits, and their gradient
    return tokens * (checkpoints + inside + logits) + unpacked


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


SETTINGS: tuple[tuple[Task, str], ...] = (
    ("inference", "fp16"), ("inference", "int8"), ("inference", "int4"),
    ("lora", "bf16"), ("lora", "int8"), ("lora", "int4"), ("full", "bf16"), ("full", "fp32"),
)  # fmt: skip
_TASK_NAMES = {"inference": "inference", "lora": "LoRA", "full": "full training"}
