"""What 02b_transformer says in prose, held against the models, the recorded runs and its own outputs."""

from __future__ import annotations

import base64
import json

import pytest
import torch

from helpers.attention import keeping_weights
from helpers.files import ROOT
from helpers.models import fetch
from helpers.transformer import Llama, flip_layer, init_weights
from helpers.trials.deep_stacks import VARIANTS, batches, deep_stack, frequency_loss, gradient_norms, train
from helpers.trials.moved_facts import (
    Fact,
    answer_ids,
    difference,
    difference_table,
    encode,
    facts,
    swapped_head_differences,
)
from tests.tools.execute import same_pixels
from tests.tools.picture import main as copy_picture

PICTURE = ROOT / "notebooks/images/02b_move_a_fact.png"
NAMES, ALL = ("capitals", "languages", "countries"), ("capitals", "languages", "countries", "opposites")
BLOCK, HEAD = 24, 4  # the block that hands the country over, and its head, counted from 0: "head 5" in prose
TRUE_PAIRS = [fact for kind in ALL for fact in facts(kind)]


@pytest.fixture(scope="module")
def chat():
    from transformers import AutoTokenizer

    folder = fetch("chat")
    return Llama.from_pretrained(folder).requires_grad_(False), AutoTokenizer.from_pretrained(folder)


# The pairs -----------------------------------------------------------------------------------------------------------


def test_there_are_26_pairs_and_none_stands_twice():
    assert len(TRUE_PAIRS) == 26 == len({frozenset(fact.prompts()) for fact in TRUE_PAIRS})


def test_the_model_prefers_the_right_answer_on_both_sides_of_every_pair(chat):
    model, tokenizer = chat
    for fact in TRUE_PAIRS:
        answers = answer_ids(tokenizer, fact)
        own, other = (
            float(difference(model(encode(model, tokenizer, p), last_only=True)[0, -1], answers))
            for p in fact.prompts()
        )
        assert own > 0 > other, fact


def test_subjects_and_answers_are_one_token_each(chat):
    _, tokenizer = chat
    words = [w for f in TRUE_PAIRS for w in (f.subject, f.other_subject, f.answer, f.other_answer)]
    assert all(len(tokenizer(f" {word}")["input_ids"]) == 1 for word in words)


# The chat model ------------------------------------------------------------------------------------------------------


def test_names_turn_at_layer_24_and_not_before(chat):
    layers = [20, 21, 22, 23, 24, 26, 28, 30]
    pairs = [fact for kind in NAMES for fact in facts(kind)]
    table = difference_table(*chat, pairs, layers)
    assert [layers[flip_layer(row)] for row in table] == [BLOCK] * 20
    share = (table[:, 3] - table[:, 4]) / (table[:, 0] - table[:, -1])  # of the whole way, in this one step
    assert share.min() > 0.7 and share.median() > 0.95


def test_opposites_turn_elsewhere(chat):
    layers = list(range(18, 31))
    found = [layers[flip_layer(row)] for row in difference_table(*chat, facts("opposites"), layers)]
    assert sorted(found) == [23, 25, 25, 25, 26, 27]


def test_head_5_of_block_24_alone_turns_all_names_and_no_opposite(chat):
    pairs = [fact for kind in NAMES for fact in facts(kind)]
    table = torch.stack([swapped_head_differences(*chat, fact, BLOCK) for fact in pairs])
    assert (table < 0).sum(0).tolist() == [20 * (head == HEAD) for head in range(9)]
    opposites = torch.stack([swapped_head_differences(*chat, fact, BLOCK) for fact in facts("opposites")])
    assert (opposites > 0).all()


def test_gold_and_silver_turn_at_the_same_layer_but_not_by_that_head(chat):
    mine = Fact("The chemical symbol for {} is", "gold", "Au", "silver", "Ag")
    assert flip_layer(difference_table(*chat, [mine], list(range(31)))[0]) == BLOCK
    assert swapped_head_differences(*chat, mine, BLOCK)[HEAD] > 1


