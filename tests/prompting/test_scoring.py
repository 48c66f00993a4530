"""Scores of labels: equal to reading each label alone, whatever is read once."""

from __future__ import annotations

import pytest
import torch

from helpers.old.prompting.scoring import label_scores
from helpers.old.speed import FastLlama
from helpers.transformer import Llama, LlamaConfig

PROMPTS = [[3, 4, 5, 6, 7], [3, 4, 5, 9], [3, 4, 5]]
LABELS = ["yes", "not at all", "y"]


class Letters:
    """Each character's place in the alphabet is its id."""

    def __call__(self, text: str, **_: object) -> dict:
        return {"input_ids": [ord(c) % 40 for c in text]}


@pytest.fixture(scope="module")
def model() -> Llama:
    torch.manual_seed(0)
    model = Llama(LlamaConfig(40, 16, 2, 2, 24, max_len=64)).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_(1.0 if weight.dim() == 1 else 0.0, 0.4)
    return model


def alone(model: Llama, prompt: list[int], label: str) -> float:
    """The sum over the label's tokens, from one pass over everything."""
    row = Letters()(label)["input_ids"]
    ids = torch.tensor([[*prompt, *row]])
    with torch.no_grad():
        log_p = model(ids)[0, :-1].log_softmax(-1).gather(-1, ids[0, 1:, None])[:, 0]
    return log_p[-len(row) :].sum().item()


@pytest.mark.parametrize("prompts", [PROMPTS, PROMPTS[:1], [[1], [2, 3]]], ids=["shared", "one", "nothing shared"])
@pytest.mark.parametrize("fast", [False, True], ids=["Llama", "FastLlama"])
def test_a_score_is_the_sum_over_the_tokens_of_the_label_read_behind_its_prompt(model, prompts, fast):
    found = label_scores(FastLlama(model) if fast else model, Letters(), prompts, LABELS)
    assert found.shape == (len(prompts), len(LABELS))
    for row, prompt in zip(found, prompts, strict=True):
        for score, label in zip(row, LABELS, strict=True):
            assert score.item() == pytest.approx(alone(model, prompt, label), abs=1e-3)  # float32, other shapes


def test_labels_of_one_token_are_scored_by_the_first_token_alone(model):
    found = label_scores(model, Letters(), PROMPTS, ["a", "b"])
    assert found[1, 1].item() == pytest.approx(alone(model, PROMPTS[1], "b"), abs=1e-3)


def test_a_label_or_a_prompt_more_changes_no_other_score(model):
    whole = label_scores(model, Letters(), PROMPTS, LABELS)
    assert torch.allclose(label_scores(model, Letters(), PROMPTS[1:], LABELS[:2]), whole[1:, :2], atol=1e-3)


def test_what_all_prompts_begin_with_is_read_once(model):
    read: list[int] = []

    class Counted:
        config, new_cache, parameters = model.config, model.new_cache, model.parameters

        def __call__(self, ids, *rest, **options):
            read.append(ids.numel())
            return model(ids, *rest, **options)

    label_scores(Counted(), Letters(), PROMPTS[:2], ["ab", "cd"])
    assert read == [3, 2, 2, 1, 2]  # the shared beginning; then each prompt's rest, and both labels behind it


@pytest.mark.parametrize(
    ("prompts", "labels", "said"),
    [
        ([], LABELS, "at least one prompt"),
        ([[]], LABELS, "at least one token"),
        (PROMPTS, [], "at least one"),
        (PROMPTS, "yes", "list of label texts"),
        (PROMPTS, ["yes", ""], "Label 1 is empty"),
        (PROMPTS, ["yes", "yes"], "same text"),
        ([[1] * 60], ["not at all"], "70 tokens, more than the model's context of 64"),
    ],
)
def test_what_cannot_be_scored_is_refused_in_one_sentence(model, prompts, labels, said):
    with pytest.raises(ValueError, match=said):
        label_scores(model, Letters(), prompts, labels)
