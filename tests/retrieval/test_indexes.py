"""Dense, BM25 and hybrid indexes: found as by hand, saved whole, refused where something does not fit."""

from __future__ import annotations

import errno
import itertools
import json
import os
import random

import bm25s
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from helpers.files import safe_files
from helpers.retrieval import (
    BM25Index,
    Chunk,
    DenseIndex,
    HybridIndex,
    IndexUnavailable,
    bm25_score,
    build_index,
    chunk,
    content,
    cosine_top_k,
    default_clusters,
    encoder_checksum,
    nearest,
    recall_against,
    reciprocal_rank_fusion,
    unit,
    words,
)
from helpers.retrieval import dense as dense_index
from helpers.retrieval import index as search_index
from tests.encoders import WordEncoder

SENTENCES = {
    "brakes": "Brake pads thinner than one millimeter are replaced in pairs.",
    "heat": "Error E05 means that the display is too hot.",
    "charging": "Charge the battery to eighty percent and keep it dry.",
    "theft": "After a theft call the police and then the insurance.",
    "returns": "A bicycle is returned within thirty days, a battery never.",
}


def pieces(**texts):
    return [Chunk(name, 0, len(text), (name.title(),), text) for name, text in (texts or SENTENCES).items()]


def dense(kind="flat", **options):
    return DenseIndex(kind, options.pop("encoder", None) or WordEncoder(), **options)


MAKE = {
    "DenseIndex": dense,
    "ivf": lambda: dense("ivf"),
    "hnsw": lambda: dense("hnsw"),
    "BM25Index": BM25Index,
    "HybridIndex": lambda: HybridIndex(WordEncoder()),
}


def load(index, path):
    options = {} if isinstance(index, BM25Index) else {"encoder": WordEncoder()}
    return type(index).load(path, **options)


@pytest.fixture(params=MAKE)
def index(request):
    return MAKE[request.param]()


# What every index does -----------------------------------------------------------------------------------------------


def test_the_document_that_shares_the_words_is_found_first(index):
    index.add(pieces())
    for query, document in [("police theft", "theft"), ("E05 display hot", "heat"), ("brake pads pairs", "brakes")]:
        hits = index.search(query, 3)
        assert hits[0].chunk.document == document
        assert all(a.score >= b.score for a, b in itertools.pairwise(hits))
        assert len({hit.chunk for hit in hits}) == len(hits) <= 3


def test_more_hits_asked_than_chunks_there_are_gives_each_once(index):
    index.add(pieces())
    for k in (5, 6, 1000):
        found = [hit.chunk.document for hit in index.search("the battery is a brake error", k)]
        assert len(found) == len(set(found)) <= 5
        assert isinstance(index, BM25Index) or len(found) == 5 or getattr(index, "kind", "") == "ivf"


def test_what_was_removed_is_not_found_and_the_rest_still_is(index):
    index.add(pieces())
    version = index.version
    assert index.remove("theft") == 1 and len(index) == 4 and index.version > version
    assert all(hit.chunk.document != "theft" for hit in index.search("theft police insurance the battery", 5))
    assert index.search("E05 display", 1)[0].chunk.document == "heat"
    with pytest.raises(KeyError, match="no chunk of the document 'theft'"):
        index.remove("theft")


def test_adding_in_parts_finds_what_adding_at_once_finds(index, request):
    texts = {
        f"d{i}": f"{' '.join(random.Random(i).sample('ab cd ef gh ij kl mn op'.split(), 4))} n{i}" for i in range(60)
    }
    whole = MAKE[request.node.callspec.params["index"]]()
    whole.add(pieces(**texts))
    chunks = pieces(**texts)
    for start in range(0, len(chunks), 7):
        index.add(chunks[start : start + 7])
        index.search("ab cd", 3)  # builds, so that the next part is put into an index that stands
    index.remove("d3")
    whole.remove("d3")
    if getattr(index, "kind", "flat") == "flat":
        for query in ("ab cd n7", "gh", "n59 op kl"):
            assert index.search(query, 9) == whole.search(query, 9)
    assert len(index) == len(whole) == 59


