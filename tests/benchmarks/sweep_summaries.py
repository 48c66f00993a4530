"""The adapter "summaries": the chat model taught to sum up Velunda's reports, scored as saved: greedily, and by the
rule of the notebook, that of several candidates the first is published that follows a pattern and passes the checks.
How many candidates there are, how warm, and whether a misplaced number forbids one or only puts it last, was chosen on
dev ("choice"); what was written is kept, and can be judged again without the model by python -m
tests.benchmarks.sweep_summaries. A first version with the 40 training frames alone had learned them by heart: on dev it
mixed up roles in unseen ones."""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from typing import Any

NAME = "07b_summaries"
NUMBERS, HEATS = (4, 5, 6), (0.5, 0.8, 1.0)  # candidates, the greedy one counted, and temperatures, to choose from
CASES = [{"steps": 200, "batch": 8, "rate": 1e-3, "rank": 8, "seed": 0}]


def train_summaries(steps: int, batch: int, rate: float, rank: int, seed: int) -> tuple[Any, Any, Any, Any]:
    """Model, tokenizer, history and folder of the adapter. A training that was stopped goes on in build/sweeps."""
    from dataclasses import replace

    import torch

    from helpers.adapters import BASE
    from helpers.lora import add_lora_
    from helpers.old.assistants import report_chat
    from helpers.old.lora import save_adapter
    from helpers.old.training import encode_chat, train
    from helpers.old.training.losses import loss_behind_prefix
    from helpers.old.trials.ticket_training import of_one_length, recipe_of, rounded
    from helpers.old.velunda import fill_different, fill_report, load_report_frames
    from helpers.old.velunda.reports import MORE
    from tests.benchmarks.sweeps import KEPT
    from tests.benchmarks.tuning import base_model

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
    keep_shipped(folder)
    return model, tokenizer, history, folder


def keep_shipped(folder: Path, shipped: Path | None = None) -> bool:
    """Put the shipped file in the place of one with the same matrices and metadata, and say whether it was so.

    Two such files can differ in their bytes, since the order of the metadata is left to chance, and what is scored is
    known by its checksum.
    """
    import shutil

    import torch
    from safetensors import safe_open

    from helpers import adapters
    from helpers.adapters import WEIGHTS

    both = [folder / WEIGHTS, (shipped or adapters.ADAPTERS / folder.name) / WEIGHTS]
    if not both[1].exists():
        return False
    with safe_open(both[0], "pt") as new, safe_open(both[1], "pt") as old:
        same = new.metadata() == old.metadata() and sorted(new.keys()) == sorted(old.keys())
        same = same and all(torch.equal(new.get_tensor(key), old.get_tensor(key)) for key in new.keys())
    if same:
        shutil.copy(both[1], both[0])
    return same


def run(case: dict) -> dict:
    from helpers.old.assistants import ReportSummarizer
    from helpers.old.assistants.taught import taught_model
    from helpers.old.trials.summary_training import held_out
    from helpers.scale import matrix_dtype
    from tests.benchmarks.tuning import trained
    from tests.tools.model_cards import entry

    kept = seconds_before(case)
    *_, history, folder = train_summaries(**case)
    dtype = matrix_dtype()  # as report_summarizer() has it
    model, tokenizer = taught_model(folder, dtype)
    greedy = ReportSummarizer(model, tokenizer).write([report["text"] for report in held_out("dev")])
    choice = compared(model, tokenizer, greedy)
    best = max(choice, key=preferred)
    summarize = ReportSummarizer(model, tokenizer, best["candidates"], best["heat"], best["strict"])
    found = {"choice": choice, "dev": scored(summarize, "dev", greedy), "test": scored(summarize, "test")}
    told = entry(
        folder,
        summary="Sums up a report of Velunda's workshops or incidents in one sentence, with its names and numbers.",
        data=[
            "data/velunda/reports/frames.txt (train) and more_frames.txt, filled by chance",
            "never shown: the frames and surnames of dev and test",
        ],
        recipe=case,
        scores=score_rows(found, summarize.candidates),
        limits=[
            "It knows the eight ways of putting a summary that the training reports have.",
            "What passes its checks is a draft: a person reads it.",
            "English only.",
        ],
    )
    return trained(history) | {"matrices": str(dtype)} | found | {"adapter": told} | kept


def score_rows(found: dict, candidates: int) -> list[dict]:
    """What the model card says of the test reports."""
    from tests.tools.model_cards import score_row

    return [
        score_row(f"wholly true, of up to {candidates} candidates, test", right(found, "published")),
        score_row("wholly true, greedily, test", right(found, "greedy")),
    ]


