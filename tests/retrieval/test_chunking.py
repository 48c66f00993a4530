"""Chunks: their spans, sizes and overlaps, what no chunk may cut, and documents that nobody wanted."""

from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.retrieval import Chunk, chunk, count_tokens, sentence_spans
from helpers.retrieval.chunking import WAYS, embedder_tokenizer, pack_units

TERMS = """# Storing a bicycle

Valid for all shops. Mrs. Bakx keeps the list. Nobody stores a bicycle in the yard, not even for an hour!

## Winter

- Take the battery out. It lives at 15 degrees.
- Pump the tires to 4.5 bar,
  then hang the bicycle up.

| month | check |
| --- | --- |
| January | charge to 60% |

```
# no heading: a comment in a listing
```

## Summer
### Heat

Above 45 degrees the display shows E05. Wait until it has cooled down.

## Theft

Call the police first. The form T-7 comes second.
"""


@pytest.mark.parametrize("by", WAYS)
@pytest.mark.parametrize(("size", "overlap"), [(8, 0), (20, 5), (40, 39), (200, 40)])
def test_a_chunk_is_its_span_within_its_size_and_all_words_are_in_some_chunk(by, size, overlap):
    chunks = chunk(TERMS, size, overlap, by, "storing")
    covered = set()
    for c in chunks:
        assert c.document == "storing" and TERMS[c.start : c.end] == c.text == c.text.strip() != ""
        assert count_tokens(c.text) <= size
        covered |= set(range(c.start, c.end))
    assert not "".join(letter for at, letter in enumerate(TERMS) if at not in covered).split()
    assert all(a.start < b.start and a.end < b.end for a, b in itertools.pairwise(chunks))


def test_neighbors_share_as_much_as_is_allowed_and_no_more():
    whole = chunk(TERMS, 30, 10, "tokens")
    for a, b in itertools.pairwise(whole):
        shared = TERMS[b.start : a.end]
        assert 0 < count_tokens(shared) <= 10
        longer = TERMS[: b.start].split()[-1] + " " + shared
        assert count_tokens(longer) > 10, "one word more would have been allowed"
    assert all(b.start >= a.end for a, b in itertools.pairwise(chunk(TERMS, 30, 0, "tokens")))


def test_no_sentence_is_cut_where_it_fits():
    spans = sentence_spans(TERMS)
    starts, ends = {start for start, _ in spans}, {end for _, end in spans}
    assert all(c.start in starts and c.end in ends for c in chunk(TERMS, 24, 8, "sentences"))
    cut = [c for c in chunk(TERMS, 24, 8, "tokens") if c.start not in starts or c.end not in ends]
    assert cut, "cutting by tokens cuts sentences, or this test proves nothing"


def test_headings_are_the_path_above_the_beginning():
    found = {c.headings for c in chunk(TERMS, 20, 0, "sentences")}
    assert ("Storing a bicycle", "Summer", "Heat") in found and ("Storing a bicycle", "Theft") in found
    assert not any("no heading" in title for path in found for title in path)
    [last] = [c for c in chunk(TERMS, 6, 0, "sentences") if c.text.startswith("## Theft")]
    assert last.with_headings.startswith("Storing a bicycle › Theft: ## Theft")
    assert Chunk("d", 0, 1, (), "x").with_headings == "x"


def test_sentences_end_at_stops_items_rows_and_headings_only():
    found = [TERMS[start:end] for start, end in sentence_spans(TERMS)]
    assert found[:4] == ["# Storing a bicycle", "Valid for all shops.", "Mrs. Bakx keeps the list.",
                         "Nobody stores a bicycle in the yard, not even for an hour!"]  # fmt: skip
    assert "- Pump the tires to 4.5 bar,\n  then hang the bicycle up." in found
    assert "| January | charge to 60% |" in found
    assert sentence_spans("  \n\n ") == []


def test_tokens_are_the_embedders_with_nothing_cut_off():
    from transformers import AutoTokenizer

    from helpers.models import fetch

    theirs = AutoTokenizer.from_pretrained(fetch("embedder"))
    for text in (TERMS, TERMS * 9, "Übergrößenträger, 4.5 bar?", "🚲 E05 … ½"):
        assert count_tokens(text) == len(theirs(text, add_special_tokens=False, truncation=False)["input_ids"])
    assert embedder_tokenizer().truncation is None


