"""The adapter "summaries": the chat model taught to sum up Velunda's reports, scored as saved, greedily and with the
check of the notebook (of four candidates the likeliest without an unsupported word). A first
version with the 40 training frames alone had learned them by heart: on dev it mixed up roles in unseen ones."""

from __future__ import annotations

import random
from typing import Any

NAME = "07b_summaries"
CASES = [{"steps": 200, "batch": 8, "rate": 1e-3, "rank": 8, "seed": 0}]


def train_summaries(steps: int, batch: int, rate: float, rank: int, seed: int) -> tuple[Any, Any, Any, Any]:
    """Model, tokenizer, history and folder of the adapter. A training that was stopped goes on in build/sweeps."""
    from dataclasses import replace

    import torch

    from helpers.adapters import BASE
    from helpers.assistants import report_chat
    from helpers.lora import add_lora_, save_adapter
    from helpers.training import encode_chat, train
    from helpers.training.losses import loss_behind_prefix
    from helpers.trials.ticket_training import of_one_length, recipe_of, rounded
    from helpers.velunda import fill_different, fill_report, load_report_frames
    from helpers.velunda.reports import MORE
    from tests.benchmarks.sweep_sft import base_model
    from tests.benchmarks.sweeps import KEPT

    model, tokenizer = base_model(torch.bfloat16)
    frames = [*load_report_frames("train"), *load_report_frames(MORE)]
    reports = fill_different(steps * batch, frames, fill_report, random.Random(f"summaries {seed}"), 3)
    examples = [encode_chat(tokenizer, report_chat(r["text"], r["summary"]), 512) for r in reports]
    torch.manual_seed(seed)
    add_lora_(model, rank, alpha=2 * rank)
    history = train(
        model,
        of_one_length(examples, batch, seed),
        replace(recipe_of(steps, rate=rate, batch=batch, seed=seed), batch=1),
        loss=loss_behind_prefix,
        collate=lambda groups: rounded([example for group in groups for example in group]),
        folder=KEPT / NAME,
        save_every=20,
    )
    folder = KEPT / "adapters" / "summaries"
    save_adapter(model, folder, base=BASE)
    return model, tokenizer, history, folder


def run(case: dict) -> dict:
    from helpers.assistants import ReportSummarizer
    from helpers.assistants.taught import taught_model
    from tests.benchmarks.sweep_sft import trained
    from tests.tools.model_cards import entry, score_row

    *_, history, folder = train_summaries(**case)
    summarize = ReportSummarizer(*taught_model(folder))  # the file, rounded to bfloat16
    dev, _ = scored(summarize, "dev")
    test, right = scored(summarize, "test")
    told = entry(
        folder,
        summary="Sums up a report of Velunda's workshops or incidents in one sentence, with its names and numbers.",
        data=[
            "data/velunda/reports/frames.txt (train) and more_frames.txt, filled by chance",
            "never shown: the frames and surnames of dev and test",
        ],
        recipe=case,
        scores=[score_row("every name and number right, test, greedily", right)],
        limits=["It knows the eight ways of putting a summary that the training reports have.", "English only."],
    )
    return trained(history) | {"dev": dev, "test": test, "adapter": told}


def scored(summarize: Any, split: str) -> tuple[dict, Any]:
    """Greedy summaries and published ones of a split, judged; and as a `Score`, how many greedy ones are true."""
    from helpers.metrics import Score
    from helpers.trials.summaries import is_true, right_by_kind, scores
    from helpers.trials.summary_training import held_out

    reports = held_out(split)
    written = summarize.write([report["text"] for report in reports])
    published = summarize.drafts([report["text"] for report in reports])
    rows = list(zip(written, published, reports, strict=True))
    right = Score.of((report["frame"], is_true(summary, report)) for summary, _, report in rows)
    chosen = [is_true(summary, report) for _, summary, report in rows if summary is not None]
    kinds = {kind: (score.right, score.n) for kind, score in right_by_kind(written, reports).items()}
    found = {
        "greedy": {name: round(value, 4) for name, value in scores(written, reports).items()},
        "by_kind": kinds,
        "published": {"n": len(chosen), "of": len(reports), "true": sum(chosen)},
    }
    return found, right
