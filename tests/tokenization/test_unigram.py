"""Unigram: the likeliest segmentation found exactly, and steps of training that do what they say."""

from __future__ import annotations

import itertools
import math

import pytest

from helpers.old.tokenization import UnigramTokenizer, word_counts
from helpers.old.tokenization import em as unigram

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


def test_a_text_is_cut_the_likeliest_way_and_unknown_characters_cost_their_bytes():
    tokenizer = UnigramTokenizer([*[None] * 256, *SCORES], SCORES, range(256), {})
    assert tokenizer.segment("cab한") == [b"cab", *(bytes([byte]) for byte in "한".encode())]
    assert tokenizer.encode("cab") == [256 + list(SCORES).index("cab")]


def test_words_are_counted_whole_and_long_runs_in_parts():
    assert word_counts("a a" + "=" * 100) == {"a": 1, " a": 1, "=" * 64: 1, "=" * 36: 1}
