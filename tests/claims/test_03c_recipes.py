"""What 03c_recipes says in prose, held against the recipes, the arithmetic and what its cells print."""

from __future__ import annotations

import math
import re
from statistics import mean, stdev

import pytest
import torch
from helpers.pretraining import python_reference
from helpers.trials.recipes import BRANCHES, COURSE, LADDER, LADDER_RECORD, RACE

from helpers.transformer import GPT, GPTConfig

MUON = (3.4445, -4.7750, 2.0315)


def numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"[+-]?\d+\.\d+", text)]


# The texts and the recipes -------------------------------------------------------------------------------------------


def test_nanogpts_recipe_is_as_the_text_says(prose):
    model, recipe = LADDER["nanoGPT's recipe"].make(103, 2000)
    assert (model.config.positions, model.config.norm, model.config.activation) == ("learned", "layer", "gelu")
    assert (recipe.optimizer, recipe.rate, recipe.warmup, recipe.schedule) == ("adamw", 0.001, 100, "cosine")
    assert (recipe.floor, recipe.batch, recipe.length) == (0.1, 12, 64)
    assert COURSE.recipe["rate"] == 0.005 and "near 0.005, the rate that the recipe of 03 has" in prose


def test_how_much_the_runs_of_the_first_section_read(prose):
    assert 100 * 12 * 64 == 76_800 and "76,800 characters" in prose
    train = len(python_reference().train) - 33_000
    assert 76_800 / train == pytest.approx(0.25, abs=0.01) and "about a quarter" in prose


def test_where_guessing_begins(prose):
    assert f"ln 103 = {math.log(103):.2f}" in prose


# One change, several seeds -------------------------------------------------------------------------------------------


def test_the_first_sections_winners_and_losers(printed):
    gain = {line[:20].strip(): numbers(line)[1] for line in printed["trained"].splitlines()}
    best, *others = sorted((gain[name] for name in gain if name != "nanoGPT's recipe"), reverse=True)
    assert best == gain["learning rate × 4"] and 1.8 < best / others[0] < 2.5  # "about twice as much as the next best"
    assert max(gain["RMSNorm"], gain["SwiGLU"]) < 0  # "with them the loss is even a little higher"


def test_three_seeds_agree_for_every_change(printed):
    rows = {line[:20].strip(): (numbers(line), line.split()[-1]) for line in printed["repeated"].splitlines()}
    said = {name: verdict for name, (_, verdict) in rows.items()}
    assert {name for name in said if said[name] == "harm"} == {"RMSNorm", "SwiGLU"} and "unclear" not in said.values()
    order = [rows[name][0] for name in ("learning rate × 4", "Muon", "RoPE")]
    assert all(
        rate > muon > rope > 0 for rate, muon, rope in zip(*order, strict=True)
    )  # "in this order with each seed"
    assert min(rows["RMSNorm"][0]) > -0.02  # "RMSNorm by less than 0.02 nats"


def test_clipping_does_nothing_against_the_jumps_of_adamw(printed):
    rows = {line[:20].strip(): numbers(line[20:]) for line in printed["adamw-control"].splitlines()}
    bare, clipped, low, sgd = (
        rows[name] for name in ("AdamW, 0.3", "AdamW, 0.3, clipped", "AdamW, 0.003", "SGD, 1, clipped")
    )
    assert min(bare[:3] + clipped[:3]) > 10 and max(bare[:3] + clipped[:3]) <= 21  # "between 10 and 21 nats"
    assert all(cut > free - 0.5 for free, cut in zip(bare[:3], clipped[:3], strict=True))  # "no jump clearly smaller"
    assert all(cut > free for free, cut in zip(bare[3:], clipped[3:], strict=True))  # "no end better"
    assert all(one < min(others) for one, *others in zip(low[3:], bare[3:], clipped[3:], sgd[3:], strict=True))


def test_three_seeds_agree_by_chance_one_time_in_four(prose):
    assert 2 * 0.5**3 == 1 / 4 and "2 · (1/2)³ = 1/4" in prose


# Muon ----------------------------------------------------------------------------------------------------------------


def test_the_examples_of_newton_and_schulz():
    a, b, c = MUON
    after = [a * s + b * s**3 + c * s**5 for s in (0.01, 0.5, 1.0)]
    assert after == pytest.approx([0.034, 1.19, 0.70], abs=0.005)
    near = [a * s + b * s**3 + c * s**5 for s in (0.7 + i / 1000 for i in range(501))]
    assert 0.65 < min(near) < max(near) < 1.2  # "between 0.7 and 1.2 stays about there"


