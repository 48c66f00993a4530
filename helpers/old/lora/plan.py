"""What a fine-tuning needs of a GPU's memory, and the settings with which it fits, from a configuration alone.

    plan = plan_training("meta-llama/Llama-3.1-8B", gpu_memory=24)
    plan.method, plan.batch, plan.accumulation, plan.checkpointing      # "lora", 2, 8, True …
    plan.total, plan.capacity, plan.fits                                # bytes, bytes, True
    print(plan.table())                                                 # the budget by part; every setting that fits

The training that is counted is the one `python -m helpers.old.lora plan … --write train.py` writes: TRL's SFTTrainer
with PEFT, 16-bit mixed precision, attention by scaled_dot_product_attention, every row as long as `seq_len`.

What it does not do: several GPUs, offloading, packing, mixtures of experts, or time: it says what fits, not how fast.
It was compared with measured peaks on a CPU (data/results/08b_plan.json); what only a GPU has (the context, the slack
of its allocator, the tile of the loss) is a count from the libraries' source and was not measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from helpers.old.lora.shapes import Shape, known_models, read_shape
from helpers.old.memory import CONTEXT_BYTES, FRAGMENTATION, GIB, GPUS, quantization_overhead_bytes, weights_bytes

Method = Literal["lora", "qlora", "full"]
METHODS: tuple[Method, ...] = ("lora", "qlora", "full")
METHOD_NAMES = {"lora": "LoRA", "qlora": "QLoRA", "full": "full training"}
ADAMW, PAGED = "adamw_torch_fused", "paged_adamw_8bit"  # as TrainingArguments' `optim` calls them
CARDS = (8, 12, 16, 24, 32, 40, 48, 80)  # GB, as printed on the box
EFFECTIVE_BATCH = 16
SHORTEST = 64  # tokens of a row that is still worth an advice
BUSY_TOKENS = 2_048  # in one pass, below which a GPU is not kept busy: then recomputing for a larger batch pays
TILE_TOKENS, TILE_WORDS = 4_096, 32_768  # TRL computes the loss in tiles of this size
ALL_LINEAR, ATTENTION = "all-linear", "attention"


@dataclass(frozen=True)
class Setting:
    """One way to train: everything that decides about memory except the model.

    compute: what matrices are multiplied in. device: "cpu" counts what only a CPU's training has, and no CUDA context.
    loss: "tiles" is TRL's, which never holds all logits; "whole" a loop that calls model(input_ids, labels=labels).
    padded: rows of unequal length, so that a mask of batch · seq_len² numbers is needed (by default for batch > 1).
    mapped: on a CPU, a 4-bit model's 16-bit file stays mapped, as the libraries leave it; False: it was let go.
    float32_adapters: of qlora, as the course's own layers have them; by default TRL makes them 16-bit ones.
    Raises ValueError for a method that is none of METHODS.
    """

    method: Method = "lora"
    batch: int = 1
    seq_len: int = 1024
    checkpointing: bool = True
    optimizer: str = ADAMW
    rank: int = 8
    targets: tuple[str, ...] = ()
    compute: Literal["bf16", "fp16", "fp32"] = "bf16"
    device: Literal["gpu", "cpu"] = "gpu"
    loss: Literal["tiles", "whole"] = "tiles"
    padded: bool | None = None
    mapped: bool = True
    float32_adapters: bool = False

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(_no_method(self.method))

    @property
    def tokens(self) -> int:
        return self.batch * self.seq_len

    @property
    def width(self) -> int:
        """Bytes of a number in the forward pass."""
        return 4 if self.compute == "fp32" else 2

    @property
    def masked(self) -> bool:
        return self.batch > 1 if self.padded is None else self.padded

    @property
    def casts_adapters(self) -> bool:
        """PEFT keeps adapters in 32 bits, and TRL makes them 16-bit ones for a 4-bit base: the former are cast."""
        return self.method == "lora" and self.width == 2

    @property
    def trained_width(self) -> int:
        """Bytes of a trained number, of its gradient, and of each of Adam's two."""
        return 2 if self.method == "qlora" and not self.float32_adapters else 4


