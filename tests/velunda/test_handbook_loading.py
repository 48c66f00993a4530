"""Reading the handbook: what stands there comes back, and every way to break a file is named."""

from __future__ import annotations

import datetime
import json

import pytest

from helpers.files import DataUnavailable
from helpers.retrieval import Chunk, chunk_documents
from helpers.velunda import Span, handbook, load_handbook, load_questions, read_document

FRONT = "---\ntitle: Rules: the yard\nkind: policy\ndate: 2024-05-02\nowner: Mads Holm\nstatus: current\n---\n"
BODY = "# Rules: the yard\n\nThe yard closes at 18 o'clock. Nobody parks there overnight.\n"


def write(folder, name="yard", text=FRONT + BODY):
    path = folder / f"{name}.md"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return path


def test_a_document_comes_back_with_its_front_matter(tmp_path):
    document = read_document(write(tmp_path))
    assert (document.name, document.title, document.kind) == ("yard", "Rules: the yard", "policy")
    assert document.date == datetime.date(2024, 5, 2) and document.owner == "Mads Holm"
    assert document.status == "current" and document.replaced_by is None and document.text == BODY


def test_windows_line_ends_and_a_byte_order_mark_change_nothing(tmp_path):
    plain = read_document(write(tmp_path))
    windows = b"\xef\xbb\xbf" + (FRONT + BODY).replace("\n", "\r\n").encode()
    assert read_document(write(tmp_path, text=windows)) == plain


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# No front matter\n", "yard.md does not begin with front matter"),
        (FRONT.replace("owner: Mads Holm\n", "") + BODY, "yard.md lacks owner in its front matter"),
        (FRONT.replace("Mads Holm", " ") + BODY, "yard.md lacks owner"),
        (FRONT.replace("2024-05-02", "May 2024") + BODY, "yard.md has the date 'May 2024': write it as 2026-10-01"),
        (FRONT.replace("current", "old") + BODY, "yard.md has the status 'old': it is one of current, superseded"),
        (FRONT.replace("kind:", "sort:") + BODY, "no known field: 'sort: policy'"),
        (FRONT.replace("kind: policy", "kind: policy\nkind: manual") + BODY, "no known field: 'kind: manual'"),
        (FRONT + "\n \n", "yard.md has front matter and no text"),
        (b"---\ntitle: Gr\xfcn\n---\n", r"yard.md is not UTF-8 \(byte 13 is 0xfc\)"),
    ],
)
def test_a_broken_document_is_named(tmp_path, text, said):
    with pytest.raises(DataUnavailable, match=said):
        read_document(write(tmp_path, text=text))


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(DataUnavailable, match="gone.md cannot be read"):
        read_document(tmp_path / "gone.md")
    with pytest.raises(DataUnavailable, match="holds no document"):
        load_handbook(tmp_path)
    write(tmp_path, text=FRONT.replace("current", "superseded\nreplaced_by: new-yard") + BODY)
    with pytest.raises(DataUnavailable, match="yard.md is replaced by 'new-yard', which is no document"):
        load_handbook(tmp_path)
    write(tmp_path, "new-yard")
    assert list(load_handbook(tmp_path)) == ["new-yard", "yard"]
    assert load_handbook(tmp_path)["yard"].replaced_by == "new-yard"


GOOD = {
    "question": "When does the yard shut?",
    "kind": "paraphrase",
    "split": "dev",
    "document": "yard",
    "start": BODY.index("The yard"),
    "end": BODY.index(" Nobody"),
    "answer": "at 18 o'clock",
}
UNANSWERABLE = {"question": "How large is the yard?", "kind": "unanswerable", "split": "test", "answer": None}


def ask(folder, *rows, split=None):
    write(folder)
    path = folder / "questions.jsonl"
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), encoding="utf-8")
    return load_questions(split, path, load_handbook(folder))


def test_questions_come_with_their_passages(tmp_path):
    first, second = ask(tmp_path, GOOD, UNANSWERABLE)
    assert first.spans == (Span("yard", GOOD["start"], GOOD["end"], "The yard closes at 18 o'clock."),)
    assert first.answerable and not second.answerable and second.answer is None
    assert ask(tmp_path, GOOD, UNANSWERABLE, split="test") == [second]
    two = GOOD | {"kind": "two documents", "document2": "yard", "start2": 0, "end2": 6, "quote2": BODY[:6]}
    assert [span.start for span in ask(tmp_path, two)[0].spans] == [GOOD["start"], 0]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("{", "questions.jsonl, line 2 is broken JSON"),
        (GOOD | {"question": " "}, "line 2 has no 'question'"),
        (GOOD | {"kind": "riddle"}, "line 2 has the kind 'riddle' and the split 'dev'"),
        (GOOD | {"split": "train"}, "the split 'train'"),
        (GOOD | {"document": "cellar"}, "names the document 'cellar', and there is none of that name"),
        (GOOD | {"end": 9999}, "has a passage 19–9999, and 'yard' has"),
        (GOOD | {"start": None}, "has a passage None–"),
        (GOOD | {"quote": "The yard opens"}, "quotes what does not stand at 19–"),
        (GOOD | {"answer": None}, "is unanswerable and has a passage or an answer, or lacks one"),
        (UNANSWERABLE | {"answer": "large"}, "is unanswerable and has a passage or an answer"),
        (GOOD | {"kind": "unanswerable"}, "is unanswerable and has a passage or an answer"),
    ],
)
def test_a_broken_question_is_named_by_its_line(tmp_path, row, said):
    with pytest.raises(DataUnavailable, match=said):
        ask(tmp_path, GOOD, row)


def test_missing_questions_and_unknown_splits(tmp_path):
    write(tmp_path)
    with pytest.raises(DataUnavailable, match="questions.jsonl cannot be read"):
        load_questions(path=tmp_path / "questions.jsonl", documents=load_handbook(tmp_path))
    with pytest.raises(ValueError, match="no split 'train': choose one of dev, test"):
        load_questions("train")


def test_a_chunk_shows_a_passage_from_half_of_it_on():
    passage = Span("yard", 10, 20, "x" * 10)
    for start, end, shown in [(0, 14, False), (0, 15, True), (15, 99, True), (16, 99, False), (0, 99, True)]:
        assert passage.shown_by(Chunk("yard", start, end, (), "x")) == shown
    assert not passage.shown_by(Chunk("cellar", 0, 99, (), "x"))


def test_the_committed_handbook_loads_and_every_passage_stands_in_some_chunk():
    documents = load_handbook()
    questions = load_questions()
    assert {question.split for question in questions} == {"dev", "test"}
    assert {question.kind for question in questions} == set(handbook.KINDS)
    for by in ("tokens", "sentences"):
        chunks = chunk_documents(documents.values(), by=by)
        assert all(documents[c.document].text[c.start : c.end] == c.text for c in chunks)
        lost = [s for q in questions for s in q.spans if not any(s.shown_by(c) for c in chunks)]
        assert not lost, (by, lost)
