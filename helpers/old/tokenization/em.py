"""How Unigram finds its tokens and their probabilities: seeds, expectation-maximization and pruning (Kudo, 2018).

    scores, letters = seeds({"banana": 5, "bandana": 3}, n_tokens=8)        # token -> log probability, far too many
    viterbi("banana", scores, longest=7, fallback=-20.0)        # the likeliest way to cut the word

Each function is one step of the method; `helpers.old.tokenization.unigram` tells how they follow each other.

What it does not do: cut text into words, give ids, fall back to bytes (`UnigramTokenizer` does).
"""

from __future__ import annotations

import heapq
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping

LONGEST_TOKEN = 16  # characters
SEEDS_PER_TOKEN = 10  # how many times too many tokens to begin with
BYTE_SCORE = -10.0  # how much less likely a character without a token is than the least likely token


def viterbi(
    word: str, scores: Mapping[str, float], longest: int, fallback: float, without: str | None = None
) -> list[str]:
    """The likeliest way to cut `word`, found left to right in one pass.

    best[end] is the best score of word[:end], origin[end] the place where the last token of that way starts.

        viterbi("abc", {"a": -1, "ab": -1.5, "b": -2, "bc": -3, "c": -2}, 2, -20)     # ["ab", "c"]: -3.5 beats -4

    fallback: the score of a character that is no token; without: one token that may not be used. Among equals the
    longer last token wins.
    """
    best, origin = [0.0] + [-math.inf] * len(word), [0] * (len(word) + 1)
    for end in range(1, len(word) + 1):
        for start in range(max(0, end - longest), end):
            token = word[start:end]
            score = scores.get(token)
            if score is None or token == without:
                if end - start > 1:
                    continue
                score = fallback
            if best[start] + score > best[end]:
                best[end], origin[end] = best[start] + score, start
    tokens, end = [], len(word)
    while end:
        tokens.append(word[origin[end] : end])
        end = origin[end]
    return tokens[::-1]


def seeds(words: Mapping[str, int], n_tokens: int) -> tuple[dict[str, float], set[str]]:
    """Many substrings, scored by occurrences × length, and the characters that always stay."""
    counts: Counter[str] = Counter()
    for word, count in words.items():
        for letter in word:
            counts[letter] += count
    letters = {letter for letter, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:n_tokens]}
    level: Mapping[str, int] = counts
    for length in range(2, LONGEST_TOKEN + 1):
        # What occurs twice starts with something that occurs twice: each length extends the one before.
        longer: Counter[str] = Counter()
        for word, count in words.items():
            for start in range(len(word) - length + 1):
                if level.get(word[start : start + length - 1], 0) > 1:
                    longer[word[start : start + length]] += count
        level = {token: count for token, count in longer.items() if count > 1}
        counts.update(level)
    ranked = ((count * len(token), token) for token, count in counts.items() if len(token) > 1)
    weights = {token: weight for weight, token in heapq.nlargest(SEEDS_PER_TOKEN * n_tokens, ranked)}
    weights |= {letter: counts[letter] for letter in letters}
    total = sum(weights.values()) or 1
    return {token: math.log(weight / total) for token, weight in weights.items()}, letters


def em_step(
    words: Mapping[str, int],
    scores: Mapping[str, float],
    letters: set[str],
    expectation: Callable[[Mapping[str, int], Mapping[str, float]], Mapping[str, float]] | None = None,
) -> dict[str, float]:
    """One turn of expectation-maximization: expected uses of each token over all segmentations, then new scores.

    Tokens used less than half a time drop out; characters stay. expectation(words, probabilities) gives the expected
    uses; without it, `expected_counts` does.
    """
    expected = (expectation or expected_counts)(words, {token: math.exp(score) for token, score in scores.items()})
    kept = {token: count for token, count in expected.items() if count >= 0.5 and token in scores}
    kept |= {letter: max(expected.get(letter, 0.0), 0.01) for letter in letters}
    total = sum(kept.values()) or 1.0
    return {token: math.log(count / total) for token, count in kept.items()}


def expected_counts(words: Mapping[str, int], probabilities: Mapping[str, float]) -> dict[str, float]:
    """How often each token is used on average, over all ways to cut each word, each as often as it is likely.

    forward[i]: probability of all ways to cut word[:i]; backward[i]: of all ways to cut word[i:]. A token from i to j
    is used with probability forward[i] × p(token) × backward[j] / forward[end].
    """
    expected: dict[str, float] = defaultdict(float)
    longest = max(map(len, probabilities), default=1)
    rare = 1e-6 * min(probabilities.values(), default=1.0)  # a character without a token
    for word, count in words.items():
        size = len(word)
        forward, backward = [1.0] + [0.0] * size, [0.0] * size + [1.0]
        edges = []
        for start in range(size):  # all that ends here was added before, so forward[start] is complete
            for end in range(start + 1, min(size, start + longest) + 1):
                token = word[start:end]
                if p := probabilities.get(token, rare if end == start + 1 else 0.0):
                    edges.append((start, end, token, p))
                    forward[end] += forward[start] * p
        for start, end, _, p in reversed(edges):
            backward[start] += p * backward[end]
        if forward[size] > 0.0:
            scale = count / forward[size]
            for start, end, token, p in edges:
                expected[token] += forward[start] * p * backward[end] * scale
    return expected


def prune(words: Mapping[str, int], scores: Mapping[str, float], letters: set[str], keep: int) -> dict[str, float]:
    """The `keep` tokens whose removal would cost the text the most likelihood; all `letters` among them.

    The cost of losing a token: its uses × the difference between its score and that of its own next best segmentation.
    """
    longest, fallback = max(map(len, scores)), min(scores.values()) + BYTE_SCORE
    used: Counter[str] = Counter()
    for word, count in words.items():
        for token in viterbi(word, scores, longest, fallback):
            used[token] += count
    cost = {}
    for token, score in scores.items():
        if token not in letters and used[token]:
            instead = viterbi(token, scores, longest, fallback, without=token)
            cost[token] = used[token] * (score - sum(scores.get(part, fallback) for part in instead))
    best = sorted(cost, key=lambda token: (-cost[token], token))[: max(0, keep - len(letters))]
    return {token: scores[token] for token in [*best, *letters]}
