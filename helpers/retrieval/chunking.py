"""Cut documents into chunks small enough to be found: between tokens, or between sentences.

    chunks = chunk(text, size=200, overlap=40, by="sentences", document="returns-policy")
    chunks[0].text == text[chunks[0].start : chunks[0].end]

Both pack units (words, or sentences) into windows, `pack_units`. A token is one of the embedder's, so that `size`
compares with what the embedder can read.

What it does not do: read other formats than plain text and Markdown, or understand what it cuts.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from helpers.velunda.handbook import Document

if TYPE_CHECKING:
    from tokenizers import Tokenizer

WAYS = ("tokens", "sentences")
LONGEST_WORD = 100  # characters; what has more without a space (a table of data, a picture as text) is cut
# what is tokenized at once: some words, or a part of one that is too long
PIECE = re.compile(rf"(?:\S{{1,{LONGEST_WORD}}}\s+){{1,64}}|\S{{1,{LONGEST_WORD}}}")
WORD = re.compile(rf"\S{{1,{LONGEST_WORD}}}")
HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.+?)[ \t]*#*[ \t]*$")
BLOCK_STARTS = re.compile(r"\s*(?:[-*+]\s|\d+[.)]\s|\||>|#{1,6}\s|```|~~~)")  # a list's item, a row, a quote, a heading
FENCE = re.compile(r" {0,3}(```|~~~)")
Span = tuple[int, int]


def sentences(text: str) -> list[str]:
    """Cut after ., ? or ! where a capital or a digit follows; titles such as "Mrs." do not end a sentence."""
    return re.split(r"(?<!\bMrs\.)(?<!\bMr\.)(?<!\bMs\.)(?<=[.?!])\s+(?=[\"“A-Z0-9])", text)


@dataclass(frozen=True)
class Chunk:
    """A piece of a document: `source[start:end] == text`, in characters.

    headings: those above the chunk's beginning, the outermost first.
    """

    document: str
    start: int
    end: int
    headings: tuple[str, ...]
    text: str

    @property
    def with_headings(self) -> str:
        """The text behind its headings in one line, as an index may read it: `Repair terms › Consent: If the …`."""
        return f"{' › '.join(self.headings)}: {self.text}" if self.headings else self.text


def chunk(text: str, size: int = 200, overlap: int = 40, by: str = "tokens", document: str = "") -> list[Chunk]:
    """Cut a document's text into chunks of at most `size` tokens; neighbors share at most `overlap` of them.

    by: "tokens" cuts between any two words, "sentences" only between sentences. A sentence of more than `size` tokens
    is cut between words, a word between tokens.
    Raises ValueError for a text without words, sizes that do not go together, another `by`, and characters that were
    read in a wrong encoding; TypeError for bytes.
    """
    require_text(text, _named(document))
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise ValueError(f"size is a whole number of tokens from 1, not {size!r}.")
    if isinstance(overlap, bool) or not isinstance(overlap, int) or not 0 <= overlap < size:
        raise ValueError(f"overlap is a whole number from 0 and below size, {size}, not {overlap!r}.")
    if by not in WAYS:
        raise ValueError(f"by is one of {', '.join(WAYS)}, not {by!r}.")
    words = _Words(text)
    if not words.counts.sum():
        raise ValueError(f"{_named(document)} has no word to put into a chunk: leave it out.")
    above, paths = headings_of(text)
    borders = [start for start, _, _ in above]
    spans = [(0, len(text))] if by == "tokens" else sentence_spans(text)
    units = [part for span in spans for part in words.parts(span, size, whole=by != "tokens")]
    chunks = []
    for first, last in pack_units([words.tokens_in(unit) for unit in units], size, overlap):
        start, end = units[first][0], units[last - 1][1]
        headings = paths[bisect_right(borders, start)]
        chunks.append(Chunk(document, start, end, headings, text[start:end]))
    return chunks


def chunk_documents(
    documents: Iterable[Document], size: int = 200, overlap: int = 40, by: str = "tokens"
) -> list[Chunk]:
    """The chunks of all documents, as `chunk` cuts them."""
    return [piece for each in documents for piece in chunk(each.text, size, overlap, by, each.name)]


def pack_units(lengths: Sequence[int], size: int, overlap: int) -> list[Span]:
    """Windows (first, last) over units such as sentences, `last` not included: none is longer than `size` in sum.

    A window takes as many units as fit. The next begins with the last units of the one before, as many as make at most
    `overlap` and leave room for one that is new. A unit longer than `size` gets a window of its own.

    >>> pack_units([3, 3, 3, 3], size=7, overlap=3)
    [(0, 2), (1, 3), (2, 4)]
    """
    windows, start = [], 0
    while start < len(lengths):
        end, total = start, 0
        while end < len(lengths) and (end == start or total + lengths[end] <= size):
            total += lengths[end]
            end += 1
        windows.append((start, end))
        if end == len(lengths):
            break
        back, shared = end, 0
        while back - 1 > start and shared + lengths[back - 1] <= overlap:
            back -= 1
            shared += lengths[back]
        while back < end and shared + lengths[end] > size:  # the new unit has to fit, or the window says nothing new
            shared -= lengths[back]
            back += 1
        start = back
    return windows


def sentence_spans(text: str) -> list[Span]:
    """Where sentences begin and end; an item of a list, a row of a table and a heading end one, too.

    >>> sentence_spans("Yes. It is.\\n- one\\n- two")
    [(0, 4), (5, 11), (12, 17), (18, 23)]
    """
    spans = []
    for start, end in _blocks(text):
        at = start
        for sentence in sentences(text[start:end]):
            if stripped := sentence.strip():
                at = text.index(stripped, at)
                spans.append((at, at + len(stripped)))
                at += len(stripped)
    return spans


def count_tokens(text: str) -> int:
    """How many of the embedder's tokens the text has, the two that frame it left out."""
    return int(_Words(text).counts.sum())


