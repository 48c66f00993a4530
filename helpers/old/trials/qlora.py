"""One task, trained through four kinds of base: what the notebook 08b compares.

    model, loss = build("qlora", seed=0)                # or "lora", "library", "full"
    examples = encode(tokenizer, answerable("train"), LENGTH)
    history = train(model, examples, recipe(seed=0), loss=loss)
    told = replies(model, tokenizer, answerable("dev", "test"))         # greedy, up to ROOM tokens
    right = [is_right(text, reading) for text, reading in zip(told, answerable("dev", "test"))]

The task: answer a question from the one sentence or table row that holds the answer (`data/reading`). An answer is
right if it says what the reference says and is at most SPARE words longer: so whoever repeats the text is wrong.

What it does not do: choose settings; measure (tests/benchmarks/sweep_qlora.py does).
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from helpers.generation.batching import as_batch
from helpers.generation.decoding import generate
from helpers.generation.streaming import reply_text
from helpers.models import fetch
from helpers.old.foundations.probability import IGNORED
from helpers.old.lora.layers import ALL_LINEAR, add_lora_
from helpers.old.lora.plan import Setting, memory_parts
from helpers.old.lora.shapes import read_shape
from helpers.old.measuring.process import give_back_freed, resident_bytes, watch_peak
from helpers.old.metrics.text import answer_words
from helpers.old.quantization.nf4 import dequantize_nf4_, quantize_nf4_
from helpers.old.quantization.wide import FrozenLinear
from helpers.old.training.chats import Example, encode_chat
from helpers.old.training.collation import Batch, collate
from helpers.old.training.loop import Recipe, training_step
from helpers.old.training.losses import shift_labels
from helpers.old.trials.low_rank import short_text
from helpers.old.trials.reading import Reading, first_word, load_reading, right_on_page
from helpers.old.trials.records import Record
from helpers.stats.intervals import bootstrap
from helpers.transformer.llama import Llama

METHODS = ("full", "lora", "qlora", "library")
RANK = 8
INSTRUCTION = "Answer from the text in one short sentence."
LENGTH = 80  # tokens of the longest conversation that is trained on
ROOM = 24  # tokens of the longest reply
SPARE = 2  # words that a right answer may have more than the reference


# The task ------------------------------------------------------------------------------------------------------------


def answerable(*splits: str) -> list[Reading]:
    """The questions of these splits of `data/reading` that their page answers."""
    return [reading for split in splits for reading in load_reading(split) if reading.kind != "unanswerable"]


def chat(reading: Reading, shots: Sequence[Reading] = ()) -> list[dict[str, str]]:
    """Instruction, solved examples, text and question, and the answer."""
    turns = [{"role": "system", "content": INSTRUCTION}]
    for each in (*shots, reading):
        turns.append({"role": "user", "content": f"{short_text(each)}\n\nQuestion: {each.question}"})
        turns.append({"role": "assistant", "content": each.answer})
    return turns


@cache
def solved_examples() -> tuple[Reading, Reading]:
    """Two solved examples for a prompt, from the first of the training domains: a number, and a no with its reason."""
    readings = answerable("train")
    return tuple(next(reading for reading in readings if reading.kind == kind) for kind in ("number", "no"))


def encode(tokenizer: Any, readings: Sequence[Reading], longest: int = 512) -> list[Example]:
    """Conversations of at most so many tokens, whose last turn, the answer, is trained; longer ones are left out."""
    examples = [encode_chat(tokenizer, chat(reading), max_length=512) for reading in readings]
    return [example for example in examples if len(example) <= longest]


def recipe(steps: int = 30, batch: int = 8, rate: float = 2e-3, seed: int = 0) -> Recipe:
    """The settings of all runs that are compared; the seed decides the questions' order, too."""
    return Recipe(steps=steps, rate=rate, batch=batch, warmup=max(1, steps // 10), seed=seed)


def is_right(text: str, reading: Reading) -> bool:
    """Does it say what the reference says, in at most SPARE words more?

    Of a yes-or-no question the first word decides, of others: every number of the reference and half of its words, or
    all of them where it has no number.
    """
    return right_on_page(text, reading) and len(answer_words(text)) <= len(answer_words(reading.answer)) + SPARE


VERBS = set("is are was were do does did can could may might will would should must has have had am".split())


def rule_answer(reading: Reading) -> str:
    """What a rule says without a model: yes where the question begins with a verb, else the last words of the text that
    the question does not have."""
    last = [part for part in reading.question.replace("!", ".").split(".") if "?" in part]
    if first_word((last or [reading.question])[-1]) in VERBS:
        return "Yes."
    asked = set(answer_words(reading.question))
    return " ".join([word for word in answer_words(short_text(reading)) if word not in asked][-4:])


@torch.inference_mode()
def replies(
    model: nn.Module, tokenizer: Any, readings: Sequence[Reading], shots: Sequence[Reading] = (), batch: int = 71
) -> list[str]:
    """What the model answers, writing greedily up to ROOM tokens; a model of the library by its own `generate`."""
    end = tokenizer.eos_token_id
    template = partial(tokenizer.apply_chat_template, add_generation_prompt=True, return_dict=False)
    prompts = [template(chat(reading, shots)[:-1]) for reading in readings]
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))  # alike in length: less padding
    told = [""] * len(prompts)
    for start in range(0, len(order), batch):
        some = order[start : start + batch]
        rows = [prompts[i] for i in some]
        if isinstance(model, Llama):
            ids = generate(model, rows, ROOM, eos_ids=end, pad_id=end)
        else:
            padded, mask = as_batch(rows, end)
            mask = torch.ones_like(padded) if mask is None else mask.long()
            options = {"max_new_tokens": ROOM, "do_sample": False, "pad_token_id": end, "use_cache": True}
            ids = model.generate(input_ids=padded, attention_mask=mask, **options)
        for i, row in zip(some, ids[:, max(map(len, rows)) :].tolist(), strict=True):
            told[i] = reply_text(tokenizer, row[: row.index(end)] if end in row else row)
    return told


