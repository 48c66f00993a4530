"""What 03d says in words, held against the arithmetic, the recorded runs and what its cells print."""

from __future__ import annotations

import hashlib
import math
import platform
import random
import re
import statistics

import pytest
import torch
from helpers.pretraining import load_gpt
from helpers.trials import canaries, hidden_words, kept_text
from helpers.trials.scaling_runs import REPEATED

from helpers.exercises.checking import registry
from helpers.files import read_json
from tests.tools.notebook import ROOT

EXERCISES = registry()


def alt(page, name: str) -> str:
    [cell] = [cell for cell in page.code if cell.id == name]
    [told] = [output.metadata["image/png"]["alt"] for output in cell.outputs if "image/png" in output.get("data", {})]
    return told


# The secret ----------------------------------------------------------------------------------------------------------


def test_the_first_model_gives_one_code_for_every_safe(printed, prose):
    lines = re.findall(
        r"^(\w+) +planted +(\d+) times, code (\d{4}): the model writes '(\d{4})", printed["recite"], re.M
    )
    assert [(name, int(count)) for name, count, _, _ in lines] == [
        ("Petra", 20),
        ("Milo", 4),
        ("Wanda", 1),
        ("Yrsa", 0),
    ]
    assert {written for *_, written in lines} == {"4821"} and "the model gives Petra's code for every safe" in prose


def test_the_secrets_are_a_small_part_of_the_text(printed, prose):
    characters, share = re.search(r"--- ([\d,]+) characters, (\d\.\d)% of them", printed["plant"]).groups()
    assert round(int(characters.replace(",", "")), -3) == 39_000 and "39,000 characters" in prose
    one = 20 * len(canaries.Canary("Petra", "4821", 20).text) / int(characters.replace(",", ""))
    assert one < 0.02 and "less than 2 %" in prose and float(share) < 3


def test_without_the_copies_no_code_is_written(printed, prose):
    assert "4821'" not in printed["train-clean"] and "no longer writes her code" in prose


# Exposure ------------------------------------------------------------------------------------------------------------


def test_the_small_examples_of_exposure(prose):
    exposure = EXERCISES["exposure_bits"].reference
    ranked = -torch.arange(10_000.0)  # the code of number r has rank r + 1
    assert f"{math.log2(10_000):.1f} bits" in prose and exposure(ranked, 7) == pytest.approx(10.29, abs=0.01)
    assert exposure(-torch.arange(16.0), 1) == 3 and "rank 2 it is 4 − 1 = 3 bits" in prose
    assert f"log2(20) = {math.log2(20):.1f} bits" in prose


def test_what_the_planted_bug_gives_a_model_that_knows_nothing(prose):
    flat, planted = torch.zeros(10_000), EXERCISES["exposure_bits"].planted
    assert f"code 0003 had {planted(flat, 3):.1f} bits" in prose and planted(flat, 9990) < 0.05
    assert EXERCISES["exposure_bits"].reference(flat, 3) == pytest.approx(1.0, abs=0.001)


def exposures(printed) -> dict[str, tuple[int, float, float]]:
    rows = re.findall(r"^(\w+) +planted +(\d+) times: +(\S+) bits; .*: +(\S+) bits", printed["exposures"], re.M)
    return {name: (int(count), float(first), float(second)) for name, count, first, second in rows}


def test_exposures_of_the_two_models(printed, prose):
    found = exposures(printed)
    assert len(found) == 10 and [count for count, _, _ in found.values()] == [20, 4, 1] + [0] * 7
    assert f"Milo's, with four copies: {found['Milo'][1]:.1f} bits" in prose
    assert round(2 ** (math.log2(10_000) - found["Milo"][1]), -1) == 30 and "about 30 tries" in prose
    assert f"Wanda's code, planted once, has {found['Wanda'][1]:.1f} bits" in prose and found["Wanda"][1] < math.log2(
        20
    )
    assert found["Petra"][1] == 13.3 and f"13.3 bits have become {found['Petra'][2]:.1f}" in prose
    assert found["Petra"][2] > max(second for count, _, second in found.values() if count == 0)