def _no_method(method: str) -> str:
    return f"The method is one of {', '.join(METHODS)}, not {method!r}."


def memory_parts(shape: Shape, setting: Setting) -> list[tuple[str, int]]:
    """(part, bytes) at the peak of a training step. With n the parameters, T = batch · seq_len, b = bytes of `compute`:

    base weights      lora: b·n. qlora: matrices of the blocks in NF4, 4 bits and 0.127 for doubly quantized scales
                      (Dettmers et al., 2023); embeddings, head and norms stay in 16 bits; a tied head counts once.
                      full: 4·n, because 16-bit weights lose small steps.
    adapters          rank · (in + out) for each corrected matrix, 4 bytes each, 2 for qlora (TRL converts them), unless
                      `float32_adapters`.
    gradients         one for each trained parameter, in its precision.
    optimizer states  AdamW: two for each trained parameter, in its precision. paged_adamw_8bit: two bytes in all, which
                      move to the computer's memory while activations need the room: only what exceeds them counts.
    activations       what the backward pass needs of the blocks: see `_kept_per_token`. With checkpointing (Chen et
                      al., 2016) each block's input, b·d_model·T, and one block at a time in full. Full training
                      without checkpointing also keeps a 16-bit copy of every matrix.
    logits at the     tiles: min(T, 4096) · 32768 · b on a GPU, reused for each tile, and a 32-bit gradient of the last
    loss              hidden states. whole: T · vocab · (b + 12): the logits, and in 32 bits a copy, its log-softmax and
                      its gradient.
    working buffers   one block's backward pass, about 8·d_ff + 4·d_model bytes a token, or the final norm's: only what
                      exceeds the loss, since both are not there at once. qlora: the largest matrix, unpacked.
    slack, context    5 % that the allocator leaves unused, and 0.5 GiB for CUDA: rules of thumb (`helpers.old.memory`).

    What is different on a CPU: no context; the loss's tile is min(T, 4096) · min(vocab, 32768) numbers of b + 29 bytes,
    because softmax and gradient are written out where a GPU has one kernel; a 4-bit model's 16-bit matrices stay mapped
    from the file that they were quantized from (the system drops these pages when it needs room); and reading the
    weights can need more than training does (`loading_bytes`). Python and its libraries come on top, about 0.6 GB.

    Raises ValueError for targets that the model does not have and for a rank that does not suit them.
    """
    targets = check_adapters(shape, setting.rank, setting.targets) if setting.method != "full" else ()
    adapters = shape.adapter_parameters(setting.rank, targets)
    trained = shape.n_parameters if setting.method == "full" else adapters
    size = setting.trained_width
    copied = setting.casts_adapters or (setting.method == "qlora" and setting.width < size)  # in 16 bits
    kept = _kept_bytes(shape, setting, targets) + (2 * adapters if copied else 0)
    loss = _loss_bytes(shape, setting)
    working = setting.tokens * _working_per_token(shape, setting)
    unpacked = 2 * _largest(shape) if setting.method == "qlora" else 0
    beyond = max(0, working - loss) + unpacked
    states = 2 * size * trained
    if setting.optimizer == PAGED:
        states = max(0, 2 * trained - kept - loss - beyond)
    parts = [
        ("base weights", _base_bytes(shape, setting)),
        ("adapters", size * adapters),
        ("gradients", size * trained),
        ("optimizer states", states),
        ("activations", kept),
        ("logits at the loss", loss),
        ("working buffers", beyond),
    ]
    if setting.device == "cpu" and setting.method == "qlora" and setting.mapped:
        parts.append(("16-bit file, mapped", 2 * shape.linear_parameters))
    parts.append(("allocator's slack", round(FRAGMENTATION * sum(size for _, size in parts))))
    if setting.device == "gpu":
        parts.append(("CUDA context", CONTEXT_BYTES))
    return [(part, size) for part, size in parts if size]


