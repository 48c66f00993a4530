"""Text that needs no download: three corpora that come with every Python.

| corpus                | what                                                        | about   |
|-----------------------|-------------------------------------------------------------|---------|
| `language_reference()`| the Python language reference, prose about syntax           | 0.5 MB  |
| `stdlib_docstrings()` | docstrings of the standard library, prose mixed with code   | 2 MB    |
| `stdlib_source()`     | the standard library's own .py files, code                  | 11 MB   |

    corpus = language_reference()
    train, validation = corpus.split(validation=0.1, seed=0)      # whole documents, never cut
    train, validation = corpus.distinct().split()                 # no document that stands in another one
    sample = corpus.head(200_000)                                 # the first 200 kB, ending on a character

Sizes and words differ a little between Python versions; within one version every call gives the same text in the
same order. A pretrained model has almost surely read all of it: fine for training from scratch, not a fair
closed-book test. The language reference repeats itself: more than 20 of its topics are parts of a longer one, so take
`distinct()` before you split it for a test. What it does not do: clean or tokenize (the notebooks do).
"""

from __future__ import annotations

import ast
import functools
import hashlib
import platform
import sysconfig
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

LICENCE = "PSF-2.0"
# Installed packages, tests (deliberately broken code among them), lib2to3 (removed from Python 3.13), and pydoc_data,
# which is the language reference again.
_SKIPPED_FOLDERS = frozenset("site-packages dist-packages test tests idle_test lib2to3 pydoc_data __phello__".split())
_SKIPPED_PREFIXES = ("_sysconfigdata", "config-")  # how this very interpreter was built: paths of somebody's machine


class CorpusUnavailable(RuntimeError):
    """This Python was installed without the files that a corpus is made from; the message says what to do."""


@dataclass(frozen=True)
class Corpus:
    """Named documents with their license and origin; iterating gives (title, text) pairs, `len` counts documents."""

    name: str
    documents: tuple[tuple[str, str], ...] = field(repr=False)
    license: str
    provenance: str

    @cached_property
    def text(self) -> str:
        """All documents, one after another, with an empty line between them."""
        return "\n\n".join(text for _, text in self.documents)

    @cached_property
    def n_bytes(self) -> int:
        """Size of `text` in UTF-8."""
        return len(self.text.encode("utf-8"))

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.documents)

    def __len__(self) -> int:
        return len(self.documents)

    def head(self, n_bytes: int) -> str:
        """The longest start of `text` that takes at most `n_bytes` in UTF-8, never half a character.

        All of it where the corpus is smaller: sizes differ between Python versions, and a notebook must run on each.
        Raises ValueError if `n_bytes` is negative.
        """
        if n_bytes < 0:
            raise ValueError(f"head() takes a number of bytes from 0 up, not {n_bytes}.")
        # A character takes at least one byte, so n_bytes characters are enough to cut from.
        return self.text[:n_bytes].encode("utf-8")[:n_bytes].decode("utf-8", errors="ignore")

    def split(self, validation: float = 0.1, seed: int = 0) -> tuple[Corpus, Corpus]:
        """(train, validation): whole documents, about the fraction `validation` of the bytes in the second.

        Documents are taken in the order of a hash of their title and the seed, each that still fits into the fraction;
        both sides keep the corpus's order. Raises ValueError unless 0 < validation < 1 leaves both sides something.
        """
        if not 0 < validation < 1:
            raise ValueError(f"validation must be a fraction between 0 and 1, not {validation}.")
        room = validation * sum(len(text.encode("utf-8")) for _, text in self.documents)
        chosen = set()
        for title, text in sorted(self.documents, key=lambda document: _hash(document[0], seed)):
            size = len(text.encode("utf-8"))
            if size <= room:
                chosen.add(title)
                room -= size
        train = tuple(document for document in self.documents if document[0] not in chosen)
        held_out = tuple(document for document in self.documents if document[0] in chosen)
        if not train or not held_out:
            raise ValueError(f"{self.name} has no document small enough to put {validation:.1%} of it aside.")
        return self._part("train", train), self._part("validation", held_out)

    def distinct(self, stretch: int = 100) -> Corpus:
        """Without documents that repeat longer ones, so that a split keeps copies from standing on both sides.

        Longest first, a document stays if at most a tenth of its `stretches` of `stretch` characters stands
        in those that stay. Raises ValueError unless stretch is 1 or more.
        """
        seen: set[str] = set()
        kept = set()
        for title, text in sorted(self.documents, key=lambda document: -len(document[1])):
            found = stretches(text, stretch)
            if len(found & seen) <= 0.1 * len(found):
                kept.add(title)
                seen |= found
        return self._part("distinct", tuple(document for document in self.documents if document[0] in kept))

    def _part(self, label: str, documents: tuple[tuple[str, str], ...]) -> Corpus:
        return Corpus(f"{self.name}/{label}", documents, self.license, self.provenance)

    def __str__(self) -> str:
        return f"{self.name}: {len(self):,} documents, {self.n_bytes / 1e6:.1f} MB, {self.license}. {self.provenance}"


