"""Measuring an index: the exact one finds everything, the figures are those of the index that was asked for."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.index_trial import clustered_vectors, exact_neighbors, measure_index
from helpers.vector_index import cosine_top_k


def test_vectors_are_unit_seeded_and_clustered():
    vectors, queries = clustered_vectors(400, 16, seed=3, n_queries=7)
    assert vectors.shape == (400, 16) and queries.shape == (7, 16)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    again, _ = clustered_vectors(400, 16, seed=3, n_queries=7)
    assert (again == vectors).all() and (clustered_vectors(400, 16, seed=4)[0] != vectors).any()
    loose = np.random.default_rng(0).normal(size=(400, 16))
    near = lambda rows, at: cosine_top_k(at, rows, 10)[1].mean()  # noqa: E731
    assert near(vectors, queries[0]) > near(loose, queries[0]) + 0.1


def test_the_exact_index_finds_all_and_a_narrow_one_less():
    vectors, queries = clustered_vectors(3000, 32, seed=0, n_queries=40)
    exact = exact_neighbors(vectors, queries)
    for query, rows in zip(queries, exact, strict=True):
        assert set(rows) == set(cosine_top_k(query, vectors, 10)[0])
    flat = measure_index(vectors, queries, "flat", exact=exact)
    assert flat.recall == 1 and flat.qps > 0 and flat.build_seconds > 0
    assert 4 * vectors.size <= flat.nbytes < 4 * vectors.size + 1000
    wide = measure_index(vectors, queries, "ivf", clusters=32, probes=32)
    narrow = measure_index(vectors, queries, "ivf", clusters=32, probes=1)
    assert wide.recall == 1 > narrow.recall and wide.kind == "ivf"
    graph = measure_index(vectors, queries, "hnsw", links=16, search_breadth=128)
    assert graph.recall > 0.9 and graph.nbytes > flat.nbytes
    with pytest.raises(ValueError, match="kind is one of flat, ivf, hnsw"):
        measure_index(vectors, queries, "tree")