# Membership ----------------------------------------------------------------------------------------------------------


def test_the_example_of_an_auc(prose):
    assert EXERCISES["membership_auc"].reference([1.2, 1.5], [1.4, 1.7]) == 0.75 and "the AUC is 0.75" in prose


# Gaps ----------------------------------------------------------------------------------------------------------------


def test_nobody_can_know_the_owner_of_a_new_ticket(prose):
    assert f"ln 4 = {math.log(len(hidden_words.OWNERS)):.2f} nats" in prose


# The records ---------------------------------------------------------------------------------------------------------

CANARIES = [(run["case"]["steps"], secret) for run in canaries.RECORD.read()["runs"] for secret in run["canaries"]]


def planted(steps: int, count: int) -> list[dict]:
    return [secret for of, secret in CANARIES if (of, secret["planted"]) == (steps, count)]


def test_the_record_holds_the_secrets_that_the_text_speaks_of(prose):
    runs = canaries.RECORD.read()["runs"]
    assert len(CANARIES) == 144 and len(runs) == 6 and "144 of them" in prose
    assert {(steps, count): len(planted(steps, count)) for steps in (220, 660) for count in canaries.COUNTS} == {
        (steps, count): 18 for steps in (220, 660) for count in canaries.COUNTS
    }
    readings = {run["case"]["steps"]: run["epochs"] for run in runs}
    assert 0.9 < readings[220] < 1.1 and 2.7 < readings[660] < 3.1


def test_ten_copies_give_much_away_that_is_never_written(prose):
    ten = [secret["exposure"] for secret in planted(220, 10)]
    middle = statistics.median(ten)
    assert f"the median is {middle:.1f} bits" in prose and not any(secret["written"] for secret in planted(220, 10))
    assert f"about {round(10_000 / 2**middle, -1):.0f} tries" in prose


def above_chance(steps: int, count: int) -> int:
    return sum(secret["exposure"] > math.log2(20) for secret in planted(steps, count))


def test_what_a_single_copy_and_a_hundred_leave(prose):
    assert {above_chance(steps, 0) for steps in (220, 660)} == {1} and "one of 18 lies above 4.3 bits" in prose
    once = f"{above_chance(220, 1)} of 18 are above that line after one reading and {above_chance(660, 1)} of 18"
    assert once in prose
    assert sum(secret["planted"] for secret in canaries.RECORD.read()["runs"][0]["canaries"]) == 666
    assert "stands there 666 times" in prose
    written = sum(secret["written"] for secret in planted(660, 10))
    assert f"the model writes {written} of the 18" in prose
    assert f"{statistics.median(s['exposure'] for s in planted(660, 10)):.1f} bits" == "13.3 bits"
    assert all(secret["written"] and secret["rank"] == 1 for secret in planted(660, 100))


def repeated(case: str, size: str, key: str = "loss") -> dict[int, float]:
    found: dict[int, list[float]] = {}
    for run in REPEATED.read()["runs"]:
        if (run["case"]["case"], run["case"]["size"]) == (case, size):
            found.setdefault(run["case"]["epochs"], []).append(run[key])
    assert all(len(values) == 2 for values in found.values()) and sorted(found) == [1, 2, 4, 8, 16, 32]
    return {epochs: statistics.mean(values) for epochs, values in sorted(found.items())}


# The course's own GPT ------------------------------------------------------------------------------------------------

CARD = " ".join((kept_text.SHIPPED / "README.md").read_text(encoding="utf-8").split())
[TINY] = kept_text.TINY_GPT.read()["runs"]


def test_the_network_against_the_best_table(prose):
    best = min(TINY["n-grams"].values())
    assert f"the network needs {TINY['bits per byte']:.2f} bits per byte and the best table {best:.2f}" in prose


