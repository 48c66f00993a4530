"""What the record of the templates must show, or notebook 12 would have to say something else."""

from __future__ import annotations

import pytest

from helpers.old.prompting import load, load_set, right, versions
from helpers.old.trials.prompts_recorded import PROMPTS, gain, optimized, replies, tried, verdicts
from tests.benchmarks.sweep_prompts import CHOSEN


@pytest.mark.parametrize("name", CHOSEN)
def test_the_chosen_version_beats_the_same_content_without_instruction(name):
    assert gain(name, CHOSEN[name]).low > 0
    assert versions(name)[-1] == CHOSEN[name] == load(name).version


def test_the_desks_prompt_beats_its_first_draft():
    assert gain("customer_support", CHOSEN["customer_support"], "1.0.0").low > 0


@pytest.mark.parametrize(
    "run",
    [run for run in PROMPTS.read()["runs"] if "set" in run["case"]],
    ids=lambda run: "-".join(run["case"].values()),
)
def test_recorded_verdicts_are_those_of_the_recorded_replies(run):
    name, prompt = run["case"]["set"], run["case"]["prompt"]
    items = {list(item.given.values())[-1]: item for item in load_set(name, "test")}
    found = [right(items[asked], reply) for asked, reply in zip(run["asked"], run["replies"], strict=True)]
    assert found == verdicts(name, prompt).tolist() and len(found) >= 60


def test_what_the_optimizer_gains_on_dev_by_the_difference_alone_is_not_found_on_test():
    dev, test = optimized("greater")
    assert dev.low > 0 and dev.difference > 4 * test.difference and test.low < 0


def test_the_interval_keeps_fewer_edits_than_the_difference():
    kept = {run["case"]["optimizer"]: run["kept"] for run in PROMPTS.read()["runs"] if "optimizer" in run["case"]}
    assert len(kept["interval"]) < len(kept["greater"])
    for rule, edits in kept.items():
        assert [edit for edit, _, was_kept in tried(rule) if was_kept] == edits
        assert all((gain.low if rule == "interval" else gain.difference) > 0 for _, gain, kept in tried(rule) if kept)


def test_the_replies_to_one_item_are_those_that_were_judged():
    items = {list(item.given.values())[-1]: item for item in load_set("extraction", "test")}
    for place in (0, 4):
        shown = replies("extraction", place)
        found = {prompt: right(items[shown["asked"]], shown[prompt]) for prompt in ("bare", "1.0.0", "2.0.0")}
        assert found == {prompt: verdicts("extraction", prompt)[place] for prompt in found}
