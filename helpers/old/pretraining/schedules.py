"""The learning rate over a run, as a share of its peak: up while the optimizer knows little, down so that it settles.

rate = peak * warmup_stable_decay(step, warmup=30, total=400, decay=0.6)

"constant"  up, then level
"linear"    up, level, and over the last share `decay` of the steps on a line down to the floor
"cosine"    up, then half a cosine down to the floor (`helpers.old.training.schedules`)
"""

from __future__ import annotations

from helpers.old.training.schedules import cosine_with_warmup

SCHEDULES = ("constant", "linear", "cosine")


def warmup_stable_decay(step: int, warmup: int, total: int, decay: float = 0.6, floor: float = 0.0) -> float:
    """Share of the peak learning rate at a step: a line up over `warmup` steps, level, a line down at the end.

    step: from 0, whose share is 1/(warmup + 1), as a step at rate 0 would be wasted; decay: the share of all steps
    that goes down; floor: where the line ends, reached at step `total`. Known as a trapezoid and as WSD (Hu et al.,
    2024). Raises ValueError unless 0 ≤ warmup ≤ total, step ≥ 0, and decay and floor lie between 0 and 1.
    """
    if not 0 <= warmup <= total or step < 0 or not 0 <= decay <= 1 or not 0 <= floor <= 1:
        raise ValueError(
            "A schedule needs 0 ≤ warmup ≤ total, step ≥ 0 and decay and floor between 0 and 1, not "
            f"step={step}, warmup={warmup}, total={total}, decay={decay}, floor={floor}."
        )
    up = (step + 1) / (warmup + 1)
    left = max(0.0, total - step) / (decay * total) if decay else 1.0  # 1 where the way down begins, 0 at its end
    return min(1.0, up, floor + (1 - floor) * left)


def share_of_peak(schedule: str, step: int, warmup: int, total: int, decay: float, floor: float) -> float:
    """The share under one of SCHEDULES. Raises ValueError for another."""
    if schedule == "cosine":
        return cosine_with_warmup(step + 1, warmup + 1, total + 1, floor)
    if schedule == "linear":
        return warmup_stable_decay(step, warmup, total, decay, floor)
    if schedule == "constant":
        return warmup_stable_decay(step, warmup, total, 0.0)
    raise ValueError(f"There is no schedule {schedule!r}: choose one of {', '.join(SCHEDULES)}.")
