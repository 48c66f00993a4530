"""What the three tokenizers share: checks of their input, and files that are either whole or not there.

    require_text("naïve")                    # fine
    require_text("\ud800")                   # ValueError: half a surrogate pair has no UTF-8
    find_special("a<|end|>b", ["<|end|>"])   # ["a", "<|end|>", "b"]: special tokens at the odd places

What it does not do: know anything about merges, scores or vocabularies.
"""

from __future__ import annotations

import json
import operator
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import regex

from helpers.files.safe_files import write_atomically

VERSION = 1


class TokenizerFileError(ValueError):
    """A tokenizer's file is missing, cut off, of an unknown type or contradicts itself; the message says which."""


def require_text(text: Any) -> None:
    """Raises TypeError unless `text` is a string, ValueError if it holds half a surrogate pair."""
    if not isinstance(text, str):
        raise TypeError(f"A tokenizer takes a string, not {type(text).__name__}: decode bytes or join lists first.")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(
            f"Character {error.start} of the text is a lone surrogate (U+{ord(text[error.start]):04X}), which has no "
            'UTF-8: clean the text with text.encode("utf-8", "replace").decode() first.'
        ) from None


def require_ids(ids: Iterable[int], vocab_size: int) -> list[int]:
    """`ids` as a list of ints; raises TypeError for other things and ValueError for one outside 0 … vocab_size - 1."""
    try:
        checked = [operator.index(i) for i in ids]
    except TypeError:
        raise TypeError("decode() takes a sequence of whole numbers, such as the list that encode() returns.") from None
    for i in checked:
        if not 0 <= i < vocab_size:
            raise ValueError(f"There is no token {i}: ids of this tokenizer go from 0 to {vocab_size - 1}.")
    return checked


def require_room(vocab_size: Any, least: int, what: str) -> None:
    """Raises ValueError unless `vocab_size` is a whole number with room for `least` tokens (`what` they are)."""
    if not isinstance(vocab_size, int) or isinstance(vocab_size, bool):
        raise TypeError(f"vocab_size must be a whole number, not {vocab_size!r}.")
    if vocab_size < least:
        raise ValueError(f"vocab_size must be at least {least} ({what}), not {vocab_size}.")


def require_special(names: Sequence[str]) -> tuple[str, ...]:
    """Special tokens as a tuple; raises if one is no text, empty or named twice."""
    if isinstance(names, str):
        raise TypeError(f"special_tokens takes a list of strings, not the one string {names!r}.")
    names = tuple(names)
    for name in names:
        require_text(name)
    if "" in names or len(set(names)) < len(names):
        raise ValueError("Special tokens must be different from each other and not empty.")
    return names


def allowed(known: Iterable[str], allowed_special: str | Iterable[str]) -> list[str]:
    """Which of the `known` special tokens the caller trusts in this text: none, some, or "all"."""
    known = list(known)
    if isinstance(allowed_special, str):
        if allowed_special != "all":
            raise ValueError(f'allowed_special is "all" or a list of special tokens, not {allowed_special!r}.')
        return known
    wanted = list(allowed_special)
    for name in wanted:
        if name not in known:
            raise ValueError(f"{name!r} is no special token of this tokenizer, which has {known}.")
    return wanted


def find_special(text: str, names: Iterable[str]) -> list[str]:
    """`text` cut at its special tokens: ordinary text at even places (may be empty), special tokens at odd ones."""
    # Longest first: where two begin at one place, the longer wins, as in the library.
    longest_first = sorted(names, key=len, reverse=True)
    if not longest_first:
        return [text]
    return regex.split(f"({'|'.join(regex.escape(name) for name in longest_first)})", text)


def require_placed(special: dict[str, int], tokens: Sequence[Any]) -> None:
    """Raises TokenizerFileError unless every special token has an id of its own that no ordinary token uses."""
    for name, i in special.items():
        if not 0 <= i < len(tokens) or tokens[i] is not None or list(special.values()).count(i) > 1:
            raise TokenizerFileError(f"Special token {name!r} has the id {i}, which is not free: get the file again.")


def write_json(path: str | os.PathLike, data: dict) -> None:
    """`data` as ASCII into a file that is there whole or not at all. Raises OSError as `write_atomically` does."""
    write_atomically(path, lambda temporary: temporary.write_text(json.dumps(data), encoding="ascii"))


def read_json(path: str | os.PathLike, kind: str | None = None) -> dict:
    """The object in a tokenizer's file; `kind` is the type that it must name. Raises TokenizerFileError."""
    path = Path(path)
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise TokenizerFileError(f"There is no tokenizer file that can be read at {path}.") from None
    except (ValueError, RecursionError):
        raise TokenizerFileError(f"{path.name} is cut off or no JSON: save or fetch it again.") from None
    if not isinstance(data, dict):
        raise TokenizerFileError(f"{path.name} holds no tokenizer: save or fetch it again.")
    if kind is not None and data.get("type") != kind:
        raise TokenizerFileError(f"{path.name} is of the type {data.get('type')!r}, not {kind!r}: load it with that.")
    if kind is not None and data.get("version") != VERSION:
        raise TokenizerFileError(f"{path.name} has version {data.get('version')!r}, not {VERSION}: save it again.")
    return data


@contextmanager
def reading(file: str, cure: str) -> Iterator[None]:
    """Whatever contradictory data raise in this block becomes one sentence: a TokenizerFileError."""
    try:
        yield
    except TokenizerFileError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        said = f"{type(error).__name__}: {error}".splitlines()[0][:80]
        raise TokenizerFileError(f"{file} is damaged ({said}): {cure} it again.") from None


def read_pretrained(folder: str | os.PathLike, model: str) -> dict:
    """The `tokenizer.json` in a model's folder, whose model must be of the type `model`. Raises TokenizerFileError."""
    data = read_json(Path(folder) / "tokenizer.json")
    found = data["model"].get("type") if isinstance(data.get("model"), dict) else None
    if found != model:
        raise TokenizerFileError(f"tokenizer.json holds a tokenizer of the type {found!r}; this class reads {model!r}.")
    return data


def read_special(data: dict) -> dict[str, int]:
    """Special tokens of a `tokenizer.json` with their ids; refuses the options that these classes do not have."""
    special = {}
    for entry in data.get("added_tokens") or []:
        if not entry["special"] or entry["lstrip"] or entry["rstrip"] or entry["single_word"] or entry["normalized"]:
            raise TokenizerFileError(
                f"tokenizer.json adds the token {entry['content']!r} in a way that this class does not read."
            )
        special[entry["content"]] = entry["id"]
    return special
