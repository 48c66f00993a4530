"""A small T5 for summaries: tokenizer, batches, losses, and the same training by hand and by the library."""

from __future__ import annotations

import datasets
import pytest
import torch

from helpers.old.tokenization import library_bpe
from helpers.old.training import (
    Recipe,
    encoder,
    label_loss,
    report_tokenizer,
    small_t5,
    train_by_trainer,
    write_summaries,
)
from helpers.old.training.seq2seq import END, MAX_TARGET, PAD, PATTERN
from helpers.old.velunda import generate_reports, load_reports
from helpers.tokenization import BPETokenizer

REPORTS = load_reports("train")[:24]


@pytest.fixture(scope="module")
def tokenizer():
    return report_tokenizer(load_reports("train")[:60], vocab_size=500)


@pytest.fixture(scope="module")
def rows(tokenizer):
    datasets.disable_progress_bars()
    made = datasets.Dataset.from_list(REPORTS).map(encoder(tokenizer), batched=True)
    return made.select_columns(["input_ids", "labels"])


def test_the_wrapped_tokenizer_gives_our_ids_and_our_text_back():
    text = "\n".join(r["text"] for r in REPORTS)
    ours = BPETokenizer.train(text, 400, special_tokens=[PAD, END], pattern=PATTERN)
    theirs = library_bpe(ours, pad_token=PAD, eos_token=END)
    for sample in ("In Ghent, 2719 kilometers.", "  two  spaces\n\tæøå “quoted” don't", "Zeller's E04", text[:3000]):
        ids = theirs(sample, add_special_tokens=False)["input_ids"]
        assert ids == ours.encode(sample) and theirs.decode(ids) == sample
    assert (theirs.pad_token_id, theirs.eos_token_id) == tuple(ours.special_tokens[t] for t in (PAD, END))
    assert len(theirs) == ours.vocab_size


def test_wrapping_refuses_missing_roles_and_published_tokenizers():
    ours = BPETokenizer.train("low lower lowest", 258, special_tokens=[END])
    with pytest.raises(ValueError, match="no special token '<pad>'"):
        library_bpe(ours, pad_token=PAD)
    with pytest.raises(ValueError, match=r"made by train\(\)"):
        library_bpe(BPETokenizer(ours.tokens, ours.merges, ours.special_tokens, split_digits=True))


def test_every_digit_is_a_token_and_a_number_never_seen_is_written_with_them(tokenizer):
    pieces = [tokenizer.decode([i]) for i in tokenizer(" 86420 euros", add_special_tokens=False)["input_ids"]]
    assert pieces[:5] == [" 8", "6", "4", "2", "0"] or pieces[:6] == [" ", "8", "6", "4", "2", "0"]


def test_rows_are_closed_by_the_end_and_cut_to_the_longest(tokenizer):
    made = encoder(tokenizer, max_source=8, max_target=5)({"text": ["a b c d e f g h i j k"], "summary": ["Kite."]})
    assert len(made["input_ids"][0]) == 8 and made["input_ids"][0][-1] == tokenizer.eos_token_id
    assert made["labels"][0][-1] == tokenizer.eos_token_id and len(made["labels"][0]) <= 5


def test_label_loss_is_by_hand_what_it_says():
    logits = torch.tensor([[[0.0, 0.0], [2.0, 0.0]]])
    assert label_loss(logits, torch.tensor([[1, -100]])).item() == pytest.approx(0.6931, abs=1e-4)
    assert label_loss(logits, torch.tensor([[1, 0]])).item() == pytest.approx(0.6931 + 0.1269, abs=1e-4)


def test_the_same_seed_makes_the_same_model_and_leaves_other_random_numbers_alone(tokenizer):
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first, again, other = (small_t5(tokenizer, seed).shared.weight for seed in (1, 1, 2))
    assert torch.equal(torch.rand(1), expected)
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert small_t5(tokenizer, 0).config.decoder_start_token_id == tokenizer.pad_token_id


def test_a_model_that_has_learned_two_reports_writes_their_summaries(tokenizer, rows):
    recipe = Recipe(steps=60, rate=8e-3, batch=2, warmup=6)
    model = small_t5(tokenizer, 0)
    losses = train_by_trainer(model, tokenizer, rows.select([0, 1]), recipe)
    assert len(losses) == 60 and losses[-1] < 0.05 and not model.training
    texts = [report["text"] for report in REPORTS[:2]]
    assert [best for [best] in write_summaries(model, tokenizer, texts, batch=1)] == [
        report["summary"] for report in REPORTS[:2]
    ]
    several = write_summaries(model, tokenizer, texts, beams=3, candidates=2)
    assert [len(found) for found in several] == [2, 2] and several[0][0] == REPORTS[0]["summary"]


def test_what_is_written_has_a_limit(tokenizer):
    [[said]] = write_summaries(small_t5(tokenizer, 0), tokenizer, [REPORTS[0]["text"]])
    assert len(tokenizer(said, add_special_tokens=False)["input_ids"]) <= MAX_TARGET
    assert generate_reports(1, 0) != generate_reports(1, 1)
