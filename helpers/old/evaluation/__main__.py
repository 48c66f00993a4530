"""`python -m helpers.old.evaluation`: put a suite to a model, compare it with another, and say whether it may replace
it.

python -m helpers.old.evaluation --model handbook --suite handbook
python -m helpers.old.evaluation --model handbook --suite handbook --against handbook-search --margin 0.05
python -m helpers.old.evaluation --model my_file:reply --suite my_suite.jsonl --limit 20
python -m helpers.old.evaluation --list

Exit status: 0 where it was evaluated, or the gate passed; 1 where the gate failed, that is, a loss is shown that
may reach the margin, in the mean or in a slice; 2 where something could not be read, or where a loss of more than the
margin is neither excluded nor shown. Replies are kept in build/evaluation/answers: what was answered once is not asked
again.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from helpers.files.paths import ROOT
from helpers.files.safe_files import DataUnavailable, shown
from helpers.models import ModelUnavailable
from helpers.old.evaluation import answers
from helpers.old.evaluation.gating import CANNOT_JUDGE, gate
from helpers.old.evaluation.harness import Run, run_suite
from helpers.old.evaluation.reports import write_report
from helpers.old.evaluation.suites import load_suite, suites
from helpers.old.evaluation.systems import MODELS, load_model


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status."""
    options = _parser().parse_args(arguments)
    if options.list:
        print(f"models: {', '.join(MODELS)}, or module:function\nsuites: {', '.join(suites())}, or a .jsonl file")
        return 0
    try:
        return _evaluate(options)
    except (ValueError, DataUnavailable, ModelUnavailable) as error:
        print(error, file=sys.stderr)
        return CANNOT_JUDGE


def _evaluate(options: argparse.Namespace) -> int:
    if not options.model or not options.suite:
        raise ValueError("Name what to evaluate by --model and what to ask by --suite; --list shows what there is.")
    suite = load_suite(options.suite).sample(options.limit, options.seed)
    models = [load_model(name) for name in (options.model, options.against) if name]
    runs = [run_suite(model, suite, folder=options.answers, progress=True) for model in models]
    verdict = gate(*runs, options.margin) if len(runs) == 2 else None
    for run in runs:
        print(_summary(run, options.seed))
    if verdict is not None:
        print(verdict.sentence)
        for row in verdict.regressions[:3]:
            print(f"  worse: {row['id']} ({row['slice']}) {row['input'][:90]!r}")
    written = write_report(options.out, *runs, *([None] * (2 - len(runs))), verdict, options.seed)
    print("Report: " + ", ".join(shown(path) for path in written))
    return verdict.status if verdict is not None else 0


def _summary(run: Run, seed: int) -> str:
    each = sum(reply.seconds for reply in run.replies) / len(run.replies)
    lines = [f"{run.model} on {run.suite.name}: {run.main} {run.share(seed=seed)}, {each:.2f} s per item"]
    lines += [f"  {name}: {run.share(slice=name, seed=seed)}" for name in run.suite.slices]
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m helpers.old.evaluation", description="Evaluate, compare, decide.")
    parser.add_argument("--model", metavar="NAME", help="the new model: see --list")
    parser.add_argument("--suite", metavar="NAME", help="what it is asked: see --list")
    parser.add_argument("--against", metavar="NAME", help="the old model; then the gate decides")
    parser.add_argument("--margin", type=float, default=0.05, help="the largest loss that is accepted (default 0.05)")
    parser.add_argument("--limit", type=int, metavar="N", help="N items by chance, by the seed")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "evaluation", help="the report's folder")
    parser.add_argument("--answers", type=Path, default=answers.FOLDER, help="the folder of kept replies")
    parser.add_argument("--seed", type=int, default=0, help="of the sample and of the shares' intervals (default 0)")
    parser.add_argument("--list", action="store_true", help="which models and suites there are")
    return parser


if __name__ == "__main__":
    sys.exit(main())
