"""What 07_sft and README.md may say of fine-tuning, held against what was recorded."""

from __future__ import annotations

import math
import re
import statistics
from dataclasses import fields

import pytest

from helpers.exercises.checking import registry
from helpers.memory import ARCHITECTURES
from helpers.metrics import Score
from helpers.models import fetch
from helpers.training import MARKED_TEMPLATE
from helpers.trials import tickets_recorded as recorded
from helpers.trials.ticket_training import LABELS
from helpers.trials.tickets_recorded import find, scores
from helpers.velunda import FIELDS, load_frames, load_tickets
from helpers.velunda.tickets import MORE
from tests.benchmarks import sweep_sft, sweep_tickets
from tests.tools.notebook import ROOT, course

cheapest_threshold = registry()["cheapest_threshold"].reference
SPLITS = ("dev", "test", "fresh")


@pytest.fixture(scope="module")
def tokenizer():
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(fetch("chat"))


def test_every_case_was_scored_on_all_tickets_of_a_split():
    for split in ("dev", "test"):
        tickets = load_tickets(split)
        families = {ticket["family"] for ticket in tickets}
        measured = [run for run in recorded.recorded()["runs"] if split in run]
        assert len(measured) >= len(sweep_sft.CASES) - (len(LABELS) - 1) * (split == "test")
        for run in [*measured, recorded.adapter()]:
            found = scores(run, split)
            assert set(found) == {*FIELDS, "exact"}
            for score in found.values():
                assert score.n == len(tickets) and sum(score.families.values()) == len(families)
            assert found["exact"].right <= min(found[field].right for field in FIELDS)


def test_splits_are_as_large_as_the_text_says():
    sizes = {split: (len(rows), len({t["family"] for t in rows})) for split in SPLITS if (rows := load_tickets(split))}
    assert sizes == {"dev": (72, 36), "test": (162, 81), "fresh": (154, 77)}
    train = load_tickets("train")
    assert (len(train), len({ticket["family"] for ticket in train})) == (1296, 648)


def test_the_shipped_adapter_saw_as_many_tickets_and_phrasings_as_the_text_says():
    [case] = sweep_tickets.CASES
    assert recorded.adapter()["case"] == case
    assert case["steps"] * case["batch"] == 5760 and len([*load_frames("train"), *load_frames(MORE)]) == 847


def test_the_guide_was_read_twice_with_four_disagreements_in_234_sentiments():
    card = (ROOT / "data/README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| (intent|product|order number|urgency|sentiment) \| ([\d.]+) % \|", card, re.MULTILINE))
    assert set(rows.values()) == {"100.0", "98.3"} and rows["sentiment"] == "98.3"
    assert round(100 * 230 / 234, 1) == 98.3 and "The four disagreements were two families" in card


def test_records_of_marks_and_scores_agree_ticket_by_ticket():
    for split in SPLITS:
        ours, theirs = recorded.adapter(), recorded.cheap()
        assert sum(recorded.all_right(ours, split)) == scores(ours, split)["exact"].right
        exact = "".join(str(int(mark)) for mark in recorded.all_right(theirs, split))
        assert exact == ours["baseline"][split]["exact"]  # the sweep of the adapter fitted the same baseline
        assert len(recorded.sure(ours, split)) == len(load_tickets(split)) == len(recorded.sure(theirs, split))


def test_the_adapter_beats_counted_words_on_both_tests_family_by_family():
    for split in ("test", "fresh"):
        assert recorded.gain(split).low > 0


def test_the_instruction_alone_gives_no_object_and_examples_hardly_a_whole_ticket():
    readings = [find("zero-shot")[split]["reading"] for split in ("dev", "test")]
    assert sum(reading["replies"] for reading in readings) == 234
    assert all(reading["without an object"] == reading["replies"] for reading in readings)
    for run in (find("form", shots=0), find("form", shots=6), find("few-shot")):
        assert scores(run)["exact"].share < 0.05 < scores(recorded.cheap())["exact"].share
    inside = scores(find("form", shots=6))
    assert min(inside["product"].share, inside["order_number"].share) > 0.9  # "fields that the rules help with"


def test_the_shots_were_chosen_on_dev_and_cost_several_times_the_reading():
    run = find("few-shot")
    right = {int(n): Score.from_json(found["scores"]["exact"]).right for n, found in run["tried"].items()}
    assert run["shots"] == 6 == min(n for n in right if right[n] == max(right.values()))
    assert run["test"]["reading"]["tokens read"] > 4 * find("zero-shot")["test"]["reading"]["tokens read"]


@pytest.mark.parametrize("labels", LABELS[1:])
def test_the_loss_falls_whatever_the_labels_are(labels):
    losses = find("broken", labels=labels)["losses"]
    assert len(losses) == sweep_sft.SHORT["steps"] == 60
    assert statistics.mean(losses[-10:]) < 0.6 * losses[0]


