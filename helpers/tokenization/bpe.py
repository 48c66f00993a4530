"""Byte-level byte-pair encoding: the tokenizer of GPT-2, Llama 3, SmolLM2 and most others (Sennrich et al., 2016).

    tokenizer = BPETokenizer.train("low lower lowest slow", 260)
    tokenizer.encode("lower")             # [257, 101, 114]: "low", "e", "r"
    tokenizer.decode([257, 101, 114])     # "lower"

Training, in four steps:
  1. cut the text into words with a pattern, so that no token ever spans two words;
  2. turn each word into its UTF-8 bytes: ids 0 to 255, so every text in every language can be written;
  3. merge the pair of neighbors that occurs most often into one new token; again, until the vocabulary is full;
  4. remember the merges in order. Encoding repeats them, earliest first.

Tie rule: where two pairs occur equally often, the one with the smaller ids is merged. For this comparison bytes are
ordered by the printable character that stands for them in the files (`byte_alphabet`), not by their value; that
gives the same merges as the `tokenizers` library. Merged tokens come after all bytes, the older before the younger.

What it does:
  * round trip: decode(encode(text)) == text for every string, if all 256 bytes are in the vocabulary (trained here:
    always; some published vocabularies lack a few);
  * text that looks like a special token is ordinary text, unless you say `allowed_special`.
What it does not do:
  * normalize, unless a model's file asks for it: "é" as one code point and as two are different tokens;
  * keep bytes that a published vocabulary lacks: like the library, it drops them without a word.
"""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from operator import methodcaller

import regex

from helpers.tokenization.bpe_files import GPT2_PATTERN, byte_alphabet, read_steps, spelled
from helpers.tokenization.files import (
    VERSION,
    TokenizerFileError,
    allowed,
    find_special,
    read_json,
    read_pretrained,
    read_special,
    reading,
    require_ids,
    require_placed,
    require_room,
    require_special,
    require_text,
    write_json,
)
from helpers.tokenization.pairs import Pair, learn_merges, merge_by_rank

ONE_DIGIT = regex.compile(r"(\p{N})")
REMEMBERED_WORDS, REMEMBERED_LENGTH = 50_000, 64  # bounds of the memory for words already encoded


