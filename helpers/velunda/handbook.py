"""Velunda's handbook and the questions about it: `data/velunda/handbook/`, `questions.jsonl`, `everyday.jsonl`.

    documents = load_handbook()
    documents["repair-terms"].date              # datetime.date(2025, 2, 3)
    questions = load_questions("dev")
    questions[0].spans[0].text                  # the passage that answers, as it stands in its document

A document is Markdown below its front matter; spans count characters of the text without it, which is what is cut into
chunks. What this does not do: decide which of two documents is right; the newer one is, and a draft never is.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.files.safe_files import DataUnavailable, numbered_lines, shown, unavailable
from helpers.velunda.answers import contains_answer
from helpers.velunda.company import FILE

FOLDER = FILE.parent / "handbook"
QUESTIONS = FILE.parent / "questions.jsonl"
EVERYDAY = FILE.parent / "everyday.jsonl"
SPLITS = ("dev", "test")
KINDS = (*("exact term", "paraphrase", "number", "two documents", "newest version wins", "negation", "unanswerable"),)
PLAIN = "everyday"  # the kind of all answerable questions in everyday.jsonl
STATUSES = ("current", "superseded", "draft")
FRONT = re.compile(r"---\n(.*?)\n---\n", re.DOTALL)
FIELDS = ("title", "kind", "date", "owner", "status")


@dataclass(frozen=True)
class Document:
    """One document; `name` is its file's name without the ending, `text` what stands below the front matter."""

    name: str
    title: str
    kind: str
    date: datetime.date
    owner: str
    status: str
    replaced_by: str | None
    text: str


@dataclass(frozen=True)
class Span:
    """A passage: `text[start:end]` of a document."""

    document: str
    start: int
    end: int
    text: str

    def shown_by(self, chunk: Any) -> bool:
        """Does the chunk, with its `document`, `start` and `end`, show at least half of the passage?"""
        shared = min(self.end, chunk.end) - max(self.start, chunk.start)
        return chunk.document == self.document and 2 * shared >= self.end - self.start


@dataclass(frozen=True)
class Question:
    """A question, the passages that answer it (none if it cannot be answered, two if it takes both), the answer.

    accepted: strings of which a right answer states at least one, as `contains_answer` tells; given for everyday
    questions only.
    """

    question: str
    kind: str
    split: str
    spans: tuple[Span, ...]
    answer: str | None
    accepted: tuple[str, ...] = ()

    @property
    def answerable(self) -> bool:
        return bool(self.spans)

    def answered_by(self, chunks: Sequence[Any]) -> bool:
        """Does one of the chunks state an accepted answer, or, without such, do they show half of each passage?"""
        if self.accepted:
            return any(contains_answer(chunk.text, self.accepted) for chunk in chunks)
        return self.answerable and all(any(span.shown_by(chunk) for chunk in chunks) for span in self.spans)


def load_handbook(folder: Path = FOLDER) -> dict[str, Document]:
    """All documents of the folder by name, in alphabetical order.

    Raises DataUnavailable for a folder without documents, and as `read_document`.
    """
    paths = sorted(Path(folder).glob("*.md"))
    if not paths:
        raise DataUnavailable(f"{shown(folder)} holds no document: get it with `git checkout -- {shown(folder)}`.")
    found = {path.stem: read_document(path) for path in paths}
    for document in found.values():
        if document.replaced_by is not None and document.replaced_by not in found:
            raise DataUnavailable(
                f"{document.name}.md is replaced by {document.replaced_by!r}, which is no document: correct it."
            )
    return found