def check_adapters(shape: Shape, rank: int, targets: Sequence[str] = ()) -> tuple[str, ...]:
    """The names of the linear layers that get adapters; all of a block's by default, or "attention" for those.

    Raises ValueError for names that match nothing, with those that exist, and for a rank that does not suit a matrix.
    """
    names = tuple(shape.linears)
    asked = tuple(targets) or (ALL_LINEAR,)
    if asked == (ALL_LINEAR,):
        asked = names
    elif asked == (ATTENTION,):
        asked = tuple(name for name in names if name in ("q_proj", "k_proj", "v_proj", "qkv_proj", "o_proj"))
    if unknown := [name for name in asked if name not in names]:
        raise ValueError(
            f"No linear layer of {shape.name} is called {unknown[0]!r}: name some of {', '.join(names)}, or "
            f"{ALL_LINEAR} or {ATTENTION}."
        )
    narrow = min(asked, key=lambda name: min(shape.linears[name]))
    most = min(shape.linears[narrow])
    if not 1 <= rank <= most:
        rows, columns = shape.linears[narrow]
        raise ValueError(
            f"The rank is at least 1 and at most {most:,}, the smaller side of {narrow} ({rows:,} by {columns:,}), "
            f"not {rank:,}."
        )
    return asked


def _base_bytes(shape: Shape, setting: Setting) -> int:
    if setting.method == "full":
        return 4 * shape.n_parameters
    if setting.method == "lora":
        return setting.width * shape.n_parameters
    matrices = shape.linear_parameters
    scales = quantization_overhead_bytes(matrices, group_size=64, scale_bits=8, nested_group=256)
    return weights_bytes(matrices, "int4") + scales + 2 * (shape.n_parameters - matrices)


def _largest(shape: Shape) -> int:
    return max(rows * columns for rows, columns in shape.linears.values())


def _kept_bytes(shape: Shape, setting: Setting, targets: Sequence[str]) -> int:
    """What stays until the backward pass has used it, of all blocks, and of the last norm and the head's input."""
    mask = setting.batch * setting.seq_len**2 if setting.masked else 0
    block = setting.tokens * _kept_per_token(shape, setting, targets) + setting.width * mask
    ends = setting.tokens * (4 + setting.width) * shape.d_model + mask
    copies = 2 * shape.linear_parameters if setting.method == "full" and setting.width == 2 else 0
    if not setting.checkpointing:
        return shape.layers * block + ends + copies
    stream = 4 if setting.method == "full" else setting.width
    return shape.layers * setting.tokens * stream * shape.d_model + block + ends + copies // shape.layers


def _kept_per_token(shape: Shape, setting: Setting, targets: Sequence[str]) -> int:
    """Bytes that the backward pass needs of one block, a token, as autograd keeps them.

    A frozen matrix needs nothing of its input, and an adapter's A needs it: once for all that share the input, or once
    for each where adapters and input differ in precision, because each then makes its own copy. To that come each
    norm's input in 32 bits; queries, keys, values and what attention made of them (keys and values repeated for every
    head where there is a mask); gate, its activation and up; and what lies between A and B.
    """
    width, full = setting.width, setting.method == "full"
    query, key = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    inputs = {  # of which a matrix is applied to each
        ("q_proj", "k_proj", "v_proj", "qkv_proj"): shape.d_model,
        ("gate_proj", "up_proj", "gate_up_proj"): shape.d_model,
        ("down_proj",): shape.d_ff,
        ("o_proj",): query,
    }
    casts = setting.casts_adapters or (full and width == 2)
    kept = 0
    for readers, size in inputs.items():
        using = [name for name in readers if name in (shape.linears if full else targets)]
        if full and size != shape.d_model:  # computed in 16 bits already: nothing to cast, and attention keeps its own
            kept += width * size * (readers == ("down_proj",))
        elif casts:
            kept += width * size * len(using)
        elif using and readers != ("o_proj",):
            kept += width * size
    norms = (8 if full else 4) * shape.d_model * shape.norms
    if shape.qk_norm:
        norms += (6 if full else 4) * (query + key)
    attention = width * (2 * query + 2 * (query if setting.masked else key)) + 4 * shape.heads
    if "qkv_proj" in shape.linears and not setting.masked:
        attention += width * (query + key)  # the values are a part of one matrix's output, which stays as a whole
    between = 0 if full else width * setting.rank * len(targets)
    return kept + norms + attention + 3 * width * shape.d_ff + between + 4 * shape.norms


