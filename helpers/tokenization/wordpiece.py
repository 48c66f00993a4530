"""WordPiece: the tokenizer of BERT and of many embedding models (Schuster and Nakajima, 2012; Devlin et al., 2019).

    tokenizer = WordPieceTokenizer.from_pretrained(fetch("embedder"))
    tokenizer.encode("Unaffordable!")                             # [14477, 4246, 8551, 3085, 999]
    [tokenizer.tokens[i] for i in tokenizer.encode("Unaffordable!")]    # ["una", "##ff", "##ord", "##able", "!"]

Encoding, in three steps:
  1. normalize: drop control characters, put spaces around Chinese characters, strip accents, lowercase;
  2. cut at spaces and around every punctuation mark;
  3. in each word take the longest token that fits, again and again; tokens inside a word are written with "##".
     Where nothing fits, the whole word becomes [UNK].

Training merges pairs as BPE does, but picks the pair by  count(pair) / (count(left) × count(right)):  how much more
often the two stand together than chance would put them there. Tie rule: among equal scores the more frequent pair,
then the alphabetically first.

What it does not do: round trip (case, accents, spaces and unknown words are lost), add [CLS] and [SEP], truncate.
"""

from __future__ import annotations

import heapq
import os
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import cache

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
    require_room,
    require_special,
    require_text,
    write_json,
)
from helpers.tokenization.pairs import Pair, PairCounts

UNKNOWN, INSIDE = "[UNK]", "##"
BERT_SPECIAL = ("[PAD]", UNKNOWN, "[CLS]", "[SEP]", "[MASK]")
LONGEST_WORD = 100  # characters; a longer word is unknown
REMEMBERED_WORDS = 50_000
ASCII_PUNCTUATION = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
CHINESE = (
    *((0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F), (0x2B740, 0x2B81F)),
    *((0x2B920, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F)),
)
# Unicode moved these to another category after the library's tables were made.
LIBRARY_CATEGORY = {"\u166d": "Po", "\u1734": "Mn", "\u1885": "Lo", "\u1886": "Lo"}


