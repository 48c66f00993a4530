"""What two cures for invented names and numbers are worth, for three seeds that the notebook does not use: more data
and a loss in which names and numbers weigh more. Each run is a trial of benchmarks.summary_trials on the test reports,
written freely and limited to names and numbers of the source. The weights were compared on dev, with one more seed."""

from __future__ import annotations

from helpers.old.trials.summaries import right_by_kind
from helpers.old.trials.summary_training import REPORTS, held_out
from tests.benchmarks.summary_trials import train_trial

NAME = "07b_seq2seq"
WEIGHTS, MORE = (2, 4), 8 * REPORTS
DEV = [{"cure": f"weight {w}", "reports": REPORTS, "weight": w, "seed": 9, "split": "dev"} for w in WEIGHTS]
CURES = {
    "none": {"reports": REPORTS, "weight": 1},
    "more data": {"reports": MORE, "weight": 1},
    "weight": {"reports": REPORTS, "weight": 4},
}
CASES = DEV + [
    {"cure": name, **case, "seed": seed, "split": "test"} for name, case in CURES.items() for seed in (1, 2, 3)
]


def run(case: dict) -> dict:
    trial = train_trial(case, case["seed"], split=case["split"])
    kinds = {
        way: {kind: (score.right, score.n) for kind, score in right_by_kind(said, held_out(case["split"])).items()}
        for way, said in trial.written.items()
    }
    rounded = {way: {name: round(x, 4) for name, x in found.items()} for way, found in trial.scores.items()}
    return {"scores": rounded, "by_kind": kinds, "last_loss": round(sum(trial.losses[-20:]) / 20, 4)}
