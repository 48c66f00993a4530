"""What 06c_cost_and_change and README.md may say of budgets, prices and contracts, held against its outputs."""

from __future__ import annotations

import re

from helpers.files import RESULTS, read_json
from helpers.hosted import Tokens, broken, check_all, load_contract, load_prices, price_of, runner
from helpers.trials import desk_job
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


def test_the_bound_on_the_whole_job(printed):
    tokens = re.search(r"at most \$([\d.]+)", printed["worst"])
    assert 0.05 < float(tokens[1]) < 0.50


# Money ---------------------------------------------------------------------------------------------------------------


def test_the_example_of_a_price(prose):
    assert "A prompt of 500 tokens at $2 per million costs $0.0010, and a reply of 50 tokens at $8" in prose
    assert (500 * 2 / 1e6, 50 * 8 / 1e6) == (0.001, 0.0004)
    price = load_prices()["nimbus-1"]
    assert (price.input, price.output) == (2, 8)


def test_models_against_discounts(printed, prose):
    by_model, by_reply, discounts = (
        tuple(map(float, found)) for found in re.findall(r"([\d.]+) to ([\d.]+) times", printed["workloads-factors"])
    )
    assert by_model == (76, 91) and "76 to 91 times as much as the cheapest one" in prose
    assert by_reply == (20, 23) and "the third workload 20 to 23 times as much as the first" in prose
    assert discounts == (2, 4.3) and "save a factor of 2 to 4.3" in prose
    models = "gpt-5-nano gpt-5.6-luna gpt-5.4-mini gpt-5.6-terra gpt-5.6-sol".split()
    steps = []
    for prompt, completion in ((500, 50), (1800, 120), (900, 2500)):
        bills = sorted(price_of(model).cost(Tokens(prompt=prompt, completion=completion)) for model in models)
        steps += [dear / cheap for cheap, dear in zip(bills, bills[1:], strict=False)]
    assert (round(min(steps), 1), round(max(steps), 1)) == (2.5, 3.8) and "by a factor of 2.5 to 3.8" in prose


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
    assert f"cost ${bill[300]:.2f}, more than those of `nimbus-1`" in prose
    assert abs(bill[175] - 10_000 * old.cost(Tokens(prompt=500, completion=50))) < 1e-9  # rounding of binary fractions
    assert "from 175 hidden tokens per call on" in prose


# The contract --------------------------------------------------------------------------------------------------------


def test_what_the_three_systems_hold(printed):
    contract, names = load_contract(), {"tickets-rules": "nimbus-1", "tickets": "nimbus-2"}
    for run in read_json(RESULTS / "06c_contract.json")["runs"]:
        found = check_all(contract, run["replies"])
        must, should = (len(broken(found, level)) for level in ("must", "should"))
        name = names.get(run["case"]["system"], "nimbus-2-mini")
        assert re.search(
            rf"{name} +holds {18 - must} of 18 musts, {12 - should} of 12 shoulds", printed["contract-run"]
        )


def test_what_the_text_says_of_the_changes(printed, prose):
    assert "newly broken: c18 (must" in printed["changes"] and "broken in both: c09 (must" in printed["changes"]
    assert re.findall(r"'(c\d\d)'", printed["guard"]) == ["c17", "c18"]
    assert "26 of 28 without the guard, 27 with it" in printed["guard-fresh"]
    assert printed["guard-fresh"].strip().endswith("adds: 2")
    assert (
        "One more urgent ticket is found (a brake without effect), at the price of two false alarms among the 126"
        in prose
    )
    assert "newly broken: c23 (should" in printed["changes"] and "may you switch as it is? no" in printed["changes"]
    assert printed["changes"].split("repaired: ")[1].splitlines()[0].count("c") == 6
    assert "Six items are repaired, and one must is newly broken" in prose


def test_what_the_readme_says(printed):
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert "go over their budget by a fifth" in readme and "half the price per token costs more per call" in readme
    assert (
        "nimbus-2       holds 15 of 18" in printed["contract-run"] and "holds 15 of 18 promises, three more" in readme
    )
