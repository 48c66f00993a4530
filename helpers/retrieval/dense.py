"""Search by meaning: chunks and queries as vectors of the embedder, the nearest found by FAISS.

    index = DenseIndex()                        # or DenseIndex("hnsw"), DenseIndex("ivf")
    index.add(chunks)
    index.search("It makes a noise when I brake", k=5)

A saved index is stamped with the checksum of the embedder that made its vectors: vectors of another one mean nothing.

What it does not do: read more of a chunk than the embedder does (256 tokens for the course's).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Self
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import ArrayLike, NDArray

from helpers.retrieval.chunking import Chunk
from helpers.retrieval.index import Arrays, Hit, IndexUnavailable, SearchIndex
from helpers.retrieval.vectors import KINDS, LEARNING, build_index, index_bytes, index_from_bytes, nearest, unit

FORGOTTEN = 100  # vectors of removed chunks, from which on building the index again is worth its while
_checksums: WeakKeyDictionary = WeakKeyDictionary()


class DenseIndex(SearchIndex):
    """An index of vectors. kind: one of `KINDS`, as in `build_index`; encoder: the course's embedder unless given.

    with_headings: embed a chunk behind its headings. options: those of `build_index`. A score is a cosine, −1 to 1.
    A graph cannot forget, and clusters take long to learn: rows that `remove` took out are passed over in what is
    found. Past `FORGOTTEN` of them, and before it is saved, the index is built again from the kept vectors.
    Raises ValueError for an unknown kind.
    """

    name = "DenseIndex"

    def __init__(
        self, kind: str = "flat", encoder: Any = None, *, with_headings: bool = True, **options: int | None
    ) -> None:
        super().__init__()
        if kind not in KINDS:
            raise ValueError(f"kind is one of {', '.join(KINDS)}, not {kind!r}.")
        self.kind, self.with_headings, self.options = kind, with_headings, options
        self._encoder = encoder
        self.checksum: str | None = None  # of the encoder that made the vectors
        self._parts: list[NDArray] = []  # the vectors as they came, joined when they are asked for
        self._faiss: Any = None  # None where it has to be built again
        self._rows: NDArray | None = None  # row of each of FAISS's vectors in `vectors`, −1 if removed; None: the same
        self._trained_on = 0

    @property
    def encoder(self) -> Any:
        """What makes the vectors; the course's embedder is loaded when it is first needed."""
        if self._encoder is None:
            from helpers.models import embedder

            self._encoder = embedder()
        return self._encoder

    @property
    def vectors(self) -> NDArray:
        """The chunks' vectors, (N, d) float32, of length one."""
        if len(self._parts) > 1:
            self._parts = [np.concatenate(self._parts)]
        return self._parts[0] if self._parts else np.zeros((0, 0), dtype=np.float32)

    def _add(self, chunks: list[Chunk], progress: bool) -> None:
        checksum = encoder_checksum(self.encoder)
        if self.chunks and checksum != self.checksum:
            raise ValueError("The embedder has changed since the index was begun: build a new index with this one.")
        texts = [chunk.with_headings if self.with_headings else chunk.text for chunk in chunks]
        vectors = encode_texts(self.encoder, texts, progress=progress)
        if not self.chunks:  # nothing, or all that was there is removed
            self._parts, self._faiss, self._rows = [], None, None
        self._parts.append(vectors)
        self.checksum = checksum
        n = len(self.chunks) + len(chunks)
        if self._faiss is None or (self.kind in LEARNING and n > 2 * self._trained_on):
            self._faiss = self._rows = None  # clusters learned from half of what is there no longer fit it
            return
        self._faiss.add(vectors)
        if self._rows is not None:
            self._rows = np.concatenate([self._rows, np.arange(len(self.chunks), n)])

    def _keep(self, keep: NDArray) -> None:
        self._parts = [self.vectors[keep]]
        if self._faiss is None or self.kind == "flat":  # which is copied in no time
            self._faiss = None
            return
        row = np.where(keep, keep.cumsum() - 1, -1)  # where each vector stands now
        self._rows = row if self._rows is None else np.where(self._rows >= 0, row[self._rows], -1)
        if (self._rows < 0).sum() > FORGOTTEN:
            self._faiss = self._rows = None

    @property
    def faiss(self) -> Any:
        """FAISS's index, built from `vectors` if need be."""
        if self._faiss is None:
            self._faiss, self._trained_on = build_index(self.vectors, self.kind, **self.options), len(self.vectors)
            self._rows = None
        return self._faiss

    def vector_of(self, query: str) -> NDArray:
        """The query's vector, (d,) of length one."""
        return encode_texts(self.encoder, [query], query=True)[0]

    def search_vector(self, vector: ArrayLike, k: int) -> list[Hit]:
        """As `search`, for a query that is a vector already, (d,) of any length.

        Raises ValueError as `search`, for another number of dimensions, and as `unit`.
        """
        vector = unit(vector)
        if self._parts and vector.shape != self._parts[0].shape[1:]:
            shape = self._parts[0].shape[1:]
            raise ValueError(f"The index holds vectors of shape {shape}, the query's is {vector.shape}.")
        return self._hits(lambda k: self._nearest(vector, k), k)

    def _search(self, query: str, k: int) -> tuple[Sequence[int], Sequence[float]]:
        return self._nearest(self.vector_of(query), k)

    def _nearest(self, vector: NDArray, k: int) -> tuple[NDArray, NDArray]:
        index = self.faiss
        if self._rows is None:
            return nearest(index, vector, k)
        found, scores = nearest(
            index, vector, k + int((self._rows < 0).sum())
        )  # as many more as may have to be passed over
        rows = self._rows[found]
        kept = rows >= 0
        return rows[kept][:k], scores[kept][:k]

    def _pack(self) -> tuple[Arrays, dict[str, Any]]:
        settings = {"kind": self.kind, "with_headings": self.with_headings, "options": self.options}
        arrays = {"vectors": self.vectors}
        if self._rows is not None:
            self._faiss = self._rows = None
        if self.kind != "flat":  # a flat index is its vectors
            arrays["faiss"] = index_bytes(self.faiss)
        return arrays, {**settings, "checksum": self.checksum, "trained_on": self._trained_on}

    @classmethod
    def _unpack(
        cls, arrays: Mapping[str, NDArray], settings: dict[str, Any], chunks: list[Chunk], file: str, **options: Any
    ) -> Self:
        index = cls(settings["kind"], with_headings=settings["with_headings"], **settings["options"], **options)
        index.checksum, index._parts = settings["checksum"], [arrays["vectors"]]
        if encoder_checksum(index.encoder) != index.checksum:
            raise IndexUnavailable(
                f"{file} was made with another embedder, whose vectors mean nothing to this one: "
                "load it with that embedder, or build the index again."
            )
        if "faiss" in arrays:
            index._faiss, index._trained_on = index_from_bytes(arrays["faiss"]), settings["trained_on"]
        return index


