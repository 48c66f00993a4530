"""What 07b_seq2seq says of summaries in words and numbers, held against what was recorded and against the data."""

from __future__ import annotations

import json
import re
from statistics import mean

import pytest

from helpers.assistants import unsupported
from helpers.metrics import rouge1
from helpers.trials.summaries import is_true, judge, lead_1, wholly_true
from helpers.trials.summary_training import BEAMS, RECIPE, REPORTS, held_out, shared_tokenizer
from helpers.velunda import generate_reports, load_report_frames, load_reports
from tests.benchmarks.sweep_seq2seq import CURES, DEV, MORE
from tests.tools.notebook import ROOT

RUNS = json.loads((ROOT / "data" / "results" / "07b_seq2seq.json").read_text(encoding="utf-8"))["runs"]
TEST = [run for run in RUNS if run["case"]["split"] == "test"]
[TAUGHT] = json.loads((ROOT / "data" / "results" / "07b_summaries.json").read_text(encoding="utf-8"))["runs"]


def printed(name: str) -> str:
    """What a cell of the notebook printed, as stored."""
    book = json.loads((ROOT / "notebooks" / "07b_seq2seq.ipynb").read_text(encoding="utf-8"))
    [found] = [cell for cell in book["cells"] if cell["id"] == name]
    return "".join(line for output in found["outputs"] for line in output.get("text", []))


def of(cure: str, way: str, score: str) -> list[float]:
    return [run["scores"][way][score] for run in TEST if run["case"]["cure"] == cure]


def kind(way: str, slot: str, cure: str = "none") -> tuple[int, int]:
    """Over the seeds of a cure: how often right, of how often stated."""
    counts = [run["by_kind"][way].get(slot, [0, 0]) for run in TEST if run["case"]["cure"] == cure]
    return sum(right for right, _ in counts), sum(stated for _, stated in counts)


def test_three_cures_of_three_seeds_each_and_weights_compared_on_dev_alone():
    assert list(CURES) == ["none", "more data", "weight"] and REPORTS == 1500 and MORE == 8 * REPORTS
    for cure in CURES:
        seeds = [run["case"]["seed"] for run in TEST if run["case"]["cure"] == cure]
        assert sorted(seeds) == [1, 2, 3] and RECIPE.seed not in seeds
    weights = {run["case"]["weight"]: run["scores"]["limited"] for run in RUNS if run["case"]["split"] == "dev"}
    assert len(weights) == len(DEV)
    best = max(weights, key=lambda weight: (weights[weight]["true"], weights[weight]["rouge1"]))
    assert CURES["weight"]["weight"] == best == 4
    assert RECIPE.steps == 700 and RECIPE.batch == 16 and BEAMS == 4


def test_the_small_t5_has_as_many_weights_as_is_said_and_the_chat_model_468_times_as_many():
    from helpers.training import small_t5

    n = small_t5(shared_tokenizer(), 0).num_parameters()
    assert n == 287_232 and round(134_515_008 / n) == 468 and len(shared_tokenizer()) == 1400


def test_by_rouge_a_small_t5_is_far_better_than_the_first_sentence_and_it_is_hardly_ever_true():
    lead = mean(rouge1(lead_1(r["text"]), r["summary"]) for r in held_out("test"))
    assert min(of("none", "free", "rouge1")) > lead + 0.1
    assert min(of("none", "free", "fluent")) > 0.9
    assert max(true for cure in CURES for true in of(cure, "free", "true")) <= 0.03
    assert all(not unsupported(lead_1(r["text"]), r["text"]) for r in held_out("test"))


def test_what_has_few_values_is_mostly_right_and_what_has_many_nearly_always_wrong():
    right, stated = kind("free", "owner")
    assert right == 0 and stated > 100
    for slot in ("bike", "shop"):
        right, stated = kind("free", slot)
        assert right / stated > 0.9
    for slot in ("km", "minutes", "n"):
        right, stated = kind("free", slot)
        assert right / stated < 0.25, slot
    held, known = ({r["words"]["owner"] for r in generate_reports(3000, 0, split, words=True) if "owner" in r["words"]}
                   for split in ("test", "train"))  # fmt: skip
    assert not {owner.split()[1] for owner in held} & {owner.split()[1] for owner in known}


def test_freely_the_small_t5_invents_in_nearly_every_summary_and_the_limit_leaves_wrong_roles():
    for cure in CURES:
        assert max(of(cure, "free", "supported")) < 0.05
        assert min(of(cure, "limited", "supported")) > 0.95
        assert max(of(cure, "limited", "true")) < 0.5  # "fewer than half of such summaries" in the quiz
    right, stated = kind("limited", "minutes")
    assert right / stated < 0.75  # a number of the report, in another role


def test_the_frames_of_test_are_unseen_and_summaries_follow_eight_patterns():
    assert len(held_out("test")) == 120
    assert len({r["frame"] for r in load_reports("test")}) == 20
    assert not {r["frame"] for r in load_reports("test")} & {r["frame"] for r in load_reports("train")}
    assert len({frame.summary for frame in load_report_frames()}) == 8


