"""What 07_sft and README.md may say of fine-tuning, held against what was recorded."""

from __future__ import annotations

import ast
import inspect
import math
import re
import statistics
from collections import Counter
from dataclasses import fields

import pytest
import torch
from helpers.memory import ARCHITECTURES
from helpers.training import MARKED_TEMPLATE, quiet
from helpers.trials import ticket_training
from helpers.trials import tickets_recorded as recorded
from helpers.trials.ticket_training import LABELS
from helpers.trials.tickets_recorded import find, scores
from helpers.velunda.tickets import MORE
from transformers import LlamaConfig, LlamaForCausalLM

from helpers.exercises.checking import registry
from helpers.metrics import Score
from helpers.models import fetch
from helpers.velunda import FIELDS, load_frames, load_tickets
from tests.benchmarks import sweep_sft, sweep_sft_minute, sweep_ticket_baseline, sweep_tickets
from tests.tools.notebook import ROOT, course

cheapest_threshold = registry()["cheapest_threshold"].reference
SPLITS = ("dev", "test", "fresh")
SYSTEMS = {"TF-IDF": recorded.cheap(), "vectors": recorded.cheap("vectors"), "adapter": recorded.adapter()}


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


def test_the_adapter_beats_both_classifiers_on_both_tests_family_by_family():
    for split in ("test", "fresh"):
        for features in ("characters", "vectors"):
            assert recorded.gain(split, features).low > 0


def test_the_constant_says_the_commonest_labels_of_train_and_has_two_thirds_of_the_fields():
    for field, value in {"intent": "repair", "urgency": "normal", "sentiment": "neutral"}.items():
        trained = Counter(t["label"][field] for split in ("train", MORE) for t in load_tickets(split))
        assert trained.most_common(1)[0][0] == value
        for split in SPLITS:
            right = "".join(str(int(ticket["label"][field] == value)) for ticket in load_tickets(split))
            assert recorded.cheap("constant")[split]["right"][field] == right
    for split in SPLITS:
        assert 0.64 < recorded.mean_share(recorded.cheap("constant"), split) < 0.7
    assert scores(recorded.cheap("constant"))["exact"].share < 0.05


def test_the_strength_of_the_vectors_was_chosen_on_dev():
    run = recorded.cheap("vectors")
    assert set(run["tried"]) == {str(strength) for strength in sweep_ticket_baseline.STRENGTHS}
    assert run["tried"][str(run["strength"])] == max(run["tried"].values()) == sum(recorded.all_right(run, "dev"))


def test_a_prompt_within_a_form_is_no_better_than_the_constant():
    floor = recorded.mean_share(recorded.cheap("constant"))
    assert recorded.mean_share(find("form", shots=0)) < floor
    assert abs(recorded.mean_share(find("form", shots=6)) - floor) < 0.03


def test_the_instruction_alone_gives_no_object_and_examples_hardly_a_whole_ticket():
    readings = [find("zero-shot")[split]["reading"] for split in ("dev", "test")]
    assert sum(reading["replies"] for reading in readings) == 234
    assert all(reading["without an object"] == reading["replies"] for reading in readings)
    for run in (find("form", shots=0), find("form", shots=6), find("few-shot")):
        assert scores(run)["exact"].share < 0.05 < scores(recorded.cheap())["exact"].share


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


def test_the_recorded_minute_was_scored_on_all_tickets_and_stays_below_the_floor():
    minute, floor = recorded.minute(), recorded.cheap("constant")
    assert len(minute["losses"]) == 40 == sweep_sft_minute.LIVE["steps"] and sweep_sft_minute.LIVE["batch"] == 2
    for split in ("dev", "test"):
        assert scores(minute, split)["exact"].n == len(load_tickets(split))
        assert recorded.mean_share(minute, split) < recorded.mean_share(floor, split)