@pytest.mark.parametrize("kind", ["ivf", "hnsw"])
def test_a_few_removed_rows_are_passed_over_and_many_lead_to_a_new_build(kind, monkeypatch):
    builds = []
    monkeypatch.setattr(
        dense_index,
        "build_index",
        lambda vectors, *a, **o: builds.append(len(vectors)) or build_index(vectors, *a, **o),
    )
    texts = {f"d{i}": f"{' '.join(random.Random(i).sample('ab cd ef gh ij kl'.split(), 3))} n{i}" for i in range(300)}
    options = {"ivf": {"clusters": 4, "probes": 4}, "hnsw": {"search_breadth": 300}}[kind]
    index = dense(kind, **options)
    index.add(pieces(**texts))
    index.search("ab", 3)
    gone, kept = [f"d{i}" for i in range(0, 300, 4)], dict(texts)
    for name in gone:
        index.remove(name)
        del kept[name]
    index.add(pieces(late="ab zz n4"))
    index.remove("d1")
    del kept["d1"]
    assert builds == [300], "75 removed rows are no reason to build anew"
    fresh = DenseIndex("flat", WordEncoder())
    fresh.add(pieces(**kept, late="ab zz n4"))
    assert index.chunks == fresh.chunks and (index.vectors == fresh.vectors).all()
    for query in ("ab cd n5", "n4 zz", "ij", "d1 n1"):
        ours, theirs = index.search(query, 12), fresh.search(query, 12)
        assert [hit.score for hit in ours] == pytest.approx([hit.score for hit in theirs], abs=1e-6)
        assert len({hit.chunk for hit in ours}) == 12 and not {hit.chunk.document for hit in ours} & {*gone, "d1"}
    assert len(index.search("ab", 1000)) == len(index) == 225
    builds.clear()
    for i in range(2, 200, 4):
        index.remove(f"d{i}")
    index.search("ab", 3)
    assert builds == [175], "more than a hundred are"


def test_an_index_that_lost_everything_begins_anew(index):
    index.add(pieces())
    index.search("battery", 3)
    for name in SENTENCES:
        index.remove(name)
    index.add(pieces(leasing="Employers lease a bicycle for three years."))
    assert [hit.chunk.document for hit in index.search("lease years", 3)] == ["leasing"]


def test_one_by_one_each_chunk_is_looked_at_and_each_vector_copied_once(monkeypatch):
    places, joined = [], []
    place, concatenate = search_index._place, np.concatenate
    monkeypatch.setattr(search_index, "_place", lambda chunk: places.append(chunk) or place(chunk))
    monkeypatch.setattr(np, "concatenate", lambda parts: joined.append(len(parts)) or concatenate(parts))
    index = dense()
    chunks = pieces(**{f"d{i}": f"word{i}" for i in range(40)})
    for one in chunks:
        index.add([one])
    assert len(places) <= 4 * len(chunks) and joined == []
    assert index.search("word7", 1)[0].chunk.document == "d7"
    assert joined == [40] and index.vectors.shape == (40, 64)
    for one in pieces(**{f"e{i}": f"new{i}" for i in range(9)}):
        index.add([one])
        index.search("new", 1)
    assert joined == [40], "FAISS takes in a new vector without a look at the others"


def test_a_document_edited_is_found_by_its_new_words_only(index):
    index.add(pieces())
    index.remove("heat")
    index.add([Chunk("heat", 0, 30, (), "Error E05 asks for a software update.")])
    assert index.search("E05 software update", 1)[0].chunk.text.endswith("update.")
    assert not any("too hot" in hit.chunk.text for hit in index.search("E05 display too hot", 5))


