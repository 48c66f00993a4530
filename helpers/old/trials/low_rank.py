"""What low rank costs, and what breaks adapters: the small trials of 08 and the readers of their records.

    rows = short_rows("dev")                                    # questions, each with one sentence or table row
    examples = encode_rows(tokenizer, rows)
    losses, right = row_losses(model, examples)                 # nats per label, and: is every label the likeliest?
    train_in_groups(model, examples, recipe)

The records are those of tests/benchmarks/sweep_ranks.py and sweep_merges.py. What it does not do: choose settings, or
generate answers (`helpers.old.assistants.PassageReader` does).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from helpers.old.assistants.passages import NOT_THERE, passage_chat
from helpers.old.foundations.probability import IGNORED
from helpers.old.training.chats import Example, encode_chat
from helpers.old.training.collation import Batch
from helpers.old.training.loop import History, Recipe, train
from helpers.old.training.losses import loss_at_labels, loss_behind_prefix, shift_labels
from helpers.old.trials.reading import Reading, alone, evidence_units, load_reading, nearest, right_on_page
from helpers.old.trials.records import Record
from helpers.old.trials.ticket_training import rounded
from helpers.retrieval.units import split_units

MAX_LENGTH = 640  # tokens
SIZE = 8  # examples in a group
ranks, merges, reader = Record("08_ranks"), Record("08_merges"), Record("08_reader")


class ShortRow(NamedTuple):
    """A question, the sentence or table row to answer it from, and the right answer."""

    question: str
    text: str
    answer: str


def short_rows(split: str, n: int | None = None, seed: int = 0) -> list[ShortRow]:
    """The questions of a split of data/reading, each with the unit that holds its answer; n of them by chance.

    A question that the page does not answer comes with the unit that shares most words with it.
    """
    readings = load_reading(split)
    chosen = readings if n is None else random.Random(f"short {seed}").sample(readings, n)
    return [ShortRow(reading.question, short_text(reading), reading.answer) for reading in chosen]


def short_text(reading: Reading) -> str:
    """The units of the page that hold the answer, or the one that is nearest to the question."""
    units = split_units(reading.passage.text)
    return alone(evidence_units(reading, units) or nearest(reading.question, units, 1))


def quoted_by_kind(split: str) -> dict[str, list[int]]:
    """A baseline without a model: for each kind of question about a split's pages [how many are right, how many there
    are], if the answer is the unit that shares most words with the question (`right_on_page`)."""
    found: dict[str, list[int]] = {}
    for reading in load_reading(split):
        [quote] = nearest(reading.question, split_units(reading.passage.text), 1)
        count = found.setdefault(reading.kind, [0, 0])
        count[0] += right_on_page(quote.text, reading)
        count[1] += 1
    return found


def encode_rows(tokenizer: Any, rows: Sequence[ShortRow]) -> list[Example]:
    """Each row as a conversation of which the answer is trained."""
    return [encode_chat(tokenizer, passage_chat(*row), MAX_LENGTH) for row in rows]


@torch.inference_mode()
def row_losses(model: nn.Module, examples: Sequence[Example], batch: int = 16) -> tuple[Tensor, Tensor]:
    """For each example the mean loss in nats per label, (n,) float32, and whether every label is the likeliest token,
    (n,) bool: then greedy decoding writes exactly this answer."""
    losses, right = torch.zeros(len(examples)), torch.zeros(len(examples), dtype=torch.bool)
    by_length = sorted(range(len(examples)), key=lambda i: len(examples[i]))
    for start in range(0, len(examples), batch):
        chosen = by_length[start : start + batch]
        rows = rounded([examples[i] for i in chosen])
        targets = shift_labels(rows.labels)
        at = targets != IGNORED  # (B, T)
        logits = model(rows.ids, mask=rows.mask, at=at).float()  # (n labels, V)
        surprise, hit = torch.zeros(at.shape), torch.ones(at.shape)
        surprise[at] = F.cross_entropy(logits, targets[at], reduction="none")
        hit[at] = (logits.argmax(-1) == targets[at]).float()
        losses[chosen], right[chosen] = surprise.sum(1) / at.sum(1), hit.bool().all(1)
    return losses, right


def train_in_groups(model: nn.Module, examples: Sequence[Example], recipe: Recipe, **options: Any) -> History:
    """`train` on groups of SIZE examples of similar length, each group a step, in random order; each example once."""
    options = {"loss": loss_at_labels, "collate": flat} | options
    return train(model, grouped(examples, recipe.seed)[: recipe.steps], replace(recipe, batch=1), **options)


def grouped(examples: Sequence[Example], seed: int = 0) -> list[list[Example]]:
    """Groups of SIZE examples of similar length, in random order; the longest examples that fill no group are left."""
    ordered = sorted(examples, key=len)
    groups = [ordered[i : i + SIZE] for i in range(0, len(ordered) - SIZE + 1, SIZE)]
    random.Random(f"groups {seed}").shuffle(groups)
    return groups


def step_batches(examples: Sequence[Example], seed: int = 0) -> list[Batch]:
    """One batch of SIZE examples per training step; each example once."""
    return [flat([group]) for group in grouped(examples, seed)]


def mean_loss(model: nn.Module, batch: Batch) -> Tensor:
    """Mean surprise at the labels of a batch, nats; what all its rows begin with is read once."""
    return loss_behind_prefix(model, batch) / batch.n_labels


def flat(groups: Sequence[Sequence[Example]]) -> Batch:
    """The examples of all groups side by side."""
    return rounded([example for group in groups for example in group])


@torch.inference_mode()
def refusal_probability(model: nn.Module, tokenizer: Any, rows: Sequence[ShortRow]) -> Tensor:
    """For each row, how probable it is that the answer begins as "Not in the text." does, (n,) float32."""
    first = tokenizer(NOT_THERE, add_special_tokens=False)["input_ids"][0]
    found = []
    for row in rows:
        chat = passage_chat(row.question, row.text)
        ids = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_dict=False)
        logits = model(torch.tensor([list(ids)]), last_only=True)[0, -1]  # (V,)
        found.append(logits.float().softmax(-1)[first])
    return torch.stack(found)


# What was recorded ---------------------------------------------------------------------------------------------------


def runs(**wanted: Any) -> list[dict[str, Any]]:
    """The recorded trainings with these settings, by rate. Raises LookupError where there is none."""
    found = [run for run in ranks.read()["runs"] if wanted.items() <= run["case"].items()]
    if not found:
        raise LookupError(f"data/results/08_ranks.json has no run of {wanted}.")
    return sorted(found, key=lambda run: run["case"].get("rate", 0))


def best(**wanted: Any) -> dict[str, Any]:
    """Of the recorded trainings with these settings, the one with the lowest loss on dev."""
    return min(runs(**wanted), key=lambda run: run.get("loss", 0))


def trained_ranks(alpha: float | None = None, strength: float | None = None) -> dict[int, dict[str, Any]]:
    """Recorded trainings in all matrices with this alpha, or with this strength alpha / rank, by rank, ascending."""
    found = {}
    for run in runs(case="lora", targets="all"):
        rank, scale = run["case"]["rank"], run["case"]["scale"]
        if (scale == strength) if alpha is None else (scale * rank == alpha):
            found[rank] = run
    return dict(sorted(found.items()))


def suspects() -> dict[str, dict[str, Any]]:
    """Four adapters, A to D: `losses` as they can be measured, some `replies`, and the `truth` about each."""
    healthy = best(case="lora", targets="all", rank=8, scale=2.0)
    known = {
        "padding trained": (best(mistake="padding trained"), "as saved"),
        "healthy": (healthy, "as saved"),
        "alpha too large": (healthy, "alpha × 10"),
        "wrong template": (best(mistake="no template"), "as saved"),
    }
    found = {}
    for letter, (truth, (run, state)) in zip("ABCD", known.items(), strict=True):
        looks = dict(run[state])
        replies = looks.pop("replies")
        losses = {"training loss": sum(run["losses"][-4:]) / 4} | looks
        found[letter] = {"truth": truth, "losses": losses, "replies": replies}
    return found
