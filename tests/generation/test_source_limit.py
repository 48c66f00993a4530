"""Limits to the source and weights on facts: nothing foreign is written, names go on as they do in the source."""

from __future__ import annotations

import datasets
import pytest
import torch
from torch.nn import functional as F

from helpers.old.assistants.reports import unsupported
from helpers.old.generation import Names, Vocabulary, source_limits
from helpers.old.training import Recipe, encoder, report_tokenizer, small_t5, train_by_trainer
from helpers.old.velunda import load_reports
from tests.benchmarks.weighted_facts import fact_weights, weighted_loss, weighted_trainer

TRAIN = load_reports("train")
TEXT = "On Monday Wout Claes saw Mr. Nyborg. The bill, 248 euros, was paid to Ms. Bakx after 13 days. There was rust."


@pytest.fixture(scope="module")
def tokenizer():
    return report_tokenizer(TRAIN[:80], vocab_size=600)


@pytest.fixture(scope="module")
def names():
    return Names.of(TRAIN)


def limited(tokenizer, names, said, wanted):
    """What the limit makes of a model that wants `wanted` most after `said`: the tokens left, as text."""
    ids = tokenizer(said, add_special_tokens=False)["input_ids"]
    scores = torch.zeros(1, len(tokenizer))
    scores[0, tokenizer(wanted, add_special_tokens=False)["input_ids"][0]] = 1.0
    [limit] = source_limits(tokenizer, names)([TEXT], 1)
    left = limit(torch.tensor([[tokenizer.pad_token_id, *ids]]), scores)[0]
    return {tokenizer.decode([i]) for i in left.isfinite().nonzero().flatten().tolist()}


def test_a_name_is_a_word_that_never_lacks_its_capital(names):
    assert all(word in names for word in ("Ghent", "Claes", "Nyborg", "248", "E04", "Mr"))
    assert not any(word in names for word in ("The", "There", "Rust", "Because", "rust", "in"))
    assert {"The", "In", "Because"} <= names.openers


def test_after_a_number_is_wanted_only_digits_of_the_source_are_left(tokenizer, names):
    assert limited(tokenizer, names, "The bill was", " 9") - {" "} == {" 2", " 1"}
    assert limited(tokenizer, names, "The bill was 2", "9") == {"4"}
    assert limited(tokenizer, names, "The bill was 24", "9") == {"8"}
    done = limited(tokenizer, names, "The bill was 248", " e")
    assert not done & set("0123456789") and "." in done and "</s>" in done


def test_a_number_cannot_end_within_one_of_the_source(tokenizer, names):
    assert limited(tokenizer, names, "for 1", " minutes") == {"3"}


def test_a_name_begins_as_in_the_source_and_goes_on_as_there(tokenizer, names):
    first = limited(tokenizer, names, "and", " Mrs")
    assert first and all("Wout Claes Mr Nyborg Ms Bakx Monday".find(f.strip()) >= 0 for f in first)
    for said, start in (("and Wout", " C"), ("and Mr.", " N"), ("and Ms.", " B")):
        left = limited(tokenizer, names, said, " Mrs")
        assert left and all(piece.startswith(start) or piece == " " for piece in left), left
    assert limited(tokenizer, names, "and Mr. ", "x") == {"N"}
    assert limited(tokenizer, names, "and Mr. Ny", "x") == {"b", "bo"}


def test_a_title_is_followed_by_a_name_whatever_is_wanted(tokenizer, names):
    assert all(piece.startswith(" N") or piece == " " for piece in limited(tokenizer, names, "of Mr.", " the"))


def test_ordinary_words_are_left_alone(tokenizer, names):
    left = limited(tokenizer, names, "and the", " app")
    assert len(left) > 300 and " the" in left and " Elke" not in left and " 9" not in left


def test_whatever_is_wanted_nothing_foreign_is_written(tokenizer, names):
    """Scores drawn at random, with a preference for digits and capitals: nearly all of it would be foreign."""
    texts = [report["text"] for report in load_reports("dev")[:6]]
    tempting = [i for i in range(256, len(tokenizer)) if any(c.isdigit() or c.isupper() for c in tokenizer.decode([i]))]
    for limits in (source_limits(tokenizer, names)(texts, 1), []):
        generator, ids = torch.Generator().manual_seed(0), torch.full((len(texts), 1), tokenizer.pad_token_id)
        for _ in range(120):
            scores = torch.randn(len(texts), len(tokenizer), generator=generator)
            scores[:, tempting] += 2
            for limit in limits:
                scores = limit(ids, scores)
            ids = torch.cat((ids, scores.argmax(-1, keepdim=True)), dim=1)
        written = tokenizer.batch_decode(ids, skip_special_tokens=True)
        cut = [said.rsplit(" ", 1)[0] for said in written]  # the last word may be unfinished
        foreign = [[w for w in unsupported(s, text) if w in names] for s, text in zip(cut, texts, strict=True)]
        assert not any(foreign) if limits else all(len(words) > 10 for words in foreign), foreign


