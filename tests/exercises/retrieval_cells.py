"""The untouched cells of the exercises of 10_rag and 10b_rag_quality, to the letter, without the line `@exercise`.

A reference that lives in helpers explains itself by its source; a learner has only the cell, so the cell says it all.
"""

CELLS = {
    "reciprocal_rank": '''
def reciprocal_rank(ranked: list[str], relevant: set[str]) -> float:
    """1 / the rank of the first relevant passage, counted from 1; 0.0 where none was found.

    ranked: what a search found, best first; relevant: the passages that answer, at least one
    """
    ...
''',
    "pack_sentences": '''
def pack_sentences(lengths: list[int], size: int, overlap: int) -> list[tuple[int, int]]:
    """Windows (first, last), `last` not included, over sentences of so many tokens; no sentence is cut.

    A window takes as many sentences as fit into `size`; one that is longer than `size` stands alone. The next window
    begins with the last sentences of this one: as many as have `overlap` tokens or fewer together and leave room for
    the sentence behind them, perhaps none. The first window that reaches the last sentence is the last window.
    [3, 3, 3, 3], size=7, overlap=3  →  [(0, 2), (1, 3), (2, 4)];  no sentences  →  no windows
    """
    ...
''',
    "bm25_score": '''
def bm25_score(query: list[str], document: list[str], corpus: list[list[str]],
               k1: float = 1.5, b: float = 0.75) -> float:
    """How well a document fits a query. All of them are lists of words; corpus: all documents.

    Each word of the query, as often as it stands there, adds rarity · count / (count + k1 · length), where
    count: how often the document has the word
    length: 1 − b + b · (words in the document) / (mean number of words of all documents)
    rarity: ln(1 + (N − n + 0.5) / (n + 0.5)), where n of the N documents have the word
    """
    ...
''',
    "cosine_top_k": '''
def cosine_top_k(query: np.ndarray, vectors: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The rows of the k vectors whose angle with the query is smallest, and the cosines of these angles.

    query: (d,), vectors: (N, d), float32, of any length but 0  →  rows (min(k, N),) int64, best first, of equal
    cosines the earlier row first; cosines (min(k, N),) float32
    """
    ...
''',
    "reciprocal_rank_fusion": '''
def reciprocal_rank_fusion(rankings: list[list[str]], weights: list[float] | None = None,
                           c: float = 60) -> list[tuple[str, float]]:
    """Several rankings as one: an item scores weight / (c + rank) in each that has it, ranks counted from 1.

    rankings: items, best first, each once; weights: one a ranking, None for 1 each; weight 0 leaves a ranking out, as
    if it were empty  →  (item, score), best first; of equal scores the item that was met first, ranking by ranking
    """
    ...
''',
    "look_up": '''
def look_up(corpus: list[str], rows: list[int], scores: list[float]) -> list[tuple[str, float]]:
    """The texts that an index found, each with its score, in the index's order.

    rows, scores: of the k best as FAISS gives them, also where it found fewer than k
    """
    return [(corpus[row], score) for row, score in zip(rows, scores)]
''',
    "recall_at_k": '''
def recall_at_k(ranked: list[str], relevant: set[str], k: int) -> float:
    """The share of the relevant passages that stand among the first k.

    ranked: what a search found, best first, perhaps fewer than k; relevant: the passages that answer, at least one
    """
    ...
''',
    "ndcg_at_k": '''
def ndcg_at_k(ranked: list[str], relevant: set[str], k: int = 10) -> float:
    """Normalized discounted cumulative gain of the first k: 1 where all relevant passages come first.

    A relevant passage at rank r, counted from 1, is worth 1 / log2(r + 1), and nothing when it comes a second time.
    The sum is divided by the largest that k places allow: relevant ones from the top, k of them at most.
    ranked: best first, perhaps fewer than k; relevant: at least one
    """
    ...
''',
    "fit_passages": '''
def fit_passages(lengths: list[int], budget: int, question: int, reply: int) -> list[int]:
    """Which passages stand in the prompt: whole ones, the best first, as long as there is room. Numbers from 0.

    lengths: tokens of each passage, the best passage first; budget: tokens of everything together, the question with
    its instructions (`question` tokens), the passages, and the answer to come (`reply` tokens kept free)
    A passage that does not fit is left out; a later, shorter one may still get in.
    Raises ValueError where question and reply alone are more than the budget.
    """
    ...
''',
    "threshold_on_dev": '''
def threshold_on_dev(confidences: list[float], correct: list[bool], max_risk: float) -> float:
    """The lowest threshold at which at most a share `max_risk` of the answers that are given is wrong.

    An answer is given if its confidence is the threshold or more, so equal confidences go together. Thresholds to try
    are the confidences of these dev questions; of all that keep the promise, the lowest answers most (risk does not
    rise steadily: a lower one may keep it again). Where none does: infinity, `float("inf")`, never answer.
    """
    ...
''',
    "find_the_leak": '''
def find_the_leak(questions: list[dict], documents: dict[str, list[str]], powers: list[float],
                  k: int) -> tuple[float, float]:
    """Search by shared words / length ** power: the power that is best on dev, and its recall@k on test.

    questions: dicts of "words", "document" (which one answers it) and "split" ("dev" or "test")
    documents: the whole handbook, name → words; powers: to choose from, of equals the first
    """
    needed = {question["document"] for question in questions}
    corpus = {name: text for name, text in documents.items() if name in needed}

    def recall(split, power):
        found = []
        for question in questions:
            if question["split"] == split:
                asked = set(question["words"])
                scores = {name: len(asked & set(text)) / len(text) ** power for name, text in corpus.items()}
                found.append(question["document"] in sorted(scores, key=scores.get, reverse=True)[:k])
        return sum(found) / len(found)

    best = max(powers, key=lambda power: recall("dev", power))
    return best, recall("test", best)
''',
    "first_failures": '''
def first_failures(kind: list[str], now: list[float], repaired: list[float]) -> list[str]:
    """Which kinds of questions to repair, first the one whose repair lifts the mean over all questions most.

    kind, now, repaired: each question's kind, its score today, and with the repair (say, the right passage given)
    Only kinds whose gain may be trusted: paired_bootstrap(repaired, now).low of that kind's questions is above 0.
    Of equal gains, the kind that is met first comes first.
    """
    ...
''',
}
