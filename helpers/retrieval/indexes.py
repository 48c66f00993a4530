"""Search over chunks: by words (bm25s), by meaning (the embedder and one matrix product), and by both, fused.

    index = HybridIndex()                                     # a DenseIndex and a BM25Index over the same chunks
    index.add(chunks)
    [Hit(chunk, score), …] = index.search("What does E05 mean?", k=5)              # the best first
    index.search(question, 5, allowed=lambda chunk: chunk.document in mine)        # the others get no rank at all
    index.remove("warranty-terms-2021")

Scores of different searches have different scales, ranks do not: only ranks are fused (Cormack et al., 2009).
What it does not do: hold millions of chunks (use FAISS), or read more of a chunk than the embedder does.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from helpers.models import embedder, fetch, named_instead
from helpers.retrieval.chunking import Chunk, require_text

Item = TypeVar("Item", bound=Hashable)
Allowed = Callable[[Chunk], bool]
C = 10  # in a handbook of a few hundred chunks, who is first counts; Cormack et al. take 60
DEPTH = 50  # hits of each search that are fused
NEGATIONS = frozenset("no not never none nothing nobody without cannot can't don't doesn't isn't won't n't".split())
EMPTY = frozenset(  # words that any text has
    "a an and any are as at be been but by can do does for from has have he her his i if in into is it its may me my "
    "of on one or our she so such than that the their them then there they this to was we were what when which will "
    "with would you your".split()
)


@dataclass(frozen=True)
class Hit:
    """A chunk that was found, and how well it fits: larger is better, on the index's own scale."""

    chunk: Chunk
    score: float


def content(text: str) -> list[str]:
    """What a search by words counts: words and numbers in lower case, without endings and words that any text has.

    >>> content("The batteries of 2,490 bikes")
    ['battery', '2490', 'bik']
    """
    bare = re.sub(r"\[\d+\]|(?<=\d),(?=\d{3})", "", text.lower().replace("’", "'"))
    words = re.findall(r"\d+(?:\.\d+)?|[^\W\d_][\w'-]*", bare)
    return ["not" if word in NEGATIONS else _stem(word) for word in words if word not in EMPTY]


def _stem(word: str) -> str:
    for ending, shortest in (("ing", 6), ("ies", 5), ("ed", 5), ("es", 5), ("s", 4)):
        if word.endswith(ending) and len(word) >= shortest and not word.endswith("ss"):
            return word[: -len(ending)] + ("y" if ending == "ies" else "")
    return word[:-1] if word.endswith("e") and len(word) > 4 else word


def reciprocal_rank_fusion(rankings: Sequence[Sequence[Item]], c: float = 60) -> list[tuple[Item, float]]:
    """Several rankings as one: an item scores 1 / (c + rank) in each that has it, ranks counted from 1.

    rankings: items, best first, each once  →  (item, score), best first; of equal scores the one that was met first.
    """
    scores: dict[Item, float] = {}
    for ranking in rankings:
        for rank, item in enumerate(ranking, start=1):
            scores[item] = scores.get(item, 0.0) + 1 / (c + rank)
    return sorted(scores.items(), key=lambda pair: -pair[1])


def encode_texts(encoder: Any, texts: Sequence[str], *, query: bool = False, progress: bool = False) -> NDArray:
    """Texts as vectors of length one, (n, d) float32; a text that stands there twice is encoded once.

    Models that were trained with a prefix for queries or documents get it by `encode_query` and `encode_document`.
    """
    distinct = list(dict.fromkeys(texts))
    encode = getattr(encoder, "encode_query" if query else "encode_document", encoder.encode)
    vectors = np.asarray(encode(distinct, show_progress_bar=progress, convert_to_numpy=True), dtype=np.float32)
    vectors = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    row_of = {text: row for row, text in enumerate(distinct)}
    return vectors[[row_of[text] for text in texts]]


def course_encoder() -> Any:
    """What makes the vectors of `embedder()`: the course's own `Encoder`, unless somebody named another embedder."""
    from helpers.transformer.encoder import Encoder

    return embedder() if named_instead("embedder")[0] else Encoder.from_pretrained(fetch("embedder"))


def encoder_checksum(encoder: Any) -> str:
    """SHA-256 over the encoder's weights and the length to which it cuts texts, or a `checksum` of its own."""
    if isinstance(own := getattr(encoder, "checksum", None), str):
        return own
    found = hashlib.sha256(str(getattr(encoder, "max_seq_length", None)).encode())
    for name, tensor in sorted(encoder.state_dict().items()):
        found.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        found.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return found.hexdigest()


