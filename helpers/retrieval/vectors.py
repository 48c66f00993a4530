"""Nearest vectors: exactly by one product, or faster and almost exactly by an index of FAISS.

    rows, scores = cosine_top_k(query, vectors, k=5)        # the idea, in one product
    index = build_index(vectors, "hnsw")                    # one of KINDS
    rows, scores = nearest(index, query, k=5)               # fewer than k where there are fewer: no −1

Vectors have length one, so that their inner product is the cosine of the angle between them.

What it does not do: use a GPU, choose for you.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

KINDS = ("flat", "ivf", "hnsw", "int8", "ivf-pq")
LEARNING = ("ivf", "int8", "ivf-pq")  # learn clusters, ranges or codes from the first vectors that they get
POINTS_A_CLUSTER = 39  # FAISS warns where k-means has fewer to learn a cluster's center from
ENOUGH, ROUNDS = 40, 10  # vectors a cluster that k-means learns from at most, and how often: more moves centers little
PQ_BITS = 8  # of a code: a part of a vector is replaced by the nearest of 256
SEED = 1234


def unit(vectors: ArrayLike) -> NDArray:
    """The vectors (…, d) with length one, float32. Raises ValueError for one without direction, NaN or infinity."""
    array = np.asarray(vectors, dtype=np.float32)
    lengths = np.linalg.norm(array, axis=-1, keepdims=True)
    if not np.isfinite(lengths).all() or (lengths == 0).any():
        raise ValueError("A vector without direction (all zeros, NaN or infinite) has no cosine with any other.")
    return array / lengths


def cosine_top_k(query: ArrayLike, vectors: ArrayLike, k: int) -> tuple[NDArray, NDArray]:
    """The k vectors whose angle with the query is smallest, by looking at all of them.

    query: (d,), vectors: (N, d), of any lengths  →  rows (min(k, N),) int64, best first, and their cosines, float32.
    Of equal cosines the earlier row comes first. Raises ValueError for a k below 1 and as `unit`.
    """
    if k < 1:
        raise ValueError(f"k is a whole number from 1, not {k}.")
    cosines = unit(vectors) @ unit(query)  # (N,)
    best = np.argsort(-cosines, kind="stable")[:k]
    return best, cosines[best]


def build_index(
    vectors: NDArray,
    kind: str = "flat",
    *,
    clusters: int | None = None,
    probes: int | None = None,
    links: int = 32,
    build_breadth: int = 80,
    search_breadth: int = 64,
    code_bytes: int | None = None,
) -> Any:
    """A FAISS index of unit vectors (N, d), which finds rows by their inner product.

    "flat" looks at all vectors. "ivf" sorts them into `clusters` by k-means and looks into the `probes` nearest ones
    (Sivic and Zisserman, 2003). "hnsw" walks a graph in which each vector knows `links` neighbors, keeping the
    `search_breadth` best so far (Malkov and Yashunin, 2018). "int8" looks at all vectors, each number in one byte.
    "ivf-pq" is "ivf" with vectors in `code_bytes` bytes each: cut into as many parts, and each part replaced by the
    nearest of 256 that k-means chose (Jégou et al., 2011). Left out, clusters and probes follow from N, and
    `code_bytes` is a quarter of d. Raises ValueError for another kind, where there is no vector, and for "ivf-pq" with
    fewer than 256 vectors or parts of unequal length.
    """
    import faiss

    vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    if vectors.ndim != 2 or not len(vectors):
        raise ValueError(f"An index is built from vectors (N, d) with N at least 1, not {vectors.shape}.")
    n, d = vectors.shape
    if kind == "flat":
        index = faiss.IndexFlatIP(d)
    elif kind == "int8":
        index = faiss.IndexScalarQuantizer(d, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
        index.train(vectors)
    elif kind in ("ivf", "ivf-pq"):
        clusters = default_clusters(n) if clusters is None else clusters
        space = (faiss.IndexFlatIP(d), d, clusters)
        if kind == "ivf":
            index = faiss.IndexIVFFlat(*space, faiss.METRIC_INNER_PRODUCT)
        else:
            parts = max(1, d // 4) if code_bytes is None else code_bytes
            if n < 2**PQ_BITS or parts < 1 or d % parts:
                raise ValueError(
                    f'"ivf-pq" needs {2**PQ_BITS} vectors or more and cuts each into code_bytes equal parts, which '
                    f"{n} vectors of {d} numbers in {parts} bytes do not allow: choose another kind."
                )
            index = faiss.IndexIVFPQ(*space, parts, PQ_BITS, faiss.METRIC_INNER_PRODUCT)
            _bounded(index.pq.cp)
        _bounded(index.cp)
        index.nprobe = max(1, clusters // 8) if probes is None else probes
        index.train(vectors)
    elif kind == "hnsw":
        index = faiss.IndexHNSWFlat(d, links, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction, index.hnsw.efSearch = build_breadth, search_breadth
    else:
        raise ValueError(f"kind is one of {', '.join(KINDS)}, not {kind!r}.")
    index.add(vectors)
    return index


def _bounded(k_means: Any) -> None:
    """K-means as the course runs it: seeded, in bounded time, and without a warning for small corpora."""
    k_means.seed, k_means.niter = SEED, ROUNDS
    k_means.min_points_per_centroid, k_means.max_points_per_centroid = 1, ENOUGH


def default_clusters(n: int) -> int:
    """4 √N clusters, as FAISS advises, or fewer, so that each has enough vectors to learn its center from."""
    return max(1, min(4 * isqrt(n), n // POINTS_A_CLUSTER))


def nearest(index: Any, query: NDArray, k: int) -> tuple[NDArray, NDArray]:
    """The up to k nearest rows of one unit query (d,) and their cosines, best first.

    FAISS fills up with row −1 where it finds fewer than k, and `corpus[-1]` is the last document: these are dropped.
    """
    scores, rows = index.search(np.ascontiguousarray(query[None], dtype=np.float32), k)
    found = rows[0] >= 0
    return rows[0][found], scores[0][found]


def index_bytes(index: Any) -> NDArray:
    """The index as bytes, (n,) uint8."""
    import faiss

    return faiss.serialize_index(index)


def index_from_bytes(data: NDArray) -> Any:
    """The index of `index_bytes`. Give it only bytes whose checksum you know: FAISS trusts what it reads."""
    import faiss

    return faiss.deserialize_index(np.ascontiguousarray(data))


def recall_against(exact: Sequence[Sequence[int]], found: Sequence[Sequence[int]]) -> float:
    """The share of the exact neighbors that an index found, over all queries. Raises ValueError for unequal numbers."""
    if len(exact) != len(found) or not len(exact):
        raise ValueError(f"Each query needs its exact and its found rows, not {len(exact)} and {len(found)}.")
    shared = sum(len(set(map(int, a)) & set(map(int, b))) for a, b in zip(exact, found, strict=True))
    return shared / sum(len(a) for a in exact)
