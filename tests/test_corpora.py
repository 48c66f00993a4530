"""The three corpora are on every machine, the same at every call, and cut without breaking anything."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from helpers.old import corpora
from helpers.old.corpora import Corpus, CorpusUnavailable, language_reference, stdlib_docstrings, stdlib_source

ALL = [language_reference, stdlib_docstrings, stdlib_source]
# MB (10⁶ bytes), wide enough for Python 3.11 to 3.13 and for distributions that leave idlelib out.
SIZES = {language_reference: (0.4, 0.7), stdlib_docstrings: (1.4, 2.6), stdlib_source: (8, 16)}


@pytest.fixture
def no_cache():
    for load in ALL:
        load.cache_clear()
    yield
    for load in ALL:
        load.cache_clear()


def small(*texts: str) -> Corpus:
    documents = tuple((f"document {i}", text) for i, text in enumerate(texts))
    return Corpus("small", documents, "PSF-2.0", "Made for a test.")


@pytest.mark.parametrize("load", ALL)
def test_a_corpus_has_about_the_size_that_the_course_counts_on(load):
    low, high = SIZES[load]
    corpus = load()
    assert low < corpus.n_bytes / 1e6 < high
    assert corpus.n_bytes == len(corpus.text.encode("utf-8"))


@pytest.mark.parametrize("load", ALL)
def test_a_corpus_says_where_it_comes_from_and_under_which_license(load):
    corpus = load()
    assert corpus.license == "PSF-2.0"
    version = ".".join(map(str, sys.version_info[:3]))
    assert version in corpus.provenance
    assert corpus.provenance.endswith(".")
    assert corpus.name in str(corpus) and version in str(corpus)


@pytest.mark.parametrize("load", ALL)
def test_documents_have_unique_titles_in_sorted_order_and_text(load):
    titles = [title for title, _ in load()]
    assert titles == sorted(titles)
    assert len(set(titles)) == len(load()) > 50
    assert all(text.strip() for _, text in load())


def test_another_process_with_another_hash_seed_gets_the_same_text_and_the_same_split(no_cache):
    code = (
        "import hashlib, sys; sys.path.insert(0, '.')\n"
        "from helpers.old.corpora import *\n"
        "corpus = stdlib_docstrings(); train, validation = corpus.split(seed=3)\n"
        "print([hashlib.sha256(c.text.encode()).hexdigest() for c in (corpus, train, validation)])"
    )
    said = {
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                       env={**os.environ, "PYTHONHASHSEED": seed}).stdout
        for seed in ("0", "1")
    }  # fmt: skip
    assert len(said) == 1


def test_the_source_corpus_holds_the_library_and_no_tests_or_installed_packages():
    titles = [title for title, _ in stdlib_source()]
    assert "json/decoder.py" in titles and "heapq.py" in titles
    folders = {folder for title in titles for folder in title.split("/")[:-1]}
    assert not folders & {"test", "tests", "idle_test", "site-packages", "lib2to3", "__pycache__"}
    assert dict(stdlib_source())["heapq.py"] == Path(sysconfig.get_paths()["stdlib"], "heapq.py").read_text("utf-8")


def test_docstrings_are_those_that_help_shows():
    import json

    text = dict(stdlib_docstrings())["json/decoder.py"]
    assert "json.decoder.JSONDecoder\nSimple JSON <https://json.org> decoder" in text
    first_line = json.JSONDecoder.decode.__doc__.splitlines()[0]
    assert f"json.decoder.JSONDecoder.decode\n{first_line}" in text
    assert "def decode" not in text


def test_collecting_docstrings_imports_no_module_of_the_library():
    # `antigravity` opens a browser and `this` prints when imported.
    code = (
        "import sys; from helpers.old.corpora import *; stdlib_docstrings()\n"
        "print({'this', 'antigravity', 'turtle'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_head_never_cuts_a_character_in_two():
    corpus = small("aé漢🙂z")  # 1, 2, 3, 4 and 1 bytes
    assert [corpus.head(n) for n in range(12)] == [
        "", "a", "a", "aé", "aé", "aé", "aé漢", "aé漢", "aé漢", "aé漢", "aé漢🙂", "aé漢🙂z",
    ]  # fmt: skip


def test_head_of_more_than_there_is_gives_all_and_of_less_than_nothing_is_refused():
    assert small("abc").head(10**9) == "abc"
    with pytest.raises(ValueError, match="from 0 up, not -1"):
        small("abc").head(-1)


@pytest.mark.parametrize("load", ALL)
def test_a_split_puts_every_document_on_one_side_and_about_the_fraction_aside(load):
    corpus = load()
    train, validation = corpus.split(validation=0.1)
    assert sorted([*train, *validation]) == sorted(corpus)
    assert not {t for t, _ in train} & {t for t, _ in validation}
    assert 0.095 < validation.n_bytes / corpus.n_bytes < 0.105
    assert train.name.endswith("/train") and validation.license == corpus.license


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 1.5])
def test_a_fraction_that_leaves_one_side_empty_is_refused(fraction):
    with pytest.raises(ValueError, match="fraction between 0 and 1"):
        language_reference().split(validation=fraction)


def test_a_python_without_the_reference_gives_one_sentence_with_the_cure(no_cache, monkeypatch):
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", None)
    with pytest.raises(CorpusUnavailable, match=r"without the language reference .* python3-full`\.$"):
        language_reference()


def test_a_python_with_compiled_files_only_gives_one_sentence_with_the_cure(no_cache, monkeypatch, tmp_path):
    monkeypatch.setattr(corpora.sysconfig, "get_paths", lambda: {"stdlib": str(tmp_path)})
    with pytest.raises(CorpusUnavailable, match="without the standard library's source"):
        stdlib_source()


def test_files_in_other_encodings_are_read_and_broken_ones_left_out(no_cache, monkeypatch, tmp_path):
    (tmp_path / "latin.py").write_bytes("# -*- coding: latin-1 -*-\n'''café'''\n".encode("latin-1"))
    (tmp_path / "broken.py").write_bytes(b"'''\xff\xfe'''\n")
    (tmp_path / "old.py").write_text("print 'hello'\n")
    (tmp_path / "_sysconfigdata__x86.py").write_text("prefix = '/home/somebody'\n")
    (tmp_path / "config-3.11").mkdir()
    (tmp_path / "config-3.11" / "python-config.py").write_text("#!/home/somebody/python\n")
    monkeypatch.setattr(corpora.sysconfig, "get_paths", lambda: {"stdlib": str(tmp_path)})
    assert [title for title, _ in stdlib_source()] == ["latin.py", "old.py"]
    assert list(stdlib_docstrings()) == [("latin.py", "latin\ncafé")]


def test_distinct_drops_what_a_longer_document_holds_and_keeps_the_order():
    chapter = " ".join(f"word{number}" for number in range(100))
    corpus = small("another text", chapter[200:500], chapter, chapter.replace(" ", "\n")[100:400], chapter)
    kept = corpus.distinct()
    assert [title for title, _ in kept] == ["document 0", "document 2"]  # of two equal ones, the first
    assert kept.license == corpus.license and kept.documents[1][1] == chapter


def test_a_split_of_distinct_documents_shares_hardly_a_stretch():
    train, held_out = (" ".join(part.text.split()) for part in language_reference().distinct().split())
    seen, stretches = ({text[i : i + 100] for i in range(len(text) - 99)} for text in (train, held_out))
    assert len(stretches) > 20_000 and len(stretches & seen) < 0.01 * len(stretches)
