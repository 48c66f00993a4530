"""pass@k: how often is one of k samples right, where a test decides, as for code?

    pass_at_k(n=10, right=3, k=1)                                      # 0.3
    PassAtK(k=(1, 5)).compute(predictions=[[True, False, …], …])       # {"pass_at_1": 0.3, "pass_at_5": 0.92}

What it does not do: run code. That belongs into a sandbox; here come its verdicts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from datasets import List, Value

from helpers.old.metrics.base import Metric, rows


def pass_at_k(n: int, right: int, k: int) -> float:
    """The probability that of k samples, drawn from n without putting back, at least one is among the right ones.

    1 − C(n − right, k) / C(n, k), which is unbiased for the probability that k fresh samples hold a right one (Chen et
    al., 2021); 1 − (1 − right/n)^k is not. Raises ValueError for counts that cannot be.
    """
    if not 0 <= right <= n or not 1 <= k <= n:
        raise ValueError(f"Of n samples 0 to n are right, and k is 1 to n: not n={n}, right={right}, k={k}.")
    return 1 - math.comb(n - right, k) / math.comb(n, k)


class PassAtK(Metric):
    """pass@k (Chen et al., 2021): the chance that at least one of k samples passes, by their unbiased estimator.

    predictions: for each problem a list with one verdict per sample, True where it passed its tests; k or more of them.
    No references. compute → pass_at_1, …: 0 to 1, means over the problems; each → of single problems.

    What it cannot see: what the tests do not test. With large k it rewards variety and luck: a user who gets one
    answer has pass@1.
    """

    PAPER = "Chen et al., 2021, Evaluating large language models trained on code. arXiv:2107.03374."
    COLUMNS = {"predictions": List(Value("bool"))}

    def __init__(self, k: int | Sequence[int] = (1,), **options: Any) -> None:
        self.ks = (k,) if isinstance(k, int) else tuple(k)
        super().__init__(**options)

    def checked(self, predictions: Any, references: Any) -> dict[str, list]:
        most = max(self.ks)
        found = []
        for i, samples in enumerate(rows("predictions", predictions)):
            verdicts = list(samples) if isinstance(samples, Sequence | np.ndarray) else [samples]
            if isinstance(samples, str) or not all(isinstance(v, bool | int | np.bool_ | np.integer) for v in verdicts):
                raise ValueError(f"predictions[{i}] is a list of verdicts, True or False per sample: {samples!r:.60}.")
            if not set(map(int, verdicts)) <= {0, 1}:
                raise ValueError(f"predictions[{i}] holds a verdict that is neither True nor False: {samples!r:.60}.")
            if len(verdicts) < most:
                raise ValueError(f"pass@{most} needs {most} samples per problem; predictions[{i}] has {len(verdicts)}.")
            found.append([bool(verdict) for verdict in verdicts])
        return {"predictions": found}

    def _each(self, predictions: list[list[bool]]) -> dict[str, list[float]]:
        return {
            f"pass_at_{k}": [pass_at_k(len(verdicts), sum(verdicts), k) for verdicts in predictions] for k in self.ks
        }