# Four bases ----------------------------------------------------------------------------------------------------------

Loss = Callable[[nn.Module, Batch], Tensor]


def build(method: str, seed: int = 0, rank: int = RANK) -> tuple[nn.Module, Loss]:
    """The chat model, ready to be trained in one of METHODS, and the loss that fits it.

    full: every weight, in float32. lora: corrections beside bfloat16 weights. qlora: the same beside the course's own
    4-bit layers. library: bitsandbytes' layers and PEFT's corrections, always on all linear layers. The seed decides
    where corrections start.
    Raises ValueError for another method.
    """
    if method not in METHODS:
        raise ValueError(f"There is no method {method!r}: use one of {', '.join(METHODS)}.")
    if method == "library":
        return library(seed, rank), library_loss
    folder = fetch("chat")
    model = Llama.from_pretrained(folder, torch.float32 if method == "full" else torch.bfloat16)
    if method == "qlora":
        quantize_nf4_(model)
    for parameter in model.parameters():
        parameter.data = parameter.data.clone()  # out of the file, of which the system shows and hides parts at will
    if method == "full":
        return model.requires_grad_(True), loss_at_answers
    model.head = FrozenLinear(model.head)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return add_lora_(model, rank, 2 * rank, ALL_LINEAR), loss_at_answers


def library(seed: int, rank: int) -> nn.Module:
    """As the libraries' guides do it: BitsAndBytesConfig, prepare_model_for_kbit_training, LoraConfig."""
    from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    four_bits = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )
    model = AutoModelForCausalLM.from_pretrained(
        fetch("chat"), quantization_config=four_bits, dtype=torch.bfloat16, local_files_only=True
    )
    model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    settings = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear", task_type="CAUSAL_LM")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return get_peft_model(model, settings)