def test_more_rows_at_as_many_steps_bring_the_fields_up_to_the_floor_and_no_further():
    """ "bring the fields from 54–58 % to 65–68 %, which is where the floor is" """
    shares = {n: [recorded.mean_share(find("tuned", n=n, seed=seed)) for seed in range(3)] for n in (25, 100, 300)}
    for n, (low, high) in {25: (54, 58), 300: (65, 68)}.items():
        assert (round(100 * min(shares[n])), round(100 * max(shares[n]))) == (low, high)
    assert max(shares[25]) < min(shares[100]) and statistics.mean(shares[100]) < statistics.mean(shares[300])
    assert abs(max(shares[300]) - recorded.mean_share(recorded.cheap("constant"))) < 0.01
    assert sweep_sft.SHORT == {"steps": 60, "batch": 4}  # "as many tickets each (60 steps of four)": 240
    for run in (find("main"), recorded.adapter()):
        assert recorded.mean_share(run) > recorded.mean_share(recorded.cheap())
    assert find("main")["frames"] == 648 and find("main")["form"]


def test_the_shipped_adapter_took_about_an_hour_and_its_recipe_is_as_the_text_says():
    run = recorded.adapter()
    assert 60 < run["seconds"] / 60 < 70
    assert ticket_training.RANK == 16 and ticket_training.recipe_of(60).rate == 0.0015  # of the short ones
    assert run["case"] == {"steps": 720, "batch": 8, "rate": 0.002, "rank": 8, "misspelled": 0.4, "seed": 0}


def test_the_classifiers_learned_from_1694_tickets_of_the_adapters_phrasings():
    assert len([*load_tickets("train"), *load_tickets(MORE)]) == 1694


def test_what_was_forgotten():
    found = find("main")["forgetting"]
    assert (sweep_sft.MAIN["steps"], sweep_sft.MAIN["batch"]) == (320, 8)
    assert found["after"]["right"] < found["before"]["right"] / 2
    assert all(reply.startswith("{") for reply in found["after"]["replies"])  # "answered by JSON"
    assert find("main")["tickets"] == 2560
    assert "laptop=16), 2 " in cell("rows").source and 80 == 2.5 * 16 * 2  # "two and a half times as many as yours"


def test_all_weights_would_need_more_than_2_gb():
    assert 16 * ARCHITECTURES["SmolLM2-135M"].n_parameters == pytest.approx(2.15e9, rel=0.01)


def test_padding_is_the_end_of_a_turn_and_the_template_marks_nothing(tokenizer):
    assert tokenizer.pad_token_id == tokenizer.eos_token_id
    assert "generation %}" not in tokenizer.chat_template and "generation %}" in MARKED_TEMPLATE


def test_trl_trains_on_everything_in_conversations_unless_told_otherwise():
    from trl import SFTConfig, SFTTrainer

    defaults = {field.name: field.default for field in fields(SFTConfig)}
    assert defaults["assistant_only_loss"] is False
    assert "max_length" in defaults and "max_seq_length" not in defaults and "dataset_text_field" in defaults
    taken = inspect.signature(SFTTrainer).parameters
    assert not {"dataset_text_field", "max_seq_length", "tokenizer"} & set(taken) and "processing_class" in taken


def test_trl_cuts_the_end_of_a_long_row_and_drops_one_without_a_label(tokenizer, tmp_path):
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    torch.manual_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer), hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1
        )
    )
    rows = [{"prompt": "Say a. " * n, "completion": "b " * 5} for n in (2, 9)]
    with quiet():
        settings = SFTConfig(str(tmp_path), max_length=10, report_to="none", use_cpu=True, bf16=False)
        trainer = SFTTrainer(model, settings, train_dataset=Dataset.from_list(rows), processing_class=tokenizer)
    [kept] = trainer.train_dataset
    assert len(kept["input_ids"]) == 10 and tokenizer.eos_token_id not in kept["labels"][-5:]
    assert kept["labels"][-1] != -100


def test_trl_stops_where_the_template_has_no_marks(tokenizer):
    from trl.chat_template_utils import get_training_chat_template

    with pytest.raises(ValueError, match="generation"):
        get_training_chat_template(tokenizer)


def test_peft_saves_the_adapter_alone():
    import peft

    assert "tokenizer" not in inspect.getsource(peft.PeftModel.save_pretrained)


def test_a_run_of_six_words_tells_families_and_five_words_report_one_innocent_pair():
    def runs(text: str, n: int) -> set[tuple[str, ...]]:
        words = re.findall(r"\w+", text.lower())
        return {tuple(words[k : k + n]) for k in range(len(words) - n + 1)}

    train, dev = load_tickets("train"), load_tickets("dev")
    for n, pairs in {6: 0, 5: 1}.items():
        shared = [
            a & b for b in (runs(t["text"], n) for t in dev) for a in (runs(t["text"], n) for t in train) if a & b
        ]
        assert len(shared) == pairs
    assert shared == [{("with", "the", "name", "of", "the")}]
    found = [(a, b) for i, a in enumerate(dev) for b in dev[i + 1 :] if runs(a["text"], 6) & runs(b["text"], 6)]
    assert len(found) == 34 and all(a["family"] == b["family"] for a, b in found)