class WordPieceTokenizer:
    """WordPiece with BERT's normalizer; make one with `train`, `load` or `from_pretrained`.

    tokens: list, id -> token as text ("##" marks those inside a word); special_tokens: name -> id.
    """

    def __init__(
        self, tokens: Sequence[str], special_tokens: dict[str, int], lowercase: bool = True, strip_accents: bool = True
    ) -> None:
        self.tokens = list(tokens)
        self.special_tokens = dict(special_tokens)
        self.lowercase, self.strip_accents = lowercase, strip_accents
        self._ids = {token: i for i, token in enumerate(self.tokens)}
        if UNKNOWN not in self._ids:
            raise TokenizerFileError(f"A WordPiece vocabulary needs the token {UNKNOWN}, and this one has none.")
        if len(self._ids) < len(self.tokens):
            raise TokenizerFileError("The WordPiece vocabulary holds one token twice: get the file again.")
        if any(self._ids.get(name) != i for name, i in self.special_tokens.items()):
            raise TokenizerFileError("The WordPiece special tokens and their ids do not agree: get the file again.")
        self._longest = max(map(len, self.tokens))
        self._remembered: dict[str, list[int]] = {}

    @property
    def vocab_size(self) -> int:
        """How many ids there are, special tokens included."""
        return len(self.tokens)

    def __repr__(self) -> str:
        return f"WordPieceTokenizer({self.vocab_size:,} tokens)"

    @classmethod
    def train(
        cls, text: str, vocab_size: int, *, special_tokens: Sequence[str] = BERT_SPECIAL, min_count: int = 2
    ) -> WordPieceTokenizer:
        """Learn a vocabulary of at most `vocab_size` from `text`: special tokens, characters, then merged tokens.

        min_count: pairs that occur less often are left alone; the score loves rare pairs, and one chance meeting of
        two rare letters would beat everything. Words of more than 100 characters are left out, as in encoding.
        Raises ValueError if `vocab_size` has no room for the special tokens and the characters.
        """
        require_text(text)
        special_tokens = require_special(special_tokens)
        if UNKNOWN not in special_tokens:
            raise ValueError(f"special_tokens must include {UNKNOWN}, which stands for words that nothing fits.")
        words = Counter(word for word in split_words(normalize(text)) if len(word) <= LONGEST_WORD)
        spelled = {word: (word[0], *(INSIDE + character for character in word[1:])) for word in words}
        letters = sorted({letter for letter_list in spelled.values() for letter in letter_list})
        tokens = [*special_tokens, *letters]
        what = f"{len(special_tokens)} special tokens and {len(letters)} characters of the text"
        require_room(vocab_size, len(tokens), what)
        ids = {token: i for i, token in enumerate(tokens)}
        rows = {tuple(ids[letter] for letter in spelled[word]): count for word, count in words.items()}
        _grow(tokens, rows, vocab_size, min_count)
        return cls(tokens, {name: i for i, name in enumerate(special_tokens)})

    def encode(self, text: str, allowed_special: str | Iterable[str] = ()) -> list[int]:
        """The ids of `text`, without [CLS] and [SEP]. Special tokens in it are ordinary text unless allowed.

        Equals the library's ids with `add_special_tokens=False` (and `split_special_tokens=True`, or, with
        allowed_special="all", without it). Raises as `BPETokenizer.encode` does.
        """
        require_text(text)
        ids: list[int] = []
        for n, part in enumerate(find_special(text, allowed(self.special_tokens, allowed_special))):
            if n % 2:
                ids.append(self.special_tokens[part])
                continue
            for word in split_words(normalize(part, self.lowercase, self.strip_accents)):
                found = self._remembered.get(word)
                ids += self._encode_word(word) if found is None else found
        return ids

    def _encode_word(self, word: str) -> list[int]:
        ids = self._longest_matches(word)
        if len(self._remembered) >= REMEMBERED_WORDS:
            self._remembered.clear()
        if len(word) <= LONGEST_WORD:
            self._remembered[word] = ids
        return ids

    def _longest_matches(self, word: str) -> list[int]:
        """Greedy: the longest token that starts the rest of the word; [UNK] for the whole word where none does."""
        unknown = [self._ids[UNKNOWN]]
        if len(word) > LONGEST_WORD:
            return unknown
        ids, start = [], 0
        while start < len(word):
            prefix = INSIDE if start else ""
            for end in range(min(len(word), start + self._longest), start, -1):
                if (found := self._ids.get(prefix + word[start:end])) is not None:
                    break
            else:
                return unknown
            ids.append(found)
            start = end
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        """Words joined by single spaces: readable, not the original. Raises ValueError for an unknown id."""
        text = " ".join(self.tokens[i] for i in require_ids(ids, self.vocab_size))
        return text.replace(f" {INSIDE}", "")

    def save(self, path: str | os.PathLike) -> None:
        """Write everything to one JSON file; an interrupted save leaves the old file as it was."""
        data = {"type": "WordPieceTokenizer", "version": VERSION, "special_tokens": self.special_tokens}
        options = {"lowercase": self.lowercase, "strip_accents": self.strip_accents}
        write_json(path, data | options | {"tokens": self.tokens})

    @classmethod
    def load(cls, path: str | os.PathLike) -> WordPieceTokenizer:
        """What `save` wrote. Raises TokenizerFileError where the file is cut off, of another type or contradictory."""
        data = read_json(path, "WordPieceTokenizer")
        with reading("The tokenizer file", "save"):
            tokens = [str(token) for token in data["tokens"]]
            special = {str(name): int(i) for name, i in data["special_tokens"].items()}
            return cls(tokens, special, bool(data["lowercase"]), bool(data["strip_accents"]))

    @classmethod
    def from_pretrained(cls, folder: str | os.PathLike) -> WordPieceTokenizer:
        """The vocabulary and normalizer of a model, from the `tokenizer.json` in its folder.

        Raises TokenizerFileError for a missing or damaged file and for steps that this class does not have.
        """
        data = read_pretrained(folder, "WordPiece")
        with reading("tokenizer.json", "fetch"):
            model, steps = data["model"], data["normalizer"] or {}
            plain = {"unk_token": UNKNOWN, "continuing_subword_prefix": INSIDE}
            plain["max_input_chars_per_word"] = LONGEST_WORD
            if (
                steps.get("type") != "BertNormalizer"
                or not steps["clean_text"]
                or not steps["handle_chinese_chars"]
                or data["pre_tokenizer"] != {"type": "BertPreTokenizer"}
                or any(model[key] != value for key, value in plain.items())
            ):
                raise TokenizerFileError("tokenizer.json has steps that this class lacks; it reads BERT's kind.")
            tokens = sorted(model["vocab"], key=model["vocab"].__getitem__)
            if [model["vocab"][token] for token in tokens] != list(range(len(tokens))):
                raise ValueError("its ids have gaps")
            lowercase = bool(steps["lowercase"])
            strip = lowercase if steps["strip_accents"] is None else bool(steps["strip_accents"])  # BERT's convention
            return cls(tokens, read_special(data), lowercase, strip)


