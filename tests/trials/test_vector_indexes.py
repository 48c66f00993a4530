"""Measuring an index: the exact one finds everything, the figures are those of the index that was asked for."""

from __future__ import annotations

import json

import numpy as np
import pytest

from helpers.old.trials.vector_indexes import (
    RECORDED,
    clustered_vectors,
    exact_neighbors,
    measure_index,
    recorded_measures,
)
from helpers.retrieval import build_index, cosine_top_k, nearest
from tests.benchmarks.index_types import Trial, compare_indexes, one_thread, set_breadth


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


def test_compressed_vectors_take_fewer_bytes_and_find_less():
    vectors, queries = clustered_vectors(3000, 32, seed=0, n_queries=40)
    exact = exact_neighbors(vectors, queries)
    flat, int8, pq = (measure_index(vectors, queries, kind, exact=exact) for kind in ("flat", "int8", "ivf-pq"))
    assert vectors.size <= int8.nbytes < vectors.size + 1000, "one byte a number"
    assert pq.nbytes < int8.nbytes < flat.nbytes
    assert flat.recall > int8.recall > pq.recall > 0.1 and int8.recall > 0.9
    fine = measure_index(vectors, queries, "ivf-pq", exact=exact, code_bytes=32)
    assert fine.recall > pq.recall and fine.nbytes > pq.nbytes


def test_a_product_quantizer_that_cannot_be_learned_is_refused():
    vectors, _ = clustered_vectors(300, 32, seed=0, n_queries=1)
    for n, code_bytes in ((255, 8), (300, 5), (300, 0)):
        with pytest.raises(ValueError, match=f"{n} vectors of 32 numbers in {code_bytes} bytes"):
            build_index(vectors[:n], "ivf-pq", code_bytes=code_bytes)


def test_breadths_are_searched_on_one_build_and_more_finds_more():
    vectors, queries = clustered_vectors(3000, 32, seed=0, n_queries=40)
    trials = {"exact": Trial("flat"), "cells": Trial("ivf", {"clusters": 32}, (1, 2, 32))}
    flat, *cells = compare_indexes(vectors, queries, trials, repeats=3)
    assert (flat.kind, flat.breadth, flat.recall) == ("exact", None, 1)
    assert [(m.kind, m.breadth) for m in cells] == [("cells", 1), ("cells", 2), ("cells", 32)]
    assert cells[0].recall <= cells[1].recall <= cells[2].recall == 1 > cells[0].recall
    assert cells[0].recall == measure_index(vectors, queries, "ivf", clusters=32, probes=1).recall
    assert len({m.build_seconds for m in cells}) == len({m.nbytes for m in cells}) == 1
    for m in (flat, *cells):
        assert len(m.runs) == 3 and sorted(m.runs)[1] == m.qps > 0
    with pytest.raises(ValueError, match="repeats is how often"):
        compare_indexes(vectors, queries, trials, repeats=0)
    with pytest.raises(ValueError, match="no breadth to choose"):
        compare_indexes(vectors, queries, {"flat": Trial("flat", breadths=(4,))})


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


def test_recorded_measures_are_those_of_the_result_file():
    runs = json.loads(RECORDED.read_text(encoding="utf-8"))["runs"]
    for run in runs:
        found = recorded_measures(run["case"]["n"])
        assert [(m.kind, m.breadth, m.recall, list(m.runs)) for m in found] == [
            (row["kind"], row["breadth"], row["recall"], row["qps"]) for row in run["indexes"]
        ]
        assert all(min(m.runs) <= m.qps <= max(m.runs) for m in found)
    with pytest.raises(ValueError, match="Recorded are 20,000, 50,000.* vectors, not 7"):
        recorded_measures(7)


def test_the_graph_is_five_times_as_fast_as_looking_at_all_of_50_000_vectors():
    """The recorded ratio of medians: 95 of 100 neighbors found. Times are not measured here."""
    measures = recorded_measures(50_000)
    [flat] = [m for m in measures if m.kind == "flat"]
    good = [m for m in measures if m.kind == "HNSW" and m.recall >= 0.95]
    assert flat.recall == 1 and max(m.qps for m in good) >= 5 * flat.qps