@pytest.mark.parametrize("removed", [False, True])
def test_a_saved_index_finds_the_same_and_can_grow(index, tmp_path, removed):
    index.add(pieces())
    if removed:
        index.remove("brakes")
    index.save(tmp_path / "it.index")
    again = load(index, tmp_path / "it.index")
    assert again.chunks == index.chunks
    for query in ("battery", "the police and a theft", "E05?"):
        assert again.search(query, 4) == index.search(query, 4)
    again.add(pieces(leasing="Employers lease a bicycle for three years."))
    assert again.search("employers lease years", 1)[0].chunk.document == "leasing"
    again.remove("heat")
    assert len(again) == len(index) and len(index.search("E05 display hot", 1)) == 1
    again.save(tmp_path / "it.index")
    assert len(load(index, tmp_path / "it.index")) == len(index)


def test_the_file_is_safetensors_and_holds_no_pickle(index, tmp_path):
    index.add(pieces())
    index.save(tmp_path / "it.index")
    assert json.loads(bytes(load_file(tmp_path / "it.index")["chunks"]))[0][0] == "brakes"
    assert os.listdir(tmp_path) == ["it.index"]


# Bad input -----------------------------------------------------------------------------------------------------------


def test_an_empty_corpus_is_said_at_each_step(index, tmp_path):
    with pytest.raises(ValueError, match="There is no chunk to add: cut documents with chunk"):
        index.add([])
    with pytest.raises(ValueError, match="The index is empty, so there is nothing to search: add"):
        index.search("battery", 1)
    with pytest.raises(ValueError, match="The index is empty, so there is nothing to save"):
        index.save(tmp_path / "it.index")
    index.add(pieces(one="Only one."))
    index.remove("one")
    with pytest.raises(ValueError, match="The index is empty"):
        index.search("one", 1)


@pytest.mark.parametrize("query", ["", "  \n"])
def test_an_empty_query_is_refused(index, query):
    index.add(pieces())
    with pytest.raises(ValueError, match="The query is empty: ask something"):
        index.search(query, 3)


def test_a_query_in_a_wrong_encoding_or_no_text_is_refused(index):
    index.add(pieces())
    with pytest.raises(ValueError, match="The query was read in a wrong encoding"):
        index.search("Gr\udcfcn", 1)
    with pytest.raises(TypeError, match="The query has to be a text, not list"):
        index.search(["battery"], 1)


@pytest.mark.parametrize("k", [0, -1, True, 2.0, "3"])
def test_a_k_that_is_no_number_of_hits_is_refused(index, k):
    index.add(pieces())
    with pytest.raises(ValueError, match="k is how many chunks to find, a whole number from 1"):
        index.search("battery", k)


def test_duplicates_are_refused_and_the_index_is_as_before(index):
    index.add(pieces())
    before, version = index.search("battery", 5), index.version
    twice = pieces(fresh="A new text.") + pieces(theft="After a theft call.")[:1]
    twice[1] = Chunk("theft", 0, len(SENTENCES["theft"]), (), "Another text at the same place.")
    with pytest.raises(ValueError, match=r"0–53 of 'theft' would stand twice in the index: remove\(document\) before"):
        index.add(twice)
    with pytest.raises(ValueError, match="'fresh' would stand twice"):
        index.add(pieces(fresh="A new text.") * 2)
    assert index.search("battery", 5) == before and index.version == version and len(index) == 5


def test_two_documents_with_the_same_text_are_both_found_and_encoded_once():
    encoder = WordEncoder()
    index = dense(encoder=encoder, with_headings=False)
    index.add(pieces(ghent="Closed on Sunday.", graz="Closed on Sunday.", lyon="Open."))
    assert encoder.encoded == 2
    hits = index.search("closed on sunday", 2)
    assert {hit.chunk.document for hit in hits} == {"ghent", "graz"} and hits[0].score == hits[1].score


def test_what_is_no_chunk_or_has_no_text_is_refused(index):
    with pytest.raises(TypeError, match="An index takes chunks, as chunk.text. gives them, not str"):
        index.add(["text"])
    with pytest.raises(ValueError, match="at 3 of 'blank' is empty: leave it out"):
        index.add([Chunk("blank", 3, 4, (), " ")])


