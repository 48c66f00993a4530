"""A run as JSON and as a page: scores, intervals, slices, worst examples, versions, seed, seconds, cost.

    write_report("build/evaluation", new, old, verdict)          # handbook.json and handbook.html, their paths returned
    as_json(run)["scores"]["right"]                              # {"mean": 0.45, "low": 0.33, "high": 0.57, …}

Everything in it can be computed again from the kept replies; the page is written from the JSON alone.
"""

from __future__ import annotations

import datetime
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from helpers.files.safe_files import json_writer, write_together
from helpers.old.evaluation.gating import WORDS, Verdict
from helpers.old.evaluation.harness import Run
from helpers.old.evaluation.page import page

WORST = 10  # examples in a report
PACKAGES = ("torch", "transformers", "sentence-transformers", "onnxruntime", "scikit-learn", "numpy")


def as_json(new: Run, old: Run | None = None, verdict: Verdict | None = None, seed: int = 0) -> dict[str, Any]:
    """All that there is to say about a run, and about its comparison with another."""
    return {
        "suite": {
            "name": new.suite.name,
            "items": len(new.suite.items),
            "digest": new.suite.digest,
            "slices": list(new.suite.slices),
        },
        "models": {role: _of(run, seed) for role, run in (("new", new), ("old", old)) if run is not None},
        "gate": None if verdict is None else _verdict(verdict),
        "seed": seed,
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": {"processor": platform.machine(), "cores": os.cpu_count(), "system": platform.system()},
        "versions": {"python": platform.python_version(), **_versions()},
    }


def write_report(
    folder: str | os.PathLike, new: Run, old: Run | None = None, verdict: Verdict | None = None, seed: int = 0
) -> tuple[Path, Path]:
    """The report as SUITE-MODEL.json and .html in a folder, made if need be; their paths."""
    content = as_json(new, old, verdict, seed)
    name = f"{new.suite.name}-{new.model}".replace(":", "-").replace("/", "-")
    writers = {
        f"{name}.html": lambda path: path.write_text(page(content), encoding="utf-8", newline="\n"),
        f"{name}.json": json_writer(content),
    }
    write_together(folder, writers)
    return Path(folder) / f"{name}.json", Path(folder) / f"{name}.html"


def _of(run: Run, seed: int) -> dict[str, Any]:
    tokens = [reply.tokens for reply in run.replies if reply.tokens is not None]
    seconds = [reply.seconds for reply in run.replies if reply.seconds]
    return {
        "name": run.model,
        "identity": dict(run.identity),
        "score": run.main,
        "scores": {name: asdict(run.share(name, seed=seed)) for name in run.values},
        "slices": {name: asdict(run.share(slice=name, seed=seed)) for name in run.suite.slices},
        "cost": {
            "seconds per item": sum(seconds) / len(seconds) if seconds else None,
            "seconds of this run": run.seconds,
            "asked now": run.asked,
            "kept from before": len(run.replies) - run.asked,
            "tokens per item": sum(tokens) / len(tokens) if tokens else None,
        },
        "worst": _worst(run),
    }


def _worst(run: Run) -> list[dict[str, Any]]:
    """Wrong replies, those that the model was surest of first."""
    values = run.values[run.main]
    wrong = [i for i in range(len(values)) if values[i] < 1]
    wrong.sort(key=lambda i: (values[i], run.replies[i].confidence is None, -(run.replies[i].confidence or 0.0)))
    return [
        {
            "id": run.suite.items[i].id,
            "slice": run.suite.items[i].slice,
            "input": run.suite.items[i].input,
            "expected": run.suite.items[i].expected,
            "answer": run.replies[i].answer,
            "confidence": run.replies[i].confidence,
        }
        for i in wrong[:WORST]
    ]


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "status": verdict.status,
        "result": WORDS[verdict.status],
        "sentence": verdict.sentence,
        "margin": verdict.margin,
        "overall": asdict(verdict.overall),
        "slices": {name: asdict(found) for name, found in verdict.slices.items()},
        "regressions": list(verdict.regressions),
    }


def _versions() -> Mapping[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