def test_a_sentence_or_word_too_long_is_cut_between_words_or_tokens():
    long = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen."
    assert [c.text for c in chunk(long, 4, 0, "sentences")][:2] == ["one two three four", "five six seven eight"]
    word = "Akkuladestandsanzeigengehäuse"
    pieces = chunk(word, 3, 0)
    assert len(pieces) > 1 and "".join(c.text for c in pieces) == word
    assert all(count_tokens(c.text) <= 3 + 1 for c in pieces)  # alone, a part of a word may need one token more


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 12), max_size=40), st.integers(1, 20), st.data())
def test_windows_cover_all_units_and_each_says_something_new(lengths, size, data):
    overlap = data.draw(st.integers(0, size - 1))
    windows = pack_units(lengths, size, overlap)
    assert {i for first, last in windows for i in range(first, last)} == set(range(len(lengths)))
    for first, last in windows:
        assert sum(lengths[first:last]) <= size or last - first == 1
    for (a, b), (c, d) in itertools.pairwise(windows):
        assert a < c <= b < d, "the next window starts later, leaves no gap, and ends later"
        assert sum(lengths[c:b]) <= overlap
        more = sum(lengths[c - 1 : b])
        assert c - 1 == a or more > overlap or more + lengths[b] > size, "it could have shared one unit more"
        assert sum(lengths[a : b + 1]) > size, "a window takes as many as fit"


def test_windows_by_hand():
    assert pack_units([3, 3, 3, 3], 7, 3) == [(0, 2), (1, 3), (2, 4)]
    assert pack_units([3, 3, 6, 3], 7, 3) == [(0, 2), (2, 3), (3, 4)]  # no overlap where the new unit would not fit
    assert pack_units([9, 1], 7, 3) == [(0, 1), (1, 2)]
    assert pack_units([], 7, 3) == []


# Bad input -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", WAYS)
@pytest.mark.parametrize("text", ["", " \n\t ", "\x00\x01"])
def test_a_document_without_words_is_refused_by_name(text, by):
    with pytest.raises(ValueError, match="'empty-note' has no word to put into a chunk"):
        chunk(text, by=by, document="empty-note")


def test_broken_encoding_is_refused_with_the_place():
    text = "Gr\udcfcn means go."  # what Python makes of a Latin-1 byte with errors="surrogateescape"
    with pytest.raises(ValueError, match=r"'signs' was read in a wrong encoding \(character 2"):
        chunk(text, document="signs")
    with pytest.raises(TypeError, match="is bytes, not text: decode it first"):
        chunk(b"Go.")
    with pytest.raises(TypeError, match="has to be a text, not NoneType"):
        chunk(None)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"size": 0}, "size is a whole number of tokens from 1, not 0"),
        ({"size": True}, "not True"),
        ({"size": 10.0}, "not 10.0"),
        ({"size": 10, "overlap": 10}, "below size, 10, not 10"),
        ({"overlap": -1}, "not -1"),
        ({"by": "pages"}, "by is one of tokens, sentences, not 'pages'"),
    ],
)
def test_sizes_that_do_not_go_together_are_refused(options, said):
    with pytest.raises(ValueError, match=said):
        chunk(TERMS, **options)


@pytest.mark.slow
@pytest.mark.parametrize("by", WAYS)
def test_a_document_of_2_megabytes_is_cut_in_seconds_with_little_memory(by):
    import tracemalloc

    pages = [TERMS.replace("E05", f"E{i}") for i in range(2_000_000 // len(TERMS))]
    text = "\n".join(pages)
    started = time.process_time()
    chunks = chunk(text, by=by, document="huge")
    seconds = time.process_time() - started
    assert all(text[c.start : c.end] == c.text for c in chunks) and text.strip().endswith(chunks[-1].text)
    assert seconds < 40, "2 seconds are usual; quadratic work takes minutes"

    tracemalloc.start()
    chunk("\n".join(pages[: len(pages) // 8]), by=by, document="large")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 60 * len(text) / 8


def test_a_megabyte_without_a_space_is_cut_too():
    text = "AbC9+/" * 30_000
    chunks = chunk(text, document="picture-as-text")
    assert "".join(c.text for c in chunk(text, overlap=0)) == text
    assert max(len(c.text) for c in chunks) < 2000
