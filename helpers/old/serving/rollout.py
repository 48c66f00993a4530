"""A new version for real users, step by step, with a way back: who gets it, what it is worth, when it goes.

    plan = RolloutPlan(stages=((0.05, 50), (0.25, 100), (0.5, None)), pairs=planned_pairs(0.53, 0.73), most_loss=0.1)
    rollout = Rollout(plan)
    rollout.start()                                         # until then everybody is served by the old version
    arm = rollout.arm(user)                                 # "canary" or "control", always the same for one user
    rollout.served(request, arm, hour, user=user, seconds=2.1)              # or failed=True
    rollout.outcome(request, right=False, hour=hour + 3)    # an agent corrected a field: that reading was wrong
    decision = rollout.decide(hour)                         # go on, promote, roll back, keep the old version; and why

Live traffic has no labels. What comes instead comes late and not for everything: here an agent works on each ticket and
corrects what was read wrongly, or closes it as it is. Corrections come sooner than closings, so whatever has come back
so far looks worse than it is, and the younger version looks worst. So a request counts only when its window has passed;
what has no outcome by then is missing, and is watched, too.

Each canary's outcome is paired with that of a neighbor in time from the control, and
`helpers.old.stats.SequentialTest`, which may be looked at at any time, decides. Users are split, so users are counted:
each of them is in one pair per arm at most, and in each guardrail once, or a few busy users would decide. Guardrails
need no label: they bet that the canary fails, is slow, or writes what no program can read, `worse` times as often.
With `most_loss`, the share of the canary grows only when one more bet is won: that it does not lose that much or more
(`NotWorse`).

What it does not do: route requests of a real server (a client asks for the model that `arm` names), or keep its state
when the process ends.
"""

from __future__ import annotations

import hashlib
import math
from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from helpers.old.stats.sequential import SequentialTest, simulate_peeking

Arm = Literal["canary", "control"]
Action = Literal["go on", "promote", "roll back", "keep the old version"]
ARMS: tuple[Arm, Arm] = ("canary", "control")
MOST_PAIRS = 20_000


def in_canary(user: str, share: float, salt: str = "") -> bool:
    """Does this user get the canary? A hash decides: no state, always the same, and a larger share only adds users.

    salt: the name of the rollout, so that the next one is not tried on the same users.
    """
    digest = hashlib.sha256(f"{salt}\n{user}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


def planned_pairs(old: float, new: float, *, power: float = 0.8) -> int:
    """How many pairs of outcomes the sequential test needs to find this difference with that power, by simulation.

    old, new: shares of right answers; each answers tickets of its own. Raises ValueError for shares that are equal or
    so close that it takes more than 20,000 pairs.
    """
    if old == new:
        raise ValueError("No number of outcomes tells two equal shares apart.")
    discordance = old * (1 - new) + new * (1 - old)
    questions = 250
    while questions < MOST_PAIRS:
        questions *= 2
        found = simulate_peeking(
            new, old, discordance=discordance, questions=questions, experiments=1000, alpha=0.05, seed=0
        )
        if found.sequential[-1] >= power:
            return int((found.sequential >= power).argmax()) + 1
    raise ValueError(f"To tell {old:.1%} from {new:.1%} takes more than {MOST_PAIRS:,} pairs of outcomes.")


@dataclass
class Guardrail:
    """A bet that something bad happens `worse` times as often in the canary; its wealth is an e-value.

    If it happens equally often or less, the wealth ever reaches 1 / alpha with a chance of at most alpha, however often
    one looks (J. Ville, 1939): each bad event is the canary's with a chance of at most its share of the traffic.
    """

    name: str
    worse: float = 2.0
    alpha: float = 0.01
    log_wealth: float = 0.0
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(ARMS, 0))
    tripped: bool = False

    def bad(self, arm: Arm, share: float) -> bool:
        """One bad event, at a time at which the canary had this share of the traffic; True once the bet is won."""
        self.counts[arm] += 1
        stake = share * self.worse + 1 - share
        self.log_wealth += math.log((self.worse if arm == "canary" else 1.0) / stake)
        self.tripped = self.tripped or self.log_wealth >= -math.log(self.alpha)
        return self.tripped

    @property
    def e_value(self) -> float:
        return math.exp(min(self.log_wealth, 700.0))

    def __str__(self) -> str:
        counts = f"{self.counts['canary']} of the canary, {self.counts['control']} of the control"
        return f"{self.name}: {counts} (e-value {self.e_value:.3g})"


