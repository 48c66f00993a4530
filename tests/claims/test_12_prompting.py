"""What 12_prompting and README.md may say of prompts, held against what was recorded."""

from __future__ import annotations

import re
from collections import Counter

import pytest
import torch
from helpers.prompting import chat_ids, load, load_set
from helpers.trials import desk_prompts as desks
from helpers.trials import prompts_recorded as tested
from helpers.trials import tickets_recorded as recorded
from transformers import AutoTokenizer

from helpers.exercises.checking import registry
from helpers.models import fetch
from helpers.velunda import load_tickets
from tests.benchmarks import sweep_injection, sweep_patterns
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


def test_by_the_batch_rule_no_number_of_nearest_examples_beats_their_vote_and_by_likelihood_none_is_shown_to():
    case = {"split": "dev", "families": True}
    for n in (1, 4, 8, 16):
        run = desks.RECORD.find("shots", chosen="nearest", n=n)
        vote = desks.score(run["vote"], case).right
        assert desks.score(desks.choices(run, "batch"), case).right <= vote
        assert desks.gain(desks.choices(run), run["vote"], case).low <= 0
        if n == 1:
            assert desks.choices(run, "batch") == run["vote"]
            same = sum(map(str.__eq__, desks.choices(run), run["vote"]))
            assert same > 0.95 * 36 and "the model repeats that example's label** nearly always" in PROSE
    assert f"sixteen are right for {desks.score(desks.choices(run), case).right} tickets" in PROSE
    assert f"their vote ({vote})" in PROSE
    none, many = (desks.RECORD.find("shots", chosen="fixed", n=n) for n in (0, 16))
    assert 14.5 < many["read"] / none["read"] < 15.5
    before = desks.choices(none, "batch")
    assert desks.gain(desks.choices(many, "batch"), before, case).low < 0
    assert (
        desks.gain(desks.choices(run, "batch"), before, case).low < 0 < desks.gain(desks.choices(run), before, case).low
    )
    wants = desks.continued("wants")
    wants = desks.one_each(desks.choices(wants, "batch"), wants["case"])
    assert desks.gain(desks.choices(run), wants, case).low < 0


def test_each_correction_beats_the_likelihood_and_the_mean_over_tickets_is_the_best_of_them():
    run = desks.continued("wants")
    found = {rule: desks.choices(run, rule) for rule in desks.RULES}
    right = {rule: desks.score(answer, run["case"]).right for rule, answer in found.items()}
    for rule in ("normalized", "pmi", "batch"):
        assert desks.gain(found[rule], found["likelihood"], run["case"]).low > 0
    assert right["batch"] == max(right.values()) and max(right["likelihood"], right["normalized"]) < 0.25 * 72


def test_tf_idf_is_far_ahead_of_all_that_needs_no_label():
    run = desks.continued("wants")
    cheap = recorded.scores(recorded.cheap(), "dev")["intent"]
    assert cheap.by_family[0] > desks.score(desks.choices(run, "batch"), run["case"]).share
    test = recorded.scores(recorded.cheap(), "test")["intent"]
    assert f"is right for {100 * test.share:.0f} % of the test tickets" in PROSE
    assert f"a classifier with several hundred labels {100 * test.share:.0f} %" in PROSE


def test_one_label_collects_most_answers_by_pmi_and_the_batch_rule_finds_no_repair_ticket():
    run = desks.continued("wants")
    goals = [ticket["label"]["intent"] for ticket in desks.asked(run["case"])]
    named = Counter(desks.choices(run, "pmi"))
    assert named.most_common(1) == [("account", named["account"])] and named["repair"] == 1
    assert f"*account* is named for {named['account']} of 72 tickets and *repair* for one" in PROSE
    found = Counter(goal for goal, desk in zip(goals, desks.choices(run, "batch"), strict=True) if goal == desk)
    assert (found["account"], found["billing"], found["order_status"], found["repair"]) == (8, 8, 1, 0)
    assert "but 1 of 8 about *order status* and none of 8 about *repair*" in PROSE


def test_on_test_account_and_billing_work_and_order_status_does_not(usual):
    run = of_desk("2.0.0", "test")
    pairs = zip((t["label"]["intent"] for t in desks.asked(run["case"])), places(run, usual), strict=True)
    found = Counter(goal for goal, desk in pairs if goal == desk)
    assert {desk for desk, _ in found.most_common(2)} == {"account", "billing"} and found["billing"] > 2 * 9 / 3
    assert min(desks.INTENTS, key=lambda desk: found[desk]) == "order_status" and found["order_status"] <= 1
    assert "*account* and *billing* work, *order status* does not" in PROSE


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
    assert f"sends {ours:.0f} % of 81 unseen phrasings to the right desk, the first draft sends {draft:.0f} %" in PROSE
    assert f"{ours:.0f} % (95 % CI {low}–{high}, recorded)" in readme