def scored(summarize: Any, split: str, greedy: list[str] | None = None) -> dict:
    """Greedy summaries and published ones of a split, None where none passed, and what they are worth."""
    from helpers.old.trials.summary_training import held_out

    texts = [report["text"] for report in held_out(split)]
    written = {"greedy": greedy or summarize.write(texts)}
    written["published"] = summarize.drafts(texts, written["greedy"])
    return judged(written, split)


def judged(written: dict, split: str) -> dict:
    """What summaries of a split are worth. On test, those that were read count as read."""
    from helpers.old.trials.summaries import is_true, right_by_kind, scores
    from helpers.old.trials.summary_training import held_out

    reports = held_out(split)
    pairs = [pair for pair in zip(written["published"], reports, strict=True) if pair[0] is not None]
    kinds = {kind: (score.right, score.n) for kind, score in right_by_kind(*zip(*pairs, strict=True)).items()}
    return {
        "greedy": {name: round(value, 4) for name, value in scores(written["greedy"], reports).items()},
        "published": {"n": len(pairs), "of": len(reports), "true": sum(is_true(*pair) for pair in pairs)},
        "by_kind": kinds,
        "written": written,
    }


def judged_again(run: dict) -> dict:
    """The same run with its kept sentences judged by today's judge."""
    found = {split: judged(run[split]["written"], split) for split in ("dev", "test")}
    best = max(run["choice"], key=preferred)
    return run | found | {"adapter": run["adapter"] | {"scores": score_rows(found, best["candidates"])}}


def judge_record(path: Path) -> None:
    """Write the record anew with its sentences judged again."""
    import json

    record = json.loads(path.read_text(encoding="utf-8"))
    record["what"] = " ".join((__doc__ or "").split())
    record["runs"] = [judged_again(run) for run in record["runs"]]
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def compared(model: Any, tokenizer: Any, greedy: list[str]) -> list[dict]:
    """For each number of candidates, temperature and rule, what of dev would be published, and what is wholly true."""
    from helpers.old.assistants import ReportSummarizer
    from helpers.old.assistants.reports import choose_draft, in_order
    from helpers.old.trials.summaries import is_true
    from helpers.old.trials.summary_training import held_out

    rows, found = list(zip(greedy, held_out("dev"), strict=True)), []
    for heat in HEATS:
        warm = ReportSummarizer(model, tokenizer, candidates=max(NUMBERS), heat=heat)
        done = [choose_draft([first], report["text"], strict=True) is not None for first, report in rows]
        drawn = [[] if passed else warm.drawn(row[1]["text"]) for passed, row in zip(done, rows, strict=True)]
        for number, strict in itertools.product(NUMBERS, (False, True)):
            drafts = [
                choose_draft([first, *in_order(replies[: number - 1])], report["text"], strict)
                for (first, report), replies in zip(rows, drawn, strict=True)
            ]
            pairs = [(draft, report) for draft, (_, report) in zip(drafts, rows, strict=True) if draft is not None]
            counts = {"n": len(pairs), "of": len(rows), "true": sum(is_true(*pair) for pair in pairs)}
            found.append({"candidates": number, "heat": heat, "strict": strict} | counts)
    return found


def preferred(row: dict) -> tuple:
    """Most wholly true summaries; at a tie the fewest untrue ones, then the fewest candidates and the coolest."""
    return row["true"], -row["n"], -row["candidates"], -row["heat"]


def right(found: dict, way: str) -> Any:
    """How many of the test reports get a summary that is wholly true; one without a summary gets none."""
    from helpers.old.metrics import Score
    from helpers.old.trials.summaries import is_true
    from helpers.old.trials.summary_training import held_out

    rows = zip(found["test"]["written"][way], held_out("test"), strict=True)
    return Score.of((report["frame"], summary is not None and is_true(summary, report)) for summary, report in rows)


def seconds_before(case: dict) -> dict:
    """Where a whole training was kept, so that nothing is trained now: the recorded seconds of the run that trained."""
    import json

    from helpers.old.training.state import read_progress
    from tests.benchmarks.sweeps import KEPT, RESULTS

    path, progress = RESULTS / f"{NAME}.json", read_progress(KEPT / NAME)
    if not path.exists() or not progress or len(progress["history"]["losses"]) < case["steps"]:
        return {}
    runs = json.loads(path.read_text(encoding="utf-8"))["runs"]
    return next(
        ({"seconds_before": run.get("seconds_before", run["seconds"])} for run in runs if run["case"] == case), {}
    )


if __name__ == "__main__":
    from tests.benchmarks.sweeps import RESULTS

    judge_record(RESULTS / f"{NAME}.json")
