"""What 08_lora says in prose, held against its records, the data and the libraries."""

from __future__ import annotations

import json

import pytest
import torch
from helpers.trials import low_rank

from helpers.files import ROOT
from helpers.stats import paired_bootstrap
from helpers.velunda import canon

CARDS = {
    split: [
        json.loads(line)
        for line in (ROOT / f"data/velunda/job_cards/{split}.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    for split in ("train", "test")
}


# The job cards -------------------------------------------------------------------------------------------------------


def test_there_are_forty_job_cards_to_train_on_and_no_note_stands_twice():
    notes = [row["note"].lower() for rows in CARDS.values() for row in rows]
    assert [len(rows) for rows in CARDS.values()] == [40, 24] and len(set(notes)) == len(notes)


def test_each_card_has_four_fields_that_its_note_bears_out():
    bicycles = {product["name"] for product in canon()["products"] if "bicycle" in product["kind"]}
    for row in (row for rows in CARDS.values() for row in rows):
        bicycle, part, _, day = row["card"].split(" | ")
        note = row["note"].lower()
        assert bicycle in bicycles and bicycle.lower() in note
        assert all(word in note for word in part.split()), row
        assert day == "-" or day.lower()[:3] in note, row


def test_no_pair_of_part_and_trouble_stands_in_both_halves():
    seen = {tuple(row["card"].split(" | ")[1:3]) for row in CARDS["train"]}
    assert not seen & {tuple(row["card"].split(" | ")[1:3]) for row in CARDS["test"]}


def test_most_parts_and_troubles_of_the_test_notes_are_new():
    for field in (1, 2):
        seen, asked = ([row["card"].split(" | ")[field] for row in CARDS[split]] for split in ("train", "test"))
        assert sum(value in seen for value in asked) < len(asked) / 2


def test_bicycle_and_day_of_each_test_note_are_known_from_the_forty_and_the_rest_mostly_is_not():
    known = [{row["card"].split(" | ")[k] for row in CARDS["train"]} | {"-"} for k in (0, 3)]
    for row in CARDS["test"]:
        fields = row["card"].split(" | ")
        assert fields[0] in known[0] and fields[3] in known[1]


# Ranks ---------------------------------------------------------------------------------------------------------------


def test_the_three_places_have_nearly_the_same_number_of_parameters():
    everywhere = low_rank.runs(case="lora", targets="all", rank=8, scale=2.0)[0]["parameters"]
    for part in ("attention", "feed-forward"):
        assert low_rank.runs(targets=part)[0]["parameters"] == pytest.approx(everywhere, rel=0.02)


def test_every_training_was_scored_on_the_same_questions():
    scored = [run for run in low_rank.ranks.read()["runs"] if "by row" in run]
    assert {len(run["by row"]) for run in scored} == {64}
    for run in scored:
        assert sum(run["by row"]) / 64 == pytest.approx(run["loss"], abs=1e-3)


def test_rank_one_trains_numbers_as_a_fifth_of_a_percent_of_the_weights():
    size = low_rank.runs(case="lora", targets="all", rank=1)[0]["parameters"]
    full = low_rank.runs(case="full")[0]["parameters"]
    assert size == 305_280 and round(1000 * size / full) == 2


def test_at_one_alpha_the_rank_hardly_matters_and_with_a_growing_alpha_rank_one_has_not_arrived():
    fixed, growing = low_rank.trained_ranks(alpha=16), low_rank.trained_ranks(strength=2.0)
    assert list(fixed) == [1, 8, 64] and list(growing) == [1, 4, 8, 16, 64]
    losses = [run["loss"] for run in fixed.values()]
    assert max(losses) - min(losses) < 0.02
    assert growing[1]["loss"] > fixed[1]["loss"] + 0.3
    assert low_rank.best(targets="all", rank=8, scale=0.2)["loss"] > growing[1]["loss"]  # alpha 1.6


def test_the_loss_of_rank_one_of_the_change_is_measurable_and_that_of_rank_four_is_not():
    kept = low_rank.best(case="cut")["kept"]
    one, four = (paired_bootstrap(kept[rank]["by row"], kept["all"]["by row"]) for rank in ("1", "4"))
    assert one.low > 0 and four.low < 0 < four.high


def test_full_training_was_run_twice_and_scored_alike():
    assert round(low_rank.best(case="cut")["kept"]["all"]["loss"], 3) == 0.552
    assert round(low_rank.best(case="full")["loss"], 3) == 0.542


def test_one_direction_per_matrix_keeps_most_of_what_full_training_gained_and_four_keep_all():
    before, cut = low_rank.best(case="untrained")["loss"], low_rank.best(case="cut")
    kept = {rank: run["loss"] for rank, run in cut["kept"].items()}
    assert (before - kept["1"]) / (before - kept["all"]) > 0.9
    assert all(kept[rank] < kept["all"] + 0.01 for rank in ("4", "8", "16", "64"))
    assert 0.2 < cut["share of the squares"]["1"] < 0.3


def test_where_the_corrections_sit_hardly_matters_here():
    everywhere = low_rank.runs(case="lora", targets="all", rank=8, scale=2.0)[0]["loss"]
    for part in ("attention", "feed-forward"):
        assert abs(low_rank.runs(targets=part)[0]["loss"] - everywhere) < 0.03


def test_each_illness_shows_its_sign_and_the_healthy_adapter_none():
    from helpers.exercises.checking import registry

    diagnose = registry()["diagnose_adapter"].reference
    for found in low_rank.suspects().values():
        assert diagnose(found["losses"]) == found["truth"], found["losses"]


# The reader ----------------------------------------------------------------------------------------------------------

WORDS, REST = ("fact", "number", "table", "condition", "two"), ("yes", "no", "unanswerable")


def test_where_words_of_the_text_are_asked_for_quoting_is_ahead_of_the_reader_and_elsewhere_it_is_never_right():
    reader = low_rank.reader.read()["runs"][0]["test"]["pages, by kind"]
    quoting = low_rank.quoted_by_kind("test")
    assert {kind: n for kind, (_, n) in reader.items()} == {kind: n for kind, (_, n) in quoting.items()}
    assert sum(quoting[kind][0] for kind in WORDS) > sum(reader[kind][0] for kind in WORDS)
    assert quoting["table"][0] >= 2 * reader["table"][0] and quoting["two"][0] > reader["two"][0]
    assert not any(quoting[kind][0] for kind in REST)
    assert sum(reader[kind][0] for kind in REST) > 30


def test_the_readme_reports_the_recorded_shares():
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    before, full = low_rank.best(case="untrained")["loss"], low_rank.best(case="full")
    gap = paired_bootstrap(low_rank.trained_ranks(alpha=16)[1]["by row"], full["by row"])
    low, high = (round(100 * (1 - end / (before - full["loss"]))) for end in (gap.high, gap.low))
    reader = low_rank.reader.read()["runs"][0]["test"]["pages, by kind"]
    quoting = low_rank.quoted_by_kind("test")

    def percent(counts, kinds):
        return round(100 * sum(counts[kind][0] for kind in kinds) / sum(counts[kind][1] for kind in kinds))

    everything = WORDS + REST
    assert f"0.3 million added numbers gain {low} to {high} % of what" in readme
    assert f"right on {percent(reader, everything)} % of questions about unseen pages" in readme
    assert f"most similar sentence on {percent(quoting, everything)} %" in readme
    assert f"quoting is ahead, {percent(quoting, WORDS)} to {percent(reader, WORDS)} %" in readme


def test_on_everyday_questions_it_is_right_about_twice_as_often_and_refuses_eight_wrongly():
    reader = low_rank.reader.read()["runs"][0]["test"]["everyday questions"]
    untaught = low_rank.merges.find("without", split="test")["everyday questions"]
    assert reader["right"] == pytest.approx(2 * untaught["right"], rel=0.05) and reader["refused"] == 8


def test_on_pages_it_refuses_ten_of_twenty_six_and_a_low_threshold_misses_nearly_half_and_refuses_21_wrongly():
    rows = low_rank.reader.read()["runs"][0]["test"]["abstention"]["pages"]
    refused = {at: [absent for absent, p in rows if p >= at] for at in (0.5, 0.2)}
    assert sum(absent for absent, _ in rows) == 26
    assert sum(refused[0.5]) == 10
    assert [sum(refused[0.2]), len(refused[0.2]) - sum(refused[0.2])] == [14, 21]


# Merging -------------------------------------------------------------------------------------------------------------


def test_bfloat16_steps_near_a_tenth_are_half_a_thousandth():
    x = torch.tensor(0.1).bfloat16()
    following = torch.nextafter(x, torch.tensor(1.0).bfloat16())
    assert float(following - x) == pytest.approx(0.0005, rel=0.05)


def test_merging_changes_no_answer_in_32_bits_and_none_in_16():
    answers = answers_by_way()
    assert answers["merged, 32 bits"] == answers["beside"] == answers["merged, 16 bits"]


def test_in_four_bits_no_fewer_answers_are_word_for_word_right():
    right = {way: low_rank.merges.find("way", way=way)["word for word"] for way in answers_by_way()}
    assert min(right["4-bit base, beside"], right["4-bit base, merged, 4 bits"]) >= right["beside"]


def test_rounding_the_base_to_4_bits_changes_many_answers_and_merging_others_but_not_the_loss():
    beside, merged = "4-bit base, beside", "4-bit base, merged, 4 bits"
    assert same_answers(beside, "beside") < 56 and same_answers(merged, beside) < 64
    losses = [low_rank.merges.find("way", way=way)["by row"] for way in (beside, merged)]
    gap = paired_bootstrap(*losses)
    assert gap.low < 0 < gap.high


def answers_by_way() -> dict[str, list[str]]:
    runs = low_rank.merges.read()["runs"]
    return {run["case"]["way"]: run["answers"] for run in runs if run["case"]["case"] == "way"}


def same_answers(way: str, other: str) -> int:
    answers = answers_by_way()
    return sum(a == b for a, b in zip(answers[way], answers[other], strict=True))


# The library's defaults ----------------------------------------------------------------------------------------------


def test_rank_stabilized_scaling_is_as_the_text_says():
    from peft import LoraConfig, get_peft_model
    from transformers import LlamaConfig, LlamaForCausalLM

    tiny = LlamaConfig(vocab_size=32, hidden_size=64, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2)
    for rslora, scale in ((True, 2.0), (False, 0.25)):
        config = LoraConfig(r=64, lora_alpha=16, use_rslora=rslora, target_modules=["q_proj"])
        model = get_peft_model(LlamaForCausalLM(tiny), config)
        layer = model.base_model.model.model.layers[0].self_attn.q_proj
        assert layer.scaling["default"] == scale
