"""Words in any script, for metrics whose usual tokenizers know Latin letters only.

    unicode_words("Der Akku hält 80 km.")      # ["der", "akku", "hält", "80", "km"]
    unicode_words("电池 80 km")                 # ["电", "池", "80", "km"]

Scripts that write no spaces between words (Chinese, Japanese, Thai, Lao, Khmer, Burmese) are cut into characters, as
sacrebleu's tokenizer "zh" and published Chinese ROUGE scores do. Real word segmentation needs a dictionary.
"""

from __future__ import annotations

import regex

UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_UNSPACED = regex.compile(rf"[{UNSPACED}]")
_WORD = regex.compile(rf"[{UNSPACED}]\p{{M}}*|[\p{{L}}\p{{N}}\p{{M}}--[{UNSPACED}]]+", regex.V1)


def unicode_words(text: str) -> list[str]:
    """Lower-case words of letters and digits; one character each where the script has no spaces between words."""
    return _WORD.findall(text.lower())


def writes_no_spaces(text: str) -> bool:
    """Does the text hold a character of a script that puts no spaces between words?"""
    return _UNSPACED.search(text) is not None
