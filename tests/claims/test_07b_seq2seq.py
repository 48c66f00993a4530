"""What 07b_seq2seq says of summaries in words and numbers, held against what was recorded and against the data."""

from __future__ import annotations

import json
import re
from collections import Counter
from statistics import mean

import pytest

from helpers.assistants import choose_draft, misplaced, unsupported
from helpers.assistants.reports import CANDIDATES, HEAT, STRICT
from helpers.metrics import rouge1
from helpers.trials.summaries import is_true, judge, lead_1
from helpers.trials.summary_training import BEAMS, RECIPE, REPORTS, held_out, shared_tokenizer
from helpers.velunda import generate_reports, load_report_frames, load_reports, stated
from tests.benchmarks.sweep_seq2seq import CURES, DEV, MORE
from tests.benchmarks.sweep_summaries import preferred
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
    assert true in printed("two-summaries") and is_true(true, report)  # every slot is right
    assert 0.4 < rouge1(true, report["summary"]) < 0.5
    assert len({r["frame"] for r in held_out("test")[:8]}) == 8


def test_the_taught_chat_model_hardly_invents_without_a_limit():
    greedy = TAUGHT["test"]["greedy"]
    published, row = TAUGHT["adapter"]["scores"]
    free = [value for cure in CURES for value in of(cure, "free", "supported")]
    assert greedy["supported"] > 0.8 > 0.05 > max(free)
    assert row["n"] == 120 and row["right"] / row["n"] == pytest.approx(greedy["true"], abs=1e-3)
    assert published["n"] == 120 and published["right"] == TAUGHT["test"]["published"]["true"]
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


def test_checked_candidates_are_true_more_often_than_a_limited_t5_and_cannot_be_published_unread():
    row, greedy = TAUGHT["adapter"]["scores"]
    assert row["low"] > max(true for cure in CURES for true in of(cure, "limited", "true"))
    assert row["right"] > greedy["right"]
    share, low, high = (f"{100 * value:.0f}" for value in (row["right"] / row["n"], row["low"], row["high"]))
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert f"gives {share} % of the reports a wholly true summary (95 % CI {low}–{high}, recorded)" in readme
    assert "with five candidates checked" in readme and CANDIDATES == 5
    for split in ("dev", "test"):
        published = TAUGHT[split]["published"]
        assert published["true"] / published["n"] < 0.95 and published["n"] < published["of"]


def test_minutes_and_costs_go_wrong_most_often_and_parts_symptoms_and_causes_too():
    pairs = [pair for pair in zip(TAUGHT["test"]["written"]["published"], held_out("test"), strict=True) if pair[0]]
    wrong = Counter(slot for pair in pairs for slot, right in judge(*pair).items() if not right)
    assert {slot for slot, _ in wrong.most_common(2)} == {"minutes", "cost"}
    assert wrong["part"] and wrong["symptom"] and wrong["cause"]
    assert "wrong slots: minutes" in printed("needed")


def test_the_evidence_for_the_euros_of_the_shown_draft_speaks_of_kilometers():
    euros, kilometers = printed("evidence").splitlines()[-2:]
    assert euros.endswith("cost 5432 euros.") and "5432" in kilometers and "kilometers" in kilometers


def test_the_summarizer_has_the_settings_that_were_best_on_dev():
    best = max(TAUGHT["choice"], key=preferred)
    assert (CANDIDATES, HEAT, STRICT) == (best["candidates"], best["heat"], best["strict"])
    assert {key: best[key] for key in ("n", "of", "true")} == TAUGHT["dev"]["published"]


@pytest.mark.parametrize("split", ["dev", "test"])
def test_what_is_recorded_as_true_is_true_by_the_judge_and_was_handed_on_by_the_rule(split):
    reports, written = held_out(split), TAUGHT[split]["written"]
    pairs = list(zip(written["greedy"], written["published"], reports, strict=True))
    assert sum(is_true(greedy, report) for greedy, _, report in pairs) == round(
        TAUGHT[split]["greedy"]["true"] * len(reports)
    )
    handed_on = [(summary, report) for _, summary, report in pairs if summary is not None]
    assert sum(is_true(*pair) for pair in handed_on) == TAUGHT[split]["published"]["true"]
    assert all(stated(summary) and not unsupported(summary, report["text"]) for summary, report in handed_on)
    for greedy, summary, report in pairs:
        if choose_draft([greedy], report["text"], strict=True):
            assert summary == greedy


def test_eight_times_the_reports_are_less_than_one_pass_and_the_others_more_than_seven():
    seen = RECIPE.steps * RECIPE.batch
    assert seen == 11_200 and 7 < seen / REPORTS < 8 and seen < MORE == 12_000


def test_the_judge_compares_the_group_of_people_and_the_cause_which_the_check_does_not_see():
    report = held_out("test")[0]
    guests = "Because of a wrong clock, the app logged everybody out for 107 minutes and 680 guests were affected."
    assert guests in printed("live") and report["words"]["who"] == "riders"
    assert not unsupported(guests, report["text"]) and misplaced(guests, report["text"]) == ["680"]
    assert [slot for slot, right in judge(guests, report).items() if not right] == ["who"]
    riders = guests.replace("guests", "riders")
    assert is_true(riders, report) and not is_true(riders.replace("a wrong clock", "a cyberattack"), report)
    assert not unsupported(riders.replace("a wrong clock", "a cyberattack"), report["text"])


def test_a_number_with_its_noun_finds_most_planted_lies_and_seldom_suspects_a_reference():
    found, of, alarms = map(int, re.search(r"(\d+) of (\d+) planted.* (\d+) of 120 ref", printed("misplaced")).groups())
    assert of == 102 and found > of / 2 and alarms < 12
    dev = held_out("dev")
    assert sum(bool(misplaced(r["summary"], r["text"])) for r in dev) <= 6  # seen when the rule was written


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