class BPETokenizer:
    """Byte-level BPE; make one with `train`, `load` or `from_pretrained`.

    tokens: list, id -> bytes of the token (None for a special token); merges: the pairs of ids, in order;
    special_tokens: name -> id; pattern: how text is cut into words. As published models want it: split_digits, every
    digit is a word; whole_words, a word that is a token stays whole, whatever the merges say; nfc, text is brought to
    Unicode's composed form first.
    """

    def __init__(
        self,
        tokens: Sequence[bytes | None],
        merges: Sequence[Pair],
        special_tokens: dict[str, int],
        pattern: str = GPT2_PATTERN,
        split_digits: bool = False,
        whole_words: bool = False,
        nfc: bool = False,
    ) -> None:
        self.tokens = list(tokens)
        self.merges = list(merges)
        self.special_tokens = dict(special_tokens)
        require_placed(self.special_tokens, self.tokens)
        self.pattern = pattern
        self.split_digits, self.whole_words, self.nfc = split_digits, whole_words, nfc
        self._regex = _compile(pattern)
        ids = {token: i for i, token in enumerate(self.tokens) if token is not None}
        if len(ids) < sum(token is not None for token in self.tokens):
            raise TokenizerFileError("The tokenizer has one token twice: get the file again.")
        self._byte_ids = {byte: ids[bytes([byte])] for byte in range(256) if bytes([byte]) in ids}
        self._ranks = _ranks(self.tokens, self.merges, ids, whole_words)
        self._whole = ids if whole_words else {}
        self._names = {i: name for name, i in self.special_tokens.items()}
        self._remembered: dict[str, list[int]] = {}

    @property
    def vocab_size(self) -> int:
        """How many ids there are, special tokens included."""
        return len(self.tokens)

    def __repr__(self) -> str:
        return f"BPETokenizer({self.vocab_size:,} tokens, {len(self.merges):,} merges)"

    @classmethod
    def train(
        cls, text: str, vocab_size: int, *, special_tokens: Sequence[str] = (), pattern: str = GPT2_PATTERN
    ) -> BPETokenizer:
        """Learn merges from `text`: ids 0-255 are the bytes, then the merged tokens, the special tokens last.

        Stops early where no pair is left to merge, so `vocab_size` is a maximum. Raises ValueError if `vocab_size` is
        below 256 + the special tokens, or if `pattern` leaves out parts of the text.
        """
        require_text(text)
        special_tokens = require_special(special_tokens)
        require_room(vocab_size, 256 + len(special_tokens), f"256 bytes and {len(special_tokens)} special tokens")
        compiled = _compile(pattern)
        _require_complete(compiled, text)
        words = Counter(_words(compiled, text))
        # In training, bytes are numbered by their character: that is the tie rule.
        alphabet = sorted(byte_alphabet(), key=byte_alphabet().__getitem__)
        number = {byte: n for n, byte in enumerate(alphabet)}
        tokens = [bytes([byte]) for byte in alphabet]
        rows = {tuple(number[byte] for byte in word.encode("utf-8")): count for word, count in words.items()}
        learned = learn_merges(rows, tokens, vocab_size - len(special_tokens))
        merges = [tuple(alphabet[i] if i < 256 else i for i in pair) for pair in learned]
        tokens[:256] = [bytes([byte]) for byte in range(256)]
        special = {name: len(tokens) + n for n, name in enumerate(special_tokens)}
        return cls([*tokens, *(None for _ in special)], merges, special, pattern)

    def at_size(self, vocab_size: int) -> BPETokenizer:
        """This tokenizer as it was when training had `vocab_size` tokens: the same as training to that size.

        Raises ValueError for a size that it never had, and where special tokens stand among the ids.
        """
        if not 256 <= vocab_size <= self.vocab_size or self.special_tokens:
            raise ValueError(
                f"Sizes from 256 to {self.vocab_size:,} can be cut from this tokenizer, if it has no special tokens; "
                f"{vocab_size:,} with {len(self.special_tokens)} special tokens cannot."
            )
        merges = [pair for pair in self.merges if self._ranks[pair][1] < vocab_size]
        options = self.pattern, self.split_digits, self.whole_words, self.nfc
        return BPETokenizer(self.tokens[:vocab_size], merges, {}, *options)

    def encode(self, text: str, allowed_special: str | Iterable[str] = ()) -> list[int]:
        """The ids of `text`. Special tokens in it are ordinary text unless `allowed_special` names them or is "all".

        Equals the library's ids: with nothing allowed those of `split_special_tokens=True`, with "all" the default's.
        Raises TypeError for anything but a string, ValueError for lone surrogates and unknown special tokens.
        """
        require_text(text)
        ids: list[int] = []
        for n, part in enumerate(find_special(text, allowed(self.special_tokens, allowed_special))):
            if n % 2:
                ids.append(self.special_tokens[part])
            else:
                self._encode_ordinary(part, ids)
        return ids

    def _encode_ordinary(self, text: str, ids: list[int]) -> None:
        remembered = self._remembered
        if self.nfc:
            text = unicodedata.normalize("NFC", text)
        _require_complete(self._regex, text)
        # A run of digits ends the word before it, so each stretch between digits is cut on its own.
        stretches = ONE_DIGIT.split(text) if self.split_digits else [text]
        for stretch in stretches:
            for word in _words(self._regex, stretch):
                found = remembered.get(word)
                ids += self._encode_word(word) if found is None else found

    def _encode_word(self, word: str) -> list[int]:
        known, spelling = self._byte_ids, word.encode("utf-8")
        if spelling in self._whole:
            ids = [self._whole[spelling]]
        else:
            ids = merge_by_rank([known[byte] for byte in spelling if byte in known], self._ranks)
        if len(word) <= REMEMBERED_LENGTH:
            if len(self._remembered) >= REMEMBERED_WORDS:
                self._remembered.clear()
            self._remembered[word] = ids
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        """The text of `ids`, special tokens included. Bytes that form no whole character become U+FFFD.

        Raises ValueError for an id outside the vocabulary.
        """
        parts = []
        for i in require_ids(ids, self.vocab_size):
            parts.append(self._names[i].encode("utf-8") if i in self._names else self.tokens[i] or b"")
        return b"".join(parts).decode("utf-8", errors="replace")

    def save(self, path: str | os.PathLike) -> None:
        """Write everything to one JSON file; an interrupted save leaves the old file as it was."""
        alphabet = byte_alphabet()
        tokens = [None if token is None else "".join(alphabet[byte] for byte in token) for token in self.tokens]
        data = {"type": "BPETokenizer", "version": VERSION, "pattern": self.pattern, "split_digits": self.split_digits}
        data |= {"whole_words": self.whole_words, "nfc": self.nfc, "special_tokens": self.special_tokens}
        write_json(path, data | {"tokens": tokens, "merges": self.merges})

    @classmethod
    def load(cls, path: str | os.PathLike) -> BPETokenizer:
        """What `save` wrote. Raises TokenizerFileError where the file is cut off, of another type or contradictory."""
        data = read_json(path, "BPETokenizer")
        with reading("The tokenizer file", "save"):
            tokens = [None if token is None else spelled(token) for token in data["tokens"]]
            merges = [(int(left), int(right)) for left, right in data["merges"]]
            special = {str(name): int(i) for name, i in data["special_tokens"].items()}
            options = {name: bool(data[name]) for name in ("split_digits", "whole_words", "nfc")}
            return cls(tokens, merges, special, data["pattern"], **options)

    @classmethod
    def from_pretrained(cls, folder: str | os.PathLike) -> BPETokenizer:
        """The tokenizer of a model, from the `tokenizer.json` in its folder: the same ids, cut by the same rules.

        Raises TokenizerFileError for a missing or damaged file and for steps that this class does not have.
        """
        data = read_pretrained(folder, "BPE")
        with reading("tokenizer.json", "fetch"):
            options = read_steps(data)
            model = data["model"]
            vocab, special = model["vocab"], read_special(data)
            pairs = [merge.split(" ") if isinstance(merge, str) else merge for merge in model["merges"]]
            size = 1 + max([*vocab.values(), *special.values()])
            if size > 2 * (len(vocab) + len(special)):
                raise ValueError("most ids have no token")
            tokens: list[bytes | None] = [None] * size
            for token, i in vocab.items():
                if token not in special:
                    tokens[i] = spelled(token)
            merges = [(vocab[left], vocab[right]) for left, right in pairs]
            return cls(tokens, merges, special, **options)


