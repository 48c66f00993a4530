"""The recorded answers of several models to the suites (data/results/14_suites.json), as runs for a gate to compare.

    new, old = recorded_run("tickets"), recorded_run("tickets-rules")
    gate(new, old, margin=0.05).sentence
    recorded_run("tickets", scorer=my_scorer)         # the same replies, scored in another way

What it does not do: ask a model anything; `helpers.old.evaluation.run_suite` does, and keeps what it hears.
"""

from __future__ import annotations

from helpers.old.evaluation.harness import Run, score
from helpers.old.evaluation.scoring import Scorer
from helpers.old.evaluation.suites import load_suite
from helpers.old.evaluation.systems import Reply
from helpers.old.trials.records import Record

RECORD = Record("14_suites")


def recorded_run(model: str, scorer: Scorer | None = None) -> Run:
    """A model's recorded replies to its suite, scored now.

    Raises LookupError for a model that was not measured, and where the suite has other items by now.
    """
    [found] = [run for run in RECORD.read()["runs"] if run["case"]["model"] == model] or [None]
    if found is None:
        known = ", ".join(run["case"]["model"] for run in RECORD.read()["runs"])
        raise LookupError(f"There are no recorded replies of {model!r}: measured were {known}.")
    suite = load_suite(found["case"]["suite"])
    if suite.digest != found["digest"]:
        raise LookupError(f"The suite {suite.name} has changed since it was measured: run `make sweeps` again.")
    replies = tuple(Reply(**reply) for reply in found["replies"])
    return Run(suite, model, found["identity"], replies, score(suite, replies, scorer), 0, found["seconds"])
