"""How byte-level BPE stands in files: bytes as printable characters, and the steps around the merges.

    byte_alphabet()[32]                                    # "Ġ", which stands for the space
    spelled("Ġthe")                                        # b" the"
    read_steps(json.loads(text of a tokenizer.json))       # {"pattern": …, "split_digits": …, …}

A `tokenizer.json` (of the `tokenizers` library) names a normalizer, a list of pre-tokenizers and options of its model.
Three arrangements are read, which are those of nearly all models with byte-level BPE:

| pre-tokenizers                       | as in                |
|--------------------------------------|----------------------|
| byte level, with GPT-2's pattern     | GPT-2                |
| single digits, then byte level       | SmolLM2              |
| a split by a pattern, then byte level | Llama 3, Qwen 2      |

What it does not do: guess. Any other arrangement would give other ids, so it is refused in one sentence.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from helpers.tokenization.files import TokenizerFileError

# A contraction, a word, a number, a run of other characters (each with one space before it), or spaces. The last
# space of a run is left over for the word that follows.
GPT2_PATTERN = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
NOT_READ = ("dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "byte_fallback")


@cache
def byte_alphabet() -> dict[int, str]:
    """Byte -> the printable character that stands for it in tokenizer files (GPT-2's table): "Ġ" is the space.

    Printable Latin-1 characters stand for themselves; the other 68 bytes get the characters from 256 up.
    """
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    table = {byte: chr(byte) for byte in printable}
    others = (byte for byte in range(256) if byte not in table)
    return table | {byte: chr(256 + n) for n, byte in enumerate(others)}


@cache
def _character_bytes() -> dict[str, int]:
    return {character: byte for byte, character in byte_alphabet().items()}


def spelled(token: str) -> bytes:
    """The bytes of a token as files write it, one character a byte. Raises KeyError for any other character."""
    table = _character_bytes()
    return bytes(table[character] for character in token)


def read_steps(data: dict) -> dict[str, Any]:
    """The options of `BPETokenizer` that a `tokenizer.json` asks for; refuses what would give other ids.

    pattern, split_digits: how text is cut; nfc: accents are joined to their letters first; whole_words: a word that is
    a token is not cut, whatever the merges say (`ignore_merges` in the file). Raises TokenizerFileError.
    """
    model, steps = data["model"], data["pre_tokenizer"]
    *first, last = steps["pretokenizers"] if steps["type"] == "Sequence" else [steps]
    digits = first == [{"type": "Digits", "individual_digits": True}]
    split = len(first) == 1 and _is_plain_split(first[0])
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": not split}
    normalizer = data.get("normalizer")
    if (
        (first and not digits and not split)
        or any(last.get(key) != value for key, value in byte_level.items())
        or normalizer not in (None, {"type": "NFC"})
        or any(model.get(option) for option in NOT_READ)
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


def _is_plain_split(step: dict) -> bool:
    """Does this step make a word of each match of a pattern, and nothing else?"""
    return (
        (step["type"], step.get("behavior"), step.get("invert")) == ("Split", "Isolated", False)
        and isinstance(step["pattern"], dict)
        and isinstance(step["pattern"].get("Regex"), str)
    )