def test_a_file_cut_off_anywhere_is_refused(index, tmp_path):
    index.add(pieces())
    path = tmp_path / "it.index"
    index.save(path)
    whole = path.read_bytes()
    for length in (0, 5, 9, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(IndexUnavailable, match="it.index is cut off or damaged: build the index again"):
            load(index, path)


def test_a_file_with_one_bit_changed_is_refused(index, tmp_path):
    index.add(pieces())
    path = tmp_path / "it.index"
    index.save(path)
    whole = bytearray(path.read_bytes())
    data_begins = 8 + int.from_bytes(whole[:8], "little")
    for at in (data_begins, (data_begins + len(whole)) // 2, len(whole) - 1):
        changed = bytearray(whole)
        changed[at] ^= 1
        path.write_bytes(changed)
        with pytest.raises(IndexUnavailable, match="is cut off or damaged"):
            load(index, path)


def test_a_file_of_something_else_is_refused(index, tmp_path):
    with pytest.raises(IndexUnavailable, match="There is no index in .*nowhere.index"):
        load(index, tmp_path / "nowhere.index")
    save_file({"weight": np.zeros(3, dtype=np.float32)}, tmp_path / "lora.index")
    with pytest.raises(IndexUnavailable, match="lora.index holds tensors, but no index of this course"):
        load(index, tmp_path / "lora.index")
    (tmp_path / "notes.index").write_text("not an index", encoding="utf-8")
    with pytest.raises(IndexUnavailable, match="notes.index is cut off or damaged"):
        load(index, tmp_path / "notes.index")
    other = BM25Index() if not isinstance(index, BM25Index) else dense()
    other.add(pieces())
    other.save(tmp_path / "other.index")
    with pytest.raises(IndexUnavailable, match=f"holds a {other.name}, not a {index.name}: load it with {other.name}"):
        load(index, tmp_path / "other.index")


def test_a_full_disk_leaves_the_earlier_index_intact(index, tmp_path, monkeypatch):
    index.add(pieces())
    path = tmp_path / "it.index"
    index.save(path)

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(safe_files, "_force_to_disk", full)
    index.remove("heat")
    with pytest.raises(OSError, match="The disk is too full for it.index, and what stood there before is intact"):
        index.save(path)
    assert len(load(index, path)) == 5 and os.listdir(tmp_path) == ["it.index"]


# Embedders -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [dense, lambda: HybridIndex(WordEncoder())], ids=["dense", "hybrid"])
def test_an_index_of_another_embedder_is_refused(make, tmp_path):
    index = make()
    index.add(pieces())
    index.save(tmp_path / "it.index")
    with pytest.raises(IndexUnavailable, match="it.index was made with another embedder, whose vectors mean nothing"):
        type(index).load(tmp_path / "it.index", encoder=WordEncoder(checksum="others"))


def test_an_embedder_changed_between_two_adds_is_refused():
    encoder = WordEncoder()
    index = dense(encoder=encoder)
    index.add(pieces())
    encoder.checksum = "tuned"
    with pytest.raises(ValueError, match="The embedder has changed since the index was begun: build a new index"):
        index.add(pieces(more="More."))
    assert len(index) == 5


def test_the_checksum_follows_the_weights():
    import torch

    class Weighted(torch.nn.Linear):
        max_seq_length = 256

    torch.manual_seed(0)
    a, b = Weighted(3, 2), Weighted(3, 2)
    assert encoder_checksum(a) != encoder_checksum(b)
    b.load_state_dict(a.state_dict())
    assert encoder_checksum(a) == encoder_checksum(b) == encoder_checksum(a)
    with torch.no_grad():
        b.weight[1, 2] += 1e-6
    assert encoder_checksum(a) != encoder_checksum(b)
    b.load_state_dict(a.state_dict())
    b.max_seq_length = 128
    assert encoder_checksum(a) != encoder_checksum(b)
    assert encoder_checksum(a.to(torch.bfloat16)) != encoder_checksum(Weighted(3, 2))


def test_headings_are_read_where_asked():
    chunks = [Chunk("a", 0, 9, ("Kite",), "Eight gears."), Chunk("b", 0, 9, ("Heron",), "Eight gears.")]
    for index in (BM25Index(), dense(), HybridIndex(WordEncoder())):
        index.add(chunks)
        assert index.search("gears of the Heron", 1)[0].chunk.document == "b"
    bare = BM25Index(with_headings=False)
    bare.add(chunks)
    assert bare.search("Heron", 2) == []


# Vectors -------------------------------------------------------------------------------------------------------------


def test_flat_faiss_equals_the_product():
    rng = np.random.default_rng(0)
    vectors, queries = unit(rng.normal(size=(300, 16))), unit(rng.normal(size=(20, 16)))
    index = build_index(vectors)
    for query in queries:
        rows, cosines = cosine_top_k(query * 7, vectors * 3, 10)  # lengths do not matter
        theirs, scores = nearest(index, query, 10)
        assert rows.tolist() == theirs.tolist()
        np.testing.assert_allclose(cosines, scores, atol=1e-6)  # rounding of float32


def test_faiss_fills_up_with_minus_one_and_nearest_does_not():
    vectors = unit(np.eye(3, dtype=np.float32))
    for kind in ("flat", "hnsw", "ivf"):
        index = build_index(vectors, kind)
        assert -1 in index.search(vectors[:1], 5)[1]
        rows, scores = nearest(index, vectors[0], 5)
        assert rows.tolist()[0] == 0 and -1 not in rows and len(rows) == len(scores) == len(set(rows.tolist()))


@pytest.mark.parametrize("kind", ["ivf", "hnsw"])
def test_faster_indexes_find_most_of_what_the_exact_one_finds(kind):
    rng = np.random.default_rng(1)
    centers = rng.normal(size=(40, 24))
    vectors = unit(centers[rng.integers(40, size=3000)] + 0.5 * rng.normal(size=(3000, 24)))
    queries = unit(centers[rng.integers(40, size=50)] + 0.5 * rng.normal(size=(50, 24)))
    exact = [cosine_top_k(query, vectors, 10)[0] for query in queries]
    index = build_index(vectors, kind)
    assert recall_against(exact, [nearest(index, query, 10)[0] for query in queries]) > 0.9
    narrow = build_index(vectors, kind, **({"probes": 1} if kind == "ivf" else {"links": 4, "search_breadth": 10}))
    few = recall_against(exact, [nearest(narrow, query, 10)[0] for query in queries])
    assert few < recall_against(exact, [nearest(index, query, 10)[0] for query in queries])


def test_vector_errors_and_defaults():
    with pytest.raises(ValueError, match="A vector without direction"):
        unit([[0.0, 0.0]])
    with pytest.raises(ValueError, match="A vector without direction"):
        unit([[np.nan, 1.0]])
    with pytest.raises(ValueError, match="k is a whole number from 1, not 0"):
        cosine_top_k([1.0], [[1.0]], 0)
    with pytest.raises(ValueError, match="kind is one of flat, ivf, hnsw, int8, ivf-pq, not 'annoy'"):
        build_index(np.eye(2), "annoy")
    with pytest.raises(ValueError, match="kind is one of flat, ivf, hnsw, int8, ivf-pq, not 'tree'"):
        DenseIndex("tree")
    with pytest.raises(ValueError, match="N at least 1"):
        build_index(np.zeros((0, 4)))
    assert default_clusters(10) == 1 and default_clusters(50_000) == 892 and default_clusters(3900) == 100
    assert recall_against([[1, 2], [3]], [[2, 5], [3]]) == pytest.approx(2 / 3)


def test_equal_cosines_come_in_order():
    rows, _ = cosine_top_k([1, 0], [[0, 1], [2, 0], [1, 0], [-1, 0]], 10)
    assert rows.tolist() == [1, 2, 0, 3]


# BM25 ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("k1", "b"), [(1.5, 0.75), (0.9, 0.4), (2.0, 1.0), (1.2, 0.0), (0.0, 0.75)])
def test_our_bm25_equals_the_librarys(k1, b):
    rng = random.Random(0)
    vocabulary = [f"w{i}" for i in range(30)]
    corpus = [rng.choices(vocabulary, weights=range(1, 31), k=rng.randint(1, 40)) for _ in range(50)]
    library = bm25s.BM25(k1=k1, b=b)
    library.index(corpus, show_progress=False)
    for _ in range(20):
        query = rng.choices([*vocabulary, "unheard"], k=rng.randint(1, 6))  # words may stand twice
        theirs = library.get_scores(query)
        ours = [bm25_score(query, document, corpus, k1, b) for document in corpus]
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)  # the library adds in float32


@pytest.mark.parametrize(("plain", "terms"), [(True, words), (False, content)])
def test_the_index_scores_as_the_formula(plain, terms):
    index = BM25Index(plain=plain, with_headings=False)
    index.add(pieces())
    corpus = [terms(text) for text in SENTENCES.values()]
    ours = [bm25_score(terms("the batteries, the Battery"), document, corpus) for document in corpus]
    np.testing.assert_allclose(index.scores("the batteries, the Battery"), ours, rtol=1e-5)
    assert index.scores("the")[0] == 0 and (index.scores("the") > 0).any() == plain


@pytest.mark.parametrize("text", ["It is.", "…!"])
def test_a_chunk_without_a_word_to_count_is_never_found_and_does_no_harm(text, tmp_path):
    index = BM25Index(with_headings=False)
    index.add(pieces(empty=text))
    assert index.search("it is the battery", 3) == []
    index.save(tmp_path / "index")
    assert BM25Index.load(tmp_path / "index").search("it is the battery", 3) == []
    index.add(pieces())
    assert [hit.chunk.document for hit in index.search("E05", 3)] == ["heat"]


def test_an_index_of_plain_words_stays_one_in_its_file(tmp_path):
    index = BM25Index(plain=True, with_headings=False)
    index.add(pieces())
    index.save(tmp_path / "index")
    loaded = BM25Index.load(tmp_path / "index")
    assert loaded.search("bicycles", 5) == [] and loaded.plain and not loaded.with_headings


def test_only_chunks_that_share_a_word_are_found():
    index = BM25Index()
    index.add(pieces())
    assert [hit.chunk.document for hit in index.search("E05", 5)] == ["heat"]
    assert [hit.chunk.document for hit in index.search("bicycles", 5)] == ["returns"], "an ending is no other word"
    assert index.search("it is of the", 5) == [] and index.search("?!", 5) == []


def test_bm25_by_hand():
    corpus = [["a", "b"], ["a", "a", "c", "c"]]
    # in both documents: ln(1 + 0.5 / 2.5); two of four words, length 4 of mean 3
    rarity, length = np.log(1.2), 1 - 0.75 + 0.75 * 4 / 3
    assert bm25_score(["a"], corpus[1], corpus) == pytest.approx(rarity * 2 / (2 + 1.5 * length))
    assert bm25_score(["z"], corpus[1], corpus) == 0
    with pytest.raises(ValueError, match="The corpus has no word"):
        bm25_score(["a"], [], [[]])
    with pytest.raises(ValueError, match="b lies between 0 and 1, not 1.5 and 2"):
        BM25Index(b=2)
    assert words("E05: 4.5 bar, Übergröße!") == ["e05", "4", "5", "bar", "übergröße"]


# Fusion --------------------------------------------------------------------------------------------------------------


def reference_fusion(rankings, weights, c):
    """The sum written the other way round: for each item over the rankings."""
    items = {item for ranking in rankings for item in ranking}
    return {
        item: sum(w / (c + r.index(item) + 1) for r, w in zip(rankings, weights, strict=True) if item in r)
        for item in items
    }


def test_fusion_equals_the_sum_over_rankings():
    rng = random.Random(3)
    for _ in range(50):
        rankings = [rng.sample(range(12), rng.randint(0, 12)) for _ in range(rng.randint(1, 4))]
        weights = [rng.choice([0.5, 1.0, 3.0]) for _ in rankings]
        c = rng.choice([0, 1, 60])
        fused = reciprocal_rank_fusion(rankings, weights, c)
        assert dict(fused) == pytest.approx(reference_fusion(rankings, weights, c))
        assert all(a[1] >= b[1] for a, b in itertools.pairwise(fused))


def test_fusion_by_hand():
    [(first, score), *rest] = reciprocal_rank_fusion([["a", "b"], ["b", "c"]])
    assert first == "b" and score == pytest.approx(1 / 62 + 1 / 61)
    assert [item for item, _ in rest] == ["a", "c"]
    assert reciprocal_rank_fusion([["a"], ["b"]], [1, 2])[0][0] == "b"
    assert reciprocal_rank_fusion([["a"], ["b"]])[0][0] == "a"  # met first
    assert reciprocal_rank_fusion([["a"], ["b"]], [1, 0]) == [("a", 1 / 61)]
    assert reciprocal_rank_fusion([]) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (([["a", "a"]],), "stands twice in one ranking"),
        (([["a"]], [1, 2]), "Each ranking needs one weight, not 2 for 1"),
        (([["a"]], [-1]), "Weights are 0 or more and not all 0"),
        (([["a"]], [0]), "Weights are 0 or more and not all 0"),
        (([["a"]], [1], -1), "c is 0 or more, not -1"),
    ],
)
def test_fusion_refuses(arguments, said):
    with pytest.raises(ValueError, match=said):
        reciprocal_rank_fusion(*arguments)