def _compile(pattern: str) -> regex.Pattern:
    try:
        compiled = regex.compile(pattern)
    except (regex.error, TypeError) as error:
        raise ValueError(f"The pattern is no regular expression ({error}).") from None
    if compiled.fullmatch(""):
        raise ValueError("The pattern matches nothing at all, so it would cut words everywhere: use + instead of *.")
    return compiled


def _require_complete(pattern: regex.Pattern, text: str) -> None:
    """Raises ValueError if `pattern` skips characters of `text`, which would be lost; GPT-2's skips none."""
    if pattern.pattern != GPT2_PATTERN and sum(map(len, _words(pattern, text))) != len(text):
        raise ValueError("The pattern leaves out parts of the text: end it with an alternative for any character.")


def _words(pattern: regex.Pattern, text: str) -> Iterator[str]:
    """The words of `text` one at a time, so that a long text is never held twice."""
    return map(methodcaller("group"), pattern.finditer(text))


def _ranks(
    tokens: Sequence[bytes | None], merges: Sequence[Pair], ids: dict[bytes, int], any_order: bool
) -> dict[Pair, tuple]:
    """pair -> (its place among the merges, id of what it makes); refuses a merge of what does not exist yet.

    any_order: files with whole words list every way to split a token, also into parts that come later.
    """
    size = len(tokens)
    made = {i for i, token in enumerate(tokens) if token is not None and (any_order or len(token) == 1)}
    ranks = {}
    for rank, (left, right) in enumerate(merges):
        for part in (left, right):
            if part not in made:
                what = "which is no earlier token" if 0 <= part < size else f"but ids go from 0 to {size - 1}"
                raise TokenizerFileError(f"Merge {rank} of the tokenizer uses token {part}, {what}: get it again.")
        whole = ids.get(tokens[left] + tokens[right])
        if whole is None:
            raise TokenizerFileError(f"Merge {rank} of the tokenizer makes a token without an id: get the file again.")
        made.add(whole)
        ranks[left, right] = (rank, whole)
    return ranks
