"""An A/B test that you may look at whenever you like, and stop when it says so.

    test = SequentialTest(alpha=0.05)
    for new_right, old_right in answers:            # one question at a time, or a batch
        if test.update(new_right, old_right):       # True: stop, they differ
            break
    print(test)                                     # who is ahead, the e-value, the looks taken

    simulate_peeking(0.70, 0.70, discordance=0.15)  # two equal systems: how often does each way of looking reject?
    simulate_peeking(0.70, 0.73, discordance=0.15)  # … and two different ones, with the looks it took

Looking at p after every question and stopping at the first p ≤ 0.05 rejects far more than 5 % of equal pairs: p is
promised for one look. An e-value is promised for all of them. It is the wealth of a gambler who begins with 1 and bets
that the systems differ, in a game that is fair if they do not. Whatever the strategy, the chance that such wealth ever
reaches 20 is at most 1/20 (J. Ville, 1939). The bet here: which one, on every question that exactly one gets right.

What it does not do: find a difference with as few questions as a test of one look planned for exactly that size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaln, xlog1py, xlogy

from helpers.old.stats.significance import mcnemar_limit
from helpers.stats.checks import inside, paired_answers, plain, require_shares, whole_numbers

PRIOR = 1.0  # every share of wins is equally plausible
BLOCK = 4_000_000  # simulated answers held at once


def log_e_value(
    only_a: ArrayLike, only_b: ArrayLike, *, share: ArrayLike = 0.5, prior: float = PRIOR
) -> NDArray | float:
    """Logarithm of the e-value against "A wins `share` of the disagreements".

    only_a, only_b: questions that only A, or only B, got right, whole numbers or arrays of them  →  like them.
    Its alternative is a mixture: A's share of wins is drawn from Beta(prior, prior). A prior of 1 makes all shares
    equally plausible, a larger one those near one half: fewer questions for small differences, more for large ones.
    Any prior is valid if it is fixed beforehand.
    Raises ValueError for counts that are negative or no whole numbers, and a prior that is not positive.

    The mixture's likelihood divided by that of `share`: H. Robbins (1970), A. Ramdas and others (2023).
    """
    wins, losses = whole_numbers(only_a, "only_a"), whole_numbers(only_b, "only_b")
    if (wins < 0).any() or (losses < 0).any():
        raise ValueError("Counts cannot be negative.")
    if not 0 < prior < np.inf:
        raise ValueError(f"prior is a positive number, not {prior}.")
    mixture = betaln(prior + wins, prior + losses) - betaln(prior, prior)
    return plain(mixture - xlogy(wins, share) - xlog1py(losses, -np.asarray(share)))


def e_value_limit(disagreements: ArrayLike, alpha: float = 0.05, *, prior: float = PRIOR) -> NDArray:
    """The most disagreements that the loser may win so that the e-value is at least 1 / alpha; −1 where none will do.

    disagreements: whole numbers (n,)  →  whole numbers (n,): what `mcnemar_limit` is for a single look.
    """
    n, needed = whole_numbers(disagreements, "disagreements"), -np.log(inside(alpha, "alpha", 0.05))
    low, high = np.zeros(n.shape), n // 2  # the e-value falls as the loser wins more: at half it is not enough
    for _ in range(int(n.max(initial=0)).bit_length()):
        middle = (low + high) // 2
        enough = np.asarray(log_e_value(n - middle, middle, prior=prior)) >= needed
        low, high = np.where(enough, middle + 1, low), np.where(enough, high, middle)
    return (low - 1).astype(int)


@dataclass
class SequentialTest:
    """Are two systems equally good? A test of answers to the same questions, valid at every look.

    If they are, the chance that it ever rejects is at most alpha, however often you look and whenever you stop. What it
    asks for: the questions come in an order that does not depend on who is ahead, and alpha and prior are fixed before.
    """

    alpha: float = 0.05
    prior: float = PRIOR
    questions: int = 0
    only_a: int = 0  # questions that only A got right
    only_b: int = 0
    peak: float = 0.0  # the largest logarithm of the e-value so far
    stopped_at: int | None = None  # the question at which it rejected

    def __post_init__(self) -> None:
        inside(self.alpha, "alpha", 0.05)
        log_e_value(0, 0, prior=self.prior)  # refuses an impossible prior

    def update(self, a: ArrayLike, b: ArrayLike) -> bool:
        """Adds answers, looking after each of them; True once the test has rejected.

        a, b: right or wrong, one question (booleans) or a batch of them in their order (n,). Raises ValueError like
        `mcnemar`.
        """
        first, second = paired_answers(np.atleast_1d(np.asarray(a)), np.atleast_1d(np.asarray(b)))
        only_a = self.only_a + np.cumsum(first & ~second)
        only_b = self.only_b + np.cumsum(second & ~first)
        evidence = np.asarray(log_e_value(only_a, only_b, prior=self.prior))
        crossed = evidence >= -np.log(self.alpha)
        if self.stopped_at is None and crossed.any():
            self.stopped_at = self.questions + int(crossed.argmax()) + 1
        self.questions += len(first)
        self.only_a, self.only_b = int(only_a[-1]), int(only_b[-1])
        self.peak = max(self.peak, float(evidence.max()))
        return self.rejected

    @property
    def rejected(self) -> bool:
        return self.stopped_at is not None

    @property
    def e_value(self) -> float:
        """The gambler's wealth now, having begun with 1."""
        with np.errstate(over="ignore"):  # infinite beyond 10³⁰⁸
            return float(np.exp(log_e_value(self.only_a, self.only_b, prior=self.prior)))

    @property
    def p_value(self) -> float:
        """1 / the largest e-value so far: a p-value that stays valid at every look."""
        return float(np.exp(-self.peak))

    def win_share(self) -> tuple[float, float]:
        """Interval for A's share of the disagreements, which holds at all looks together with confidence 1 − alpha.

        It is wider than one for a single look, and unlike that one it may be read at the moment you stop.
        """
        grid = np.linspace(0, 1, 10_001)
        shares = np.sort(np.append(grid, self.only_a / max(1, self.only_a + self.only_b)))
        with np.errstate(divide="ignore"):
            against = np.asarray(log_e_value(self.only_a, self.only_b, share=shares, prior=self.prior))
        kept = shares[against < -np.log(self.alpha)]
        step = grid[1]
        return max(0.0, float(kept[0] - step)), min(1.0, float(kept[-1] + step))

    def __str__(self) -> str:
        ahead = "A" if self.only_a > self.only_b else "B" if self.only_b > self.only_a else "neither"
        state = f"stop: they differ (since question {self.stopped_at})" if self.rejected else "go on"
        counts = f"only A right {self.only_a}, only B right {self.only_b} of {self.questions}"
        return f"{state}; {ahead} ahead; {counts}; e-value {self.e_value:.3g}"


