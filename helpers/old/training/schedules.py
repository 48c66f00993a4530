"""The learning rate over a training: up slowly while the optimizer knows little, then down along a cosine.

rate = peak * cosine_with_warmup(step, warmup=10, total=100)
"""

from __future__ import annotations

import math


def cosine_with_warmup(step: int, warmup: int, total: int, floor: float = 0.0) -> float:
    """Share of the peak learning rate at a step: a line from 0 up to 1, then half a cosine down to `floor`.

    step: from 0; 0 at step 0 where there is a warm-up, 1 at step `warmup`, `floor` from step `total` on. Matches
    `transformers.get_cosine_schedule_with_warmup`, and with a floor its `get_cosine_with_min_lr_schedule_with_warmup`
    (Loshchilov and Hutter, 2017). Raises ValueError unless 0 ≤ warmup ≤ total, 0 ≤ step and 0 ≤ floor ≤ 1.
    """
    if not 0 <= warmup <= total or step < 0 or not 0 <= floor <= 1:
        raise ValueError(
            f"A schedule needs 0 ≤ warmup ≤ total, step ≥ 0 and 0 ≤ floor ≤ 1, not step={step}, warmup={warmup}, "
            f"total={total}, floor={floor}."
        )
    if step < warmup:
        return step / warmup
    done = min(1.0, (step - warmup) / max(1, total - warmup))  # 0 … 1
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * done))
