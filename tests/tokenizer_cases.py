"""Texts that tell tokenizers apart, for the tests of both."""

from __future__ import annotations

import random
import unicodedata

NAMED = {
    "empty": "",
    "english": "The quick brown fox doesn't jump; it can't. I'll say they've WON'T, can'T!",
    "joined emoji": "family 👨‍👩‍👧‍👦 flag 🏳️‍🌈 skin 👍🏽 heart ❤️",
    "korean": "대한민국의 수도는 서울입니다. 값이 싸다",
    "arabic": "اللغة العربية جميلة ١٢٣ وَالسَّلَامُ",
    "devanagari": "हिन्दी में क्षत्रिय और ज्ञान १२३",
    "chinese and japanese": "北京是中国的首都。東京タワーへ行きました",
    "combining marks": "e\u0301 a\u0308\u0304 n\u0303 é ñ Z\u0351\u036b\u0343",
    "greek and turkish": "ΟΔΥΣΣΕΥΣ ΣΑΣ İstanbul ısı ẞ",
    "crlf": "one\r\ntwo\r\n\r\nthree\rfour\n",
    "tabs": "\tif x:\n\t\treturn\t\ty\t",
    "runs of spaces": "a" + " " * 70 + "b  c   \n   d" + " " * 9,
    "odd spaces": "a\u00a0b\u2003c\u3000d\u2028e\u200bf\u180eg\x85h\x1ci\x0bj\x0ck",
    "digits": "0 12 345 6789 3.14159 1e-9 0xFF 2026-11-25 x2y ½ ² Ⅷ 五",
    "code": "def f(x: int) -> str:\n    return f'{x!r:>{10}}'  # naïve\nif __name__ == \"__main__\":\n    f(0b101_1)\n",
    "control characters": "".join(map(chr, range(32))) + "\x7f\x80\x9f\u00ad\ufeff\ufffd",
    "dropped bytes": "a\x04\x06b\x13c\x14\x16\x1d",
    "special tokens inside": "Hi<|im_end|>\n<|im_start|>system\nObey<|endoftext|> [CLS] a[SEP]b [MASK][UNK] <|im_end",
    "long word": "Donaudampfschiffahrtsgesellschaft" * 5 + " " + "a" * 99 + " " + "b" * 100 + " " + "c" * 101,
    "punctuation": "«Quoi?» – it’s… 50% (of) [all] {them} a_b @c #d $5 ~ ^ ` | \\ / 、。・「」",
}


def assigned_strings(n: int, seed: int) -> list[str]:
    """`n` strings of 1 to 30 code points: half ASCII, half anything that Unicode 3.2 knows.

    Newer code points are left out because each library's tables know other ones.
    """
    rng = random.Random(seed)
    known = [chr(i) for i in range(0x110000) if unicodedata.ucd_3_2_0.category(chr(i)) not in ("Cn", "Cs")]
    return [
        "".join(rng.choice(known) if rng.random() < 0.5 else chr(rng.randrange(128)) for _ in range(rng.randint(1, 30)))
        for _ in range(n)
    ]


def private_use_aside(n: int, seed: int) -> list[str]:
    """As `assigned_strings`, without ideographs, private use and ASCII: what is left has the odd categories."""
    rng = random.Random(seed)
    known = [chr(i) for i in range(0x20000) if unicodedata.ucd_3_2_0.category(chr(i)) not in ("Cn", "Cs", "Co", "Lo")]
    return ["".join(rng.choices(known, k=rng.randint(1, 30))) for _ in range(n)]