@dataclass(frozen=True)
class Peeking:
    """What three ways of looking found in many simulated A/B tests of the same two systems."""

    experiments: int
    questions: int  # in each experiment
    one_look: float  # share that McNemar's test rejects with all questions answered
    naive: NDArray  # (questions,): share that was rejected at some look so far, stopping at the first p ≤ alpha
    sequential: NDArray  # (questions,): share that the e-value has rejected so far
    stops: NDArray  # (experiments,): the question at which the e-value rejected; 0 where it never did

    def __str__(self) -> str:
        return (
            f"rejected of {self.experiments:,} with {self.questions:,} questions: one look {self.one_look:.1%}, "
            f"naive peeking {self.naive[-1]:.1%}, sequential {self.sequential[-1]:.1%}"
        )


def simulate_peeking(
    first: float,
    second: float,
    *,
    discordance: float,
    questions: int = 1000,
    experiments: int = 2000,
    alpha: float = 0.05,
    prior: float = PRIOR,
    seed: int | np.random.Generator = 0,
) -> Peeking:
    """Simulates A/B tests in which both systems answer the same questions, with a look after every one.

    first, second: true shares of right answers; discordance: share of questions that exactly one gets right. Equal
    shares give the false alarms, different ones the power. Raises ValueError for shares that do not go together (like
    `power_of_shares`), and for no experiments or questions.
    """
    require_shares(first, second, discordance)
    if whole_numbers(questions, "questions") < 1 or whole_numbers(experiments, "experiments") < 1:
        raise ValueError(f"A simulation needs at least one question and experiment, not {questions}, {experiments}.")
    possible = np.arange(questions + 1)
    limits = mcnemar_limit(possible, alpha), e_value_limit(possible, alpha, prior=prior)
    only_a, only_b = (discordance + first - second) / 2, (discordance - first + second) / 2
    rng = np.random.default_rng(seed)

    one_look, stops = np.empty(experiments, dtype=bool), np.empty((2, experiments), dtype=int)
    rows = max(1, BLOCK // questions)
    for start in range(0, experiments, rows):
        block = slice(start, min(start + rows, experiments))
        luck = rng.random((block.stop - start, questions), dtype=np.float32)
        wins = np.cumsum(luck < only_a, axis=1, dtype=np.int32)
        losses = np.cumsum(luck > 1 - only_b, axis=1, dtype=np.int32)
        for rule, limit in enumerate(limits):
            rejects = np.minimum(wins, losses) <= limit[wins + losses]  # (experiments, looks)
            stops[rule, block] = np.where(rejects.any(axis=1), rejects.argmax(axis=1) + 1, 0)
            if rule == 0:
                one_look[block] = rejects[:, -1]

    naive, sequential = (np.bincount(stop, minlength=questions + 1)[1:].cumsum() / experiments for stop in stops)
    return Peeking(experiments, questions, float(one_look.mean()), naive, sequential, stops[1])