def _working_per_token(shape: Shape, setting: Setting) -> int:
    """Gradients that a backward pass holds at once: of the feed-forward part of a block, or of the last norm."""
    wide = 4 if setting.method == "qlora" and setting.width == 2 else 8
    norm = 24 if setting.width == 4 else 22
    return max(wide * shape.d_ff + 4 * shape.d_model, norm * shape.d_model)


def _loss_bytes(shape: Shape, setting: Setting) -> int:
    tokens, width = setting.tokens, setting.width
    if setting.loss == "whole":
        return tokens * shape.vocab * (width + 12)
    rows, gradient = min(tokens, TILE_TOKENS), tokens * (4 + 2 * width) * shape.d_model
    if setting.device == "gpu":
        return rows * TILE_WORDS * width + gradient
    # without Triton the tile's softmax is written out: seven numbers of 32 bits for each of the tile's and a mask
    return rows * min(TILE_WORDS, shape.vocab) * (width + 29) + gradient


def loading_bytes(shape: Shape, setting: Setting) -> int:
    """The peak while the weights are read on a CPU: as they will be, and the 16-bit file that they are made from, which
    the system counts as long as it is mapped."""
    converted = setting.compute == "fp32" or setting.method == "qlora"
    return _base_bytes(shape, setting) + (2 * shape.n_parameters if converted else 0)


def usable_bytes(gpu_memory: float) -> int:
    """What programs can use of a GPU that is sold with so many GB: the least of the cards in `helpers.old.memory` of
    that size, and for other sizes the least share (error correction and the driver keep up to 6 %)."""
    if same := [gpu.capacity for gpu in GPUS if gpu.label_gb == gpu_memory]:
        return min(same)
    return int(gpu_memory * min(gpu.capacity / gpu.label_gb for gpu in GPUS))


@dataclass(frozen=True)
class Option:
    """A setting that fits, and the bytes that it needs."""

    setting: Setting
    total: int


@dataclass(frozen=True)
class Plan:
    """What `plan_training` has found: the setting that it recommends, or the smallest one where nothing fits.

    rows: the budget, (part, bytes). options: for each method, with and without checkpointing, the largest batch that
    fits. advice: what would fit, where nothing does.
    """

    shape: Shape
    gpu_memory: float
    setting: Setting
    effective_batch: int
    options: tuple[Option, ...]
    advice: tuple[str, ...]

    @cached_property
    def rows(self) -> list[tuple[str, int]]:
        return memory_parts(self.shape, self.setting)

    @property
    def total(self) -> int:
        return sum(size for _, size in self.rows)

    @property
    def capacity(self) -> int:
        return usable_bytes(self.gpu_memory)

    @property
    def fits(self) -> bool:
        return self.total <= self.capacity

    @property
    def method(self) -> Method:
        return self.setting.method

    @property
    def batch(self) -> int:
        return self.setting.batch

    @property
    def accumulation(self) -> int:
        """Micro-batches whose gradients are added up before a step."""
        return self.effective_batch // self.batch

    @property
    def checkpointing(self) -> bool:
        return self.setting.checkpointing

    @property
    def optimizer(self) -> str:
        return self.setting.optimizer

    def table(self) -> str:
        """The budget, what else fits, and what to know, as text."""
        return "\n".join(_lines(self))

    __str__ = table


