"""METEOR against NLTK and a case by hand; distinct-n."""

from __future__ import annotations

import pytest
from nltk.stem.porter import PorterStemmer
from nltk.tokenize import word_tokenize
from nltk.translate.meteor_score import meteor_score

from helpers.old.metrics import METEOR, unicode_words
from tests.metrics.test_overlap import random_texts


class NoWordNet:
    def synsets(self, word):
        return []


@pytest.mark.parametrize("several", [False, True])
def test_meteor_equals_nltks_exact_and_stem_matches_on_200_random_pairs(several):
    predictions, references = random_texts(200, several, seed=7)
    ours = METEOR(wordnet=False).each(predictions=predictions, references=references)["meteor"]
    theirs = [
        meteor_score(
            [word_tokenize(one, preserve_line=True) for one in row],
            word_tokenize(text, preserve_line=True),
            wordnet=NoWordNet(),
        )
        for text, row in zip(predictions, references, strict=True)
    ]
    assert ours == theirs and 0.2 < sum(ours) / 200 < 0.95


def test_meteor_by_hand():
    # "brakes" and "brake" have one stem: 3 of 4 words match, 3 of 3 are covered, in two pieces (the brake | squeals)
    assert PorterStemmer().stem("brakes") == PorterStemmer().stem("brake")
    precision, recall = 3 / 4, 3 / 3
    f_mean = precision * recall / (0.9 * precision + 0.1 * recall)
    expected = f_mean * (1 - 0.5 * (2 / 3) ** 3)
    found = METEOR(wordnet=False).compute(predictions=["the brakes now squeal"], references=["the brake squeal"])
    assert found == {"meteor": pytest.approx(expected), "matches": "exact, stem"}


def test_with_a_wordnet_synonyms_count_and_the_result_says_so(monkeypatch):
    from helpers.old.metrics import reference

    class Word:
        def __init__(self, name):
            self.name = lambda: name

    class Set:
        def lemmas(self):
            return [Word("big"), Word("great")]

    class WordNet:
        def synsets(self, word):
            return [Set()] if word in ("big", "great") else []

    asked = {"predictions": ["a big bicycle"], "references": ["a great bicycle"]}
    without = METEOR(wordnet=False).compute(**asked)["meteor"]
    monkeypatch.setattr(reference, "find_wordnet", WordNet)
    found = METEOR().compute(**asked)
    assert found["matches"] == "exact, stem, synonym" and found["meteor"] > without


def test_empty_texts_and_other_scripts():
    for prediction, reference in (("", "a"), ("a", ""), ("", "")):
        assert METEOR().compute(predictions=[prediction], references=[reference])["meteor"] == 0
    chinese = {"predictions": ["电池在四小时内充满"], "references": ["电池在五小时内充满"]}
    with pytest.warns(UserWarning, match="tokenizer=unicode_words"):
        assert METEOR().compute(**chinese)["meteor"] == 0
    assert METEOR(tokenizer=unicode_words).compute(**chinese)["meteor"] > 0.7
    arabic = ["تشحن البطارية في أربع ساعات"]
    assert METEOR().compute(predictions=arabic, references=arabic)["meteor"] > 0.99
