"""The small assistant of 14 quotes what shares words with the question; rare words count more; unsure, it is silent."""

from __future__ import annotations

import pytest

from helpers.old.trials import word_desk


@pytest.fixture
def two_sentences(monkeypatch):
    units = ["you can do it and you can see it", "the Perch carries 22 kg", "you can wait"]
    held = [word_desk.words(text) for text in units]
    monkeypatch.setattr(word_desk, "UNITS", units)
    monkeypatch.setattr(word_desk, "HELD", held)
    monkeypatch.setattr(word_desk, "USED", word_desk.Counter(word for words in held for word in words))
    return units


def test_common_words_outvote_a_rare_one_until_rare_words_count_more(two_sentences):
    question = "What can you see in the Perch?"
    assert word_desk.old("Can you say what the Perch can do for you, and see?") == two_sentences[0]
    assert word_desk.new("Can you tell what the Perch carries?") == two_sentences[1]
    assert word_desk.best(question, word_desk.equal)[1] <= 1


def test_careful_is_silent_where_too_little_is_covered(two_sentences):
    assert word_desk.careful("Perch carries wait") == word_desk.new("Perch carries wait")
    assert word_desk.careful("Perch wait see") == "I do not know."


def test_no_superseded_page_is_quoted():
    assert all(page.replaced_by is None for page in word_desk.PAGES) and word_desk.UNITS