@lru_cache(maxsize=4)
def _tokenizer_in(folder: str) -> Tokenizer:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(f"{folder}/tokenizer.json")
    tokenizer.no_truncation()  # the file cuts and pads to 128 tokens
    tokenizer.no_padding()
    return tokenizer


def embedder_tokenizer() -> Tokenizer:
    """The embedder's tokenizer, which cuts nothing off. Raises ModelUnavailable."""
    from helpers.models import fetch

    return _tokenizer_in(str(fetch("embedder")))


class _Words:
    """Words of a text with their numbers of tokens; tokenized in pieces, so that long texts need little memory."""

    def __init__(self, text: str) -> None:
        self.text, self.tokenizer = text, embedder_tokenizer()
        starts, ends, counts = [], [], []
        pieces = [match.span() for match in PIECE.finditer(text)]
        for i in range(0, len(pieces), 1000):
            batch = pieces[i : i + 1000]
            encoded = self.tokenizer.encode_batch([text[a:b] for a, b in batch], add_special_tokens=False)
            for (a, b), encoding in zip(batch, encoded, strict=True):
                spans = np.array([match.span() for match in WORD.finditer(text, a, b)])
                at = np.array([start + a for start, _ in encoding.offsets], dtype=np.int64)
                which = np.searchsorted(spans[:, 0], at, side="right") - 1
                starts.append(spans[:, 0])
                ends.append(spans[:, 1])
                counts.append(np.bincount(np.maximum(which, 0), minlength=len(spans)))
        self.starts, self.ends, self.counts = (
            np.concatenate(part) if part else np.zeros(0, dtype=np.int64) for part in (starts, ends, counts)
        )
        self.before: NDArray = np.concatenate([[0], self.counts.cumsum()])  # tokens before word i

    def tokens_in(self, span: Span) -> int:
        first, last = self._within(span)
        if last - first == 1 and (self.starts[first], self.ends[first]) != span:  # a part of a word
            return len(self._encode(*span))
        return int(self.before[last] - self.before[first])

    def parts(self, span: Span, size: int, whole: bool) -> list[Span]:
        """The span itself if it is `whole` and fits, else its words, and of words that do not fit their tokens."""
        if whole and self.tokens_in(span) <= size:
            return [span]
        found: list[Span] = []
        for i in range(*self._within(span)):
            word = int(self.starts[i]), int(self.ends[i])
            if self.counts[i] <= size:
                found.append(word)
                continue
            cuts = sorted({word[0] + start for start, _ in self._encode(*word)} | {word[0]})
            found += list(zip(cuts, [*cuts[1:], word[1]], strict=True))
        return found

    def _encode(self, start: int, end: int) -> list[Any]:
        return self.tokenizer.encode(self.text[start:end], add_special_tokens=False).offsets

    def _within(self, span: Span) -> Span:
        first = max(int(np.searchsorted(self.starts, span[0], side="right")) - 1, 0)
        return first, int(np.searchsorted(self.starts, span[1], side="left"))


def require_text(text: object, what: str) -> None:
    """Raises TypeError for what is no text, ValueError for one with characters that stand for broken bytes."""
    if isinstance(text, bytes | bytearray):
        raise TypeError(f"{what} is bytes, not text: decode it first, as in data.decode('utf-8').")
    if not isinstance(text, str):
        raise TypeError(f"{what} has to be a text, not {type(text).__name__}.")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{what} was read in a wrong encoding (character {error.start} stands for a broken byte): "
            "find out its encoding and read it again."
        ) from None


def _named(document: str) -> str:
    return f"The document {document!r}" if document else "The document"


def _lines(text: str) -> list[tuple[int, str]]:
    """Offset and text of each line; str.splitlines would also cut at rarer characters."""
    return [(match.start(), match[0]) for match in re.finditer(r"[^\n]+|(?<=\n)(?=\n)", text)]


def headings_of(text: str) -> tuple[list[tuple[int, int, str]], list[tuple[str, ...]]]:
    """(offset, level, title) of each Markdown heading outside fenced blocks, and the paths before and below each.

    What holds below a heading: of each level the last, unless a higher one came after it.
    """
    found, paths, path, fence = [], [()], [], None
    for start, line in _lines(text):
        if mark := FENCE.match(line):
            fence = mark[1] if fence is None else None if fence == mark[1] else fence
        elif fence is None and (heading := HEADING.match(line.rstrip())):
            found.append((start, len(heading[1]), heading[2]))
            path = [(level, title) for level, title in path if level < len(heading[1])] + [found[-1][1:]]
            paths.append(tuple(title for _, title in path))
    return found, paths


def _blocks(text: str) -> list[Span]:
    """Paragraphs, items of lists, rows of tables, headings: what no sentence spans."""
    blocks: list[Span] = []
    goes_on = False
    for start, line in _lines(text):
        if not line.strip():
            goes_on = False
            continue
        end = start + len(line)
        if goes_on and not BLOCK_STARTS.match(line):
            blocks[-1] = (blocks[-1][0], end)
        else:
            blocks.append((start, end))
        goes_on = not (HEADING.match(line.rstrip()) or line.lstrip().startswith("|"))
    return blocks
