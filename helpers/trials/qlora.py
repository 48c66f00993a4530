"""One small task, trained through four kinds of base: what the notebook 08b compares.

    model, loss = build("qlora", seed=0)                # or "lora", "library", "full"
    learn, held_out = split_tickets()
    history = train(model, encode(tokenizer, learn), recipe(seed=0), loss=loss)
    right, surprise = judge(model, encode(tokenizer, held_out))   # [True, False, …]: would it answer exactly so?

The task: of a support ticket, find product and order number, spelled as the company spells them, or none. Greedy
decoding writes an answer exactly if each of its tokens is the most likely one behind those before it. So one pass over
ticket and answer decides it, and nothing is generated.

What it does not do: choose settings; measure (tests/benchmarks/sweep_qlora.py does).
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from helpers.foundations.probability import IGNORED
from helpers.lora.layers import ALL_LINEAR, add_lora_
from helpers.lora.plan import Setting, memory_parts
from helpers.lora.shapes import read_shape
from helpers.measuring.process import give_back_freed, resident_bytes, watch_peak
from helpers.models import fetch
from helpers.quantization.nf4 import quantize_nf4_
from helpers.stats import bootstrap
from helpers.training.chats import Example, encode_chat
from helpers.training.collation import Batch, collate
from helpers.training.loop import Recipe, training_step
from helpers.training.losses import shift_labels
from helpers.transformer.llama import Llama
from helpers.trials.records import Record
from helpers.velunda.tickets import load_tickets

METHODS = ("full", "lora", "qlora", "library")
RANK = 8
FIELDS = ("product", "order_number")
INSTRUCTION = "Which product and which order?"
Ticket = Mapping[str, Any]


def split_tickets(held_out_families: int = 108) -> tuple[list[Ticket], list[Ticket]]:
    """Tickets to learn from, and tickets of families that stay out: every so many of the families of "train"."""
    tickets = load_tickets("train")
    families = sorted({ticket["family"] for ticket in tickets})
    out = set(families[:: len(families) // held_out_families][:held_out_families])
    learn, held_out = [], []
    for ticket in tickets:
        (held_out if ticket["family"] in out else learn).append(ticket)
    return learn, held_out


def encode(tokenizer: Any, tickets: Sequence[Ticket]) -> list[Example]:
    """Conversations whose last turn, the answer, is trained."""
    return [encode_chat(tokenizer, chat(ticket), max_length=512) for ticket in tickets]


def chat(ticket: Ticket) -> list[dict[str, str]]:
    """Instruction, ticket, and the answer, such as "Kite, VE-48213" or "none, none"."""
    said = ", ".join(ticket["label"][field] or "none" for field in FIELDS)
    turns = [{"role": "system", "content": INSTRUCTION}, {"role": "user", "content": ticket["text"]}]
    return [*turns, {"role": "assistant", "content": said}]


def recipe(steps: int = 30, batch: int = 4, rate: float = 2e-3, seed: int = 0) -> Recipe:
    """The settings of all runs that are compared; the seed decides the tickets' order, too."""
    return Recipe(steps=steps, rate=rate, batch=batch, warmup=max(1, steps // 10), seed=seed)


# Four bases ----------------------------------------------------------------------------------------------------------

Loss = Callable[[nn.Module, Batch], Tensor]


def build(method: str, seed: int = 0, rank: int = RANK, targets: Sequence[str] = ALL_LINEAR) -> tuple[nn.Module, Loss]:
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
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return add_lora_(model, rank, 2 * rank, targets), loss_at_answers


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


@torch.inference_mode()
def judge(model: nn.Module, examples: Sequence[Example], batch: int = 24) -> tuple[list[bool], float]:
    """For each example: would the model, writing greedily, answer exactly so? And its mean surprise, nats a token."""
    logits_of = answer_logits if isinstance(model, Llama) else library_logits
    order = sorted(range(len(examples)), key=lambda i: len(examples[i]))  # alike in length: less padding
    right: dict[int, bool] = {}
    surprise = n_labels = 0.0
    for start in range(0, len(order), batch):
        some = order[start : start + batch]
        logits, targets, at = logits_of(model, collate([examples[i] for i in some]))
        as_said = torch.ones_like(at)
        as_said[at] = logits.argmax(dim=-1) == targets
        right |= dict(zip(some, as_said.all(dim=1).tolist(), strict=True))
        surprise += float(F.cross_entropy(logits.float(), targets, reduction="sum"))
        n_labels += len(targets)
    return [right[i] for i in range(len(examples))], surprise / n_labels


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

RECORD = Record("08b_qlora")
NAMES = {
    "full": "all weights, float32",
    "lora": "LoRA, bfloat16",
    "qlora": "QLoRA, course",
    "library": "QLoRA, library",
}


def scores() -> dict[tuple[str, int], list[bool]]:
    """Of each recorded training, by method and seed: which of the held-out tickets it answers exactly."""
    return {
        (run["case"]["method"], run["case"]["seed"]): _answers(run["right"])
        for run in RECORD.read()["runs"]
        if run["case"]["case"] == "score"
    }


def untrained() -> tuple[dict[str, float], float]:
    """Shares that are right without training, in 16 and in 4 bits; and what two rules reach."""
    run = RECORD.find("untrained")
    shares = {method: float(np.mean(_answers(run[method]["right"]))) for method in ("lora", "qlora")}
    return shares, float(np.mean(_answers(run["rules"])))


def surprise(method: str, seed: int = 0) -> tuple[float, float]:
    """Mean surprise at the tokens of the held-out answers, before and after training, nats per token."""
    before, after = RECORD.find("untrained")[method], RECORD.find("score", method=method, seed=seed)
    return before["nats a token"], after["nats a token"]


@dataclass(frozen=True)
class Points:
    """A difference in points of 100, its 95 % interval over families of tickets, and how many seeds are in it."""

    points: float
    low: float
    high: float
    seeds: int


def paired(method: str, other: str) -> Points:
    """How many points more `method` gets right than `other`, on the same tickets after trainings of the same seeds."""
    found = scores()
    seeds = [seed for name, seed in found if name == method and (other, seed) in found]
    gaps = np.mean([np.subtract(found[method, seed], found[other, seed], dtype=float) for seed in seeds], axis=0)
    families: dict[str, list[float]] = {}
    for family, gap in zip(RECORD.find("untrained")["families"], gaps, strict=True):
        families.setdefault(family, []).append(gap)
    by_family = [float(np.mean(each)) for each in families.values()]  # two tickets each
    low, high = bootstrap(by_family)
    return Points(100 * float(np.mean(by_family)), 100 * low, 100 * high, len(seeds))


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
    """Trained parameters, bytes, seconds, score and file size of each method, as text."""
    found = scores()
    head = f"{'':22}{'trained':>9}{'weights':>9}{'predicted':>11}{'measured':>10}{'s of CPU':>9}{'right':>8}{'file':>8}"
    lines = [head, f"{'':22}{'(M)':>9}{'(MB)':>9}{'peak (MB)':>11}{'(MB)':>10}{'per step':>9}{'(%)':>8}{'(MB)':>8}"]
    for method, name in NAMES.items():
        run = RECORD.find("memory", method=method)
        predicted, measured = predicted_bytes(method, run["batch"], run["length"]), run["peak of training"]
        shares = [np.mean(right) for (other, _), right in found.items() if other == method]
        runs = [each for each in RECORD.read()["runs"] if each["case"].get("method") == method]
        files = [each["file bytes"] for each in runs if "file bytes" in each]
        right = f"{100 * np.mean(shares):.0f}" if shares else "–"
        parts = run["parts"]
        weights = parts["base"] + (parts["trained"] if method == "full" else 0)
        file = f"{files[0] / 1e6:.1f}" if files else f"{parts['trained'] / 1e6:.0f}"
        lines.append(
            f"{name:22}{parts['trained'] / 4e6:9.1f}{weights / 1e6:9.0f}{predicted / 1e6:11.0f}{measured / 1e6:10.0f}"
            f"{run['processor seconds a step']:9.1f}{right:>8}{file:>8}"
        )
    return "\n".join(lines)


def _answers(text: str) -> list[bool]:
    return [character == "1" for character in text]