def test_most_of_muons_lead_over_one_rate_is_the_second_rate(printed, prose):
    one, two = (numbers(line.split(")")[-1]) for line in printed["muon-verdict"].splitlines())
    assert "one rate, (0.0025, 0.0025)" in printed["muon-verdict"]  # "did best at 0.0025 of three"
    assert "two rates, (0.0025, 0.005)" in printed["muon-verdict"] and printed["muon-verdict"].count("nats, gain") == 2
    assert "ahead by {:.2f} and {:.2f} nats. Against".format(*one) in prose
    assert "ahead by {:.2f} and {:.2f}. So".format(*two) in prose
    assert "with two, {:.2f} and {:.2f} nats were left".format(*two) in prose
    assert 0.6 < 1 - sum(two) / sum(one) < 0.75  # "most of the difference", and "about two thirds" in the quiz
    *adamw, muon = (float(line.split(":")[1]) for line in printed["muon-measured"].splitlines())
    assert len(adamw) == 5 and muon < min(adamw)
    steps = [abs(adamw[i] - adamw[j]) for i, j in ((0, 1), (1, 2), (3, 4), (4, 2))]
    assert f"by {min(steps):.2f} to {max(steps):.2f} nats" in prose
    rung, course = LADDER["batch × 2"], COURSE
    paces = LADDER_RECORD.find("seconds per step")["paces"]
    assert rung.recipe["batch"] == course.recipe["batch"]
    assert f"{1000 * paces['Muon']:.0f} against {1000 * paces['batch × 2']:.0f} ms" in prose
    rates = {BRANCHES[f"{share} the Muon rate"].recipe["muon_rate"] for share in ("half", "twice")}
    assert rates == {0.01, 0.04} and "compared it with 0.01 and 0.04" in prose


# The finder, the spike, the packing ----------------------------------------------------------------------------------


def test_the_finder_and_its_limit(printed):
    lowest, tenth, chosen = numbers(printed["finder-figure"].split("lowest loss")[-1])[:3]
    assert 0.001 < chosen < 0.01 and chosen <= lowest and tenth == pytest.approx(lowest / 10, abs=1e-4)
    assert chosen == pytest.approx(0.005, abs=0.001) and 0.5 < tenth / 0.005 < 2  # "near 0.005", "as it is here"
    short, long = (float(line.split("best:")[1]) for line in printed["grid"].splitlines())
    assert (short, long) == (0.016, 0.001)  # the high rate in the short run, the low one in the long run


def test_the_norm_warns_a_step_ahead(printed):
    steps = [[int(n) for n in re.findall(r"step (\d+)", line)] for line in printed["warnings"].splitlines()]
    assert len(steps) == 4 and all(loss - norm in (1, 2) for norm, loss in steps)  # "one or two steps ahead"


def test_which_cures_hold(printed):
    rows = {line[:10].strip(): line for line in printed["cures"].splitlines() if "largest norm" in line}
    assert ["broken" in rows[name] for name in ("no cure", "clipping", "warm-up", "rate 0.03")] == [1, 0, 1, 0]
    ends = {name: numbers(rows[name])[-1] for name in ("clipping", "rate 0.03")}
    assert ends["clipping"] > ends["rate 0.03"]  # "at a rate at which it learns badly"


def test_rope_needs_no_new_positions_and_learned_ones_do():
    torch.manual_seed(0)
    ids = torch.randint(20, (1, 8))
    for positions, same in (("rope", True), ("learned", False)):
        model = GPT(GPTConfig(20, d_model=32, n_layers=1, n_heads=2, max_len=32, positions=positions)).eval()
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, std=0.5)
        with torch.no_grad():
            read = []
            for start in (0, 9):
                places = torch.arange(start, start + 8)
                x = model.add_positions(model.embedding(ids), places)
                for block in model.blocks:
                    x = block(x, causal=True, rope=model.rope(places))
                read.append(x)
        assert torch.allclose(*read, atol=1e-3) == same


def test_packing_changes_no_loss(printed):
    alone, packed = numbers(printed["packed-equal"].splitlines()[0])[:2]
    assert abs(alone - packed) <= 1e-4
    assert 0.2 < float(re.search(r"across documents (\d+\.\d) nats", printed["packed-equal"])[1]) < 1.5
    assert (
        numbers(printed["packed-equal"].splitlines()[-1])[-1] < alone - 0.1
    )  # "a mean that looks better and is wrong"
    rows = [int(n) for n in re.findall(r"\d+", printed["pack-rows"])]
    assert rows[2] / rows[1] == pytest.approx(3 / 5, abs=0.02)  # "two fifths of the rows" are saved