def test_the_lie_of_the_first_section_is_one_and_the_first_reports_are_of_different_frames():
    report = held_out("test")[18]
    lie = report["summary"].replace("30 minutes", "668 minutes")
    assert lie != report["summary"] and not unsupported(lie, report["text"]) and not is_true(lie, report)
    assert rouge1(lie, report["summary"]) > 0.9 and report["words"]["n"] == "668"
    words = report["words"]
    true = (
        f"Because of {words['reason']}, the {words['system']} {words['failure']} for {words['minutes']} minutes "
        f"and {words['n']} {words['who']} were affected."
    )
    assert true in printed("two-summaries") and wholly_true(true, report)  # every slot is right
    assert 0.4 < rouge1(true, report["summary"]) < 0.5
    assert len({r["frame"] for r in held_out("test")[:8]}) == 8


def test_the_taught_chat_model_hardly_invents_without_a_limit():
    greedy = TAUGHT["test"]["greedy"]
    free = [value for cure in CURES for value in of(cure, "free", "supported")]
    assert greedy["supported"] > 0.8 > 0.05 > max(free)
    [row] = TAUGHT["adapter"]["scores"]
    assert row["n"] == 120 and row["right"] / row["n"] == pytest.approx(greedy["true"], abs=1e-3)
    assert row["low"] > max(true for cure in CURES for true in of(cure, "free", "true"))
    size = (ROOT / "data" / "adapters" / "summaries" / "adapter_model.safetensors").stat().st_size
    assert 4.5e6 < size < 5.5e6  # "a file of 5 MB"


def test_older_arguments_and_names_are_gone(tmp_path):
    import datasets
    from transformers import Seq2SeqTrainer, Seq2SeqTrainingArguments
    from transformers.pipelines import SUPPORTED_TASKS

    with pytest.raises(TypeError, match="evaluation_strategy"):
        Seq2SeqTrainingArguments(str(tmp_path), evaluation_strategy="epoch")
    with pytest.raises(TypeError, match="tokenizer"):
        Seq2SeqTrainer(model=None, tokenizer=None)
    assert not hasattr(datasets, "load_metric")
    assert "summarization" not in SUPPORTED_TASKS and "text-generation" in SUPPORTED_TASKS


def test_the_taught_chat_model_is_true_more_often_than_a_limited_t5_and_cannot_be_published_unread():
    [row] = TAUGHT["adapter"]["scores"]
    assert row["low"] > max(true for cure in CURES for true in of(cure, "limited", "true"))
    assert row["right"] / row["n"] > 0.5
    assert f"{row['right'] / row['n']:.0%} {row['low']:.0%} {row['high']:.0%}" == "57% 41% 72%"  # README
    for split in ("dev", "test"):
        published = TAUGHT[split]["published"]
        assert published["true"] / published["n"] < 0.95 and published["n"] > 0.9 * published["of"]


def test_eight_times_the_reports_are_less_than_one_pass_and_the_others_more_than_seven():
    seen = RECIPE.steps * RECIPE.batch
    assert seen == 11_200 and 7 < seen / REPORTS < 8 and seen < MORE == 12_000


def test_of_the_summaries_that_can_be_judged_too_few_are_right_as_well():
    greedy, [row] = TAUGHT["test"]["greedy"], TAUGHT["adapter"]["scores"]
    assert round(greedy["fluent"] * 120) == 85 and row["right"] == 68 and 68 / 85 < 0.95


def test_the_measure_of_the_notebook_does_not_compare_the_group_of_people_nor_the_cause_and_the_strict_one_does():
    report = held_out("test")[0]
    guests = "Because of a wrong clock, the app logged everybody out for 107 minutes and 680 guests were affected."
    assert guests in printed("live") and report["words"]["who"] == "riders"
    attacked = guests.replace("a wrong clock", "a cyberattack")
    assert is_true(guests, report) and is_true(attacked, report)
    assert [slot for slot, right in judge(attacked, report).items() if not right] == ["reason", "who"]
    assert not wholly_true(guests, report) and wholly_true(guests.replace("guests", "riders"), report)


def test_an_invented_first_word_always_passes_the_check():
    titles = [words["owner"].split()[0] for report in held_out("test") if "owner" in (words := report["words"])]
    names = [r["words"][who].split()[0] for r in held_out("test") for who in ("mech", "person") if who in r["words"]]
    firsts = [r["summary"].split()[0] in {*titles, *names} for r in held_out("test")]
    assert f"{sum(firsts)} of 120 references begin" in printed("first-word") and sum(firsts) == 48
    assert "with Pedro there, 48 pass the check" in printed("first-word")
    assert not unsupported("Three hours passed.", "2 hours passed.")  # a number in words


def test_the_tiny_t5_learns_the_form_and_copies_no_city_that_was_kept_out():
    line = r"^(trained on|kept out): (\d+ of 40 as in the pair, \d+) with"
    told = dict(re.findall(line, printed("own-kept-out"), re.MULTILINE))
    right = {name: int(found.split()[0]) for name, found in told.items()}
    assert right["kept out"] == 0 < right["trained on"] <= 30 and told["kept out"].endswith(" 40")
    examples = re.findall(r"→ (.*?) \|", printed("own-kept-out"))
    assert len(examples) == 2 and all(re.fullmatch(r"\d+ parcels for \w+\.", example) for example in examples)
