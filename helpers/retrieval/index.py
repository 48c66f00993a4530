"""What every index over chunks can do: add, remove a document, search, be saved whole and loaded whole.

    index.add(chunks)
    [Hit(chunk, score), …] = index.search("How long is the warranty?", k=5)      # the best first
    index.remove("warranty-terms-2021")
    index.save("handbook.index");  DenseIndex.load("handbook.index")

A file holds chunks, numbers, settings and a checksum over all of it: cut off or changed, it is refused.

What it does not do: hold more than the memory does, or lock a file for two writers (the last one wins, whole).
"""

from __future__ import annotations

import hashlib
import json
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from helpers.files.safe_files import write_atomically
from helpers.retrieval.chunking import Chunk, require_text

FORMAT = 1
Arrays = dict[str, NDArray]
Place = tuple[str, int, int]  # document, start, end


class IndexUnavailable(ValueError):
    """A saved index is missing, cut off, damaged, of another kind or of another embedder; the message says which."""


@dataclass(frozen=True)
class Hit:
    """A chunk that was found, and how well it fits: larger is better, on the index's own scale."""

    chunk: Chunk
    score: float


class SearchIndex(ABC):
    """The common part of all indexes. `chunks`: what it holds; `version`: a number that grows with every change."""

    name: ClassVar[str]

    def __init__(self) -> None:
        self.chunks: list[Chunk] = []
        self.version = 0
        self._places: set[Place] = set()  # of the chunks; kept, so that adding one by one looks at each once

    def __len__(self) -> int:
        return len(self.chunks)

    def add(self, chunks: Sequence[Chunk], *, progress: bool = False) -> None:
        """Put chunks into the index; it is as before where that fails.

        Raises ValueError where there is no chunk, or one stands in the index already: a new version of a document is
        added after the old one was removed. TypeError for what is no chunk.
        """
        chunks = list(chunks)
        self.require_new(chunks)
        self._add(chunks, progress)
        self.chunks += chunks
        self._places.update(map(_place, chunks))
        self.version += 1

    def remove(self, document: str) -> int:
        """Take all chunks of a document out; how many there were. Raises KeyError, in one sentence, where none is."""
        keep = np.array([chunk.document != document for chunk in self.chunks], dtype=bool)
        if keep.all():
            raise KeyError(f"The index holds no chunk of the document {document!r}.")
        self._keep(keep)
        self._set_chunks([chunk for chunk, kept in zip(self.chunks, keep, strict=True) if kept])
        self.version += 1
        return int((~keep).sum())

    def search(self, query: str, k: int) -> list[Hit]:
        """The k chunks that fit best, best first; fewer where fewer are to be had, never one twice.

        Raises ValueError for an index or a query without content, and a k below 1.
        """
        require_query(query)
        return self._hits(lambda k: self._search(query, k), k)

    def _hits(self, search: Callable[[int], tuple[Sequence[int], Sequence[float]]], k: int) -> list[Hit]:
        """The rows and scores that search(k) finds, as hits; raises for k and an empty index as `search` does."""
        require_k(k)
        if not self.chunks:
            raise ValueError("The index is empty, so there is nothing to search: add(chunks) first.")
        rows, scores = search(min(int(k), len(self.chunks)))
        return [Hit(self.chunks[int(row)], float(score)) for row, score in zip(rows, scores, strict=True)]

    def save(self, path: str | os.PathLike) -> None:
        """Write it into one file, whole or not at all. Raises ValueError if it is empty, OSError for a full disk."""
        if not self.chunks:
            raise ValueError("The index is empty, so there is nothing to save: add(chunks) first.")
        arrays, settings = self._pack()
        arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        arrays["chunks"] = json_bytes([astuple(chunk) for chunk in self.chunks])
        stamp = {"format": FORMAT, "index": self.name, "settings": settings, "sha256": _digest(arrays, settings)}
        metadata = {"search_index": json.dumps(stamp)}
        write_atomically(path, lambda temporary: save_file(arrays, temporary, metadata=metadata))

    @classmethod
    def load(cls, path: str | os.PathLike, **options: Any) -> Self:
        """The index that `save` wrote; options: what no file can hold, such as the encoder.

        Raises IndexUnavailable for a file that is missing, cut off, damaged or not of this kind of index.
        """
        arrays, settings = _read(Path(path), cls.name)
        chunks = [
            Chunk(document, start, end, tuple(headings), text)
            for document, start, end, headings, text in from_json_bytes(arrays.pop("chunks"))
        ]
        index = cls._unpack(arrays, settings, chunks, Path(path).name, **options)
        index._set_chunks(chunks)
        return index

    def _set_chunks(self, chunks: Sequence[Chunk]) -> None:
        self.chunks = list(chunks)
        self._places = set(map(_place, chunks))

    def require_new(self, chunks: Sequence[Chunk]) -> None:
        """Raises as `add` does for chunks that cannot be added."""
        if not chunks:
            raise ValueError("There is no chunk to add: cut documents with chunk(text) first.")
        new: set[Place] = set()
        for chunk in chunks:
            if not isinstance(chunk, Chunk):
                raise TypeError(f"An index takes chunks, as chunk(text) gives them, not {type(chunk).__name__}.")
            if not chunk.text.strip():
                raise ValueError(f"The chunk at {chunk.start} of {chunk.document!r} is empty: leave it out.")
            if _place(chunk) in self._places or _place(chunk) in new:
                raise ValueError(
                    f"The chunk {chunk.start}–{chunk.end} of {chunk.document!r} would stand twice in the index: "
                    "remove(document) before you add a document again."
                )
            new.add(_place(chunk))

    @abstractmethod
    def _add(self, chunks: list[Chunk], progress: bool) -> None:
        """Take in new chunks; `self.chunks` does not hold them yet."""

    @abstractmethod
    def _keep(self, keep: NDArray) -> None:
        """Forget the rows where `keep`, (N,) bool, is False; `self.chunks` still holds them."""

    @abstractmethod
    def _search(self, query: str, k: int) -> tuple[Sequence[int], Sequence[float]]:
        """Rows and scores, at most k of each, best first."""

    @abstractmethod
    def _pack(self) -> tuple[Arrays, dict[str, Any]]:
        """Arrays and settings from which `_unpack` makes the index again."""

    @classmethod
    @abstractmethod
    def _unpack(
        cls, arrays: Mapping[str, NDArray], settings: dict[str, Any], chunks: list[Chunk], file: str, **options: Any
    ) -> Self:
        """The index of `_pack`; raises IndexUnavailable where it does not go with the options."""


