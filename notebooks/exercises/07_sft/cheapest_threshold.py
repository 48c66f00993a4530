"""cheapest_threshold: from which confidence on a ticket may pass without a person, given what errors cost."""

import math

import numpy as np
from numpy.random import Generator

MINUTES, DOTS = 6, 2
PROVES = "checks and mistakes are weighed, equals pass together, and checking everything is allowed"


def cheapest_threshold(confidence, right, check, mistake):
    best, least = math.inf, check * len(confidence)
    for threshold in sorted(set(confidence), reverse=True):
        cost = 0.0
        for sure, is_right in zip(confidence, right):
            if sure < threshold:
                cost += check
            elif not is_right:
                cost += mistake
        if cost < least:
            best, least = threshold, cost
    return best


HINTS = """
How many minutes do these tickets cost if a person checks all of them? And if nobody checks any?
Write the cost of one threshold first: a loop over the tickets, each of which is checked, passes right or passes
    wrong. Then try all thresholds and keep the cheapest.
Begin with `math.inf` and its cost, `check * len(confidence)`. Go through the confidences from the highest down,
    compute the cost of each, and take another threshold only if its cost is lower.
"""
SLIPS = """
sure < threshold => sure <= threshold
    a ticket exactly at the threshold passes.
cost += check => cost += check + mistake * (not is_right)
    a person who checks a ticket mends it: it costs `check`, whether it was right or wrong.
```
def cheapest_threshold(confidence, right, check, mistake):
    return 1 - check / mistake
```
    1 − check / mistake is the best limit where confidences are true probabilities. Nobody has tested these: count
    what each limit costs on the tickets in hand.
sorted(set(confidence), reverse=True) => [k / 100 for k in range(100, -1, -1)]
    you try a grid; a limit between two of its points is missed. Try each confidence that occurs.
cost += check => cost += 0
    checks cost minutes, too; you count the errors alone.
sure < threshold => sure >= threshold
    you check the sure tickets and let the doubtful ones pass; below the threshold a person checks.
```
            if sure < threshold:
                cost += check
            elif not is_right:
=>
            cost += check
            if sure >= threshold and not is_right:
```
    a ticket that passes costs no check: `check` is for those below the threshold.
cost < least => cost <= least
    of equal costs, take the highest threshold: it checks more.
best, least = math.inf, check * len(confidence) => best, least = max(confidence), math.inf
    checking everything is a choice, too: math.inf.
elif not is_right => elif is_right
    you charge the right ones that pass; the wrong ones cost.
```
                cost += check
            elif not is_right:
                cost += mistake
=>
                cost += mistake
            elif not is_right:
                cost += check
```
    check and mistake are swapped.
cost < least => cost > least
    you take the dearest threshold; take the cheapest.
```
def cheapest_threshold(confidence, right, check, mistake):
    for threshold in sorted(set(confidence)):
        passed = [is_right for sure, is_right in zip(confidence, right) if sure >= threshold]
        if passed.count(False) * mistake <= check * len(passed):
            return threshold
    return math.inf
```
    you take the first threshold that pays at all; compare the costs of all of them.
return best => return least
    give the threshold, not its cost.
"""


def cases(rng: Generator) -> list[tuple]:
    def drawn(n: int, digits: int = 3) -> tuple[list[float], list[bool]]:
        sure = [round(float(x), digits) for x in rng.uniform(0.2, 1, size=n)]
        return sure, [bool(rng.uniform() < s) for s in sure]

    two = ([0.9, 0.8, 0.7, 0.6], [True, False, True, True])
    return [
        (*two, 1.0, 12.0),
        (*two, 1.0, 2.0),  # three checks or one mistake
        (*two, 1.0, 0.5),
        ([0.9, 0.9, 0.4], [True, False, True], 1.0, 2.0),  # equals pass together
        ([0.5, 0.4], [False, False], 1.0, 8.0),  # nothing may pass
        ([0.5, 0.4, 0.3], [True, True, True], 1.0, 8.0),
        ([0.9, 0.6, 0.3], [True, False, True], 1.0, 2.0),  # 2 checks, or 1 mistake: equal costs
        ([0.3, 0.6, 0.9], [True, False, True], 1.0, 1.5),
        ([0.95, 0.9, 0.85, 0.8, 0.75, 0.2], [False, True, True, True, True, False], 1.0, 3.0),
        ([0.8], [False], 1.0, 1.0),
        (*drawn(30), 1.0, 8.0),
        (*drawn(40, 1), 1.0, 4.0),
        (*drawn(25), 2.0, 3.0),
        (*drawn(25), 0.5, 4.0),
    ]