class Unpacked(nn.Module):
    """What a 4-bit layer of bitsandbytes computes in training, its matrix unpacked once: (…, in) → (…, out).

    Without gradients the library takes another way on a CPU, six times as slow for many rows.
    """

    def __init__(self, layer: Any) -> None:
        super().__init__()
        from bitsandbytes.functional import dequantize_4bit

        weight = dequantize_4bit(layer.weight.data, layer.weight.quant_state)  # (out, in)
        self.register_buffer("weight", weight.to(layer.compute_dtype))

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x.to(self.weight.dtype), self.weight).to(x.dtype)


def unpack_(model: nn.Module) -> nn.Module:
    """Exchange the 4-bit layers of the course or of bitsandbytes for their matrices, in place: the same model, to be
    asked many questions."""
    from bitsandbytes.nn import Linear4bit as LibraryLayer

    for name, layer in [(name, layer) for name, layer in model.named_modules() if isinstance(layer, LibraryLayer)]:
        model.set_submodule(name, Unpacked(layer))
    return dequantize_nf4_(model)


def answer_logits(model: nn.Module, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """Logits (n, V) where one of n labels comes next, these labels (n,), and where they are (B, T); of a `Llama`."""
    targets = shift_labels(batch.labels)
    at = targets != IGNORED
    return model(batch.ids, mask=batch.mask, at=at), targets[at], at


def library_logits(model: nn.Module, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """The same of a model of the library, which gives the logits of whole columns."""
    targets = shift_labels(batch.labels)
    at = targets != IGNORED
    columns = at.any(dim=0).nonzero().flatten()
    mask = torch.ones_like(batch.ids) if batch.mask is None else batch.mask.long()
    logits = model(input_ids=batch.ids, attention_mask=mask, logits_to_keep=columns).logits  # (B, columns, V)
    return logits[at[:, columns]], targets[at], at


def loss_at_answers(model: nn.Module, batch: Batch) -> Tensor:
    """Sum of the surprise at all labels, nats."""
    logits, targets, _ = answer_logits(model, batch)
    return F.cross_entropy(logits.float(), targets, reduction="sum")


def library_loss(model: nn.Module, batch: Batch) -> Tensor:
    """The same for a model of the library."""
    logits, targets, _ = library_logits(model, batch)
    return F.cross_entropy(logits.float(), targets, reduction="sum")


def whole_rows(examples: Sequence[Example], length: int) -> Batch:
    """Rows of exactly `length` tokens, filled up on the right. A decoder looks back only, so no mask is needed."""
    batch = collate(examples)
    missing = (0, length - batch.ids.shape[1])
    return Batch(F.pad(batch.ids, missing), F.pad(batch.labels, missing, value=IGNORED), None)


def loss_of_all_logits(model: nn.Module, batch: Batch) -> Tensor:
    """Sum of the surprise at all labels, nats, with the logits of every token, as a plain loop has them."""
    logits = model(batch.ids).float().flatten(0, 1)  # (B · T, V)
    return F.cross_entropy(logits, shift_labels(batch.labels).flatten(), ignore_index=IGNORED, reduction="sum")


@torch.inference_mode()
def surprise_at(model: nn.Module, examples: Sequence[Example]) -> float:
    """Mean surprise at the labels, nats per token."""
    logits_of = answer_logits if isinstance(model, Llama) else library_logits
    order = sorted(examples, key=len)  # alike in length: less padding
    total = n_labels = 0.0
    for start in range(0, len(order), 24):
        logits, targets, _ = logits_of(model, collate(order[start : start + 24]))
        total += float(F.cross_entropy(logits.float(), targets, reduction="sum"))
        n_labels += len(targets)
    return total / n_labels


# Memory and time -----------------------------------------------------------------------------------------------------


def steps(method: str, batch: int, length: int) -> Callable[[], Any]:
    """A function that makes one training step on random tokens, with a loss at every one of them."""
    return steps_of(*build(method), batch, length)


def steps_of(model: nn.Module, loss: Loss, batch: int, length: int) -> Callable[[], Any]:
    """The same for a model that is there already."""
    ids = torch.randint(0, 49_000, (batch, length), generator=torch.Generator().manual_seed(0))
    batches = [Batch(ids, ids.clone(), None)]
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-5)
    return lambda: training_step(model, batches, optimizer, clip=1.0, loss=loss)


def part_bytes(model: nn.Module) -> dict[str, int]:
    """Bytes of what is there for the whole training, counted tensor by tensor; a tied matrix counts once.

    base: frozen parameters and buffers; trained: what the optimizer changes; gradients and optimizer: what comes with
    each trained parameter (Adam: two numbers in float32).
    """
    tensors = {t.data_ptr(): t for t in (*model.parameters(), *model.buffers()) if not t.requires_grad}
    base = sum(t.numel() * t.element_size() for t in tensors.values())
    trained = [p for p in model.parameters() if p.requires_grad]
    size = sum(p.numel() * p.element_size() for p in trained)
    return {"base": base, "trained": size, "gradients": size, "optimizer": sum(8 * p.numel() for p in trained)}


def measure_memory(method: str, batch: int, length: int) -> dict[str, Any]:
    """What two training steps take: counted parts, and the measured peak above this process before it had a model."""
    for name in ("bitsandbytes", "peft"):
        importlib.import_module(name)  # before the watch begins: code is not counted
    torch.ones(8, 8).bfloat16() @ torch.ones(8, 8).bfloat16()
    with watch_peak() as whole:
        model, loss = build(method)
        give_back_freed()
        loaded = resident_bytes() - whole.start
        step = steps_of(model, loss, batch, length)
        with watch_peak() as training:
            step()
            start = time.process_time()  # of the processor: other programs on a busy machine do not count
            step()
            seconds = time.process_time() - start
    return {
        "batch": batch,
        "length": length,
        "parts": part_bytes(model),
        "after loading": loaded,
        "peak of training": training.most - whole.start,
        "processor seconds a step": round(seconds, 2),
    }


# What was recorded ---------------------------------------------------------------------------------------------------

RECORD, MEMORY = Record("08b_qlora"), Record("08b_memory")
NAMES = {
    "full": "all weights, float32",
    "lora": "LoRA, bfloat16",
    "qlora": "QLoRA, course",
    "library": "QLoRA, library",
}


def judged() -> list[Reading]:
    """The questions of four domains that nothing was trained or chosen on."""
    return answerable("dev", "test")


@cache
def scores() -> dict[tuple[str, int], list[bool]]:
    """Of each recorded training, by method and seed: which of the questions it answers right."""
    return {
        (run["case"]["method"], run["case"]["seed"]): marks(run["replies"])
        for run in RECORD.read()["runs"]
        if run["case"]["case"] == "score"
    }


def untrained(method: str, shots: int = 0) -> list[bool]:
    """Which of the questions a base answers right without training; "lora", that in 16 bits, also with 2 examples."""
    return marks(RECORD.find("untrained", method=method)[f"{shots} examples"])


def by_rule() -> list[bool]:
    """Which of the questions `rule_answer` answers right."""
    return marks([rule_answer(reading) for reading in judged()])


def marks(told: Sequence[str]) -> list[bool]:
    """Which of these answers to `judged()` are right."""
    return [is_right(text, reading) for text, reading in zip(told, judged(), strict=True)]


def mean_surprise(method: str) -> tuple[float, float]:
    """Mean surprise at the tokens of the reference answers, before training and after it (mean of its seeds), in nats
    per token."""
    base = "lora" if method == "lora" else "qlora"
    seeds = [seed for name, seed in scores() if name == method]
    after = [RECORD.find("score", method=method, seed=seed)["nats a token"] for seed in seeds]
    return RECORD.find("untrained", method=base)["nats a token"], float(np.mean(after))


@dataclass(frozen=True)
class Points:
    """A difference in points of 100, its 95 % interval over pages, and how many seeds are in it."""

    points: float
    low: float
    high: float
    seeds: int


def paired(method: str, other: str) -> Points:
    """How many points more `method` gets right than `other`, on the same questions after trainings of the same seeds.

    Each question's gap is its mean over the seeds; the interval draws whole pages, whose questions are alike.
    """
    found = scores()
    seeds = [seed for name, seed in found if name == method and (other, seed) in found]
    gaps = np.mean([np.subtract(found[method, seed], found[other, seed], dtype=float) for seed in seeds], axis=0)
    pages: dict[str, list[float]] = {}
    for reading, gap in zip(judged(), gaps, strict=True):
        pages.setdefault(reading.passage.id, []).append(gap)
    sums = np.array([sum(each) for each in pages.values()])
    low, high = bootstrap(sums * len(pages) / len(gaps))  # pages differ a little in how many questions they have
    # an end at zero comes out as a zero with noise of floating point, such as -5e-17, which prints as "-0.0"
    points, low, high = (round(100 * float(x), 9) + 0.0 for x in (np.mean(gaps), low, high))
    return Points(points, low, high, len(seeds))


def predicted_bytes(method: str, batch: int, length: int) -> int:
    """The plan's peak for a step of `steps_of`, which keeps all logits, on a CPU.

    A step of one batch has no gradients yet when activations are at their most, so they are left out (the plan counts
    on accumulated ones). library: `prepare_model_for_kbit_training` casts what is not quantized to float32, and so all
    activations, too.
    """
    setting = Setting(
        "qlora" if method == "library" else method,
        batch,
        length,
        checkpointing=False,
        device="cpu",
        loss="whole",
        padded=False,
        mapped=False,  # `build` takes the weights out of the file
        float32_adapters=True,  # and keeps its corrections in 32 bits
        compute="fp32" if method in ("full", "library") else "bf16",
    )
    shape = read_shape("chat")
    casts = 2 * (shape.n_parameters - shape.linear_parameters) if method == "library" else 0
    return sum(size for part, size in memory_parts(shape, setting) if part != "gradients") + casts


def table() -> str:
    """Trained parameters, bytes, peaks, seconds, score and file size of each method, as text.

    Peaks are those of steps of 4 rows of 128 tokens; seconds and scores those of the trainings that were scored.
    """
    found = scores()
    head = (
        f"{'':22}{'trained':>9}{'weights':>9}{'predicted':>11}{'measured':>10}{'s of CPU':>10}{'right':>7}{'file':>7}"
    )
    lines = [
        head,
        f"{'':22}{'(M)':>9}{'(MB)':>9}{'peak (MB)':>11}{'peak (MB)':>10}{'per step':>10}{'(%)':>7}{'(MB)':>7}",
    ]
    for method, name in NAMES.items():
        run = MEMORY.find("memory", method=method)
        predicted, measured = predicted_bytes(method, run["batch"], run["length"]), run["peak of training"]
        parts = run["parts"]
        weights = parts["base"] + (parts["trained"] if method == "full" else 0)
        line = (
            f"{name:22}{parts['trained'] / 4e6:9.1f}{weights / 1e6:9.0f}{predicted / 1e6:11.0f}{measured / 1e6:10.0f}"
        )
        trainings = [each for each in RECORD.read()["runs"] if each["case"].get("method") == method and "steps" in each]
        if trainings:
            share = 100 * np.mean([right for (other, _), right in found.items() if other == method])
            file = trainings[0]["file bytes"] / 1e6
            line += f"{seconds_per_step(method):10.1f}{share:7.0f}{file:7.1f}"
        else:
            line += f"{'–':>10}{'–':>7}{parts['trained'] / 1e6:7.0f}"
        lines.append(line)
    return "\n".join(lines)


def seconds_per_step(method: str) -> float:
    """Of the processor, the mean of the scored trainings."""
    runs = [run for run in RECORD.read()["runs"] if run["case"]["case"] == "score" and run["case"]["method"] == method]
    return float(np.mean([run["processor seconds"] / run["steps"] for run in runs]))