def test_all_recorded_losses_rise_in_the_first_steps_of_warm_up():
    for run in [find("tuned", n=100, seed=0), *(find("broken", labels=labels) for labels in LABELS[1:])]:
        assert max(run["losses"][:4]) > run["losses"][0]


def test_a_check_that_compares_with_the_beginning_finds_no_fault_in_a_sound_training():
    diagnose = registry()["diagnose"].reference
    for losses in (find("tuned", n=100, seed=0)["losses"], recorded.adapter()["losses"]):
        assert diagnose(losses, 1.0, 1.0, math.log(49_152)) == "nothing found"


def test_the_last_lines_say_what_was_recorded():
    text = " ".join(cell("ending").source.split())
    tuned, counted = (scores(run, "fresh")["exact"] for run in (recorded.adapter(), recorded.cheap()))
    low, high = (f"{100 * end:.0f}" for end in tuned.by_family)
    assert f"{100 * tuned.share:.0f} % of tickets in phrasings" in text and f"(95 % CI {low}–{high})" in text
    assert f"reaches {100 * counted.share:.0f} %" in text


def minutes(run, split: str, limit: float) -> list[float]:
    marks = zip(recorded.sure(run, split), recorded.all_right(run, split), strict=True)
    return [1.0 if sure < limit else 6.0 * (not right) for sure, right in marks]


def at_devs_limit(run, split: str) -> list[float]:
    dev = recorded.sure(run, "dev"), recorded.all_right(run, "dev")
    return minutes(run, split, cheapest_threshold(*dev, 1.0, 6.0))


def test_what_a_limit_saves_is_as_the_text_says():
    """ "costs more …; half of the tickets pass …, about a third of the minutes …, an eighth or a half" """
    for run in SYSTEMS.values():
        assert statistics.mean(minutes(run, "fresh", 0.0)) > 1
    spent = at_devs_limit(recorded.adapter(), "fresh")
    low, high = recorded.interval(spent, "fresh")
    assert 0.6 < statistics.mean(spent) < 0.72 and 0.45 < low < 0.55 and 0.82 < high < 0.9
    assert 0.45 < 1 - spent.count(1.0) / len(spent) < 0.55
    assert f"{100 * statistics.mean(at_devs_limit(recorded.adapter(), 'dev')):.0f}" == "53"
    assert f"{100 * statistics.mean(spent):.0f}" == "68"


def test_the_formula_for_a_limit_costs_about_the_same_here():
    run = recorded.adapter()
    gap = [a - b for a, b in zip(at_devs_limit(run, "fresh"), minutes(run, "fresh", 5 / 6), strict=True)]
    low, high = recorded.interval(gap, "fresh")
    assert low < 0 < high


def test_half_of_the_fresh_readings_pass_and_six_in_a_hundred_of_them_are_wrong():
    run = recorded.adapter()
    limit = cheapest_threshold(recorded.sure(run, "dev"), recorded.all_right(run, "dev"), 1.0, 6.0)
    marks = zip(recorded.sure(run, "fresh"), recorded.all_right(run, "fresh"), strict=True)
    passed = [right for sure, right in marks if sure >= limit]
    assert round(100 * passed.count(False) / len(passed)) == 6


DANGERS = {"dev": {"rp32"}, "test": {"dp52", "dp59", "rp52", "rp55", "rp59"}, "fresh": {"fx18", "fx33", "fx35", "fx73"}}


def test_high_tickets_without_a_deadline_are_the_dangers():
    """The families that are dangers by the guide, as read by a language model, are those that the pattern leaves."""
    soon = re.compile(pattern("danger", "SOON"), re.IGNORECASE)
    for split, families in DANGERS.items():
        high = [ticket for ticket in load_tickets(split) if ticket["label"]["urgency"] == "high"]
        left = [ticket["family"] for ticket in high if not soon.search(ticket["text"])]
        assert set(left) == families and len(left) == 2 * len(families)