def read_document(path: Path) -> Document:
    """One document. Raises DataUnavailable, in one sentence, for a file that is missing, broken or incomplete."""
    path = Path(path)
    try:
        whole = path.read_bytes().removeprefix(b"\xef\xbb\xbf").decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise DataUnavailable(
            f"{path.name} is not UTF-8 (byte {error.start} is {error.object[error.start]:#04x}): save it as that."
        ) from None
    except OSError as error:
        raise unavailable(path) from error
    front = FRONT.match(whole)
    if not front:
        raise DataUnavailable(f"{path.name} does not begin with front matter between two lines of `---`: add it.")
    given: dict[str, str] = {}
    for line in front[1].splitlines():
        key, colon, value = line.partition(":")
        if not colon or key in given or key not in (*FIELDS, "replaced_by"):
            raise DataUnavailable(f"{path.name} has a line in its front matter that is no known field: {line!r}.")
        given[key] = value.strip().strip('"')
    if missing := [name for name in FIELDS if not given.get(name)]:
        raise DataUnavailable(f"{path.name} lacks {', '.join(missing)} in its front matter: add it.")
    try:
        date = datetime.date.fromisoformat(given["date"])
    except ValueError:
        raise DataUnavailable(f"{path.name} has the date {given['date']!r}: write it as 2026-10-01.") from None
    if given["status"] not in STATUSES:
        raise DataUnavailable(f"{path.name} has the status {given['status']!r}: it is one of {', '.join(STATUSES)}.")
    text = whole[front.end() :]
    if not text.strip():
        raise DataUnavailable(f"{path.name} has front matter and no text: write the text or remove the file.")
    fields = {name: given[name] for name in ("title", "kind", "owner", "status")}
    return Document(path.stem, **fields, date=date, replaced_by=given.get("replaced_by") or None, text=text)


def load_questions(
    split: str | None = None, path: Path = QUESTIONS, documents: Mapping[str, Document] | None = None
) -> list[Question]:
    """The questions of "dev" or "test", or all, in the file's order.

    documents: those that the spans lie in, the handbook's by default. Raises ValueError for another split,
    DataUnavailable for a file that is missing or a line that does not fit the documents.
    """
    if split is not None and split not in SPLITS:
        raise ValueError(f"There is no split {split!r}: choose one of {', '.join(SPLITS)}.")
    documents = load_handbook() if documents is None else documents
    found = [_question(row, f"{Path(path).name}, line {n}", documents) for n, row in numbered_lines(path)]
    return [question for question in found if split in (None, question.split)]


def load_everyday(split: str | None = None) -> list[Question]:
    """What customers ask on ordinary days, "dev" or "test" or all: each answered by one passage, or by none.

    Raises as `load_questions`.
    """
    return load_questions(split, EVERYDAY)


def _question(row: Mapping[str, Any], where: str, documents: Mapping[str, Document]) -> Question:
    for name in ("question", "kind", "split"):
        if not isinstance(row.get(name), str) or not row[name].strip():
            raise DataUnavailable(f"{where} has no {name!r}: add it.")
    if row["kind"] not in (*KINDS, PLAIN) or row["split"] not in SPLITS:
        raise DataUnavailable(f"{where} has the kind {row['kind']!r} and the split {row['split']!r}: correct them.")
    spans = []
    for n in ("", "2"):
        if (name := row.get(f"document{n}")) is None:
            continue
        if name not in documents:
            raise DataUnavailable(f"{where} names the document {name!r}, and there is none of that name.")
        start, end, text = row.get(f"start{n}"), row.get(f"end{n}"), documents[name].text
        if not (isinstance(start, int) and isinstance(end, int) and 0 <= start < end <= len(text)):
            raise DataUnavailable(f"{where} has a passage {start}–{end}, and {name!r} has {len(text)} characters.")
        if row.get(f"quote{n}", text[start:end]) != text[start:end]:
            raise DataUnavailable(f"{where} quotes what does not stand at {start}–{end} of {name!r}: find it again.")
        spans.append(Span(name, start, end, text[start:end]))
    if (row["kind"] == "unanswerable") != (not spans) or (row.get("answer") is None) != (not spans):
        raise DataUnavailable(f"{where} is unanswerable and has a passage or an answer, or lacks one: correct it.")
    accepted = tuple(row.get("accepted", ()))
    return Question(row["question"], row["kind"], row["split"], tuple(spans), row.get("answer"), accepted)