def encode_texts(encoder: Any, texts: Sequence[str], *, query: bool = False, progress: bool = False) -> NDArray:
    """Texts as vectors of length one, (n, d) float32; a text that stands there twice is encoded once.

    Models that were trained with a prefix for queries or documents get it by `encode_query` and `encode_document`.
    """
    distinct = list(dict.fromkeys(texts))
    encode = getattr(encoder, "encode_query" if query else "encode_document", encoder.encode)
    vectors = unit(encode(distinct, show_progress_bar=progress, convert_to_numpy=True))
    row_of = {text: row for row, text in enumerate(distinct)}
    return vectors[[row_of[text] for text in texts]]


def encoder_checksum(encoder: Any) -> str:
    """SHA-256 over the encoder's weights and the length to which it cuts texts; computed again once they change.

    An encoder without weights on this machine names itself by a `checksum` of its own.
    """
    if isinstance(own := getattr(encoder, "checksum", None), str):
        return own
    import torch

    weights = encoder.state_dict()
    limit = getattr(encoder, "max_seq_length", None)
    # a tensor's version counts its changes in place, so that hashing 90 MB again is spared where nothing changed
    state = (limit, *((name, tensor.data_ptr(), tensor._version) for name, tensor in weights.items()))
    before = _checksums.get(encoder)
    if before and before[0] == state:
        return before[1]
    found = hashlib.sha256(str(limit).encode())
    for name in sorted(weights):
        tensor = weights[name].detach().cpu().contiguous()
        found.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        found.update(tensor.flatten().view(torch.uint8).numpy().data)
    _checksums[encoder] = (state, found.hexdigest())
    return found.hexdigest()
