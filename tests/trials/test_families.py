"""The trial of three families: equal sizes, tasks that are what they say, answers given as each family gives them."""

from __future__ import annotations

import json
import random

import pytest
import torch

from helpers.files import RESULTS
from helpers.old.trials import families as ft

RECORDED = RESULTS / "02d_families.json"


@pytest.mark.parametrize("family", ft.FAMILIES)
def test_every_family_has_about_the_same_size(family):
    assert sum(p.numel() for p in ft.build(family, 0).parameters()) == pytest.approx(75_000, rel=0.03)


def test_the_answers_are_what_the_tasks_ask_for():
    rng = random.Random(0)
    for _ in range(100):
        read, [[letter]] = ft.make_item("label", rng)
        assert len(read) == 6 and [read.count(other) for other in read].count(2) == 2 and read.count(letter) == 2
        read, [[letter]] = ft.make_item("fill", rng)
        whole = [letter if other == ft.GAP else other for other in read]
        assert read.count(ft.GAP) == 1 and whole[:3] == whole[3:]
        read, [answer] = ft.make_item("translate", rng)
        assert len(read) == 3 and answer == read[::-1]
        read, answers = ft.make_item("retell", rng)
        assert answers == [read, read[::-1]]


@pytest.mark.parametrize("task", ft.TASKS)
def test_training_items_and_test_items_never_meet(task):
    train = {tuple(read) for read, _ in ft.items(task, 500, random.Random(1), held_out=False)}
    test = {tuple(read) for read, _ in ft.items(task, 100, random.Random(1), held_out=True)}
    assert not train & test


@pytest.mark.parametrize("family", ft.FAMILIES)
def test_no_answer_token_sees_itself_and_only_an_encoder_ignores_the_ones_before(family):
    model = ft.build(family, 0).eval()
    read, answer = torch.tensor([[1, 2, 3]]), torch.tensor([[4, 5, 6]])
    other = torch.tensor([[4, 7, 6]])
    before, after = (ft.answer_logits(family, model, read, tokens) for tokens in (answer, other))
    assert before.shape == (1, 3, ft.VOCAB_SIZE)
    assert torch.allclose(before[:, :2], after[:, :2], atol=1e-6)
    assert torch.allclose(before[:, 2], after[:, 2], atol=1e-6) == (family == "encoder")


def test_an_encoder_answers_in_the_gap():
    model = ft.build("encoder", 0).eval()
    read = torch.tensor([[1, 2, 3, ft.GAP, 2, 3], [5, ft.GAP, 6, 5, 4, 6]])
    logits = ft.answer_logits("encoder", model, read, torch.zeros(2, 1, dtype=torch.long))
    assert torch.allclose(logits[:, 0], torch.stack((model(read)[0, 3], model(read)[1, 1])), atol=1e-6)


@pytest.mark.parametrize("family", ft.FAMILIES)
def test_a_written_answer_follows_the_probabilities(family):
    class Sure(torch.nn.Module):
        """Says 7 everywhere."""

        def forward(self, *ids):
            return torch.nn.functional.one_hot(torch.full_like(ids[-1], 7), ft.VOCAB_SIZE) * 100.0

    written = ft.write(family, Sure(), torch.tensor([[1, 2, 3]] * 4), 3, torch.Generator().manual_seed(0))
    assert (written == 7).all() and written.shape == (4, 3)


def test_unknown_families_and_tasks_are_refused():
    with pytest.raises(ValueError, match="There is no family 'bert'"):
        ft.build("bert", 0)
    with pytest.raises(ValueError, match="There is no task 'sum'"):
        ft.make_item("sum", random.Random(0))


def test_slots_are_filled_at_random_and_only_empty_ones_are_asked_for():
    answer = torch.arange(3).repeat(3000, 1)
    slots, empty = ft.fill_some(answer, torch.Generator().manual_seed(0))
    assert (slots[empty] == ft.SEPARATOR).all() and torch.equal(slots[~empty], answer[~empty])
    counts = empty.sum(dim=1).bincount(minlength=4) / len(answer)
    assert counts.tolist() == pytest.approx([0, 1 / 3, 1 / 3, 1 / 3], abs=0.035)  # 4 standard errors
    assert empty.float().mean(dim=0).tolist() == pytest.approx([2 / 3] * 3, abs=0.035)


def test_an_encoder_can_train_with_some_slots_filled_and_no_other_family():
    plain = ft.train_trial("encoder", "retell", seed=0, steps=3)
    filled = ft.train_trial("encoder", "retell", seed=0, steps=3, some_filled=True)
    weights = zip(plain.model.parameters(), filled.model.parameters(), strict=True)
    assert not all(torch.equal(one, other) for one, other in weights)
    with pytest.raises(ValueError, match="nothing for the decoder"):
        ft.train_trial("decoder", "retell", seed=0, steps=3, some_filled=True)


def test_training_runs_and_counts_its_steps():
    ticks: list[int] = []
    trial = ft.train_trial("decoder", "label", seed=0, steps=3, tick=lambda: ticks.append(1))
    assert len(ticks) == 3 and 0 <= trial.right <= trial.of == ft.TESTS


def test_a_learning_curve_ends_where_the_training_ends_and_does_not_change_it():
    plain = ft.train_trial("encoder", "translate", seed=0, steps=4)
    watched = ft.train_trial("encoder", "translate", seed=0, steps=4, every=2)
    assert plain.curve == () and len(watched.curve) == 2 and watched.curve[-1] == watched.right == plain.right
    weights = zip(plain.model.parameters(), watched.model.parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in weights)


def test_the_recorded_runs_are_complete_and_leave_the_notebook_its_own_seed():
    runs = json.loads(RECORDED.read_text(encoding="utf-8"))["runs"]
    cases = {(run["case"]["family"], run["case"]["task"], run["case"]["seed"]) for run in runs}
    seeds = {seed for *_, seed in cases}
    assert 0 not in seeds and len(seeds) >= 3
    assert cases == {(family, task, seed) for family in ft.FAMILIES for task in ft.TASKS for seed in seeds}
    assert all(run["of"] == ft.TESTS and run["case"]["steps"] == ft.STEPS for run in runs)


def test_the_recorded_curves_and_marks_are_drawn_where_they_belong():
    from matplotlib import pyplot as plt

    longer, short = (
        json.loads((RESULTS / f"02d_{name}.json").read_text(encoding="utf-8"))["runs"]
        for name in ("longer", "families")
    )
    fig, (reverse, retell) = plt.subplots(1, 2)
    ft.draw_recorded((reverse, retell), longer, short)
    plt.close(fig)
    assert [ax.get_title() for ax in (reverse, retell)] == ["reverse", "retell"]
    last = sorted(line.get_ydata()[-1] for line in retell.lines)
    final = ft.final_shares(longer)
    assert last == sorted(share for (task, _), shares in final.items() if task == "retell" for share in shares)
    marks = {line.get_label(): list(line.get_ydata()) for line in reverse.lines if line.get_marker() in "os"}
    shares = ft.shares_right(short)
    assert marks == {f"{family}, 600 steps": shares["translate", family] for family in ("encoder", "decoder")}
