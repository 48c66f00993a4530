"""What 06c_cost_and_change and README.md may say of budgets, prices and contracts, held against its outputs."""

from __future__ import annotations

import re
from inspect import signature

from helpers.hosted import Tokens, check_reply, load_contract, load_prices, price_of, runner
from helpers.trials import desk_job, desk_repairs

from tests.tools.notebook import ROOT

# Budgets -------------------------------------------------------------------------------------------------------------


def test_a_look_at_what_is_spent_goes_over_the_budget_and_a_reservation_does_not(printed, prose):
    over, below = map(float, re.findall(r"\$([\d.]+) of", printed["reserved"]))
    assert below <= 0.05 < over and 0.05 - below < 0.0020 and "less than one worst case" in prose
    assert 1.19 < over / 0.05 < 1.25 and "A fifth too much." in prose
    assert round((over - 0.0504) / 0.0007) == 15 and "fifteen more calls are out already" in prose


def test_the_runner_stops_below_five_cents(printed, prose):
    billed = float(re.search(r"on the bill: \$([\d.]+)", printed["ledger-run"])[1])
    spent, doubt = map(
        float, re.search(r"\$([\d.]+) spent, at most \$([\d.]+) in doubt", printed["ledger-run"]).groups()
    )
    assert spent < billed <= spent + doubt <= 0.05 and "it was not sent" in printed["ledger-run"]
    assert round(100 * sum(desk_job.FAILURES.values())) == 18 and "fails for 18 % of the requests" in prose


def test_the_bound_on_the_whole_job(printed, prose):
    tokens = re.search(r"at most \$([\d.]+)", printed["worst"])
    assert float(tokens[1]) == 0.41 and "so up to 8 × $0.41" in prose
    assert signature(runner.run_batch).parameters["attempts"].default == 8


# Money ---------------------------------------------------------------------------------------------------------------


def test_the_example_of_a_price(prose):
    assert "A prompt of 500 tokens at $2 per million costs $0.0010, and a reply of 50 tokens at $8" in prose
    assert (500 * 2 / 1e6, 50 * 8 / 1e6) == (0.001, 0.0004)
    price = load_prices()["nimbus-1"]
    assert (price.input, price.output) == (2, 8)


def test_models_against_discounts(printed, prose):
    steps, discounts, ends, replies = (
        tuple(map(float, found)) for found in re.findall(r"([\d.]+) to ([\d.]+) times", printed["workloads-factors"])
    )
    assert steps == (2.5, 3.8) and "One step to a cheaper model saves a factor of 2.5 to 3.8" in prose
    assert discounts == (2, 4.3) and "save 2 (where only the batch applies) to 4.3" in prose
    assert ends == (76, 91) and "by a factor of 76 to 91" in prose
    assert replies == (20, 23) and "The third workload costs 20 to 23 times as much as the first" in prose
    assert (2500 / 50, 900 / 500) == (50, 1.8) and "fifty times as long, and its prompt 1.8 times" in prose


def test_a_model_that_is_switched_off_is_refused(printed, prose):
    assert "'gpt-4' was switched off on 2026-10-23" in printed["refused"] and "gpt-5-nanno" in printed["refused"]
    assert "until 2027-01-15: 48 days" in printed["retired"] and "for seven weeks the old model still answers" in prose


def test_the_model_with_half_the_price_costs_more(printed, prose):
    prices = load_prices()
    old, new = prices["nimbus-1"], prices["nimbus-2"]
    assert (2 * new.input, 2 * new.cached, 2 * new.output) == (old.input, old.cached, old.output)
    assert "`nimbus-2` costs half as much as `nimbus-1`, for each kind of token" in prose
    first, second = map(float, re.findall(r"\$([\d.]+)", printed["reasoning"]))
    assert second > 1.5 * first and "of which 300 hidden" in printed["reasoning"]
    assert "The model with half the price costs more." in prose