# The race and the choice ---------------------------------------------------------------------------------------------


def test_the_race_turns_between_a_fifth_and_a_quarter_of_the_time(prose):
    theirs = [RACE.find("nanoGPT", seed=seed)["nats"] for seed in range(5)]
    leads = {
        share: [their - RACE.find("course", share=share, seed=seed)["nats"] for seed, their in enumerate(theirs)]
        for share in (0.2, 0.25, 0.5)
    }
    assert max(leads[0.2]) < 0 < min(leads[0.25])
    paces = RACE.find("seconds per step")
    assert paces["course"] / paces["nanoGPT"] == pytest.approx(2, abs=0.1)  # "about twice as long"
    assert f"is {mean(leads[0.5]):.2f} nats behind the course's recipe with half of it" in prose


def by_seed(name: str) -> list[float]:
    return [LADDER_RECORD.find(name, seed=seed)["nats"] for seed in range(3)]


def gains(name: str, before: str) -> list[float]:
    return [a - b for a, b in zip(by_seed(before), by_seed(name), strict=True)]


def test_the_ladder_and_its_branches(prose):
    rungs = list(LADDER)
    found = {name: gains(name, before) for before, name in zip(rungs, rungs[1:], strict=False)}
    found |= {name: gains(name, rungs[-1]) for name in BRANCHES}
    assert {name for name in rungs[1:] if min(found[name]) <= 0} == {"batch × 2"} and max(found["batch × 2"]) < 0
    by_size = sorted(rungs[1:], key=lambda name: -mean(found[name]))
    assert set(by_size[:2]) == {"learning rate × 4", "RoPE"} and by_size[2] == "SwiGLU"
    assert mean(found["RMSNorm"]) == pytest.approx(0.02, abs=0.005)
    assert mean(found["SwiGLU"]) == pytest.approx(0.12, abs=0.005)
    steps = {name: LADDER_RECORD.find(name, seed=0)["steps"] for name in (*LADDER, *BRANCHES)}
    assert (steps["nanoGPT's recipe"], steps["batch × 2"], steps["SwiGLU"]) == (450, 189, 440)
    assert min(steps, key=lambda name: mean(by_seed(name))) == "half the batch"
    assert max(found["twice the batch"]) < 0 and f"{-mean(found['twice the batch']):.2f}" == "0.36"
    assert -0.03 < mean(found["weight decay 0.1"]) < 0 and mean(found["dropout 0.1"]) < -0.2
    holds_zero = {name for name in found if abs(mean(found[name])) < 4.303 * stdev(found[name]) / 3**0.5}
    assert holds_zero == {"twice the Muon rate", "no clipping"}
    assert steps["linear decay to 0"] * 24 * 64 < 335_628  # "runs that read the text less than once"
    assert len(found) == 15 and "these fifteen verdicts" in prose


def test_the_clock(prose):
    paces = LADDER_RECORD.find("seconds per step")["paces"]
    planned = paces["linear decay to 0"] / paces["half the batch"]
    used = []
    for seed in range(3):
        one, two = (LADDER_RECORD.find(name, seed=seed) for name in ("linear decay to 0", "half the batch"))
        used.append(one["seconds of training"] / one["steps"] / (two["seconds of training"] / two["steps"]))
    off = [ratio / planned - 1 for ratio in used]
    assert f"{100 * off[0]:.0f} % higher" in prose
    assert "{:.0f} % and {:.0f} % lower".format(*(-100 * o for o in off[1:])) in prose
    assert f"{100 * (planned / used[2] - 1):.0f} % more than its rival" in prose
    assert f"the {mean(gains('half the batch', 'linear decay to 0')):.3f} nats" in prose
    theirs = mean(RACE.find("course", share=0.2, seed=seed)["nats"] for seed in range(5))
    ours = mean(RACE.find("course", share=0.25, seed=seed)["nats"] for seed in range(5))
    assert f"a quarter more time was worth {theirs - ours:.3f} nats" in prose


def test_three_changes_gain_as_much_as_the_whole_recipe(printed, prose):
    rows = [line for line in printed["final"].splitlines() if "seed 0:" in line]
    nano, mine, whole = (numbers(row) for row in rows)
    gains = [a - b for a, b in zip(nano, mine, strict=True)]
    assert "in gain {:.2f} and {:.2f} nats. That".format(*gains) in prose
    ahead = [a < b for a, b in zip(mine, whole, strict=True)]
    assert len(set(ahead)) == 2  # "differs between the seeds"