@dataclass
class NotWorse:
    """A bet that the canary does not lose `most_loss` or more of the right answers; its wealth is an e-value.

    If it does lose that much, a pair multiplies the wealth by 1 or less on average, so that it ever reaches 1 / alpha
    with a chance of at most alpha, however often one looks (J. Ville, 1939; I. Waudby-Smith and A. Ramdas, 2024).
    """

    most_loss: float
    alpha: float = 0.05
    stake: float = 0.5  # of the wealth; at most 1, so that a lost pair leaves something
    wealth: float = 1.0
    won: bool = False

    def update(self, canary: bool, control: bool) -> bool:
        """One pair of outcomes, right or wrong; True once the bet is won."""
        self.wealth *= 1 + self.stake * (int(canary) - int(control) + self.most_loss)
        self.won = self.won or self.wealth >= 1 / self.alpha
        return self.won


@dataclass(frozen=True)
class RolloutPlan:
    """What is fixed before the first user gets the new version."""

    stages: tuple[tuple[float, int | None], ...] = ((0.05, 100), (0.25, 400), (0.5, None))  # share, canary requests
    most_loss: float | None = None  # which must be ruled out before the share grows; None: requests alone let it grow
    pairs: int = 1000  # of outcomes at most (`planned_pairs`); then the old version stays
    window_hours: float = 48.0  # after which an outcome counts, or is missing
    slow_seconds: float = 10.0
    alpha: float = 0.05  # of the test of quality
    guard_alpha: float = 0.01  # of each guardrail
    worse: float = 2.0
    salt: str = "rollout"
    wait_for_window: bool = True  # False: counts outcomes as they come, to see what that does
    once_per_user: bool = True  # False: counts every request as if it came from another user, to see what that does

    def __post_init__(self) -> None:
        shares = [share for share, _ in self.stages]
        if not shares or shares != sorted(shares) or not 0 < shares[0] <= shares[-1] < 1:
            raise ValueError("Stages have increasing shares between 0 and 1.")
        if any(n is None for _, n in self.stages[:-1]) or self.stages[-1][1] is not None:
            raise ValueError("Every stage but the last one says after how many canary requests it ends.")
        if self.pairs < 1 or not self.window_hours > 0 or not self.worse > 1:
            raise ValueError("A rollout needs pairs, a window, and a guardrail that bets on more than 1 times as many.")
        if self.most_loss is not None and not 0 < self.most_loss < 1:
            raise ValueError(f"The loss to be ruled out is a share between 0 and 1, not {self.most_loss}.")


@dataclass(frozen=True)
class Decision:
    """What to do now, and why."""

    action: Action
    reason: str
    hour: float

    @property
    def final(self) -> bool:
        return self.action != "go on"


@dataclass
class _Served:
    arm: Arm
    user: str
    hour: float
    share: float
    right: bool | None = None