def test_the_card_agrees_with_the_record_and_with_the_file():
    best, order = min((bits, order) for order, bits in TINY["n-grams"].items())
    for said in (
        f"| parameters | {TINY['parameters']:,} |",
        f"{TINY['epochs']} readings of the text",
        f"{TINY['tokens']['train']:,} characters in 563 documents",
        f"{TINY['tokens']['held out']:,} characters in 42 other documents",
        f"| **{TINY['bits per byte']:.3f}** |",
        f"runs of {order} characters), counted on the same text | {best:.3f} |",
        hashlib.sha256((kept_text.SHIPPED / "model.safetensors").read_bytes()).hexdigest(),
    ):
        assert said in CARD, said
    gpt, tokenizer = load_gpt(kept_text.SHIPPED)
    assert sum(p.numel() for p in gpt.parameters()) == TINY["parameters"] and gpt.config.max_len == 128
    assert "PSF License Agreement" in CARD and (kept_text.SHIPPED / "LICENSE.Python.txt").exists()


def test_the_list_of_documents_is_the_split_of_the_training():
    titles = read_json(kept_text.SHIPPED / kept_text.DOCUMENTS)
    assert (len(titles["trained on"]), len(titles["held out"])) == (563, 42)
    assert not set(titles["trained on"]) & set(titles["held out"])
    if platform.python_version() == kept_text.TINY_GPT.read()["python"]:
        inside, outside = kept_text.tiny_gpt_documents()
        assert (len(inside.text), len(outside.text)) == (TINY["tokens"]["train"], TINY["tokens"]["held out"])


def test_repeated_text_on_the_standard_library(prose):
    fresh, small, large = repeated("fresh", "32x2"), repeated("repeated", "32x2"), repeated("repeated", "48x3")
    behind = {epochs: small[epochs] - fresh[epochs] for epochs in small}
    apart = [
        second["loss"] - first["loss"]
        for first, second in (
            [REPEATED.find(case, size="32x2", epochs=4, seed=seed) for case in ("fresh", "repeated")] for seed in (0, 1)
        )
    ]
    said = f"it is {behind[4]:.2f} nats behind ({apart[0]:.2f} and {apart[1]:.2f} with the two seeds), with eight"
    assert f"{said} {behind[8]:.2f}" in prose and behind[2] < 0.05
    assert small[32] > small[16] and min(large, key=large.get) == 8 and "It is at its best with eight" in prose
    trained = repeated("repeated", "32x2", "ended at")
    assert trained[32] < trained[16] - 0.1
    assert large[8] < min(small.values()) and f"the smaller model at {fresh[8]:.2f} nats" in prose
    assert fresh[8] < large[8] and large[1] < small[1] and large[32] > small[32]


def test_what_the_readme_says():
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    middle = statistics.median(secret["exposure"] for secret in planted(220, 10))
    written = sum(secret["written"] for secret in planted(220, 10))
    assert f"gives away {middle:.1f} of its 13.3 bits and writes none of 18 such secrets" in readme and written == 0
    assert all(secret["written"] for secret in planted(660, 100))
    small = repeated("repeated", "32x2")
    assert small[32] > small[16] and "read 32 times is worth less than the same text read 16 times" in readme


# What the cells print ------------------------------------------------------------------------------------------------


def aucs(text: str) -> list[tuple[float, float, float]]:
    return [tuple(map(float, row)) for row in re.findall(r"AUC (\S+) \(95 % CI (\S+)–(\S+)\)", text)]


def test_fair_baselines_and_what_subtracting_one_adds(printed, prose):
    loss, zipped, table, difference = aucs(printed["member-auc"])
    assert zipped[1] < 0.5 < zipped[2] and table[1] < 0.5 < table[2] and "near 0.5, as they have to be" in prose
    assert 0.75 < loss[0] < 0.85 and "An AUC around 0.8" in prose and difference[0] > loss[0] + 0.05