def test_hidden_tokens_raise_the_worst_case_and_the_price_of_the_successor(prose):
    old, new = price_of("nimbus-1"), price_of("nimbus-2")
    sizes = [runner.most_tokens(desk_job.request_of(ticket, "nimbus-2")) for ticket in desk_job.desk_tickets().values()]
    low, high = (sum(new.worst(size, room) for size in sizes) / len(sizes) for room in (100, 1000))
    assert f"from ${low:.4f} to ${high:.4f}" in prose
    bill = {hidden: 10_000 * new.cost(Tokens(prompt=500, completion=50 + hidden)) for hidden in (175, 300)}
    assert f"its 10,000 calls cost ${bill[300]:.2f}, more than the $14.00 of `nimbus-1`" in prose
    assert round(10_000 * old.cost(Tokens(prompt=500, completion=50)), 2) == 14
    assert abs(bill[175] - 10_000 * old.cost(Tokens(prompt=500, completion=50))) < 1e-9  # rounding of binary fractions
    assert "from 175 hidden tokens per call on" in prose


# The contract --------------------------------------------------------------------------------------------------------


def test_what_both_systems_keep(printed, prose):
    for model, system, first, all_three, shoulds in (
        ("nimbus-1", "tickets-rules", 12, 11, 8),
        ("nimbus-2", "tickets", 15, 12, 9),
    ):
        line = (
            f"{model}: musts kept in the first wording {first} of 18, in all three {all_three}; shoulds {shoulds} of 12"
        )
        assert line in printed["contract-holds"]
        found = [
            (item.level, [not check_reply(item, reply) for reply in desk_repairs.ask(item.wordings, system).values()])
            for item in load_contract()
        ]
        musts = [good for level, good in found if level == "must"]
        assert (sum(good[0] for good in musts), sum(map(all, musts))) == (first, all_three)
        assert sum(all(good) for level, good in found if level == "should") == shoulds
    assert "three musts more than the old model. In all three wordings the difference is one, 12 against 11" in prose
    assert f"{0.7**3:.2f}" == "0.34" and "in 34 % of trials (0.7³)" in prose


def test_what_the_text_says_of_the_changes(printed, prose):
    broken = re.findall(r"newly broken: (c\d\d) \((must|should)", printed["changes"])
    assert broken == [("c06", "must"), ("c11", "must"), ("c18", "must"), ("c23", "should")]
    assert "Three musts are newly broken" in prose and "may you switch as it is? no" in printed["changes"]
    assert '"intent":"other"' in printed["changes"].split("nimbus-2:")[-1]
    once = [item.id for item in load_contract() if item.level == "must" and _newly_broken(item.ticket, item)]
    assert once == ["c18"] and "would have shown `c18` alone" in prose


def _newly_broken(text, item):
    old, new = (check_reply(item, desk_repairs.ask([text], system)[text]) for system in ("tickets-rules", "tickets"))
    return not old and new


def test_the_repaired_desk_keeps_the_contract_and_not_every_other_wording(printed, prose):
    assert "newly broken: c23 (should)\n" in printed["again"] and "may you switch? yes" in printed["again"]
    assert "musts kept: 16 of 18" in printed["again"]
    assert re.findall(r"advice|other", printed["c18-live"]) == ["other", "advice"]
    kept = re.findall(r"kept by: (.*)", printed["held-back"])
    assert len(kept) == 6 and [
        sum(model in line for line in kept) for model in ("nimbus-1", "nimbus-2", "repaired")
    ] == [4, 3, 3]
    assert all(("nimbus-2" in line) == ("repaired" in line) for line in kept)
    assert (
        "keep none of these six wordings that the model does not keep alone, and the old model keeps one more" in prose
    )


def test_dangers_are_told_from_deadlines(printed, prose):
    said = printed["guard-fresh"] + printed["dangers-found"]
    assert "28 urgent tickets: 20 deadlines, 8 dangers" in said and "guard's words: 4\n" in said
    found = re.findall(r"(\d) of 8 dangers, (\d) false alarms, (\d+) of 154", said)
    assert found == [("7", "5", "82"), ("7", "2", "112"), ("8", "4", "112")]
    assert (
        "the model finds 7, the guard's words alone 4, and both together 8, at the price of two more false alarms"
        in prose
    )
    assert "repaired: a person reads 14 of 154 tickets, of which 0 are dangers" in printed["person"]
    assert round(154 / 14) == 11 and "14 of 154 tickets, one in eleven" in prose


def test_what_the_readme_says():
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert "go over their budget by a fifth" in readme and "half the price per token costs more per call" in readme
    assert "keeps 12 of 18 promises, one more than the old one, and breaks three that the old one kept" in readme
    assert "of six wordings that were held back they keep no more than the model alone" in readme
    assert "in fresh tickets they find the eighth of eight dangers" in readme
