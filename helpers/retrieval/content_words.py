"""The words of a text that say what it is about, as the search by words counts them and citations compare them.

    content("The batteries of 2,490 bikes")      # ["battery", "2490", "bik"]

What it does not do: know a language. Endings are cut by rules that fit most English words, and no others.
"""

from __future__ import annotations

import re

NEGATIONS = frozenset("no not never none nothing nobody without cannot can't don't doesn't isn't won't n't".split())
# Words that any text has, and that therefore support nothing.
EMPTY = frozenset(
    "a an and any are as at be been but by can do does for from has have he her his i if in into is it its may me my "
    "of on one or our she so such than that the their them then there they this to was we were what when which will "
    "with would you your".split()
)


def content(text: str) -> list[str]:
    """The content words and numbers of a text, in lower case and without endings; 2,490 is one number."""
    bare = re.sub(r"\[\d+\]|(?<=\d),(?=\d{3})", "", text.lower().replace("’", "'"))  # [1] is a mark, not a number
    words = re.findall(r"\d+(?:\.\d+)?|[^\W\d_][\w'-]*", bare)
    return ["not" if word in NEGATIONS else _stem(word) for word in words if word not in EMPTY]


def _stem(word: str) -> str:
    for ending, shortest in (("ing", 6), ("ies", 5), ("ed", 5), ("es", 5), ("s", 4)):
        if word.endswith(ending) and len(word) >= shortest and not word.endswith("ss"):
            return word[: -len(ending)] + ("y" if ending == "ies" else "")
    return word[:-1] if word.endswith("e") and len(word) > 4 else word