def _grow(tokens: list[str], words: dict[tuple[int, ...], int], vocab_size: int, min_count: int) -> None:
    """Append merged tokens to `tokens`, best score first, until there are `vocab_size` or no frequent pair is left.

    A merge changes how often its two symbols and the new one occur, and so the score of every pair that holds one of
    them. Those pairs alone go back on the heap; an entry that no longer says what is true is skipped when it comes up.
    """
    pairs = PairCounts(words)
    counts, singles = pairs.counts, Counter[int]()
    for word, count in words.items():
        for symbol in word:
            singles[symbol] += count
    known = {token: i for i, token in enumerate(tokens)}
    holding: dict[int, set[Pair]] = defaultdict(set)  # symbol -> the frequent pairs that it is part of

    def entry(pair: Pair) -> tuple:
        """What the heap sorts by: the score, then how frequent, then the alphabet; the smallest entry is the best."""
        left, right = pair
        score = counts[pair] / (singles[left] * singles[right]) if counts[pair] >= min_count else 0.0
        return (-score, -counts[pair], tokens[left], tokens[right], pair)

    def sort_in(pair: Pair) -> None:
        for symbol in pair:
            (holding[symbol].add if counts[pair] >= min_count else holding[symbol].discard)(pair)

    for pair in counts:
        sort_in(pair)
    heap = [entry(pair) for pair, count in counts.items() if count >= min_count]
    heapq.heapify(heap)
    while len(tokens) < vocab_size and heap:
        promised = heapq.heappop(heap)
        best = left, right = promised[-1]
        if promised != entry(best):
            continue  # out of date: the pair is in the heap once more, at its true place, if it still counts
        token = tokens[left] + tokens[right].removeprefix(INSIDE)
        if token not in known:
            known[token] = len(tokens)
            tokens.append(token)
        new = known[token]
        merged = pairs.merge(best, new)
        singles[new] += merged
        singles[left] -= merged
        singles[right] -= merged
        for pair in {best, *pairs.changed}:
            sort_in(pair)
        for pair in holding[left] | holding[right] | holding[new]:
            heapq.heappush(heap, entry(pair))


def normalize(text: str, lowercase: bool = True, strip_accents: bool = True) -> str:
    """BERT's normalizer: clean, space out Chinese characters, strip accents, lowercase.

    Matches the library's, which keeps unassigned code points and lowercases letter by letter ("Σ" is always "σ").
    """
    text = "".join(map(_cleaned, text))
    if strip_accents:
        text = "".join(c for c in unicodedata.normalize("NFD", text) if _category(c) != "Mn")
    if lowercase:
        text = text.lower() if "Σ" not in text else "".join(c.lower() for c in text)
    return text


def _category(character: str) -> str:
    return LIBRARY_CATEGORY.get(character) or unicodedata.category(character)


@cache
def _cleaned(character: str) -> str:
    if character in "\t\n\r":
        return " "
    if character == "\ufffd" or _category(character) in ("Cc", "Cf", "Co"):
        return ""
    if character.isspace():
        return " "
    number = ord(character)
    return f" {character} " if any(first <= number <= last for first, last in CHINESE) else character


def split_words(text: str) -> list[str]:
    """Words and single punctuation marks, in order: "don't stop" gives don ' t stop."""
    return "".join(map(_spaced, text)).split()


@cache
def _spaced(character: str) -> str:
    if character in ASCII_PUNCTUATION or _category(character).startswith("P"):
        return f" {character} "
    return character