def test_the_hybrid_finds_what_only_one_search_finds():
    encoder = WordEncoder(synonyms={"bike": "bicycle", "stolen": "theft"})
    index = HybridIndex(encoder)
    index.add(pieces())
    assert index.search("stolen", 1)[0].chunk.document == "theft"  # no word in common
    only_words = HybridIndex(encoder, weights=(0, 1))
    only_words.add(pieces())
    assert only_words.search("stolen", 5) == []
    fused = index.search("E05", 5)
    assert fused[0].chunk.document == "heat" and fused[0].score == pytest.approx(2 / (index.c + 1))
    with pytest.raises(ValueError, match="begins with two empty ones"):
        HybridIndex(dense=index.dense)
    with pytest.raises(ValueError, match="depth is how many hits"):
        HybridIndex(encoder, depth=0)


# The real embedder ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def embedder():
    from helpers.models import embedder

    return embedder()


def test_the_real_embedder_finds_by_meaning_and_its_file_comes_back(embedder, tmp_path):
    index = DenseIndex(encoder=embedder, with_headings=False)
    index.add(pieces())
    hits = index.search("Somebody stole it!", 5)
    assert hits[0].chunk.document == "theft" and len(hits) == 5
    expected = embedder.encode(["Somebody stole it!", SENTENCES["theft"]])
    assert hits[0].score == pytest.approx(float(expected[0] @ expected[1]), abs=1e-5)
    index.save(tmp_path / "it.index")
    assert DenseIndex.load(tmp_path / "it.index").search("Somebody stole it!", 5) == hits
    with pytest.raises(IndexUnavailable, match="another embedder"):
        DenseIndex.load(tmp_path / "it.index", encoder=WordEncoder())


def test_the_real_embedder_does_not_see_a_chunks_end(embedder):
    """Beyond its 256 tokens nothing counts; that is why chunks are made."""
    start = "The bell rings. " * 80
    [long] = chunk(start + "E05 means heat.", size=1000, document="long")
    index = DenseIndex(encoder=embedder)
    index.add([long, Chunk("other", 0, 1, (), start.strip())])
    a, b = index.vectors
    np.testing.assert_allclose(a, b, atol=1e-5)
