"""WordPiece: the same ids as the embedding model's tokenizer, and a training score that is what it says."""

from __future__ import annotations

import heapq
import json
import types
from collections import Counter

import pytest
from transformers import AutoTokenizer

from helpers.models import fetch
from helpers.old.corpora import language_reference
from helpers.old.tokenization import WordPieceTokenizer, wordpiece
from helpers.tokenization import PairCounts, TokenizerFileError, normalize, split_words
from tests.tokenizer_cases import NAMED, assigned_strings, private_use_aside

SMALL = WordPieceTokenizer(["[UNK]", "a"], {"[UNK]": 0})


@pytest.fixture(scope="module")
def ours():
    return WordPieceTokenizer.from_pretrained(fetch("embedder"))


@pytest.fixture(scope="module")
def library():
    tokenizer = AutoTokenizer.from_pretrained(fetch("embedder"))

    def ids(texts, **options):
        return tokenizer(texts, add_special_tokens=False, truncation=False, padding=False, **options)["input_ids"]

    return ids


@pytest.mark.parametrize("text", NAMED.values(), ids=NAMED)
def test_ids_equal_the_embedders(ours, library, text):
    assert ours.encode(text) == library(text, split_special_tokens=True)
    assert ours.encode(text, allowed_special="all") == library(text)


def test_ids_equal_the_embedders_on_random_strings(ours, library):
    texts = assigned_strings(10_000, seed=0) + private_use_aside(5_000, seed=1)
    expected = library(texts, split_special_tokens=True)
    different = [text for text, ids in zip(texts, expected, strict=True) if ours.encode(text) != ids]
    assert not different, different[:3]


def test_ids_equal_the_embedders_on_a_text_longer_than_the_model_reads(ours, library):
    text = language_reference().head(100_000)
    assert ours.encode(text) == library(text, split_special_tokens=True)


def test_a_word_is_cut_by_the_longest_token_first(ours):
    assert [ours.tokens[i] for i in ours.encode("Unaffordable!")] == ["una", "##ff", "##ord", "##able", "!"]
    assert ours.encode("Unaffordable!") == [14477, 4246, 8551, 3085, 999]  # as the module's docstring shows


def test_greedy_matching_does_not_look_ahead():
    vocabulary = ["[UNK]", "a", "ab", "##bc", "##c", "abcd", "##x"]
    tokenizer = WordPieceTokenizer(vocabulary, {"[UNK]": 0})
    assert [tokenizer.tokens[i] for i in tokenizer.encode("abc abcd abx")] == ["ab", "##c", "abcd", "ab", "##x"]
    # "a ##bc" would have fitted "abc"; "abbc" starts with "ab", after which ##bc fits, and "abd" fits nowhere.
    assert [tokenizer.tokens[i] for i in tokenizer.encode("abbc abd")] == ["ab", "##bc", "[UNK]"]


def test_the_first_merge_has_the_best_score():
    # q##u: 3 / (3 × 3); a##b: 4 / (6 × 5); of the pairs that occur twice or more, "qu" is the surest.
    text = "qu qu qu ab ab ab ab ac ac zb"
    letters = 5 + len({"q", "##u", "a", "##b", "##c", "z"})
    assert WordPieceTokenizer.train(text, letters + 1).tokens[-1] == "qu"
    # Allowed to occur once, z##b scores 1 / (1 × 5), still less; x##y, met once and never apart, scores 1.
    assert WordPieceTokenizer.train(text + " xy", letters + 3, min_count=1).tokens[-1] == "xy"


def test_every_merge_has_the_best_score_when_all_is_counted_anew():
    text = language_reference().head(3_000)
    tokenizer = WordPieceTokenizer.train(text, 160)
    first = next(i for i, t in enumerate(tokenizer.tokens) if i > 4 and len(t.removeprefix("##")) > 1)
    words = [[w[0], *("##" + c for c in w[1:])] for w in split_words(normalize(text))]
    for token in tokenizer.tokens[first:]:
        singles = Counter(symbol for word in words for symbol in word)
        pairs = Counter(pair for word in words for pair in zip(word, word[1:], strict=False))
        scores = {(a, b): n / (singles[a] * singles[b]) for (a, b), n in pairs.items() if n >= 2}
        best = min(scores, key=lambda pair: (-scores[pair], -pairs[pair], pair))
        assert best[0] + best[1].removeprefix("##") == token
        for word in words:
            i = 0
            while i < len(word) - 1:
                if (word[i], word[i + 1]) == best:
                    word[i : i + 2] = [token]
                i += 1


def test_an_endless_word_costs_nothing(ours):
    class Counting(dict):
        asked = 0

        def get(self, key, default=None):
            Counting.asked += 1
            return super().get(key, default)

    tokenizer = WordPieceTokenizer(ours.tokens, ours.special_tokens)
    tokenizer._ids = Counting(tokenizer._ids)
    assert tokenizer.encode("a" * 1_000_000) == [100] and Counting.asked == 0
    assert tokenizer.encode("é" * 100) and Counting.asked <= 100 * 100
    assert WordPieceTokenizer.train("a" * 1_000_000 + " ab ab", 8).tokens[-1] == "ab"


def test_a_merge_looks_only_at_the_pairs_around_it(monkeypatch):
    entries = []

    def heappush(heap, entry):
        entries.append(entry)
        heapq.heappush(heap, entry)

    counting = types.SimpleNamespace(heappush=heappush, heapify=heapq.heapify, heappop=heapq.heappop)
    monkeypatch.setattr(wordpiece, "heapq", counting)
    monkeypatch.setattr(wordpiece, "PairCounts", lambda words: made.append(PairCounts(words)) or made[0])
    made, size = [], 1_500
    tokenizer = WordPieceTokenizer.train(language_reference().head(200_000), size)
    n_merges = sum(len(token.removeprefix("##")) > 1 for token in tokenizer.tokens[5:])
    n_pairs = sum(count >= 2 for count in made[0].counts.values())  # at the end, when most are merged away
    assert n_merges > 1_000 and len(entries) < n_merges * n_pairs / 10  # what scoring all pairs each time would take


PRETRAINED = {
    "another normalizer": lambda data: data.update(normalizer={"type": "NFC"}),
    "another splitter": lambda data: data.update(pre_tokenizer={"type": "Whitespace"}),
    "another prefix": lambda data: data["model"].update(continuing_subword_prefix="@@"),
    "gaps": lambda data: data["model"]["vocab"].pop("the"),
    "a special token elsewhere": lambda data: data["added_tokens"][0].update(id=7),
}


@pytest.mark.parametrize("damage", PRETRAINED.values(), ids=PRETRAINED)
def test_a_tokenizer_json_that_would_be_read_wrongly_is_refused(tmp_path, damage):
    data = json.loads((fetch("embedder") / "tokenizer.json").read_text(encoding="utf-8"))
    damage(data)
    (tmp_path / "tokenizer.json").write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(TokenizerFileError, match="steps that this class lacks|gaps|do not agree"):
        WordPieceTokenizer.from_pretrained(tmp_path)


BAD_CALLS = {
    "bytes to encode": (lambda: SMALL.encode(b"abc"), TypeError, "not bytes"),
    "lone surrogate": (lambda: SMALL.encode("\udfff"), ValueError, "surrogate"),
    "another class's folder": (lambda: WordPieceTokenizer.from_pretrained(fetch("chat")), TokenizerFileError, "'BPE'"),
}


@pytest.mark.parametrize("call, error, message", BAD_CALLS.values(), ids=BAD_CALLS)
def test_bad_input_is_refused_in_one_sentence(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