def test_two_broken_trainings_end_as_low_as_the_sound_one():
    runs = {labels: find("broken", labels=labels) for labels in LABELS[1:]}
    ends = {labels: statistics.mean(run["losses"][-10:]) for labels, run in runs.items()}
    sound = statistics.mean(find("tuned", n=100, seed=0)["losses"][-10:])
    assert {labels for labels, end in ends.items() if end < 1.1 * sound} == {"mask one late", "no stop"}


def test_labels_one_early_begin_above_a_blind_guess_and_the_others_below():
    first = {labels: find("broken", labels=labels)["losses"][0] for labels in LABELS[1:]}
    twice = first.pop("labels one early")
    assert twice > math.log(49_152) > 2 * max(first.values())


def test_symptoms_are_clear_cut():
    """Each recorded fault is far from one half in both shares, so that the check needs no fine limit."""
    for labels in LABELS[1:]:
        reading = find("broken", labels=labels)["dev"]["reading"]
        for what in ("without an end", "without an object"):
            assert not 0.1 < reading[what] / reading["replies"] < 0.9


def test_without_a_mask_nothing_is_lost_that_can_be_shown():
    unmasked, sound = find("broken", labels="no mask"), find("tuned", n=100, seed=0)
    assert abs(recorded.mean_share(unmasked, "dev") - recorded.mean_share(sound, "dev")) < 0.03


def test_the_recorded_minute_was_scored_on_all_of_dev_every_ten_steps():
    minute = recorded.minute()
    assert list(minute["by step"]) == ["10", "20", "30", "40"] and len(minute["losses"]) == 40
    for found in minute["by step"].values():
        assert Score.from_json(found["dev"]["exact"]).n == len(load_tickets("dev"))
        assert 0 <= recorded.share_of(found["dev"]) <= 1


def test_what_was_forgotten():
    found = find("main")["forgetting"]
    assert (sweep_sft.MAIN["steps"], sweep_sft.MAIN["batch"]) == (320, 8)
    assert found["after"]["right"] < found["before"]["right"] / 2
    assert round(found["after"]["perplexity"] / found["before"]["perplexity"], 1) == 1.4  # "by two fifths"
    assert sum(reply.startswith("{") for reply in found["after"]["replies"]) > 5  # "most … are answered by JSON"


def test_all_weights_would_need_more_than_2_gb():
    assert 16 * ARCHITECTURES["SmolLM2-135M"].n_parameters == pytest.approx(2.15e9, rel=0.01)


def test_padding_is_the_end_of_a_turn_and_the_template_marks_nothing(tokenizer):
    assert tokenizer.pad_token_id == tokenizer.eos_token_id
    assert "generation %}" not in tokenizer.chat_template and "generation %}" in MARKED_TEMPLATE


def test_trl_trains_on_everything_in_conversations_unless_told_otherwise():
    from trl import SFTConfig

    defaults = {field.name: field.default for field in fields(SFTConfig)}
    assert defaults["assistant_only_loss"] is False
    assert "max_length" in defaults and "max_seq_length" not in defaults and "dataset_text_field" in defaults


def test_more_tickets_help_less_and_less_where_the_steps_are_fixed():
    curve = recorded.learning_curve()
    assert list(curve) == list(sweep_sft.SIZES)
    few, some, many = (statistics.mean(shares) for shares in curve.values())
    assert few < some < many and many - some < some - few


def test_the_last_lines_say_what_was_recorded():
    text = " ".join(course().page("07_sft").nb.cells[-1].source.split())
    tuned, counted = (scores(run, "fresh")["exact"] for run in (recorded.adapter(), recorded.cheap()))
    low, high = (f"{100 * end:.0f}" for end in tuned.by_family)
    assert f"{100 * tuned.share:.0f} % of tickets in phrasings" in text and f"(95 % CI {low}–{high})" in text
    assert f"reaches {100 * counted.share:.0f} %" in text


def test_what_a_limit_saves_is_as_the_text_says():
    """ "both cost more … TF-IDF saves little … half of the tickets pass … about a third of the minutes" """
    cost = {}
    for name, run in {"words": recorded.cheap(), "adapter": recorded.adapter()}.items():
        dev = recorded.sure(run, "dev"), recorded.all_right(run, "dev")
        limit = cheapest_threshold(*dev, 1.0, 6.0)
        marks = list(zip(recorded.sure(run, "fresh"), recorded.all_right(run, "fresh"), strict=True))
        passed = [right for sure, right in marks if sure >= limit]
        cost[name] = (len(marks) - len(passed) + 6 * passed.count(False)) / len(marks)
        assert 6 * sum(not right for _, right in marks) > len(marks)
        if name == "adapter":
            assert 0.45 < len(passed) / len(marks) < 0.55
    assert 0.85 < cost["words"] < 1 and 0.6 < cost["adapter"] < 0.75