def plan_training(
    model: str | Shape,
    gpu_memory: float,
    seq_len: int = 1024,
    method: Method | None = None,
    rank: int = 8,
    targets: Sequence[str] = (),
    effective_batch: int = EFFECTIVE_BATCH,
) -> Plan:
    """How to fine-tune a model on one GPU that is sold with `gpu_memory` GB.

    LoRA on 16-bit weights is taken before QLoRA, which computes as much and unpacks besides; full training only where
    it is asked for. Within a method: without checkpointing where at least 2,048 tokens fit into a pass, else with it,
    which costs a second forward pass; a paged optimizer only where nothing fits without. The batch is the largest power
    of two that fits, and gradients are accumulated up to `effective_batch` rows a step.

    Raises ShapeUnknown for a model that is not known, ValueError for other arguments out of range.
    """
    shape = read_shape(model) if isinstance(model, str) else model
    if method is not None and method not in METHODS:
        raise ValueError(_no_method(method))
    for what, value in (("seq_len", seq_len), ("effective_batch", effective_batch)):
        if value < 1:
            raise ValueError(f"{what} is 1 or more, not {value}.")
    if not 0 < gpu_memory < 10_000:
        raise ValueError(f"gpu_memory is what is printed on the card, in GB, such as 24, not {gpu_memory:g}.")
    names = check_adapters(shape, rank, targets)
    capacity, base = usable_bytes(gpu_memory), Setting(seq_len=seq_len, rank=rank, targets=names)
    chosen = (method,) if method else ("lora", "qlora")
    options = tuple(
        option for one in chosen for option in _options(shape, replace(base, method=one), capacity, effective_batch)
    )
    if options:
        first = [option for option in options if option.setting.method == options[0].setting.method]
        best = next((option for option in first if _keeps_busy(option, effective_batch)), max(first, key=_batch_of))
        return Plan(shape, gpu_memory, best.setting, effective_batch, options, ())
    smallest = Setting(chosen[-1], 1, seq_len, True, PAGED, rank, names)
    return Plan(shape, gpu_memory, smallest, effective_batch, (), tuple(_advice(shape, smallest, capacity, method)))


def _batch_of(option: Option) -> int:
    return option.setting.batch


def _keeps_busy(option: Option, effective_batch: int) -> bool:
    return option.setting.tokens >= BUSY_TOKENS or option.setting.batch == effective_batch


def needed(shape: Shape, setting: Setting) -> int:
    """Bytes at the peak, all parts together."""
    return sum(size for _, size in memory_parts(shape, setting))


def _options(shape: Shape, setting: Setting, capacity: int, most: int) -> Iterator[Option]:
    """With and without checkpointing the largest batch that fits; with a paged optimizer where nothing fits without."""
    found = False
    for optimizer in (ADAMW, PAGED):
        for checkpointing in (False, True):
            tried = [
                replace(setting, batch=n, optimizer=optimizer, checkpointing=checkpointing) for n in _batches(most)
            ]
            if fitting := [one for one in tried if needed(shape, one) <= capacity]:
                found = True
                yield Option(fitting[-1], needed(shape, fitting[-1]))
        if found:
            break


def _batches(most: int) -> list[int]:
    """Powers of two that divide `most`, from 1."""
    return [2**power for power in range(most.bit_length()) if most % 2**power == 0]


def _advice(shape: Shape, smallest: Setting, capacity: int, method: Method | None) -> Iterator[str]:
    """What would fit: each is a change of one thing, and tried."""
    for other in ("lora", "qlora"):
        if method in ("lora", "full") and other != method and _fits(shape, replace(smallest, method=other), capacity):
            yield f"--method {other}"
            break
    for length in (smallest.seq_len >> halved for halved in range(1, 4)):
        if length >= SHORTEST and _fits(shape, replace(smallest, seq_len=length), capacity):
            yield f"--seq-len {length}"
            break
    if card := next((size for size in CARDS if _fits(shape, smallest, usable_bytes(size))), None):
        yield f"--gpu-memory {card}"
    shapes = [read_shape(name) for name in known_models()]
    if fitting := [one for one in shapes if _fits(one, replace(smallest, targets=()), capacity)]:
        yield f"--model {max(fitting, key=_size_of).model}"