class SearchIndex:
    """The common part of all indexes: `chunks`, and what is done with the scores of all of them."""

    def __init__(self) -> None:
        self.chunks: list[Chunk] = []

    def __len__(self) -> int:
        return len(self.chunks)

    def add(self, chunks: Sequence[Chunk], *, progress: bool = False, vectors: NDArray | None = None) -> None:
        """Put chunks into the index; vectors: theirs, where they were kept, as `DenseIndex.vectors` gives them.

        Raises ValueError where there is no chunk, or one that is empty or there already.
        """
        chunks, places = list(chunks), {_place(chunk) for chunk in self.chunks}
        if not chunks:
            raise ValueError("There is no chunk to add: cut documents with chunk(text) first.")
        for chunk in chunks:
            if not chunk.text.strip():
                raise ValueError(f"The chunk at {chunk.start} of {chunk.document!r} is empty: leave it out.")
            if _place(chunk) in places:
                raise ValueError(f"The index has the chunk at {chunk.start} of {chunk.document!r}: remove it first.")
            places.add(_place(chunk))
        self._add(chunks, progress, vectors)
        self.chunks += chunks

    def remove(self, document: str) -> int:
        """Take all chunks of a document out; how many there were. Raises KeyError, in one sentence, where none is."""
        keep = np.array([chunk.document != document for chunk in self.chunks], dtype=bool)
        if keep.all():
            raise KeyError(f"The index holds no chunk of the document {document!r}.")
        self._keep(keep)
        self.chunks = [chunk for chunk, kept in zip(self.chunks, keep, strict=True) if kept]
        return int((~keep).sum())

    def search(self, query: str, k: int, allowed: Allowed | None = None) -> list[Hit]:
        """The k chunks that fit best, best first, of those that are `allowed`; fewer where fewer are to be had.

        Raises ValueError for an index or a query without content, and a k below 1.
        """
        require_query(query)
        if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
            raise ValueError(f"k is how many chunks to find, a whole number from 1, not {k!r}.")
        if not self.chunks:
            raise ValueError("The index is empty, so there is nothing to search: add(chunks) first.")
        may = np.array([allowed is None or allowed(chunk) for chunk in self.chunks], dtype=bool)
        return [Hit(self.chunks[row], float(score)) for row, score in self.ranked(query, int(k), may)]

    def ranked(self, query: str, k: int, may: NDArray) -> list[tuple[int, float]]:
        """(row, score) of the k best rows among those where `may`, (N,), is true."""
        scores = np.where(may, self.scores(query), -np.inf)
        best = np.argsort(-scores, kind="stable")[:k]
        return [(int(row), float(scores[row])) for row in best if scores[row] > -np.inf]

    def scores(self, query: str) -> NDArray:
        """The score of every chunk, (N,); −∞ where it cannot be an answer at all."""
        raise NotImplementedError

    def _add(self, chunks: list[Chunk], progress: bool, vectors: NDArray | None) -> None:
        raise NotImplementedError

    def _keep(self, keep: NDArray) -> None:
        raise NotImplementedError


class BM25Index(SearchIndex):
    """An index of words (Robertson et al., 1995): only chunks that share one with the query are found.

    Every change alters how rare words are, so the next search counts all chunks again.
    """

    def __init__(self) -> None:
        super().__init__()
        self._bm25s: Any = None

    def _add(self, chunks: list[Chunk], progress: bool, vectors: NDArray | None) -> None:
        self._bm25s = None

    def _keep(self, keep: NDArray) -> None:
        self._bm25s = None

    def scores(self, query: str) -> NDArray:
        if self._bm25s is None:
            import bm25s

            counted = [content(chunk.with_headings) for chunk in self.chunks]
            self._bm25s = bm25s.BM25(k1=1.5, b=0.75, method="lucene")
            self._bm25s.index(counted if any(counted) else [[""]] * len(counted), show_progress=False)
        known = self._bm25s.get_tokens_ids(content(query))
        scores = self._bm25s.get_scores_from_ids(known)
        return np.where(scores > 0, scores, -np.inf)


class DenseIndex(SearchIndex):
    """An index of vectors; a score is a cosine, −1 to 1. encoder: the course's embedder unless given."""

    def __init__(self, encoder: Any = None) -> None:
        super().__init__()
        self._encoder = encoder
        self.vectors: NDArray = np.zeros((0, 0), dtype=np.float32)  # (N, d), of length one

    @property
    def encoder(self) -> Any:
        """What makes the vectors; the course's embedder is loaded when it is first needed."""
        if self._encoder is None:
            self._encoder = course_encoder()
        return self._encoder

    def _add(self, chunks: list[Chunk], progress: bool, vectors: NDArray | None) -> None:
        if vectors is None:
            vectors = encode_texts(self.encoder, [chunk.with_headings for chunk in chunks], progress=progress)
        self.vectors = np.concatenate([self.vectors, vectors]) if len(self.vectors) else vectors

    def _keep(self, keep: NDArray) -> None:
        self.vectors = self.vectors[keep]

    def scores(self, query: str) -> NDArray:
        return self.vectors @ encode_texts(self.encoder, [query], query=True)[0]


class HybridIndex(SearchIndex):
    """A `DenseIndex` and a `BM25Index` over the same chunks, the first `DEPTH` ranks of each fused."""

    def __init__(self, encoder: Any = None, *, c: float = C) -> None:
        super().__init__()
        self.dense, self.bm25, self.c = DenseIndex(encoder), BM25Index(), c

    def _add(self, chunks: list[Chunk], progress: bool, vectors: NDArray | None) -> None:
        self.dense.add(chunks, progress=progress, vectors=vectors)  # the one that may fail comes first
        self.bm25.add(chunks)

    def _keep(self, keep: NDArray) -> None:
        [document] = {chunk.document for chunk, kept in zip(self.chunks, keep, strict=True) if not kept}
        self.dense.remove(document)
        self.bm25.remove(document)

    def ranked(self, query: str, k: int, may: NDArray) -> list[tuple[int, float]]:
        depth = max(k, DEPTH)
        rankings = [[row for row, _ in index.ranked(query, depth, may)] for index in (self.dense, self.bm25)]
        return reciprocal_rank_fusion(rankings, self.c)[:k]


def require_query(query: object) -> None:
    """Raises TypeError or ValueError for what asks nothing."""
    require_text(query, "The query")
    if not query.strip():  # type: ignore[attr-defined]
        raise ValueError("The query is empty: ask something.")


def _place(chunk: Chunk) -> tuple[str, int, int]:
    return chunk.document, chunk.start, chunk.end