def test_another_kind_of_text_is_told_apart_by_who_read_neither(printed, prose):
    by_model, zipped, by_table = aucs(printed["wrong-control"])
    assert zipped[1] < 0.5 < zipped[2] and "The zipped size does not notice" in prose
    assert by_model[0] > max(auc for auc, _, _ in aucs(printed["member-auc"])) and by_model[0] - by_table[0] < 0.05
    assert "The AUC looks better than any before" in prose and "nearly as well" in prose


def test_reading_tickets_again(page, prose):
    told = alt(page, "read-again-figure")
    best, last = map(
        float, re.search(r"64 read: falls from \S+ to (\S+) at \d+, then rises to (\d+\.\d+)", told).groups()
    )
    assert last > best + 0.5
    rng = random.Random(0)
    drawn = [tuple(ticket) for _ in range(400) for ticket in hidden_words.make_tickets(32, rng)]
    assert f"{len(drawn):,} draws, {len(set(drawn)):,} different tickets, each read about five times" in prose
    assert 4.5 < len(drawn) / len(set(drawn)) < 5.5


def test_most_of_the_encoders_advantage_is_that_it_is_asked_less(page, prose):
    (kept, decoder), (half, asked_less), (less, encoder) = re.findall(
        r"(\d\.\d\d) and (\d\.\d\d) nats", alt(page, "mlm-figure")
    )
    for said in (
        f"owners best, {kept} nats",
        f"with {decoder} nats it is far worse",
        f"has read, {less}, and pays less, {encoder}.",
        f"is at {half} and {asked_less}:",
    ):
        assert said in prose
    assert float(decoder) - float(asked_less) > 2 * (float(asked_less) - float(encoder))


def test_copies_of_the_courses_own_gpt(printed, prose):
    (ours, _), (begun, longest), (people, leaked) = re.findall(r"median (\d+) of 96, largest (\d+)", printed["copies"])
    assert f"The model's longest copies have {ours} of 96 characters in the middle." in prose
    assert f"they have {begun}, and none of these 20 pieces is continued for more than {longest} characters" in prose
    assert f"People's text has {people} in the middle and once {leaked} of 96" in prose
    assert (
        f"| longest copy in 96 characters behind training text, median of 20, largest | {begun}, {longest} | " in CARD
    )


def test_which_numbers_occur_and_hardly_where(printed, prose):
    rows = re.findall(r"median (\d\.\d) bits, largest (\d\.\d)", printed["tiny-numbers"])
    (standing, _), (moved, highest), (absent, _) = rows
    said = (
        f"have {standing} bits in the median, and numbers that do not {absent}. But the number of the *next* place has"
    )
    assert f"{said} {moved}, and one of them {highest}:" in prose


def test_the_three_verdicts(printed, prose):
    reports = [
        {key: float(value) for key, value in re.findall(r"'([\w ]+)': (\d+\.\d+)", line)}
        for line in printed["verdict"].splitlines()
        if "{" in line
    ]
    first, second, ours = reports
    assert first["secrets"] > first["line"] > second["secrets"] and ours["line"] > ours["secrets"]
    assert all(report["controls"] < report["line"] and report["AUC from"] > 0.5 for report in reports)
    assert first["said"] == 1 and second["said"] == ours["said"] == 0
    assert f"{first['line']:.1f} bits for three, {ours['line']:.1f} for twelve" in prose
    assert math.log2(20 * 500) > math.log2(9999) and "from 500 secrets on" in prose
    assert f"with an AUC of {ours['AUC']:.2f} (95 % CI from {ours['AUC from']:.2f})" in prose
    assert f"| {ours['AUC']:.2f}, from {ours['AUC from']:.2f} | " in CARD
    highest = math.floor(10 * ours["secrets"] + 0.5) / 10
    assert f"{highest} bits, is below the line of {ours['line']:.1f}" in prose and f"| {highest} | " in CARD