def _fits(shape: Shape, setting: Setting, capacity: int) -> bool:
    try:
        return needed(shape, setting) <= capacity
    except ValueError:  # another model's matrices are too small for the rank
        return False


def _size_of(shape: Shape) -> int:
    return shape.n_parameters


def _gib(size: int) -> str:
    return f"{size / GIB:.2f}"


def _lines(plan: Plan) -> Iterator[str]:
    shape, setting = plan.shape, plan.setting
    yield (
        f"{shape.name}: {shape.n_parameters / 1e9:.3g} billion parameters, on a GPU of {plan.gpu_memory:g} GB "
        f"({_gib(plan.capacity)} GiB usable), rows of {setting.seq_len:,} tokens"
    )
    if not plan.fits:
        yield (
            f"Nothing fits: the smallest setting ({METHOD_NAMES[plan.method]}, batch 1, checkpointing, paged optimizer)"
            f" needs {_gib(plan.total)} GiB."
        )
    yield ""
    yield f"{_described(setting)}, batch {plan.batch} × {plan.accumulation}"
    for part, size in [*plan.rows, ("total", plan.total)]:
        yield f"  {part:<22}{_gib(size):>9} GiB"
    whole = replace(setting, loss="whole")
    total = needed(shape, whole)
    yield (
        f"  (with a loop that keeps all logits, they alone take {_gib(_loss_bytes(shape, whole))} GiB, and the total "
        f"is {_gib(total)} GiB, which {'fits' if total <= plan.capacity else 'does not fit'})"
    )
    if plan.options:
        yield ""
        yield "settings that fit"
        yield f"  {HEADER}"
        for option in plan.options:
            mark = "  ← recommended" if option.setting == setting else ""
            yield f"  {_row(option.setting, plan.effective_batch, option.total)}{mark}"
    if plan.advice:
        yield ""
        yield f"What would fit: {', or '.join(plan.advice)}."
    elif not plan.fits:
        yield ""
        yield "No change of one thing makes it fit: shorten rows and take a smaller model, or share it among GPUs."
    if shape.gated:
        yield ""
        yield gated_hint(shape.model)


def _described(setting: Setting) -> str:
    adapters = "" if setting.method == "full" else f" of rank {setting.rank} on {', '.join(setting.targets)}"
    recomputed = "with" if setting.checkpointing else "without"
    return f"{METHOD_NAMES[setting.method]}{adapters}, {recomputed} checkpointing, {setting.optimizer}"


def gated_hint(model: str) -> str:
    """How to get the weights of a model that asks for consent."""
    return (
        f"The weights of {model} are given to accounts that accepted its terms: open its page on the hub, accept them, "
        "then run `hf auth login` with a token of that account."
    )


HEADER = f"{'method':<15}{'checkpointing':<15}{'optimizer':<19}{'batch × accumulation':<22}{'GiB':>6}"


def _row(setting: Setting, effective_batch: int, total: int) -> str:
    batches = f"{setting.batch} × {effective_batch // setting.batch}"
    recomputed = "on" if setting.checkpointing else "off"
    return f"{METHOD_NAMES[setting.method]:<15}{recomputed:<15}{setting.optimizer:<19}{batches:<22}{_gib(total):>6}"


def cards_table(model: str | Shape, **options) -> str:
    """The recommended setting for each size of card, as text. options: of `plan_training`."""
    shape = read_shape(model) if isinstance(model, str) else model
    plans = [plan_training(shape, card, **options) for card in CARDS]
    length = f"{plans[0].setting.seq_len:,}"
    lines = [f"{shape.name}: {shape.n_parameters / 1e9:.3g} billion parameters, rows of {length} tokens"]
    lines.append(f"{'card':<8}{HEADER}")
    for plan in plans:
        found = f"nothing fits ({_gib(plan.total)} GiB needed, {_gib(plan.capacity)} usable)"
        if plan.fits:
            found = _row(plan.setting, plan.effective_batch, plan.total)
        lines.append(f"{f'{plan.gpu_memory:g} GB':<8}{found}")
    return "\n".join(lines)
