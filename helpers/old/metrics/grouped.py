"""A share of right answers, where some of them belong together: tickets of one phrasing, reports of one frame.

    score = Score.of([("late parcel", True), ("late parcel", True), ("refund", False)])
    score.right, score.n, score.share          # 2, 3, 0.67
    score.by_family                            # its interval: whole families are drawn, not single tickets

What it does not do: weigh families, or tell two shares apart (`helpers.stats.paired_bootstrap` does).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from helpers.stats.intervals import bootstrap_ratio, wilson


@dataclass(frozen=True)
class Score:
    """How often something was right, family by family: `families` counts those with (right, of) answers.

    {(2, 2): 40, (1, 2): 10, (0, 2): 31}: of 81 families of two tickets, 40 were all right
    """

    families: Mapping[tuple[int, int], int]

    @property
    def right(self) -> int:
        """Answers that were right."""
        return sum(right * count for (right, _), count in self.families.items())

    @property
    def n(self) -> int:
        """Answers in all."""
        return sum(of * count for (_, of), count in self.families.items())

    @property
    def share(self) -> float:
        """right / n."""
        return self.right / self.n

    @property
    def wilson(self) -> tuple[float, float]:
        """95 % interval as if every answer were a draw of its own."""
        return wilson(self.right, self.n)

    @property
    def by_family(self) -> tuple[float, float]:
        """95 % interval that draws whole families: tickets of one phrasing mostly are right or wrong together.

        The wider of the two as a rule, and the one to believe about phrasings that nobody has seen.
        """
        rows = [row for row, count in sorted(self.families.items()) for _ in range(count)]
        if self.right in (0, self.n):  # every resample is the same, which says nothing: Wilson, a draw a family
            return wilson(len(rows) * self.right // self.n, len(rows))
        return bootstrap_ratio([right for right, _ in rows], [of for _, of in rows])

    @classmethod
    def of(cls, results: Iterable[tuple[str, bool]]) -> Score:
        """The score of (family, right or not) of each answer, in any order."""
        right: Counter[str] = Counter()
        n: Counter[str] = Counter()
        for family, is_right in results:
            right[family] += is_right
            n[family] += 1
        return cls(dict(Counter((right[family], n[family]) for family in n)))

    def to_json(self) -> dict[str, int]:
        """{"1/2": 10, …}, from which `from_json` makes the same score."""
        return {f"{right}/{of}": count for (right, of), count in sorted(self.families.items())}

    @classmethod
    def from_json(cls, saved: Mapping[str, int]) -> Score:
        """The score that `to_json` wrote."""
        return cls({tuple(map(int, row.split("/"))): count for row, count in saved.items()})

    def __str__(self) -> str:
        low, high = self.by_family
        return f"{self.right}/{self.n} = {self.share:.0%} ({low:.0%} to {high:.0%})"