def test_that_head_looks_at_the_country_with_nine_tenths_of_its_attention(chat):
    model, tokenizer = chat
    looks = []
    for fact in facts("capitals"):
        with keeping_weights(model) as attentions:
            model(encode(model, tokenizer, fact.prompts()[0]))
            looks.append(attentions[BLOCK - 1].weights[0, :, -1, 3])
    looks = torch.stack(looks)  # (pairs, heads)
    assert looks[:, HEAD].min() > 0.85
    assert looks[0, [h for h in range(9) if h != HEAD]].mean() < 0.25


def test_the_model_has_270_heads_of_64_numbers(chat):
    config = chat[0].config
    assert config.n_layers * config.n_heads == 270 and config.head_dim == 64 and config.vocab_size == 49_152


# The deep stacks -----------------------------------------------------------------------------------------------------


def recorded(variant: str, rate: float = 1e-3) -> list[dict]:
    runs = json.loads((ROOT / "data/results/02b_deep_stacks.json").read_text(encoding="utf-8"))["runs"]
    return [run for run in runs if run["case"]["variant"] == variant and run["case"]["rate"] == rate]


def last(run: dict) -> float:
    return sum(run["losses"][-10:]) / 10


def test_every_recorded_run_with_residual_and_norm_beats_letter_frequencies_and_none_without_residual_does():
    bar = 3.26  # nats: measured on Python 3.11's language reference, on which the runs were made
    assert abs(frequency_loss() - bar) < 0.1  # another version's text differs a little
    for variant in ("residual and norm", "norm after the sum"):
        assert all(last(run) < bar - 0.3 for run in recorded(variant))
    assert all(last(run) > bar - 0.15 for run in recorded("no residual"))


def test_without_norms_two_of_five_seeds_break_and_at_a_smaller_rate_none():
    assert sum(run["broke_at"] is not None for run in recorded("no norm")) == 2
    assert all(run["broke_at"] is None for v in VARIANTS if v != "no norm" for run in recorded(v))
    assert all(run["broke_at"] is None for run in recorded("no norm", 3e-4))


def test_without_residuals_the_gradient_explodes_or_vanishes_with_the_start():
    text, first = batches(0, 1)[0], {}
    for std in (0.125, 0.02):
        for name in ("residual and norm", "no residual"):
            model = deep_stack(name)
            init_weights(model, 24, std)
            first[name, std] = float(gradient_norms(model, text)[0])
    assert first["no residual", 0.125] > 1e4 and first["no residual", 0.02] == 0
    assert 0.3 < first["residual and norm", 0.02] < first["residual and norm", 0.125] < 30


def test_training_stops_where_the_loss_is_no_number():
    model = deep_stack("residual and norm", n_layers=2)
    with torch.no_grad():
        model.head.weight.fill_(torch.nan)
    assert len(list(train(model, 3))) == 1


def test_the_same_seed_gives_the_same_losses():
    first, second = (list(train(deep_stack("no residual", 3, n_layers=2), 3, seed=5)) for _ in range(2))
    assert first == second and first[2] < first[0]


# The picture in README.md --------------------------------------------------------------------------------------------


def test_the_picture_for_the_readme_is_the_notebooks_own(tmp_path):
    copy = tmp_path / "copy.png"
    assert copy_picture(["02b_transformer", "move-a-fact", str(copy)]) == 0
    assert PICTURE.stat().st_size <= 80_000
    first, second = (base64.b64encode(path.read_bytes()).decode() for path in (PICTURE, copy))
    assert same_pixels(first, second), (
        "the picture is not that of the notebook: renew it with python -m tests.tools.picture 02b_transformer "
        "move-a-fact notebooks/images/02b_move_a_fact.png"
    )


def test_a_cell_without_a_picture_is_refused_and_nothing_is_written(tmp_path, capsys):
    assert copy_picture(["02b_transformer", "move-a-factt", str(tmp_path / "copy.png")]) == 1
    assert "no cell 'move-a-factt' that shows a picture" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
