"""Summaries learned by a small T5: the data, the batches, the loss by hand, and `Seq2SeqTrainer`.

    tokenizer = report_tokenizer(reports)                  # the course's BPE, as `transformers` takes it
    rows = Dataset.from_list(reports).map(encoder(tokenizer), batched=True)
    model = small_t5(tokenizer, seed=0)
    train_by_trainer(model, tokenizer, rows, Recipe(steps=400, rate=3e-3, batch=16, warmup=40))
    write_summaries(model, tokenizer, texts)

What it does not do: pretraining, sentinel tokens, inputs that are longer than the model was trained for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from helpers.old.foundations.probability import IGNORED
from helpers.old.tokenization.libraries import library_bpe
from helpers.old.training.libraries import quiet
from helpers.old.training.loop import Recipe
from helpers.old.training.schedules import cosine_with_warmup
from helpers.plots.live_loss import LiveLoss
from helpers.tokenization import BPETokenizer

PAD, END = "<pad>", "</s>"
VOCAB_SIZE = 1400
# GPT-2's pattern, but every digit is a word: a number that was never seen is then spelled with known tokens.
PATTERN = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
MAX_SOURCE, MAX_TARGET = 192, 64  # tokens; longer ones are cut


def report_tokenizer(reports: Sequence[dict[str, Any]], vocab_size: int = VOCAB_SIZE) -> Any:
    """A byte-level BPE learned from texts and summaries, digits kept apart, wrapped for `transformers`."""
    text = "\n".join(part for report in reports for part in (report["text"], report["summary"]))
    ours = BPETokenizer.train(text, vocab_size, special_tokens=[PAD, END], pattern=PATTERN)
    return library_bpe(ours, pad_token=PAD, eos_token=END)


def encoder(
    tokenizer: Any,
    weigh: Callable[[str, list[int]], list[float]] | None = None,
    max_source: int = MAX_SOURCE,
    max_target: int = MAX_TARGET,
) -> Callable[[dict[str, list]], dict[str, list]]:
    """A function for `Dataset.map(…, batched=True)`: "text" and "summary" → "input_ids", "labels".

    Each is cut to so many tokens and closed by the end token: a model that never saw it never stops.
    weigh: summary, its ids → "weights", one a label.
    """

    def closed(text: str, most: int) -> list[int]:
        return [*tokenizer(text, add_special_tokens=False)["input_ids"][: most - 1], tokenizer.eos_token_id]

    def encode(rows: dict[str, list]) -> dict[str, list]:
        made = {
            "input_ids": [closed(text, max_source) for text in rows["text"]],
            "labels": [closed(text, max_target) for text in rows["summary"]],
        }
        if weigh is not None:
            made["weights"] = [weigh(*row) for row in zip(rows["summary"], made["labels"], strict=True)]
        return made

    return encode


def small_t5(tokenizer: Any, seed: int, d_model: int = 64, layers: int = 2) -> Any:
    """A `T5ForConditionalGeneration` with random weights: gated GELU as in T5 1.1, no dropout, tied embeddings."""
    from transformers import T5Config, T5ForConditionalGeneration

    config = T5Config(
        vocab_size=len(tokenizer),
        d_model=d_model,
        d_kv=16,
        num_heads=d_model // 16,
        d_ff=2 * d_model,
        num_layers=layers,
        dropout_rate=0.0,
        feed_forward_proj="gated-gelu",
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        decoder_start_token_id=tokenizer.pad_token_id,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return T5ForConditionalGeneration(config)


# Batches and loss ------------------------------------------------------------------------------------------------


def pad_rows(rows: Sequence[Sequence[int]], filler: int) -> Tensor:
    """Rows of any lengths as one tensor (B, longest), filled up on the right. Raises ValueError for no rows."""
    if not rows:
        raise ValueError("A batch needs at least one row.")
    longest = max(map(len, rows))
    return torch.tensor([[*row, *[filler] * (longest - len(row))] for row in rows])


def label_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Sum of the surprise at all labels, nats: logits (B, T, V), labels (B, T), of which those of −100 are left out."""
    return F.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORED, reduction="sum")


# By the library --------------------------------------------------------------------------------------------------


