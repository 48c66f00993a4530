"""Two tokenizers from scratch whose ids equal those of real models: byte-pair encoding and WordPiece.

    tokenizer = BPETokenizer.train("low lower lowest slow", 260)
    tokenizer.encode("lower")             # [257, 101, 114]: "low", "e", "r"
    tokenizer.decode([257, 101, 114])     # "lower"

In reading order: what a `tokenizer.json` holds, counting and merging pairs, `BPETokenizer`, `WordPieceTokenizer`.
Training merges the pair that occurs most often, again and again. Among equal counts the pair with the smaller ids
wins; for this the bytes are ordered by the characters that stand for them in files (`byte_alphabet`), and merged
tokens come after all bytes, by age. That gives the same merges as the `tokenizers` library.

What it does not do: Unigram; keep bytes that a published vocabulary lacks (the library drops them, too).
"""

from __future__ import annotations

import heapq
import json
import os
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from operator import itemgetter
from pathlib import Path
from typing import Any

import regex

Pair = tuple[int, int]
GONE = -1  # no neighbor, or a symbol that was merged into the one before it
# A contraction, a word, a number, a run of other characters (each with one space before it), or spaces. The last
# space of a run is left over for the word that follows.
GPT2_PATTERN = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
ONE_DIGIT = regex.compile(r"(\p{N})")
REMEMBERED_WORDS, REMEMBERED_LENGTH = 50_000, 64  # bounds of the memory for words already encoded


class TokenizerFileError(ValueError):
    """A tokenizer's file is missing, cut off, of an unknown type or contradicts itself; the message says which."""


# Input and files ----------------------------------------------------------------------------------------------------


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


def split_special(text: str, known: dict[str, int], allowed_special: str | Iterable[str]) -> list[str]:
    """`text` cut at the special tokens that the caller trusts in it: ordinary text at even places, tokens at odd ones.

    allowed_special: some of the names in `known`, or "all". Raises ValueError for a name that is not known.
    """
    if isinstance(allowed_special, str) and allowed_special != "all":
        raise ValueError(f'allowed_special is "all" or a list of special tokens, not {allowed_special!r}.')
    names = list(known if allowed_special == "all" else allowed_special)
    for name in names:
        if name not in known:
            raise ValueError(f"{name!r} is no special token of this tokenizer, which has {list(known)}.")
    # Longest first: where two begin at one place, the longer wins, as in the library.
    longest_first = sorted(names, key=len, reverse=True)
    return regex.split(f"({'|'.join(map(regex.escape, longest_first))})", text) if names else [text]


@contextmanager
def read_pretrained(folder: str | os.PathLike, model: str) -> Iterator[dict]:
    """The `tokenizer.json` in a model's folder, whose model must be of the type `model`.

    Whatever a contradictory file raises in the block becomes one sentence: a TokenizerFileError.
    """
    path = Path(folder) / "tokenizer.json"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        found = data["model"].get("type") if isinstance(data.get("model"), dict) else None
        if found != model:
            raise TokenizerFileError(f"tokenizer.json holds a tokenizer of type {found!r}; this class reads {model!r}.")
        yield data
    except TokenizerFileError:
        raise
    except OSError:
        raise TokenizerFileError(f"There is no tokenizer file that can be read at {path}.") from None
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
        said = f"{type(error).__name__}: {error}".splitlines()[0][:80]
        raise TokenizerFileError(f"{path.name} is damaged ({said}): fetch it again.") from None


def read_special(data: dict) -> dict[str, int]:
    """Special tokens of a `tokenizer.json` with their ids; refuses the options that these classes do not have."""
    special = {}
    for entry in data.get("added_tokens") or []:
        if not entry["special"] or entry["lstrip"] or entry["rstrip"] or entry["single_word"] or entry["normalized"]:
            raise TokenizerFileError(
                f"tokenizer.json adds {entry['content']!r} in a way that this class does not read."
            )
        special[entry["content"]] = entry["id"]
    return special


@cache
def byte_alphabet() -> dict[int, str]:
    """Byte -> the printable character that stands for it in tokenizer files (GPT-2's table): "Ġ" is the space.

    Printable Latin-1 characters stand for themselves; the other 68 bytes get the characters from 256 up.
    """
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    table = {byte: chr(byte) for byte in printable}
    others = (byte for byte in range(256) if byte not in table)
    return table | {byte: chr(256 + n) for n, byte in enumerate(others)}


BYTE_OF = {character: byte for byte, character in byte_alphabet().items()}