def stretches(text: str, n: int = 50) -> set[str]:
    """All pieces of n characters that stand in a text, white space read as one space each; a shorter text is one.

    Two texts that share many of them repeat each other. Raises ValueError unless n is 1 or more.
    """
    if n < 1:
        raise ValueError(f"A stretch has 1 or more characters, not {n}.")
    line = " ".join(text.split())
    return {line[start : start + n] for start in range(max(1, len(line) - n + 1))}


@functools.cache
def language_reference() -> Corpus:
    """The Python language reference, one document a topic, as `help("for")` shows it. About 0.5 MB.

    Raises CorpusUnavailable where the distribution left `pydoc_data` out.
    """
    try:
        from pydoc_data.topics import topics
    except ImportError as error:
        raise _unavailable("the language reference (module pydoc_data)") from error
    documents = tuple((title, _unix(topics[title])) for title in sorted(topics))
    return Corpus("language_reference", documents, LICENCE, _provenance("The language reference (pydoc_data.topics)"))


@functools.cache
def stdlib_docstrings() -> Corpus:
    """Docstrings of the standard library, one document a module, read from the source without importing anything.

    Each docstring follows the qualified name of what it describes. About 2 MB.
    """
    documents = []
    for title, source in stdlib_source():
        parts = _docstrings(title.removesuffix(".py").removesuffix("/__init__").replace("/", "."), source)
        if parts:
            documents.append((title, "\n\n".join(parts)))
    return Corpus("stdlib_docstrings", tuple(documents), LICENCE, _provenance("Docstrings of the standard library"))


@functools.cache
def stdlib_source() -> Corpus:
    """The standard library's .py files, one document a file, sorted by path; tests and vendored packages left out.

    About 11 MB. Raises CorpusUnavailable where only compiled files are installed.
    """
    root = Path(sysconfig.get_paths()["stdlib"])
    documents = []
    for path in sorted(root.rglob("*.py"), key=lambda path: path.relative_to(root).as_posix()):
        relative = path.relative_to(root)
        if not _skipped(relative.parts) and (text := _read(path)):
            documents.append((relative.as_posix(), text))
    if not documents:
        raise _unavailable("the standard library's source")
    return Corpus("stdlib_source", tuple(documents), LICENCE, _provenance("Source of the standard library"))


def _skipped(parts: tuple[str, ...]) -> bool:
    return parts[0].startswith(_SKIPPED_PREFIXES) or not _SKIPPED_FOLDERS.isdisjoint(parts[:-1])


def _read(path: Path) -> str:
    try:
        with tokenize.open(path) as file:  # honors "# -*- coding: latin-1 -*-"
            return file.read()
    except (OSError, SyntaxError, UnicodeDecodeError):
        return ""


def _docstrings(module: str, source: str) -> list[str]:
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return []
    found: list[str] = []

    def visit(node: ast.AST, name: str) -> None:
        if text := ast.get_docstring(node):  # type: ignore[arg-type]
            found.append(f"{name}\n{text.strip()}")
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                visit(child, f"{name}.{child.name}")

    visit(tree, module)
    return found


def _hash(title: str, seed: int) -> bytes:
    """Depends on the title and the seed only: the same on every machine, unlike `hash()`."""
    return hashlib.sha256(f"{seed}:{title}".encode()).digest()


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n").strip() + "\n"


def _provenance(what: str) -> str:
    return f"{what} of {platform.python_implementation()} {platform.python_version()}, read from this installation."


def _unavailable(what: str) -> CorpusUnavailable:
    return CorpusUnavailable(
        f"This Python was installed without {what}: use one from python.org, conda or uv, or on Debian and Ubuntu "
        "`sudo apt install python3-full`."
    )
