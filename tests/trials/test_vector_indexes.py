"""Measuring an index: the exact one finds everything, the figures are those of the index that was asked for."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.old.trials.vector_indexes import clustered_vectors
from helpers.retrieval import build_index, cosine_top_k, nearest
from tests.benchmarks.index_types import one_thread, set_breadth


def test_vectors_are_unit_seeded_and_clustered():
    vectors, queries = clustered_vectors(400, 16, seed=3, n_queries=7)
    assert vectors.shape == (400, 16) and queries.shape == (7, 16)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    again, _ = clustered_vectors(400, 16, seed=3, n_queries=7)
    assert (again == vectors).all() and (clustered_vectors(400, 16, seed=4)[0] != vectors).any()
    loose = np.random.default_rng(0).normal(size=(400, 16))
    near = lambda rows, at: cosine_top_k(at, rows, 10)[1].mean()  # noqa: E731
    assert near(vectors, queries[0]) > near(loose, queries[0]) + 0.1


def test_a_product_quantizer_that_cannot_be_learned_is_refused():
    vectors, _ = clustered_vectors(300, 32, seed=0, n_queries=1)
    for n, code_bytes in ((255, 8), (300, 5), (300, 0)):
        with pytest.raises(ValueError, match=f"{n} vectors of 32 numbers in {code_bytes} bytes"):
            build_index(vectors[:n], "ivf-pq", code_bytes=code_bytes)


def test_a_breadth_changes_how_much_of_an_index_is_looked_at():
    vectors, queries = clustered_vectors(2000, 16, seed=1, n_queries=1)
    cells, graph = build_index(vectors, "ivf", clusters=20, probes=1), build_index(vectors, "hnsw")
    assert len(nearest(cells, queries[0], 2000)[0]) < 1000
    set_breadth(cells, 20)
    assert len(nearest(cells, queries[0], 2000)[0]) == 2000
    set_breadth(graph, 7)
    assert graph.hnsw.efSearch == 7
    with pytest.raises(ValueError, match="at 1 cluster or vector at least, not at 0"):
        set_breadth(graph, 0)
    with pytest.raises(ValueError, match="looks at all vectors"):
        set_breadth(build_index(vectors, "int8"), 5)


def test_one_thread_gives_the_others_back_even_after_an_error():
    import faiss

    before = faiss.omp_get_max_threads()
    try:
        faiss.omp_set_num_threads(2)
        with pytest.raises(RuntimeError, match="inside"), one_thread():
            assert faiss.omp_get_max_threads() == 1
            raise RuntimeError("inside")
        assert faiss.omp_get_max_threads() == 2
    finally:
        faiss.omp_set_num_threads(before)
