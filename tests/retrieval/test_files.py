"""A folder of one's own becomes passages with their places; what cannot be read is named; nothing hidden is read."""

import codecs

import matplotlib.pyplot as plt
import pytest

from helpers.files.safe_files import DataUnavailable
from helpers.retrieval import files
from helpers.retrieval.files import read_folder

PAGE = """<html><head><title>no</title><script>var secret = 1</script></head><body>
<div>Open<br>daily<!-- not this --></div>
<h1>Library</h1><div>Books may be kept for four weeks.<h2>Cards</h2><table><tr><th>card</th><th>price</th></tr>
<tr><td><p>adult</p></td><td>18 €</td></tr></table></div></body></html>"""
RULES = """---
kind: rules
---
# Rules
- Each plot has a fence.
  - It is low.

## Fees

| plot | fee |
|--|--|
| small | 40 € |
"""


def pdf(path, *pages):
    from matplotlib.backends.backend_pdf import PdfPages

    with PdfPages(path) as book, plt.rc_context({"pdf.fonttype": 42}):
        for text in pages:
            fig = plt.figure()
            fig.text(0.1, 0.5, text)
            book.savefig(fig)
            plt.close(fig)


def found(folder):
    return [(piece.document, piece.headings, piece.text) for piece in read_folder(folder)[0]]


def test_each_format_gives_its_text_with_its_place(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"First line\nof two.\r\n\r\nCaf\xe9 at eight.")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "rules.md").write_text(RULES, encoding="utf-8")
    (tmp_path / "c.htm").write_text(PAGE, encoding="utf-8")
    pdf(tmp_path / "d.PDF", "The rent is 640 euros.", "Dogs are allowed.")
    (tmp_path / "e.txt").write_bytes(codecs.BOM_UTF16_LE + "Rex".encode("utf-16-le"))
    assert found(tmp_path) == [
        ("a.txt", ("line 1",), "First line of two."),
        ("a.txt", ("line 4",), "Café at eight."),
        ("b/rules.md", ("Rules",), "Each plot has a fence."),
        ("b/rules.md", ("Rules",), "It is low."),
        ("b/rules.md", ("Rules", "Fees"), "plot: small, fee: 40 €"),
        ("c.htm", (), "Open daily"),
        ("c.htm", ("Library",), "Books may be kept for four weeks."),
        ("c.htm", ("Library", "Cards"), "card: adult, price: 18 €"),
        ("d.PDF", ("page 1",), "The rent is 640 euros."),
        ("d.PDF", ("page 2",), "Dogs are allowed."),
        ("e.txt", ("line 1",), "Rex"),
    ]


def test_what_is_left_out_is_named_and_hidden_files_are_not_read(tmp_path):
    for name, content in {"good.txt": b"Yes.", "broken.pdf": b"%PDF nonsense", "empty.md": b"", "x.jpg": b"1",
                          ".hidden.txt": b"no", ".git/config.md": b"no"}.items():  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    passages, left_out = read_folder(tmp_path)
    assert [piece.text for piece in passages] == ["Yes."]
    assert list(left_out) == ["broken.pdf", "empty.md", "1 × .jpg"]
    assert "cannot be read" in left_out["broken.pdf"] and "no text" in left_out["empty.md"]


def test_a_long_text_is_cut_between_sentences_and_no_two_pieces_share_a_place(tmp_path):
    sentences = [f"Sentence number {n} says that the boat of that number is red." for n in range(40)]
    (tmp_path / "long.txt").write_text(" ".join(sentences) + "\n\nThe end.", encoding="utf-8")
    passages, _ = read_folder(tmp_path)
    assert len(passages) > 5 and " ".join(piece.text for piece in passages) == " ".join([*sentences, "The end."])
    assert all(piece.text.endswith(".") for piece in passages)
    assert all(first.end <= second.start for first, second in zip(passages, passages[1:], strict=False))


@pytest.mark.parametrize("content, said", [(None, "is not a folder"), ({}, "no text"), ({"a.jpg": "x"}, "no text"),
                                           ({"a.txt": "One.\n\nTwo.\n\nThree."}, "more than 2 passages")])  # fmt: skip
def test_a_folder_that_cannot_be_used_is_refused_in_one_sentence(tmp_path, monkeypatch, content, said):
    monkeypatch.setattr(files, "MOST", 2)
    for name, text in (content or {}).items():
        (tmp_path / name).write_text(text)
    with pytest.raises(DataUnavailable, match=said):
        read_folder(tmp_path if content is not None else tmp_path / "missing")


def test_the_sample_is_read_whole():
    passages, left_out = read_folder()
    assert len({piece.document for piece in passages}) == 4 and left_out == {}
    assert any("170 kg" in piece.text and "boat: Bittern" in piece.text for piece in passages)
