"""Another cure for invented names and numbers than the limit to the source: they weigh more in training.

weigh = fact_weights(tokenizer, names, 4.0)                            # a name or number counts four times
Dataset.from_list(reports).map(encoder(tokenizer, weigh), batched=True)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from helpers.old.foundations.probability import IGNORED
from helpers.old.generation import Names
from helpers.old.generation.source_limit import WORD


def fact_weights(tokenizer: Any, names: Names, weight: float) -> Callable[[str, list[int]], list[float]]:
    """For `encoder(tokenizer, weigh)`: `weight` at each token of a name or number, 1 elsewhere, also at the end.

    Raises ValueError for a weight that is not above 0.
    """
    if not weight > 0:
        raise ValueError(f"A weight is above 0, not {weight}.")

    def weigh(summary: str, ids: list[int]) -> list[float]:
        facts = [m.span() for m in WORD.finditer(summary) if m[0] in names]
        offsets = tokenizer(summary, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
        inside = [any(start < end_ and begin < end for begin, end_ in facts) for start, end in offsets]
        return [weight if fact else 1.0 for fact in inside[: len(ids) - 1]] + [1.0]

    return weigh


def weighted_loss(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """Mean surprise in which each label counts `weights` times: logits (B, T, V), labels and weights (B, T).

    Labels of −100 count nothing. With equal weights this is the plain mean.
    """
    losses = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORED, reduction="none")
    counted = weights.flatten() * (labels.flatten() != IGNORED)
    return (losses * counted).sum() / counted.sum()


def weighted_trainer() -> tuple[type, Callable[[Any, Any], Callable[[list[dict]], dict[str, Tensor]]]]:
    """A Seq2SeqTrainer that takes "weights" from its rows, and a maker of its collator."""
    from transformers import DataCollatorForSeq2Seq, Seq2SeqTrainer

    class WeightedTrainer(Seq2SeqTrainer):
        def compute_loss(self, model: Any, inputs: dict, return_outputs: bool = False, **_: Any) -> Any:
            weights = inputs.pop("weights")
            outputs = model(**inputs)
            loss = weighted_loss(outputs.logits, inputs["labels"], weights)
            return (loss, outputs) if return_outputs else loss

    def collator(tokenizer: Any, model: Any) -> Callable[[list[dict]], dict[str, Tensor]]:
        pad = DataCollatorForSeq2Seq(tokenizer, model=model)

        def collate(rows: list[dict]) -> dict[str, Tensor]:
            weights = [row["weights"] for row in rows]
            batch = pad([{key: row[key] for key in ("input_ids", "labels")} for row in rows])
            T = batch["labels"].shape[1]
            batch["weights"] = torch.tensor([[*w, *[0.0] * (T - len(w))] for w in weights])
            return batch

        return collate

    return WeightedTrainer, collator
