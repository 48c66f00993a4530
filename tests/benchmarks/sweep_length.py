"""Loss at the end of texts of 1, 2, 4 and 8 times the trained length, for six schemes of positions and eight seeds that
the notebook does not use; for RoPE also with its rotations slowed by the same factor, in three ways."""

from __future__ import annotations

from helpers.old.trials.lengths import SCHEMES, losses_by_length, train_length_trial

NAME = "02c_length"
SCALINGS = ("linear", "ntk", "yarn")
CASES = [{"positions": positions, "seed": seed} for seed in range(1, 9) for positions in SCHEMES]


def run(case: dict) -> dict:
    trial = train_length_trial(**case, progress=False)
    found = {"losses": rounded(trial.losses)}
    if case["positions"] == "rope":
        found["scaled"] = {kind: rounded(losses_by_length(trial.model, kind)) for kind in SCALINGS}
    return found


def rounded(losses: dict[int, float]) -> dict[str, float]:
    return {str(length): round(loss, 4) for length, loss in losses.items()}