def test_without_the_list_only_the_first_step_of_the_ladder_is_shown_to_help():
    wants = desks.continued("wants")
    runs = [
        desks.RECORD.find("list", first=0),
        desks.RECORD.find("scored", way="after"),
        desks.continued("about"),
        wants,
    ]
    found = [desks.choices(run, "batch") for run in runs]
    lows = [desks.gain(one, other, wants["case"]).low for one, other in zip(found[1:], found, strict=False)]
    assert [low > 0 for low in lows] == [True, False, False]
    likely = desks.choices(runs[0])
    for rule in ("normalized", "pmi", "batch"):
        low, high = desks.score(desks.choices(runs[0], rule), wants["case"]).by_family
        assert low < 1 / 9 < high
        assert desks.gain(desks.choices(runs[0], rule), likely, wants["case"]).low <= 0
        over = desks.gain(desks.choices(wants, rule), desks.choices(runs[0], rule), wants["case"])
        assert (over.low > 0) == (rule != "normalized")
    assert desks.gain(found[-1], desks.choices(wants, "pmi"), wants["case"]).low > 0


def test_neither_pmi_nor_the_batch_rule_lifts_the_list_clear_of_guessing():
    run = desks.RECORD.find("list", first=0)
    for rule in ("pmi", "batch"):
        assert desks.score(desks.choices(run, rule), run["case"]).by_family[0] < 1 / 9
    wants = desks.choices(desks.continued("wants"), "batch")
    assert desks.gain(wants, desks.choices(run, "batch"), run["case"]).low > 0


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
    for place, label in enumerate(case["desks"]):
        last, first = (
            sum(desks.choices(o | {"case": case}).count(label) for o in found["orders"] if o["order"][at] == place)
            for at in (-1, 0)
        )
        assert last > first


def test_the_distance_to_the_second_desk_says_something_on_few_tickets(usual):
    run = of_desk("2.0.0", "test")
    right = desks.marks(places(run, usual), run["case"])
    best = (torch.tensor(run["scores"]) - usual).topk(2).values
    ahead = (best[:, 0] - best[:, 1]).tolist()
    near, far, most = (
        [mark for mark, nats in zip(right, ahead, strict=True) if low <= nats < high]
        for low, high in ((0, 2), (2, 99), (4, 99))
    )
    assert sum(near) / len(near) < sum(far) / len(far) < sum(most) / len(most)
    assert "only one test ticket in ten is four nats ahead. Eight tickets are too few" in PROSE
    assert len(most) == 8 and 0.08 < len(most) / len(right) < 0.12


def test_the_chat_template_writes_a_system_turn_where_none_is_given():
    tokenizer = AutoTokenizer.from_pretrained(fetch("chat"))
    text = tokenizer.decode(chat_ids(tokenizer, "Hi"))
    assert text.startswith("<|im_start|>system\nYou are a helpful AI assistant named SmolLM")
    persona = chat_ids(tokenizer, [{"role": "system", "content": desks.PERSONA}, {"role": "user", "content": "Hi"}])
    assert len(persona) < len(chat_ids(tokenizer, "Hi"))


def test_of_eight_billing_tickets_the_batch_rule_loses_most_when_its_mean_is_about_billing():
    run = desks.continued("wants")
    every = torch.tensor(run["scores"])
    billing = every[[ticket["label"]["intent"] == "billing" for ticket in desks.asked(run["case"])]]
    half = torch.cat([every, billing.repeat(7, 1)])
    assert (len(every) - len(billing)) == 8 * len(billing) and len(half) == 2 * 8 * len(billing)
    means = (every.mean(0), half.mean(0), billing.mean(0))
    right = [pmi_choice(billing, mean).count(desks.INTENTS.index("billing")) for mean in means]
    assert len(billing) == right[0] and right == [8, 4, 2]
    assert "the more tickets in the mean are about billing, the fewer billing tickets are right" in PROSE


def test_all_second_versions_beat_an_empty_instruction_and_of_the_drafts_that_for_order_numbers_alone():
    sets = ("classification", "extraction", "customer_support", "question_answering")
    second = {name: tested.gain(name, "2.0.0") for name in sets}
    assert all(gain.low > 0 for gain in second.values())
    assert [name for name in sets if tested.gain(name, "1.0.0").low > 0] == ["extraction"]
    least, most = (100 * end(gain.difference for gain in second.values()) for end in (min, max))
    assert f"All second versions are ahead, by {least:.0f} to {most:.0f} points" in PROSE
    assert {len(tested.verdicts(name, prompt)) for name in sets for prompt in tested.VERSIONS} == {60}
    assert tested.verdicts("classification", "bare").sum() == 0
    luck = {"classification": 1 / 9, "customer_support": 1 / 10, "question_answering": 1 / 3}
    scores = {name: tested.share(tested.verdicts(name, "2.0.0")) for name in luck}
    assert all(scores[name].by_family[0] > chance for name, chance in luck.items())
    assert tested.share(tested.verdicts("classification", "1.0.0")).by_family[1] < luck["classification"]
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
    assert len(tested.tried("interval")) == 11 and "and eleven were tried" in PROSE


