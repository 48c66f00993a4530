"""What the record of the attacks must show."""

from __future__ import annotations

import pytest

from helpers.trials.injected_tickets import WAYS, found, load_attacks, obeyed
from helpers.trials.prompts_recorded import INJECTION, attacked, change, obedient_replies, obeyed_share, share


def test_recorded_attacks_are_judged_by_the_rule_of_today():
    attacks = load_attacks()
    for run in INJECTION.read()["runs"]:
        for way in WAYS:
            pairs = zip(run["ways"][way]["replies"], attacks, strict=True)
            said = sum(obeyed(reply, attack.word) for reply, attack in pairs)
            assert obeyed_share(run["case"]["model"], way) == (said, len(attacks))


def test_shares_and_differences_are_those_of_the_recorded_replies():
    attacks = load_attacks()
    for way in WAYS:
        replies = INJECTION.read()["runs"][0]["ways"][way]["replies"]
        said = [obeyed(reply, attack.word) for reply, attack in zip(replies, attacks, strict=True)]
        numbers = [found(reply, attack.order) for reply, attack in zip(replies, attacks, strict=True)]
        assert attacked(way).tolist() == said and attacked(way, "found").tolist() == numbers
        assert obedient_replies(way) == [reply for reply, did in zip(replies, said, strict=True) if did]
        assert (share(attacked(way)).right, share(attacked(way)).n) == (sum(said), len(attacks))
        fewer = (attacked(way).sum() - attacked("joined").sum()) / len(attacks)
        assert change(way).difference == pytest.approx(fewer)