def test_the_rule_misses_more_dangers_than_the_model_and_one_ticket_passes_everything():
    rule = re.compile(pattern("danger", "DANGER"), re.IGNORECASE)
    run, found, passed = recorded.adapter(), {}, []
    limit = cheapest_threshold(recorded.sure(run, "dev"), recorded.all_right(run, "dev"), 1.0, 6.0)
    for split in ("test", "fresh"):
        tickets, sure = load_tickets(split), recorded.sure(run, split)
        high = {i for i, ticket in enumerate(tickets) if ticket["label"]["urgency"] == "high"}
        dangers = {i for i in high if tickets[i]["family"] in DANGERS[split]}
        by_rule = {i for i, ticket in enumerate(tickets) if rule.search(ticket["text"])}
        by_model = {i for i in high if run[split]["right"]["urgency"][i] == "1"}
        found[split] = [len(dangers), *(len(dangers & who) for who in (by_rule, by_model, by_rule | by_model))]
        passed += [tickets[i]["text"] for i in dangers - by_rule - by_model if sure[i] >= limit]
    assert found == {"test": [10, 4, 7, 8], "fresh": [8, 6, 7, 8]}
    assert len(passed) == 1 and passed[0].startswith("breaks dont work!!!")  # "about brakes spelled *breaks*"


def test_reading_what_rule_or_model_stops_costs_a_few_minutes_also_with_wrong_highs_counted():
    """ "that costs a few minutes more": the record does not keep wrong values, so all of them are tried as *high*."""
    rule, run, tickets = (
        re.compile(pattern("danger", "DANGER"), re.IGNORECASE),
        recorded.adapter(),
        load_tickets("fresh"),
    )
    marks, plain = run["fresh"]["right"]["urgency"], at_devs_limit(run, "fresh")
    for wrong_too in (False, True):
        stopped = [
            bool(rule.search(t["text"]))
            or (t["label"]["urgency"] == "high") == (mark == "1")
            and (wrong_too or mark == "1")
            for t, mark in zip(tickets, marks, strict=True)
        ]
        spent = [1.0 if stop else cost for stop, cost in zip(stopped, plain, strict=True)]
        assert 2 < 100 * (statistics.mean(spent) - statistics.mean(plain)) < 6


def cell(name: str):
    [found] = [each for each in course().page("07_sft").nb.cells if each.get("id") == name]
    return found


def pattern(where: str, name: str) -> str:
    """A regular expression as a cell of the notebook writes it."""
    assigned = [node for node in ast.parse(cell(where).source).body if isinstance(node, ast.Assign)]
    [call] = [node.value for node in assigned if getattr(node.targets[0], "id", "") == name]
    return ast.literal_eval(call.args[0])


def test_families_of_a_split_are_of_one_size_so_that_their_mean_is_the_mean():
    for split in SPLITS:
        assert set(Counter(ticket["family"] for ticket in load_tickets(split)).values()) == {2}


def test_the_vectors_see_what_a_letter_is_about_and_hardly_how_urgent_it_is():
    floor, counted, vectors = (scores(recorded.cheap(which)) for which in ("constant", "characters", "vectors"))
    assert vectors["intent"].right >= counted["intent"].right
    assert vectors["urgency"].share < (floor["urgency"].share + counted["urgency"].share) / 2
    assert vectors["exact"].right <= counted["exact"].right  # "the line to beat"


def test_the_limit_of_the_vectors_looks_good_on_dev_and_costs_more_than_reading_everything():
    run, low = recorded.cheap("vectors"), {}
    low["counted"], _ = recorded.interval(at_devs_limit(recorded.cheap(), "fresh"), "fresh")
    low["vectors"], _ = recorded.interval(at_devs_limit(run, "fresh"), "fresh")
    assert low["counted"] < 1 < low["vectors"]
    on_dev = [round(100 * statistics.mean(at_devs_limit(each, "dev"))) for each in (run, recorded.cheap())]
    assert on_dev == [82, 81]


def test_in_the_stored_run_a_minute_of_training_has_fewer_fields_right_than_the_constant():
    printed = cell("yours").outputs[0].text
    right = dict(re.findall(r"^(.+?) +(\d+) of 60 fields right", printed, re.MULTILINE))
    assert int(right["your minute"]) < int(right["constant and rules"]) < int(right["adapter, in a form"])