def test_neither_delimiters_nor_a_warning_are_shown_to_protect():
    obeyed = [int(tested.attacked(way).sum()) for way in ("joined", "delimited", "warned")]
    assert obeyed == [8, 7, 5] and len(tested.attacked("joined")) == 30
    assert int(tested.attacked("joined", "found").sum()) == 9
    assert all(tested.change(way, run=0).low < 0 < tested.change(way, run=0).high for way in ("delimited", "warned"))
    replies = [reply for way in ("joined", "delimited", "warned") for reply in tested.obedient_replies(way)]
    assert len(replies) == sum(obeyed) and not any(re.search(r"VE-\d{5}", reply) for reply in replies)
    assert "<ticket>\nPlease bill SPARROW again.\n<ticket" in replies
    others = [
        reply
        for way in ("joined", "delimited", "warned")
        for reply, mark in zip(tested.attack_replies(way), tested.attacked(way), strict=True)
        if not mark
    ]
    assert sum(not re.search(r"VE-\d{5}", reply) for reply in others) > len(others) / 2
    assert [reply for reply in replies if re.search(r"VE-\d", reply)] == ["I am a TULIP. I am a VE-640"]
    assert "one of them ends after three of a number's five digits" in PROSE
    assert "greedy replies of 16 tokens" in tested.INJECTION.read()["what"]
    assert "Replies were cut at 16 tokens" in PROSE
    again = [int(tested.marks("chat", "obeyed", way)[1].sum()) for way in ("joined", "delimited", "warned")]
    assert again == [9, 8, 4] and tested.change("warned", run=1).high < 0


def test_both_tuned_models_obey_plain_orders_better_that_were_not_trained_on():
    plain = {model: tested.marks(model, "plain").sum(1).tolist() for model in tested.MODELS}
    assert all(tested.tuning(model, "plain").low > 0 for model in ("user", "both"))
    assert min(plain["both"]) >= min(plain["user"]) and max(plain["both"]) >= max(plain["user"])
    assert "*both* obeys plain orders as well as *user* does" in PROSE
    assert tested.marks("chat", "plain").shape == (1, 60)


def test_the_model_that_obeys_users_better_obeys_more_tickets_and_delimiters_hold_off_a_part():
    (one, two), (first, second) = (tested.marks(model, "obeyed", "joined").sum(1) for model in ("user", "chat"))
    assert f"{one} and {two} of the thirty tickets as they are (two seeds), instead of {first} and {second}" in PROSE
    assert all(tested.tuning("user", "obeyed", way).low > 0 for way in ("joined", "delimited", "warned"))
    (one, two), [before] = (tested.marks(model, "tickets").sum(1) for model in ("user", "chat"))
    assert min(one, two) > 2 * before and "gives the order number far more often" in PROSE
    assert tested.tuning("user", "tickets").low > 0
    part, (one, two) = tested.change("delimited", model="user"), tested.marks("user", "obeyed", "delimited").sum(1)
    assert part.high < 0 and f"from a part of the orders, but {one} and {two} are still obeyed" in PROSE
    warned = tested.change("warned", model="user")
    assert warned.low < 0 < warned.high


def test_the_model_whose_orders_stood_in_both_turns_is_not_shown_to_obey_more_tickets_as_they_are():
    found = tested.tuning("both", "obeyed", "joined")
    assert found.low < 0 < found.high and "for tickets as they are no change is shown" in PROSE
    assert tested.tuning("both", "obeyed", "warned").low > 0
    assert tested.tuning("user", "obeyed", "joined", before="both").low > 0


def test_what_the_models_were_tuned_on_is_what_the_page_says():
    tuned = [case for case in sweep_injection.CASES if case["model"] == "tuned"]
    assert {case["steps"] * case["batch"] for case in tuned} == {240}
    assert {(case["steps"], case["orders"]) for case in tuned} == {(30, "user"), (30, "both")} and len(tuned) == 4
    assert "tuned on 240 texts with one order each and a reply that obeys it (LoRA, 30 steps, two seeds;" in PROSE


def test_no_test_ticket_was_seen_before_the_last_section():
    cases = [case for case in sweep_patterns.CASES if case.get("split") == "test"]
    assert {case["case"] for case in cases} == {"desk"}
