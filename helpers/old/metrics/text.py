"""How alike two texts are by their words: ROUGE-1, exact match, F1 of words. `contains_answer` stands in velunda.

    rouge1("The cat sat.", "A cat sat.")           # 0.67: two of three words, without stemming
    exact_match("The price.", "price")             # True: SQuAD looks past case, marks and articles
    answer_f1("4.5 bar", "at 4.5 bar")             # 0.8

What it does not do: compare what texts mean. "is free" and "is not free" are nearly the same to all of them.
"""

from __future__ import annotations

import re
from collections import Counter

from helpers.velunda.answers import contains_answer as contains_answer
from helpers.velunda.answers import spelled as spelled


def rouge1(text: str, reference: str) -> float:
    """F1 of the words that both have, each as often as both have it (Lin, 2004: ROUGE-1, without stemming)."""
    return unigram_f1(*(re.findall(r"[a-z0-9]+", part.lower()) for part in (text, reference)))


def unigram_f1(words: list[str], reference: list[str]) -> float:
    """F1 of two lists of words: a word is shared as often as both lists have it; 0 where nothing is shared.

    >>> unigram_f1(["the", "the", "cat"], ["the", "dog"])
    0.4
    """
    shared = (Counter(words) & Counter(reference)).total()
    return 2 * shared / (len(words) + len(reference)) if shared else 0.0


def answer_words(answer: str) -> list[str]:
    """The answer's words as SQuAD compares them: lower case, without punctuation and articles; 2,490 is one word."""
    bare = re.sub(r"(?<=\d),(?=\d{3})", "", answer.lower())
    return [word for word in re.findall(r"\d+(?:\.\d+)?|[^\W_]+", bare) if word not in ("a", "an", "the")]


def exact_match(answer: str, right: str) -> bool:
    """Are the words of both the same, in order?"""
    return answer_words(answer) == answer_words(right)


def answer_f1(answer: str, right: str) -> float:
    """F1 of the words that both have (Rajpurkar et al., 2016): 1 for the same words, 0 if they share none."""
    ours, theirs = answer_words(answer), answer_words(right)
    return unigram_f1(ours, theirs) or float(ours == theirs)  # equal without a shared word: both are empty
