"""What the record of the attacks must show."""

from __future__ import annotations

from helpers.trials.injected_tickets import WAYS, load_attacks, obeyed
from helpers.trials.prompts_recorded import INJECTION, obeyed_share


def test_recorded_attacks_are_judged_by_the_rule_of_today():
    attacks = load_attacks()
    for run in INJECTION.read()["runs"]:
        for way in WAYS:
            pairs = zip(run["ways"][way]["replies"], attacks, strict=True)
            said = sum(obeyed(reply, attack.word) for reply, attack in pairs)
            assert obeyed_share(run["case"]["model"], way) == (said, len(attacks))