def spelled(token: str) -> bytes:
    """The bytes of a token as files write it, one character a byte. Raises KeyError for any other character."""
    return bytes(BYTE_OF[character] for character in token)


def read_steps(data: dict) -> dict[str, Any]:
    """The options of `BPETokenizer` that a `tokenizer.json` asks for; refuses what would give other ids.

    Three ways of cutting are read: byte level with GPT-2's pattern (GPT-2), single digits and then byte level
    (SmolLM2), a split by a pattern and then byte level (Llama 3, Qwen 2). Raises TokenizerFileError for any other.
    """
    model, steps = data["model"], data["pre_tokenizer"]
    *first, last = steps["pretokenizers"] if steps["type"] == "Sequence" else [steps]
    digits = first == [{"type": "Digits", "individual_digits": True}]
    a_split = {"type": "Split", "behavior": "Isolated", "invert": False}
    split = len(first) == 1 and first[0] | a_split == first[0] and isinstance(first[0]["pattern"].get("Regex"), str)
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": not split}
    not_read = ("dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "byte_fallback")
    normalizer = data.get("normalizer")
    if (
        (first and not digits and not split)
        or any(last.get(key) != value for key, value in byte_level.items())
        or normalizer not in (None, {"type": "NFC"})
        or any(model.get(option) for option in not_read)
    ):
        raise TokenizerFileError(
            "tokenizer.json has steps that this class does not have; it reads those of GPT-2, SmolLM2 and Llama 3."
        )
    return {
        "pattern": first[0]["pattern"]["Regex"] if split else GPT2_PATTERN,
        "split_digits": digits,
        "nfc": normalizer is not None,
        "whole_words": bool(model.get("ignore_merges")),
    }


# Pairs --------------------------------------------------------------------------------------------------------------


class PairCounts:
    """Adjacent pairs of symbols, counted once over the distinct words and kept up to date while pairs are merged.

        pairs = PairCounts({(1, 2, 3): 5, (1, 2): 1})      # the word 1 2 3 occurs five times, 1 2 once
        pairs.counts                                       # {(1, 2): 6, (2, 3): 5}
        pairs.merge((1, 2), 9)                             # 6 merges: the words are now 9 3 and 9

    All words lie in one long row; each symbol knows the places before and after it, so a merge takes a symbol out
    without moving the rest. Every merge makes the row shorter, so the whole training visits about three places per
    symbol, however long a word is. grown: pairs that the last merge made or added to.
    """

    def __init__(self, words: Mapping[tuple[int, ...], int]) -> None:
        self.symbols: list[int] = []
        self.before: list[int] = []
        self.after: list[int] = []
        self.weight: list[int] = []  # how often the word that a symbol belongs to occurs
        self.counts: dict[Pair, int] = defaultdict(int)
        self.places: dict[Pair, list[int]] = defaultdict(list)  # where a pair starts, or started: checked when used
        self.visits = 0
        counts, places = self.counts, self.places
        for word, count in words.items():
            start, length = len(self.symbols), len(word)
            self.symbols += word
            self.before += [GONE, *range(start, start + length - 1)][:length]
            self.after += [*range(start + 1, start + length), GONE][:length]
            self.weight += [count] * length
            for place, pair in enumerate(zip(word, word[1:], strict=False), start):
                counts[pair] += count
                places[pair].append(place)

    def merge(self, pair: Pair, new: int) -> int:
        """Replace `pair` by the symbol `new` everywhere, left to right; returns how often that happened in the text."""
        left, right = pair
        symbols, before, after, weight = self.symbols, self.before, self.after, self.weight
        counts, places, grown = self.counts, self.places, set()
        merged = 0
        candidates = places.pop(pair, [])
        candidates.sort()  # left to right matters where a pair overlaps itself: a a a becomes (aa) a
        self.visits += len(candidates)
        for place in candidates:
            follower = after[place]
            if symbols[place] != left or follower == GONE or symbols[follower] != right:
                continue  # an earlier merge took one of the two away
            count = weight[place]
            merged += count
            beyond, previous = after[follower], before[place]
            symbols[place], symbols[follower] = new, GONE
            after[place] = beyond
            if beyond != GONE:
                before[beyond] = place
                counts[right, symbols[beyond]] -= count
                fresh = (new, symbols[beyond])
                counts[fresh] += count
                places[fresh].append(place)
                grown.add(fresh)
            if previous != GONE:
                counts[symbols[previous], left] -= count
                fresh = (symbols[previous], new)
                counts[fresh] += count
                places[fresh].append(previous)
                grown.add(fresh)
        counts[pair] = 0
        self.grown = grown
        return merged


def learn_merges(words: Mapping[tuple[int, ...], int], tokens: list[bytes], vocab_size: int) -> list[Pair]:
    """The pairs that byte-pair encoding merges, in order, until there are `vocab_size` tokens or no pair is left.

    words: ids of each distinct word -> how often it occurs; tokens: the bytes of each id; grows by the merged tokens.
    """
    pairs = PairCounts(words)
    counts = pairs.counts
    known = {token: i for i, token in enumerate(tokens)}
    heap = [(-count, pair) for pair, count in counts.items()]
    heapq.heapify(heap)
    merges: list[Pair] = []
    while heap and len(tokens) < vocab_size:
        promised, pair = heapq.heappop(heap)
        if (count := counts[pair]) < -promised:  # merges took some of its places away
            if count:
                heapq.heappush(heap, (-count, pair))
            continue
        token = tokens[pair[0]] + tokens[pair[1]]
        if token not in known:  # two pairs may spell the same token, which then has one id
            known[token] = len(tokens)
            tokens.append(token)
        merges.append(pair)
        pairs.merge(pair, known[token])
        for grown in pairs.grown:
            if count := counts[grown]:
                heapq.heappush(heap, (-count, grown))
    return merges


def merge_by_rank(ids: Iterable[int], ranks: Mapping[Pair, tuple[int, int]]) -> list[int]:
    """The tokens of one word: again and again, the neighbors that were merged earliest in training become one.

    ranks: pair -> (rank, id of the merged token). Among equal ranks the leftmost pair goes first.

        merge_by_rank([1, 2, 3], {(2, 3): (0, 8), (1, 2): (1, 9)})       # [1, 8]: the pair of rank 0 wins
    """  # a heap of candidates, not a search at each step: n log n steps, not n squared
    symbols = list(ids)
    size = len(symbols)
    after, before = list(range(1, size + 1)), list(range(-1, size - 1))  # `size` and -1 mean none
    heap = []
    for place, pair in enumerate(zip(symbols, symbols[1:], strict=False)):
        if found := ranks.get(pair):
            heap.append((found[0], place, found[1]))
    heapq.heapify(heap)
    while heap:
        rank, place, new = heapq.heappop(heap)
        follower = after[place]
        if follower == size or symbols[place] == GONE:
            continue
        if ranks.get((symbols[place], symbols[follower]), (GONE,))[0] != rank:
            continue  # one of the two was merged with another neighbor meanwhile
        symbols[place], symbols[follower] = new, GONE
        beyond, previous = after[follower], before[place]
        after[place] = beyond
        if beyond != size:
            before[beyond] = place
            if found := ranks.get((new, symbols[beyond])):
                heapq.heappush(heap, (found[0], place, found[1]))
        if previous != -1 and (found := ranks.get((symbols[previous], new))):
            heapq.heappush(heap, (found[0], previous, found[1]))
    return [symbol for symbol in symbols if symbol != GONE]


# Byte-pair encoding -------------------------------------------------------------------------------------------------


class BPETokenizer:
    """Byte-level BPE, as in GPT-2, Llama 3 and SmolLM2 (Sennrich et al., 2016); from `train` or `from_pretrained`.

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
        self.tokens, self.merges, self.special_tokens = list(tokens), list(merges), dict(special_tokens)
        self.vocab_size = len(self.tokens)
        for name, i in self.special_tokens.items():
            if not 0 <= i < len(self.tokens) or self.tokens[i] is not None:
                raise TokenizerFileError(f"Special token {name!r} has the id {i}, which is not free: get it again.")
        self.pattern = pattern
        self.split_digits, self.whole_words, self.nfc = split_digits, whole_words, nfc
        self._regex = _compile(pattern)
        ids = {token: i for i, token in enumerate(self.tokens) if token is not None}
        self._names = {i: name for name, i in self.special_tokens.items()}
        if len(ids) < len(self.tokens) - self.tokens.count(None) or len(self._names) < len(self.special_tokens):
            raise TokenizerFileError("The tokenizer has one token twice: get the file again.")
        self._byte_ids = {byte: ids[bytes([byte])] for byte in range(256) if bytes([byte]) in ids}
        self._ranks = _ranks(self.tokens, self.merges, ids, whole_words)
        self._whole = ids if whole_words else {}
        self._remembered: dict[str, list[int]] = {}

    @classmethod
    def train(
        cls, text: str, vocab_size: int, *, special_tokens: Sequence[str] = (), pattern: str = GPT2_PATTERN
    ) -> BPETokenizer:
        """Learn merges from `text`: ids 0-255 are the bytes, then the merged tokens, the special tokens last.

        Stops early where no pair is left to merge, so `vocab_size` is a maximum. Raises ValueError if `vocab_size` is
        below 256 + the special tokens, or if `pattern` leaves out parts of the text.
        """
        require_text(text)
        if isinstance(special_tokens, str) or len({*special_tokens, ""}) <= len(special_tokens):
            raise ValueError("special_tokens takes a list of different strings, none of them empty.")
        least = 256 + len(special_tokens)
        if not isinstance(vocab_size, int) or vocab_size < least:
            raise ValueError(f"vocab_size must be a whole number of at least {least}, not {vocab_size!r}.")
        compiled = _compile(pattern)
        words = Counter(_words(compiled, text))
        # In training, bytes are numbered by their character: that is the tie rule.
        alphabet = sorted(byte_alphabet(), key=byte_alphabet().__getitem__)
        number = bytes(map(alphabet.index, range(256)))  # byte -> its number
        tokens = [bytes([byte]) for byte in alphabet]
        rows = {tuple(word.encode("utf-8").translate(number)): count for word, count in words.items()}
        learned = learn_merges(rows, tokens, vocab_size - len(special_tokens))
        merges = [tuple(alphabet[i] if i < 256 else i for i in pair) for pair in learned]
        tokens[:256] = [bytes([byte]) for byte in range(256)]
        special = {name: len(tokens) + n for n, name in enumerate(special_tokens)}
        return cls([*tokens, *(None for _ in special)], merges, special, pattern)

    def encode(self, text: str, allowed_special: str | Iterable[str] = ()) -> list[int]:
        """The ids of `text`. Special tokens in it are ordinary text unless `allowed_special` names them or is "all".

        Equals the library's ids: with nothing allowed those of `split_special_tokens=True`, with "all" the default's.
        Raises TypeError for anything but a string, ValueError for lone surrogates and unknown special tokens.
        """
        require_text(text)
        ids: list[int] = []
        for n, part in enumerate(split_special(text, self.special_tokens, allowed_special)):
            if n % 2:
                ids.append(self.special_tokens[part])
            else:
                self._encode_ordinary(part, ids)
        return ids

    def _encode_ordinary(self, text: str, ids: list[int]) -> None:
        remembered = self._remembered
        if self.nfc:
            text = unicodedata.normalize("NFC", text)
        # A run of digits ends the word before it, so each stretch between digits is cut on its own.
        for stretch in ONE_DIGIT.split(text) if self.split_digits else [text]:
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
        for i in ids:
            if not 0 <= i < self.vocab_size:
                raise ValueError(f"There is no token {i}: ids of this tokenizer go from 0 to {self.vocab_size - 1}.")
            parts.append(self._names[i].encode("utf-8") if i in self._names else self.tokens[i] or b"")
        return b"".join(parts).decode("utf-8", errors="replace")

    @classmethod
    def from_pretrained(cls, folder: str | os.PathLike) -> BPETokenizer:
        """The tokenizer of a model, from the `tokenizer.json` in its folder: the same ids, cut by the same rules.

        Raises TokenizerFileError for a missing or damaged file and for steps that this class does not have.
        """
        with read_pretrained(folder, "BPE") as data:
            options = read_steps(data)
            vocab, special = data["model"]["vocab"], read_special(data)
            pairs = [merge.split(" ") if isinstance(merge, str) else merge for merge in data["model"]["merges"]]
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


def _words(pattern: regex.Pattern, text: str) -> Iterator[str]:
    """The words of `text` one at a time, so that a long text is never held twice; raises where some would be lost."""
    if pattern.pattern != GPT2_PATTERN and sum(len(match.group()) for match in pattern.finditer(text)) < len(text):
        raise ValueError("The pattern leaves out parts of the text: end it with an alternative for any character.")
    return map(itemgetter(0), pattern.finditer(text))


def _ranks(
    tokens: Sequence[bytes | None], merges: Sequence[Pair], ids: dict[bytes, int], any_order: bool
) -> dict[Pair, tuple]:
    """pair -> (its place among the merges, id of what it makes); refuses a merge of what does not exist yet."""
    # any_order: files with whole words list every way to split a token, also into parts that come later.
    made = {i for i, token in enumerate(tokens) if token is not None and (any_order or len(token) == 1)}
    ranks = {}
    for rank, (left, right) in enumerate(merges):
        for part in (left, right):
            if part not in made:
                raise TokenizerFileError(f"Merge {rank} of the tokenizer uses {part}, which is no earlier token.")
        whole = ids.get(tokens[left] + tokens[right])
        if whole is None:
            raise TokenizerFileError(f"Merge {rank} of the tokenizer makes a token without an id: get the file again.")
        made.add(whole)
        ranks[left, right] = (rank, whole)
    return ranks


# WordPiece ----------------------------------------------------------------------------------------------------------

UNKNOWN, INSIDE = "[UNK]", "##"
LONGEST_WORD = 100  # characters; a longer word is unknown
ASCII_PUNCTUATION = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
CHINESE = (
    *((0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F), (0x2B740, 0x2B81F)),
    *((0x2B920, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F)),
)
# Unicode moved these to another category after the library's tables were made.
LIBRARY_CATEGORY = {"\u166d": "Po", "\u1734": "Mn", "\u1885": "Lo", "\u1886": "Lo"}


class WordPieceTokenizer:
    """WordPiece with BERT's normalizer (Schuster and Nakajima, 2012; Devlin et al., 2019); from `from_pretrained`.

        [tokenizer.tokens[i] for i in tokenizer.encode("Unaffordable!")]    # ["una", "##ff", "##ord", "##able", "!"]

    Text is cleaned, stripped of accents, lowercased, and cut at spaces and around punctuation. In each word the longest
    token that fits is taken, again and again; where none fits, the whole word becomes [UNK].
    tokens: list, id -> token as text ("##" marks those inside a word); special_tokens: name -> id.
    """

    def __init__(
        self, tokens: Sequence[str], special_tokens: dict[str, int], lowercase: bool = True, strip_accents: bool = True
    ) -> None:
        self.tokens, self.special_tokens, self.vocab_size = list(tokens), dict(special_tokens), len(tokens)
        self.lowercase, self.strip_accents = lowercase, strip_accents
        self._ids = {token: i for i, token in enumerate(self.tokens)}
        if UNKNOWN not in self._ids:
            raise TokenizerFileError(f"A WordPiece vocabulary needs the token {UNKNOWN}, and this one has none.")
        if any(self._ids.get(name) != i for name, i in self.special_tokens.items()):
            raise TokenizerFileError("The WordPiece special tokens and their ids do not agree: get the file again.")
        self._longest = max(map(len, self.tokens))
        self._remembered: dict[str, list[int]] = {}

    def encode(self, text: str, allowed_special: str | Iterable[str] = ()) -> list[int]:
        """The ids of `text`, without [CLS] and [SEP]. Special tokens in it are ordinary text unless allowed.

        Equals the library's ids with `add_special_tokens=False` (and `split_special_tokens=True`, or, with
        allowed_special="all", without it). Raises as `BPETokenizer.encode` does.
        """
        require_text(text)
        ids: list[int] = []
        for n, part in enumerate(split_special(text, self.special_tokens, allowed_special)):
            if n % 2:
                ids.append(self.special_tokens[part])
                continue
            for word in split_words(normalize(part, self.lowercase, self.strip_accents)):
                if len(word) > LONGEST_WORD:
                    ids.append(self._ids[UNKNOWN])
                    continue
                if word not in self._remembered:
                    if len(self._remembered) >= REMEMBERED_WORDS:
                        self._remembered.clear()
                    self._remembered[word] = self._longest_matches(word)
                ids += self._remembered[word]
        return ids

    def _longest_matches(self, word: str) -> list[int]:
        ids, start = [], 0
        while start < len(word):
            prefix = INSIDE if start else ""
            for end in range(min(len(word), start + self._longest), start, -1):
                if (found := self._ids.get(prefix + word[start:end])) is not None:
                    break
            else:
                return [self._ids[UNKNOWN]]
            ids.append(found)
            start = end
        return ids

    @classmethod
    def from_pretrained(cls, folder: str | os.PathLike) -> WordPieceTokenizer:
        """The vocabulary and normalizer of a model, from the `tokenizer.json` in its folder.

        Raises TokenizerFileError for a missing or damaged file and for steps that this class does not have.
        """
        with read_pretrained(folder, "WordPiece") as data:
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


def normalize(text: str, lowercase: bool = True, strip_accents: bool = True) -> str:
    """BERT's normalizer: clean, space out Chinese characters, strip accents, lowercase ("Σ" is always "σ")."""
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