def train_by_trainer(
    model: Any,
    tokenizer: Any,
    rows: Any,
    recipe: Recipe,
    title: str | None = None,
    trainer_class: type | None = None,
    collator: Any = None,
) -> list[float]:
    """Train with `Seq2SeqTrainer` and `DataCollatorForSeq2Seq`, on the device of the model: the loss of each step.

    rows: a `datasets.Dataset` with "input_ids" and "labels". recipe: as for `train`; its order of examples is the
    trainer's own. title: of the live figure; without one nothing is drawn. trainer_class: another Seq2SeqTrainer.
    """
    from transformers import DataCollatorForSeq2Seq, Seq2SeqTrainer, Seq2SeqTrainingArguments
    from transformers.trainer_callback import PrinterCallback

    losses: list[float] = []
    with quiet() as folder, _drawn(recipe.steps, title) as live:
        arguments = Seq2SeqTrainingArguments(
            folder,
            max_steps=recipe.steps,
            learning_rate=recipe.rate,
            per_device_train_batch_size=recipe.batch,
            weight_decay=recipe.weight_decay,
            max_grad_norm=recipe.clip,
            seed=recipe.seed,
            use_cpu=model.device.type == "cpu",
            logging_steps=1,
            logging_nan_inf_filter=False,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            remove_unused_columns=trainer_class is None,
        )
        optimizer = torch.optim.AdamW(model.parameters(), lr=recipe.rate, weight_decay=recipe.weight_decay)
        last = recipe.steps - 1  # the scheduler asks for one step more than there are
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: cosine_with_warmup(min(step, last), recipe.warmup, recipe.steps, recipe.floor)
        )
        trainer = (trainer_class or Seq2SeqTrainer)(
            model=model,
            args=arguments,
            train_dataset=rows,
            data_collator=collator or DataCollatorForSeq2Seq(tokenizer, model=model),
            processing_class=tokenizer,
            optimizers=(optimizer, schedule),
            callbacks=[_Watcher(losses, live)()],
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    model.eval()
    return losses


def _drawn(steps: int, title: str | None) -> Any:
    return LiveLoss(steps, title, ylabel="loss (nats)") if title else nullcontext()


class _Watcher:
    """Makes a callback that keeps each step's loss and draws it; `transformers` is imported only when it is made."""

    def __init__(self, losses: list[float], live: LiveLoss | None) -> None:
        self.losses, self.live = losses, live

    def __call__(self) -> Any:
        from transformers import TrainerCallback

        losses, live = self.losses, self.live

        class Watch(TrainerCallback):
            def on_log(self, args: Any, state: Any, control: Any, logs: dict | None = None, **_: Any) -> None:
                if logs and "loss" in logs:
                    losses.append(float(logs["loss"]))
                    if live is not None:
                        live.add(losses[-1])

        return Watch()


# Writing ---------------------------------------------------------------------------------------------------------


@torch.no_grad()
def write_summaries(
    model: Any,
    tokenizer: Any,
    texts: Sequence[str],
    processors: Callable[[Sequence[str], int], Iterable[Any]] | None = None,
    beams: int = 1,
    candidates: int = 1,
    batch: int = 40,
    max_source: int = MAX_SOURCE,
    max_target: int = MAX_TARGET,
) -> list[list[str]]:
    """For each text its `candidates` best summaries by `generate`, the best first; beams=1 is greedy.

    processors: given the texts of a batch and the number of beams, the `LogitsProcessor`s for it.
    """
    encode = encoder(tokenizer, max_source=max_source)
    written: list[list[str]] = []
    for start in range(0, len(texts), batch):
        part = list(texts[start : start + batch])
        ids = encode({"text": part, "summary": [""] * len(part)})["input_ids"]
        source = pad_rows(ids, tokenizer.pad_token_id)
        mask = pad_rows([[1] * len(row) for row in ids], 0)
        out = model.generate(
            input_ids=source.to(model.device),
            attention_mask=mask.to(model.device),
            max_new_tokens=max_target,
            num_beams=beams,
            num_return_sequences=candidates,
            do_sample=False,
            logits_processor=list(processors(part, beams)) if processors else None,
        )
        said = tokenizer.batch_decode(out, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        written += [said[i : i + candidates] for i in range(0, len(said), candidates)]
    return written