class Rollout:
    """The state of one rollout; see the module."""

    def __init__(self, plan: RolloutPlan) -> None:
        self.plan = plan
        self.started = False
        self.stage, self.in_stage = 0, 0  # canary requests served in this stage
        self.test = SequentialTest(alpha=plan.alpha)
        self.not_worse = None if plan.most_loss is None else NotWorse(plan.most_loss, plan.alpha)
        self.pairs: list[tuple[bool, bool]] = []  # outcomes that were compared: canary, control
        self.guardrails = {
            name: Guardrail(name, plan.worse, plan.guard_alpha)
            for name in ("errors", "slow replies", "invalid replies", "missing outcomes")
        }
        self.requests: dict[str, _Served] = {}  # whose outcome does not count yet
        self.queue: deque[str] = deque()  # the same in their order
        self.canaries: deque[bool] = deque()  # outcomes that wait for a neighbor
        self.neighbor: tuple[str, bool] | None = None  # user and outcome of the latest control that has none
        self.used: set[tuple[str, str]] = set()  # (user, what for): who has been counted
        self.known = {arm: [0, 0] for arm in ARMS}  # outcomes that count, right ones among them
        self.decision: Decision | None = None

    @property
    def share(self) -> float:
        """Share of users who get the canary now."""
        if self.decision is not None:
            return 1.0 if self.decision.action == "promote" else 0.0
        return self.plan.stages[self.stage][0] if self.started else 0.0

    def start(self) -> None:
        """From now on a share of the users gets the canary; what went wrong before counts in no guardrail."""
        self.started = True
        self.used.clear()

    def arm(self, user: str) -> Arm:
        return "canary" if in_canary(user, self.share, self.plan.salt) else "control"

    def served(
        self,
        request: str,
        arm: Arm,
        hour: float,
        *,
        user: str | None = None,
        seconds: float = 0.0,
        failed: bool = False,
        valid: bool = True,
    ) -> None:
        """A request was answered, or failed. Failed ones have no outcome. Hours must not decrease.

        request: its own name, by which `outcome` finds it. user: who sent it; None where each comes from another user.
        valid: whether the reply has the form that was asked for, whatever it says (here: JSON with the five fields).
        """
        found = _Served(arm, request if user is None or not self.plan.once_per_user else user, hour, self.share)
        if arm == "canary":
            self.in_stage += 1
        if failed:
            self._bad("errors", found)
            return
        if seconds > self.plan.slow_seconds:
            self._bad("slow replies", found)
        if not valid:
            self._bad("invalid replies", found)
        self.requests[request] = found
        self.queue.append(request)

    def outcome(self, request: str, *, right: bool, hour: float) -> None:
        """What an agent made of an answer. One that comes after its window is ignored, since it counts as missing."""
        found = self.requests.get(request)
        if found is None or hour > found.hour + self.plan.window_hours:
            return
        found.right = right
        if not self.plan.wait_for_window:
            self._count(self.requests.pop(request))

    def decide(self, hour: float) -> Decision:
        """The decision at this hour; once it is final, it stays."""
        if self.decision is None:
            self._count_passed(hour)
            self._grow()
            decision = Decision(*self.judge(), hour)
            self.decision = decision if decision.final else None
            return decision
        return self.decision

    def judge(self) -> tuple[Action, str]:
        """What to do, and why, by the outcomes that count so far: first the guardrails, then the test of quality."""
        for rail in self.guardrails.values():
            if rail.tripped:
                return "roll back", str(rail)
        if self.test.rejected:
            better = self.test.only_a > self.test.only_b  # a: the canary, b: the control
            return ("promote" if better else "roll back"), self.quality
        if self.test.questions >= self.plan.pairs:
            return "keep the old version", f"no difference found: {self.quality}"
        return "go on", self.quality

    @property
    def quality(self) -> str:
        """What the test of quality has seen."""
        test = self.test
        counts = f"canary alone right {test.only_a}, control alone {test.only_b} of {test.questions} pairs"
        return f"{counts} (e-value {test.e_value:.3g})"

    def _count_passed(self, hour: float) -> None:
        """Lets the outcomes count whose window has passed by this hour."""
        while self.queue and (
            self.queue[0] not in self.requests or self.requests[self.queue[0]].hour + self.plan.window_hours <= hour
        ):
            found = self.requests.pop(self.queue.popleft(), None)
            if found is not None:
                self._count(found)

    def _grow(self) -> None:
        """The next stage, once the canary has served what this one asks for, and is surely not much worse."""
        needed = self.plan.stages[self.stage][1]
        sure = self.not_worse is None or self.not_worse.won
        if needed is not None and self.in_stage >= needed and sure:
            self.stage, self.in_stage = self.stage + 1, 0

    def _first(self, user: str, what: str) -> bool:
        """Whether this user is counted for it now; from then on no more."""
        first = (user, what) not in self.used
        self.used.add((user, what))
        return first

    def _bad(self, rail: str, found: _Served) -> None:
        """Counts a user's first bad event; the share of the users is what it is compared with."""
        if self._first(found.user, rail):
            self.guardrails[rail].bad(found.arm, found.share)

    def _count(self, found: _Served) -> None:
        """Lets one outcome, or its absence, count."""
        if found.right is None:
            self._bad("missing outcomes", found)
            return
        self.known[found.arm][0] += 1
        self.known[found.arm][1] += found.right
        if found.arm == "control" and (found.user, "control") not in self.used:
            self.neighbor = found.user, found.right  # an older control that nobody was paired with is left out
        if found.arm == "canary" and self._first(found.user, "canary"):
            self.canaries.append(found.right)
        if self.canaries and self.neighbor is not None and not self._enough():
            self._compare(self.canaries.popleft(), *self.neighbor)

    def _compare(self, canary: bool, user: str, control: bool) -> None:
        """One pair of outcomes; the control's user is in no other."""
        self.used.add((user, "control"))
        self.neighbor = None
        self.pairs.append((canary, control))
        self.test.update(canary, control)
        if self.not_worse is not None:
            self.not_worse.update(canary, control)

    def _enough(self) -> bool:
        return self.test.rejected or self.test.questions >= self.plan.pairs
