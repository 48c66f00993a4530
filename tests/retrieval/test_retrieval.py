"""`helpers.retrieval` as the one name for it all, and the whole chain on the committed handbook."""

from __future__ import annotations

import inspect

import pytest

from helpers import retrieval
from helpers.old.retrieval import compare, score_search
from helpers.retrieval import Answer, BM25Index, Chunk, DenseIndex, Hit, HybridIndex, chunk, chunk_documents
from helpers.velunda import load_handbook, load_questions


def test_everything_named_is_there_and_in_order():
    assert retrieval.__all__ == sorted(retrieval.__all__)
    assert all(hasattr(retrieval, name) for name in retrieval.__all__)
    public = {
        name for name, value in vars(retrieval).items() if getattr(value, "__module__", "").startswith("helpers.")
    }
    assert public <= set(retrieval.__all__), "imported, but not said"


def test_signatures_are_the_promised_ones():
    wanted = "(text: 'str', size: 'int' = 200, overlap: 'int' = 40, by: 'str' = 'tokens', document: 'str' = '')"
    assert str(inspect.signature(chunk)).startswith(wanted)
    assert list(inspect.signature(Chunk).parameters) == ["document", "start", "end", "headings", "text"]
    assert list(inspect.signature(Hit).parameters) == ["chunk", "score"]
    assert list(inspect.signature(Answer).parameters)[:4] == ["text", "citations", "confidence", "abstained"]
    for kind in (DenseIndex, BM25Index, HybridIndex):
        assert len(kind()) == 0, "built empty, without a model"
        assert list(inspect.signature(kind.search).parameters) == ["self", "query", "k"]
        assert inspect.ismethod(kind.load)


@pytest.fixture(scope="module")
def chunks():
    return chunk_documents(load_handbook().values(), size=120, overlap=24, by="headings")


def test_words_find_most_of_the_handbooks_passages(chunks):
    index = BM25Index()
    index.add(chunks)
    questions = load_questions("dev")
    scores = score_search(index.search, questions)
    first = score_search(lambda query, k: [Hit(piece, 0.0) for piece in chunks[:k]], questions)
    gain = compare(scores, first, "recall@10")
    assert gain.low > 0.3 and scores.mean("recall@1") <= scores.mean("recall@5") <= scores.mean("recall@10")
    assert all(0 <= value <= 1 for values in scores.values.values() for value in values)