def test_each_beam_is_held_to_its_own_source(tokenizer, names):
    [limit] = source_limits(tokenizer, names)(["It cost 12 euros.", "It cost 37 euros."], 2)
    ids = tokenizer("It cost", add_special_tokens=False)["input_ids"]
    scores = torch.zeros(4, len(tokenizer))
    scores[:, tokenizer(" 9", add_special_tokens=False)["input_ids"][0]] = 1.0
    left = limit(torch.tensor([ids] * 4), scores).isfinite()
    said = [{tokenizer.decode([i]) for i in row.nonzero().flatten().tolist()} for row in left]
    assert [pieces - {" "} for pieces in said] == [{" 1"}, {" 1"}, {" 3"}, {" 3"}]


def test_where_a_letter_has_no_token_of_its_own_something_may_still_be_written(tokenizer, names):
    [limit] = source_limits(tokenizer, names)(["It was Zoë of Graz."], 1)
    ids = tokenizer("It was Zo", add_special_tokens=False)["input_ids"]
    left = limit(torch.tensor([ids]), torch.zeros(1, len(tokenizer)))
    assert left.isfinite().any() and not left.isnan().any()


def test_a_tokenizer_whose_tokens_span_words_is_refused():
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    whole = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.WordLevel({"New York": 0, "a": 1}, "a")))
    with pytest.raises(ValueError, match="'New York' is more than a word"):
        Vocabulary(whole)


def test_weights_stand_at_the_tokens_of_names_and_numbers(tokenizer, names):
    summary = "In Ghent, Wout Claes needed 3 hours for Mr. Haas's Kite."
    ids = encoder(tokenizer)({"text": [""], "summary": [summary]})["labels"][0]
    weights = fact_weights(tokenizer, names, 4.0)(summary, ids)
    assert len(weights) == len(ids) and weights[-1] == 1.0
    heavy = "".join(tokenizer.decode([i]) for i, w in zip(ids, weights, strict=True) if w == 4.0)
    assert heavy.replace(" ", "") == "GhentWoutClaes3MrHaasKite"
    with pytest.raises(ValueError, match="above 0"):
        fact_weights(tokenizer, names, 0)


def test_the_weighted_loss_is_the_mean_with_equal_weights_and_leans_to_what_weighs_more():
    torch.manual_seed(0)
    logits, labels = torch.randn(2, 5, 7), torch.randint(0, 7, (2, 5))
    labels[1, 3:] = -100
    plain = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=-100)
    assert weighted_loss(logits, labels, torch.full((2, 5), 3.0)).item() == pytest.approx(plain.item(), abs=1e-6)
    only = torch.zeros(2, 5)
    only[0, 2] = 1
    expected = F.cross_entropy(logits[0, 2], labels[0, 2]).item()
    assert weighted_loss(logits, labels, only).item() == pytest.approx(expected, abs=1e-6)


def test_the_weighted_trainer_with_weights_of_one_trains_as_the_plain_one(tokenizer, names):
    datasets.disable_progress_bars()
    rows = datasets.Dataset.from_list(TRAIN[:8])
    recipe = Recipe(steps=3, rate=2e-3, batch=8, warmup=1)
    keep = ["input_ids", "labels"]
    plain = train_by_trainer(
        small_t5(tokenizer, 0), tokenizer, rows.map(encoder(tokenizer), batched=True).select_columns(keep), recipe
    )
    losses = {}
    for weight in (1.0, 5.0):
        model, (trainer, collator) = small_t5(tokenizer, 0), weighted_trainer()
        weighed = rows.map(encoder(tokenizer, fact_weights(tokenizer, names, weight)), batched=True)
        weighed = weighed.select_columns([*keep, "weights"])
        losses[weight] = train_by_trainer(
            model, tokenizer, weighed, recipe, trainer_class=trainer, collator=collator(tokenizer, model)
        )
    assert losses[1.0] == pytest.approx(plain, abs=1e-4)
    assert max(abs(a - b) for a, b in zip(losses[5.0], plain, strict=True)) > 0.01
