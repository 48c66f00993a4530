"""What 12_prompting and README.md may say of prompts, held against what was recorded."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest
import torch
from transformers import AutoTokenizer

from helpers.exercises.checking import registry
from helpers.models import fetch
from helpers.prompting import chat_ids, load, load_set
from helpers.trials import desk_prompts as desks
from helpers.trials import prompts_recorded as tested
from helpers.trials import step_scores
from helpers.trials import tickets_recorded as recorded
from helpers.velunda import load_tickets
from tests.benchmarks import sweep_patterns
from tests.tools.notebook import ROOT, course

pmi_choice, choose_on_dev = (registry()[name].reference for name in ("pmi_choice", "choose_on_dev"))
PAGE = course().page("12_prompting")
PROSE = " ".join(PAGE.prose.split())


def of_desk(version: str, split: str) -> dict:
    return desks.RECORD.find("desk", version=version, split=split)


def places(run: dict, taken_off: torch.Tensor) -> list[str]:
    return [desks.INTENTS[place] for place in pmi_choice(torch.tensor(run["scores"]), taken_off)]


@pytest.fixture(scope="module")
def usual() -> torch.Tensor:
    return torch.tensor(of_desk("2.0.0", "dev")["scores"]).mean(0)


def test_every_run_scored_nine_labels_for_each_ticket():
    for run in desks.RECORD.read()["runs"]:
        for scored in run.get("orders", [run]):
            if "scores" in scored:
                labels = len(run["case"].get("desks", desks.INTENTS))
                assert len(scored["scores"]) == len(desks.asked(run["case"]))
                assert {len(row) for row in scored["scores"]} == {labels} == {len(scored["lengths"])}


def test_of_54_free_replies_29_named_no_label():
    [replies] = [run["replies"] for run in desks.ROUTING.read()["runs"] if run["case"]["way"] == "written"]
    unnamed = sum(not re.search("|".join(desks.INTENTS), reply) for reply in replies)
    assert f"In 05, {unnamed} of {len(replies)} free replies" in PROSE


def test_most_answers_change_with_the_list_and_no_rotation_beats_guessing():
    runs = {first: desks.RECORD.find("list", first=first) for first in (0, 3, 6)}
    found = {first: desks.choices(run) for first, run in runs.items()}
    for first, run in runs.items():
        for rule in ("likelihood", "pmi"):
            low, high = desks.score(desks.choices(run, rule), run["case"]).by_family
            assert low < 1 / 9 < high
        if first:
            assert sum(map(str.__ne__, found[0], found[first])) > 72 / 2
        assert sum(n for _, n in Counter(found[first]).most_common(3)) > 0.95 * 72
    assert all(found[first].count(desks.INTENTS[first]) > 0.75 * 72 for first in (0, 3))
    assert "advice" not in found[6]
    assert set(Counter(ticket["label"]["intent"] for ticket in load_tickets("dev")).values()) == {8}


def test_one_nearest_example_is_repeated_and_no_number_of_them_beats_their_vote():
    case = {"split": "dev", "families": True}
    for n in (1, 4, 8, 16):
        run = desks.RECORD.find("shots", chosen="nearest", n=n)
        answers = desks.choices(run, "batch")
        assert desks.score(answers, case).right <= desks.score(run["vote"], case).right
        assert n > 1 or answers == run["vote"]
    none, many = (desks.RECORD.find("shots", chosen="fixed", n=n)["read"] for n in (0, 16))
    assert 14.5 < many / none < 15.5


def test_no_way_of_placing_the_instruction_differs_by_more_than_its_interval():
    case = {"split": "dev", "families": True}
    after = desks.RECORD.find("scored", way="after")
    first = desks.one_each(desks.choices(after, "batch"), after["case"])
    for way in ("before", "system", "persona"):
        gain = desks.gain(desks.choices(desks.RECORD.find("scored", way=way), "batch"), first, case)
        assert gain.low < 0 < gain.high


def test_each_correction_beats_the_likelihood_and_the_mean_over_tickets_is_the_best_of_them():
    run = desks.continued("wants")
    found = {rule: desks.choices(run, rule) for rule in desks.RULES}
    right = {rule: desks.score(answer, run["case"]).right for rule, answer in found.items()}
    for rule in ("pmi", "calibrated", "batch"):
        assert desks.gain(found[rule], found["likelihood"], run["case"]).low > 0
    assert right["batch"] == max(right.values()) and max(right["likelihood"], right["normalized"]) < 0.25 * 72
    added = desks.score(desks.added([desks.continued(way) for way in desks.CONTINUED]), run["case"])
    assert added.right > max(
        desks.score(desks.choices(desks.continued(w), "batch"), run["case"]).right for w in desks.CONTINUED
    )


def test_tf_idf_is_far_ahead_of_all_that_needs_no_label():
    run = desks.continued("wants")
    cheap = recorded.scores(recorded.cheap(), "dev")["intent"]
    assert cheap.by_family[0] > desks.score(desks.choices(run, "batch"), run["case"]).share
    test = recorded.scores(recorded.cheap(), "test")["intent"]
    assert f"is right for {100 * test.share:.0f} % of the test tickets" in PROSE


def test_the_usual_scores_of_the_template_are_those_of_the_dev_tickets(usual):
    stored = load("desk", "2.0.0").answer
    assert list(stored["labels"]) == list(stored["usual"]) == desks.INTENTS
    assert [stored["usual"][desk] for desk in desks.INTENTS] == pytest.approx(usual.tolist(), abs=0.006)
    assert list(stored["labels"].values()) == desks.WANTS


def test_the_desks_prompt_was_chosen_on_dev_and_beats_the_draft_on_test_by_more_than_its_interval(usual):
    marks: dict[str, dict] = {"dev": {}, "test": {}}
    for split, table in marks.items():
        table["draft"] = desks.marks(desks.choices(of_desk("1.0.0", split)), of_desk("1.0.0", split)["case"])
        for name, off in {"likelihood": torch.zeros(9), "usual": usual}.items():
            table[name] = desks.marks(places(of_desk("2.0.0", split), off), of_desk("2.0.0", split)["case"])
    name, gain = choose_on_dev(marks["dev"], marks["test"], "draft")
    case = of_desk("2.0.0", "test")["case"]
    found = desks.gain(places(of_desk("2.0.0", "test"), usual), desks.choices(of_desk("1.0.0", "test")), case)
    assert name == "usual" and found.low > 0 and gain == pytest.approx(found.difference)
    ours, draft = (100 * sum(marks["test"][n]) / len(marks["test"][n]) for n in (name, "draft"))
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    low, high = (f"{100 * end:.0f}" for end in desks.score(places(of_desk("2.0.0", "test"), usual), case).by_family)
    assert f"sends {ours:.0f} % of 81 unseen phrasings to the right desk" in PROSE
    assert f"the first draft sends {draft:.0f} %" in PROSE
    assert f"{ours:.0f} % (95 % CI {low}–{high}, recorded)" in readme


def test_adding_three_ways_of_asking_is_not_shown_to_help_and_batch_is_ahead_of_pmi():
    run = desks.continued("wants")
    batch = desks.choices(run, "batch")
    added = desks.gain(desks.added([desks.continued(way) for way in desks.CONTINUED]), batch, run["case"])
    assert added.low < 0 < added.difference
    assert desks.gain(batch, desks.choices(run, "pmi"), run["case"]).low > 0
    assert "a gain is not shown" in PROSE


def test_neither_pmi_nor_the_batch_rule_lifts_the_list_clear_of_guessing():
    run = desks.RECORD.find("list", first=0)
    for rule in ("pmi", "batch"):
        assert desks.score(desks.choices(run, rule), run["case"]).by_family[0] < 1 / 9
    wants = desks.choices(desks.continued("wants"), "batch")
    assert desks.gain(wants, desks.choices(run, "batch"), run["case"]).low > 0
    assert 0.2 < desks.score(desks.choices(run, "calibrated"), run["case"]).share < 0.25


def test_dev_and_test_hold_each_desk_equally_often():
    for case in (desks.continued("wants")["case"], of_desk("2.0.0", "dev")["case"], of_desk("2.0.0", "test")["case"]):
        assert len(set(Counter(ticket["label"]["intent"] for ticket in desks.asked(case)).values())) == 1


def test_the_six_orders_that_end_with_repair_are_the_six_worst_and_rise_most():
    found = desks.RECORD.find("orders")
    case, by_end = found["case"], {}
    for order in found["orders"]:
        answers = [desks.choices(order | {"case": case}, rule) for rule in ("likelihood", "batch")]
        row = (*(sum(desks.marks(answer, case)) for answer in answers), Counter(answers[0])["repair"])
        by_end.setdefault(case["desks"][order["order"][-1]], []).append(row)
    repair, others = by_end.pop("repair"), [row for rows in by_end.values() for row in rows]
    assert {before for before, _, _ in repair} == {4} and min(before for before, *_ in others) > 4
    assert {after for _, after, _ in repair} == {9, 10, 11} and all(said >= 15 for *_, said in repair)
    best = sorted(others)[-4:]
    assert sorted(after - before for before, after, _ in best) == [-2, -1, -1, 1]


def test_below_two_nats_the_distance_to_the_second_desk_separates_nothing(usual):
    run = of_desk("2.0.0", "test")
    right = desks.marks(places(run, usual), run["case"])
    best = (torch.tensor(run["scores"]) - usual).topk(2).values
    ahead = (best[:, 0] - best[:, 1]).tolist()

    def share(low: float, high: float) -> float:
        inside = [mark for mark, nats in zip(right, ahead, strict=True) if low <= nats < high]
        return sum(inside) / len(inside)

    assert share(1, 2) <= share(0, 1) and sum(nats < 1 for nats in ahead) > 81 / 2
    said = f"less than one nat ahead, {100 * share(0, 1):.0f} % are right, and of those one to two nats ahead, "
    assert f"{said}{100 * share(1, 2):.0f} % as well" in PROSE


def test_the_chat_template_writes_a_system_turn_where_none_is_given():
    tokenizer = AutoTokenizer.from_pretrained(fetch("chat"))
    text = tokenizer.decode(chat_ids(tokenizer, "Hi"))
    assert text.startswith("<|im_start|>system\nYou are a helpful AI assistant named SmolLM")
    persona = chat_ids(tokenizer, [{"role": "system", "content": desks.PERSONA}, {"role": "user", "content": "Hi"}])
    assert len(persona) < len(chat_ids(tokenizer, "Hi"))


def test_no_gain_from_step_by_step_is_shown():
    record = json.loads((ROOT / "data/results/12_steps.json").read_text(encoding="utf-8"))
    direct, stepped = (step_scores.run_of(record, "base", how=how) for how in ("direct", "step by step"))
    assert all(step_scores.gain(stepped, direct, steps).low <= 0 for steps in (1, 2, 3, 4))


def test_of_eight_billing_tickets_the_batch_rule_loses_most_when_its_mean_is_about_billing():
    run = desks.continued("wants")
    every = torch.tensor(run["scores"])
    billing = every[[ticket["label"]["intent"] == "billing" for ticket in desks.asked(run["case"])]]
    half = torch.cat([every, billing.repeat(7, 1)])
    assert (len(every) - len(billing)) == 8 * len(billing) and len(half) == 2 * 8 * len(billing)
    means = (every.mean(0), half.mean(0), billing.mean(0))
    right = [pmi_choice(billing, mean).count(desks.INTENTS.index("billing")) for mean in means]
    assert len(billing) == right[0] and right == [8, 4, 2]
    said = f"gets all {right[0]} right with the mean over dev, {right[1]} if half of the messages in the mean"
    assert f"Of its eight tickets about billing, the rule {said} are about billing, and {right[2]} if all are" in PROSE


def test_all_second_versions_beat_an_empty_instruction_and_of_the_drafts_that_for_order_numbers_alone():
    sets = ("classification", "extraction", "customer_support", "question_answering")
    second = {name: tested.gain(name, "2.0.0") for name in sets}
    assert all(gain.low > 0 for gain in second.values())
    assert [name for name in sets if tested.gain(name, "1.0.0").low > 0] == ["extraction"]
    least, most = (100 * end(gain.difference for gain in second.values()) for end in (min, max))
    assert f"The second versions gain {least:.0f} to {most:.0f} points" in PROSE
    assert {len(tested.verdicts(name, prompt)) for name in sets for prompt in tested.VERSIONS} == {60}
    assert tested.verdicts("classification", "bare").sum() == 0
    assert {len(item.given["facts"]) for item in load_set("customer_support", "test")} == {10}
    assert {len(item.given["sources"]) for item in load_set("question_answering", "test")} == {3}


def test_in_the_second_ticket_that_is_shown_the_number_of_an_example_is_copied():
    shown, template = tested.replies("extraction", 4), load("extraction", "2.0.0")
    assert shown["2.0.0"] in {example["reply"] for example in template.examples}
    assert shown["2.0.0"].removeprefix("VE-") not in shown["asked"]
    how = {name: load(name, "2.0.0").answer for name in ("customer_support", "question_answering", "classification")}
    assert {answer["how"] for answer in how.values()} == {"scored"} and len(how["classification"]["labels"]) == 9
    assert len(template.examples) == 3 and template.answer["begins"] == "VE-"


def test_what_the_optimizer_gains_on_dev_is_not_shown_on_test():
    dev, test = zip(*(tested.optimized(rule) for rule in ("greater", "interval")), strict=True)
    assert all(gain.low > 0 for gain in dev) and all(gain.low < 0 < gain.high for gain in test)
    assert [f"{100 * gain.difference:.0f}" for gain in test] == ["3", "3"]
    climbed = [f"{100 * gain.difference:.0f}" for gain in dev]
    assert f"climbs by {climbed[0]} points with one rule and by {climbed[1]} with the other" in PROSE
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert f"a prompt optimizer's gain of {climbed[0]} points on dev messages is not shown on new ones" in readme
    kept = {rule: [edit for edit, _, kept in tested.tried(rule) if kept] for rule in ("greater", "interval")}
    assert [len(edits) for edits in kept.values()] == [2, 1]
    charms = {"an expert", "a deep breath", "much depends on it", "a tip", "please"}
    assert not charms & {edit for edits in kept.values() for edit in edits}
    assert len(tested.tried("interval")) == 11 and 0.22 < 1 - 0.975**11 < 0.28


def test_neither_delimiters_nor_a_warning_are_shown_to_protect():
    obeyed = [int(tested.attacked(way).sum()) for way in ("joined", "delimited", "warned")]
    assert obeyed == [8, 7, 5] and len(tested.attacked("joined")) == 30
    assert int(tested.attacked("joined", "found").sum()) == 9
    assert all(tested.change(way).low < 0 < tested.change(way).high for way in ("delimited", "warned"))
    replies = [reply for way in ("joined", "delimited", "warned") for reply in tested.obedient_replies(way)]
    assert len(replies) == sum(obeyed) and not any(re.search(r"VE-\d{5}", reply) for reply in replies)


def test_no_test_ticket_was_seen_before_the_last_section():
    cases = [case for case in sweep_patterns.CASES if case.get("split") == "test"]
    assert {case["case"] for case in cases} == {"desk"}
