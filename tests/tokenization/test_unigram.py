"""Unigram: the likeliest segmentation found exactly, a vocabulary as good as sentencepiece's, and every string back."""

from __future__ import annotations

import itertools
import json
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.models import fetch
from helpers.old.corpora import language_reference
from helpers.old.tokenization import UnigramTokenizer
from helpers.old.tokenization import em as unigram
from helpers.tokenization import TokenizerFileError
from tests.tokenizer_cases import NAMED, assert_damage_is_refused

TEXT = language_reference().head(200_000)
SMALL = UnigramTokenizer.train(TEXT[:20_000], 600, special_tokens=["<s>", "<pad>"])
SCORES = {"a": -1.0, "b": -2.0, "c": -2.0, "ab": -1.5, "bc": -3.0, "abc": -4.5, "ca": -2.2, "cab": -2.1}


def ways(word, scores, fallback):
    """Every way to cut `word`, with its score: the definition, by brute force."""
    for cuts in itertools.product([False, True], repeat=max(0, len(word) - 1)):
        edges = [0, *(i + 1 for i, cut in enumerate(cuts) if cut), len(word)]
        parts = [word[a:b] for a, b in itertools.pairwise(edges) if a < b]
        if all(part in scores or len(part) == 1 for part in parts):
            yield parts, sum(scores.get(part, fallback) for part in parts)


WORDS = ["", "a", "abc", "abcab", "cabcabca", "xay", "bbbb", "abxcab"]


@pytest.mark.parametrize("word", WORDS)
def test_viterbi_finds_the_likeliest_of_all_ways(word):
    found = unigram.viterbi(word, SCORES, 3, -9.0)
    assert "".join(found) == word
    score = sum(SCORES.get(part, -9.0) for part in found)
    assert score == pytest.approx(max(s for _, s in ways(word, SCORES, -9.0)), abs=1e-12)


def test_viterbi_can_be_asked_to_do_without_a_token():
    assert unigram.viterbi("cab", SCORES, 3, -9.0) == ["cab"]
    assert unigram.viterbi("cab", SCORES, 3, -9.0, without="cab") == ["c", "ab"]


@pytest.mark.parametrize("word", ["a", "abc", "abcab", "cabcabca"])
def test_expected_counts_are_those_over_all_ways(word):
    found = unigram.expected_counts({word: 3}, {token: math.exp(score) for token, score in SCORES.items()})
    total = sum(math.exp(score) for _, score in ways(word, SCORES, -9.0))
    for token in SCORES:
        by_hand = sum(3 * parts.count(token) * math.exp(score) / total for parts, score in ways(word, SCORES, -9.0))
        assert found.get(token, 0.0) == pytest.approx(by_hand, rel=1e-9, abs=1e-12)


def test_an_em_step_never_makes_the_text_less_likely():
    words = {"banana": 5, "bandana": 3, "nab": 2, "an": 7}
    scores, letters = unigram.seeds(words, 30)
    likelihood = []
    for _ in range(6):
        total = sum(
            count * math.log(sum(math.exp(s) for _, s in ways(word, scores, -50.0))) for word, count in words.items()
        )
        likelihood.append(total)
        expected = unigram.expected_counts(words, {token: math.exp(score) for token, score in scores.items()})
        size = sum(expected.values())
        scores = {token: math.log(count / size) for token, count in expected.items() if count > 0}
    assert all(later >= earlier - 1e-9 for earlier, later in itertools.pairwise(likelihood))
    assert likelihood[-1] > likelihood[0] + 1


def test_pruning_keeps_the_characters_and_what_the_text_needs_most():
    words = {"the": 100, "cat": 10}
    probabilities = {"the": 0.3, "cat": 0.05, "t": 0.2, "h": 0.1, "e": 0.2, "c": 0.1, "a": 0.05}
    scores = {token: math.log(probability) for token, probability in probabilities.items()}
    kept = unigram.prune(words, scores, set("thecat"), 6)
    assert set(kept) == {"the", *"heta", "c"}


def test_pruning_gives_up_a_frequent_token_that_its_parts_replace_at_little_cost():
    scores = {"ab": -1.0, "a": -0.5, "b": -0.6, "cd": -1.0, "c": -3.0, "d": -3.0}
    kept = unigram.prune({"ab": 100, "cd": 10, "a": 50}, scores, set("abcd"), 5)
    assert "cd" in kept and "ab" not in kept  # 100 x 0.1 against 10 x 5


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])) | st.text(alphabet="<s>pad \n\u2581the"))
def test_every_string_comes_back(text):
    assert SMALL.decode(SMALL.encode(text)) == text
    assert SMALL.decode(SMALL.encode(text, allowed_special="all")) == text


def test_a_character_never_seen_costs_its_bytes_and_special_tokens_are_text_by_default():
    assert SMALL.encode("한") == list("한".encode())
    assert SMALL.encode("<s>", allowed_special="all") == [SMALL.special_tokens["<s>"]]
    assert SMALL.special_tokens["<s>"] not in SMALL.encode("<s>")
    assert b"".join(SMALL.segment("the <s>")) == b"the <s>"


def test_the_vocabulary_is_as_large_as_asked_and_its_probabilities_sum_to_one():
    assert SMALL.vocab_size == 600
    assert sum(math.exp(score) for score in SMALL.scores.values()) == pytest.approx(1, rel=1e-9)


