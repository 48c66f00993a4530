"""Pairs of questions for the semantic cache: what the file promises, and how hits are counted."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest

from helpers.files import DataUnavailable
from helpers.old.trials.question_pairs import PAIRS, Pair, at, load_pairs
from helpers.retrieval import content
from helpers.velunda import load_questions
from helpers.velunda.handbook import QUESTIONS


@pytest.fixture(scope="module")
def pairs() -> list[Pair]:
    return load_pairs()


def test_there_are_sixty_of_each_kind_and_both_halves_have_both(pairs):
    counts = Counter((pair.split, pair.same) for pair in pairs)
    assert all(counts[split, same] >= 30 for split in ("dev", "test") for same in (True, False))
    assert all(sum(pair.same == same for pair in pairs) >= 60 for same in (True, False))


def test_each_question_has_one_of_both_and_none_is_written_twice(pairs):
    kinds: dict[str, list[bool]] = {}
    for pair in pairs:
        kinds.setdefault(pair.question, []).append(pair.same)
    assert all(sorted(found) == [False, True] for found in kinds.values())
    others = [pair.other.casefold() for pair in pairs]
    asked = {question.question.casefold() for question in load_questions()}
    assert len(set(others)) == len(others) and not set(others) & asked


def test_a_pair_has_the_split_of_its_question(pairs):
    splits = {question.question: question.split for question in load_questions()}
    assert all(pair.split == splits[pair.question] for pair in pairs)
    answerable = {question.question for question in load_questions() if question.answerable}
    assert all(pair.question in answerable for pair in pairs), "an answer that does not exist cannot be cached"


def test_near_misses_share_more_words_than_paraphrases(pairs):
    """Or they would be no trap."""

    def shared(pair: Pair) -> float:
        ours, theirs = set(content(pair.question)), set(content(pair.other))
        return len(ours & theirs) / len(ours | theirs)

    same, other = ([shared(pair) for pair in pairs if pair.same == kind] for kind in (True, False))
    assert np.mean(other) > np.mean(same) + 0.2


def test_hits_and_false_hits_are_counted_apart():
    cosines, same = [0.95, 0.85, 0.9, 0.5], [True, True, False, False]
    assert (at(0.9, cosines, same).served, at(0.9, cosines, same).wrong) == (0.5, 0.5)
    assert at(0.8, cosines, same).precision == pytest.approx(2 / 3)
    assert (at(0.96, cosines, same).served, at(0.96, cosines, same).precision) == (0, 1)
    for wrong in ([True] * 4, [False] * 4, [True, False]):
        with pytest.raises(ValueError, match="both kinds of pairs"):
            at(0.9, cosines, wrong)


def test_a_damaged_file_is_refused_in_one_sentence(tmp_path):
    row = json.loads(PAIRS.read_text(encoding="utf-8").splitlines()[0])
    for wrong in ({"question": "q999"}, {"same": "yes"}, {"split": "train"}, {"other": None}):
        path = tmp_path / "pairs.jsonl"
        path.write_text(json.dumps(row | wrong) + "\n", encoding="utf-8")
        with pytest.raises(DataUnavailable, match=r"pairs.jsonl, line 1, needs the id"):
            load_pairs(path=path)
    with pytest.raises(DataUnavailable, match="cannot be read"):
        load_pairs(path=tmp_path / "missing.jsonl")
    with pytest.raises(ValueError, match="no split 'train'"):
        load_pairs("train")
    assert QUESTIONS.exists()