def require_query(query: object) -> None:
    """Raises TypeError for what is no text, ValueError for a query that asks nothing."""
    require_text(query, "The query")
    if not query.strip():  # type: ignore[attr-defined]
        raise ValueError("The query is empty: ask something.")


def require_k(k: object) -> None:
    """Raises ValueError for what is no number of hits."""
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
        raise ValueError(f"k is how many chunks to find, a whole number from 1, not {k!r}.")


def json_bytes(value: Any) -> NDArray:
    """A JSON value as an array of bytes, since a tensor file holds arrays only."""
    return np.frombuffer(json.dumps(value, ensure_ascii=False).encode("utf-8"), dtype=np.uint8).copy()


def from_json_bytes(array: NDArray) -> Any:
    """The value of `json_bytes`."""
    return json.loads(array.tobytes().decode("utf-8"))


def _place(chunk: Chunk) -> Place:
    return chunk.document, chunk.start, chunk.end


def _read(path: Path, name: str) -> tuple[Arrays, dict[str, Any]]:
    if not path.is_file():
        raise IndexUnavailable(f"There is no index in {path}: build one, add(chunks) and save it there.")
    damaged = f"{path.name} is cut off or damaged: build the index again from the documents and save it."
    try:
        with safe_open(path, framework="np") as file:
            stamp = json.loads((file.metadata() or {})["search_index"])
            arrays = {key: np.array(file.get_tensor(key)) for key in file.keys()}
        form, settings, digest, kind = stamp["format"], stamp["settings"], stamp["sha256"], stamp["index"]
    except KeyError:
        raise IndexUnavailable(f"{path.name} holds tensors, but no index of this course.") from None
    except (SafetensorError, OSError, ValueError, TypeError) as error:
        raise IndexUnavailable(damaged) from error
    if form != FORMAT:
        raise IndexUnavailable(f"{path.name} was written by another version of the course: build the index again.")
    if kind != name:
        raise IndexUnavailable(f"{path.name} holds a {kind}, not a {name}: load it with {kind}.load.")
    if digest != _digest(arrays, settings) or "chunks" not in arrays:
        raise IndexUnavailable(damaged)
    return arrays, settings


def _digest(arrays: Mapping[str, NDArray], settings: dict[str, Any]) -> str:
    found = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        found.update(f"{name} {array.dtype} {array.shape}".encode())
        found.update(array.data)
    return found.hexdigest()