def test_one_endless_word_takes_a_few_steps_per_character():
    class Counting(dict):
        asked = 0

        def get(self, key, default=None):
            Counting.asked += 1
            return super().get(key, default)

    rng = random.Random(0)
    for word in ("a" * 20_000, "".join(rng.choices("etaoin", k=20_000))):
        Counting.asked = 0
        unigram.viterbi(word, Counting(SMALL.scores), 16, -50.0)
        assert Counting.asked <= 16 * len(word)
        tokenizer = UnigramTokenizer.train(word, 300)
        assert tokenizer.decode(tokenizer.encode(word)) == word


@pytest.mark.parametrize("length", [3_000, 30_000])
@pytest.mark.parametrize("letters", ["a", "ab", "etaoinsrhldcu"])
def test_training_on_one_endless_word_takes_a_few_rounds_of_a_few_steps_per_character(monkeypatch, letters, length):
    class Counting(dict):
        asked = 0

        def get(self, key, default=None):
            Counting.asked += 1
            return super().get(key, default)

    rounds, steps, expected_counts = [], [], unigram.expected_counts

    def counted(words, probabilities):
        Counting.asked = 0
        expected = expected_counts(words, Counting(probabilities))
        rounds.append(Counting.asked)
        steps.append(sum(map(len, words)))
        assert max(map(len, words)) <= 64  # longer words come in parts, so no number underflows
        return expected

    monkeypatch.setattr(unigram, "expected_counts", counted)
    word = letters * length if len(letters) < 3 else "".join(random.Random(0).choices(letters, k=length))
    UnigramTokenizer.train(word, 300)
    assert all(asked <= 16 * n and n <= len(word) for asked, n in zip(rounds, steps, strict=True))
    assert 2 <= len(rounds) <= 2 * 10  # each round keeps three quarters of at most ten times too many tokens


def test_a_tokenizer_json_of_the_unigram_type_is_read(tmp_path):
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    pieces = [("<unk>", 0.0), *((f"<0x{byte:02X}>", 0.0) for byte in range(256)), ("\u2581", -2.0), ("a", -3.0)]
    library = Tokenizer(models.Unigram([*pieces, ("\u2581ab", -2.5), ("b", -3.5)], 0, byte_fallback=True))
    library.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never")
    library.decoder = decoders.Metaspace(prepend_scheme="never")
    library.save(str(tmp_path / "tokenizer.json"))
    ours = UnigramTokenizer.from_pretrained(tmp_path)
    for text in ("a ab abab", " ab b한a", "ba  ab"):
        assert ours.encode(text) == library.encode(text).ids
        assert ours.decode(ours.encode(text)) == text


def test_a_saved_tokenizer_is_the_same_after_loading(tmp_path):
    SMALL.save(tmp_path / "t.json")
    loaded = UnigramTokenizer.load(tmp_path / "t.json")
    for text in (*NAMED.values(), "<s>"):
        assert loaded.encode(text, allowed_special="all") == SMALL.encode(text, allowed_special="all")


DAMAGED = {
    "truncated": (lambda data: json.dumps(data)[:-100], "cut off"),
    "unknown type": (lambda data: json.dumps(data | {"type": "Magic"}), "of the type 'Magic'"),
    "a byte missing": (lambda data: json.dumps(data | {"byte_ids": data["byte_ids"][1:]}), "all 256 bytes"),
    "a byte out of range": (
        lambda data: json.dumps(data | {"byte_ids": [*data["byte_ids"][1:], 600]}),
        "all 256 bytes",
    ),
    "a byte on a used id": (
        lambda data: json.dumps(data | {"byte_ids": [*data["byte_ids"][1:], 300]}),
        "all 256 bytes",
    ),
    "an endless score": (
        lambda data: json.dumps(data | {"scores": data["scores"] | {"a": -math.inf}}),
        "a score for every",
    ),
    "a score missing": (lambda data: json.dumps(data | {"scores": {"a": 0.0}}), "a score for every token"),
    "no score": (lambda data: json.dumps(data | {"scores": {"a": "x"}}), "damaged"),
    "special on a used id": (lambda data: json.dumps(data | {"special_tokens": {"<s>": 300}}), "not free"),
}


@pytest.mark.parametrize("damage, message", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_is_refused_in_one_sentence(tmp_path, damage, message):
    assert_damage_is_refused(SMALL, damage, message, tmp_path / "t.json")


BAD_CALLS = {
    "small vocabulary": (lambda: UnigramTokenizer.train("abc", 256), ValueError, "at least 257"),
    "no text": (lambda: UnigramTokenizer.train(7, 300), TypeError, "not int"),
    "lone surrogate": (lambda: SMALL.encode("\udfff"), ValueError, "surrogate"),
    "id too large": (lambda: SMALL.decode([600]), ValueError, "no token 600"),
    "another class's folder": (lambda: UnigramTokenizer.from_pretrained(fetch("chat")), TokenizerFileError, "'BPE'"),
}


@pytest.mark.parametrize("call, error, message", BAD_CALLS.values(), ids=BAD_CALLS)
def test_bad_input_is_refused_in_one_sentence(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
