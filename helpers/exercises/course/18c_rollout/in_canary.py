"""in_canary: who gets the new version? A hash decides, so that nobody changes sides."""

from __future__ import annotations

import hashlib
import zlib
from typing import Any
from unittest import mock

import numpy as np
from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def in_canary(user: str, share: float, salt: str = "") -> bool:
    """Does this user get the new version? About `share` of all users do (0: nobody, 1: everybody).

    A user always gets the same answer, in every process; whoever is in a small share is in every larger one, too.
    salt: the name of the rollout: another one tries its version on other users.
    """
    digest = hashlib.sha256(f"{salt}\n{user}".encode()).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64
    return place < share


SLIPS = [
    (
        """
def in_canary(user, share, salt=""):
    import random

    return random.random() < share
""",
        "the same user gets the old version now and the new one a moment later: compute it from the user.",
    ),
    (
        """
def in_canary(user, share, salt=""):
    import random

    return random.Random(f"{salt} {user} {share}").random() < share
""",
        "with another share the user is drawn anew, so some lose the new version when the share grows: leave the share "
        "out of what is hashed.",
    ),
    ('f"{salt}\\n{user}"', "user", "the salt has no effect: every rollout would be tried on the same users."),
    ("place < share", "place > share", "as the share grows, fewer users are in it: the comparison is the wrong way."),
    (
        """
def in_canary(user, share, salt=""):
    return hash(f"{salt} {user}") % 2**32 / 2**32 < share
""",
        "Python's `hash` gives another number for the same text in each process, so users change sides when the "
        "program is started anew: use `hashlib.sha256`.",
    ),
    (
        """
def in_canary(user, share, salt=""):
    return zlib.crc32(f"{salt} {user}".encode()) / 2**32 < share
""",
        "`crc32` finds damaged files and is no random-looking hash: with another salt, all users move together. Use "
        "`hashlib.sha256`.",
    ),
    (
        'int.from_bytes(digest[:8], "big") / 2**64',
        "digest[0] / 255",
        "a place of exactly 1 is possible, so that a share of 1 leaves somebody out: take more bytes, and divide by "
        "one more than the largest number.",
    ),
    (
        'int.from_bytes(digest[:8], "big") / 2**64',
        "digest[0] / 256",
        "one byte has 256 values, so that a share of 0.1 % becomes 0.4 %: take more bytes.",
    ),
    ("digest[:8]", "digest[:4]", "about half of the users, or none, are in any share: scale the number to 0 … 1."),
    (
        """
def in_canary(user, share, salt=""):
    return sum(map(ord, salt + user)) % 100 < 100 * share
""",
        "similar names get similar places: a sum of characters is no hash, so the share is not kept.",
    ),
]
REFUSED = [("return place < share", "return place", ""), ("place < share", "digest < share", "in_canary('customer-")]
RIGHT = [
    """
def in_canary(user, share, salt=""):
    number = int(hashlib.blake2b(user.encode(), key=salt.encode()).hexdigest()[:12], 16)
    return number < share * 16**12
""",
]


_hash = hash


def _other_hash(value: Any) -> int:
    """Python's `hash` as another process has it: another number for each text, the same one for a whole number."""
    parts = value if isinstance(value, tuple) else (value,)
    return _hash(("another process", value)) if any(isinstance(part, str | bytes) for part in parts) else _hash(value)


def _like(user: str) -> list[str]:
    """This user and 399 others with names of the same kind."""
    stem = user.rstrip("0123456789")
    number = user[len(stem) :]
    if number:
        return [f"{stem}{int(number) + 7 * i}" for i in range(400)]
    return [user, *(f"{chr(97 + i % 26)}{chr(97 + i // 26)}.{user}" for i in range(399))]


def drive(split: Any, user: str, share: float, salt: str) -> dict[str, Any]:
    """What every good split has in common, whatever its hash."""
    users = _like(user)

    def kept(share: float, name: str = salt) -> list[bool]:
        return [bool(split(user, share, name)) for user in users]

    split(user, share, salt)
    few, half, other = kept(share), kept(0.5), kept(0.5, salt + " again")
    with mock.patch("builtins.hash", _other_hash):
        elsewhere = kept(0.5)
    both = sum(a and b for a, b in zip(half, other, strict=True)) / len(users)
    return {
        "the same user gets the same answer again": kept(share) == few,
        "another process gives the same answer": elsewhere == half,
        "who is in the smaller share is in a half, too": all(b for a, b in zip(few, half, strict=True) if a),
        f"share of {share}, rounded to fifths": round(5 * sum(few) / len(users)) / 5,
        "share of a half, rounded to quarters": round(4 * sum(half) / len(users)) / 4,
        "another salt moves some users": half != other,
        "another salt chooses independently": abs(both - 0.25) < 0.1,
        "share 0 is nobody": not any(kept(0.0)),
        "share 1 is everybody": all(kept(1.0)),
        "one in a thousand stays few": sum(bool(split(f"{user}/{i}", 0.001, salt)) for i in range(12_000)) < 30,
    }


def cases(rng: Generator) -> list[tuple]:
    first = int(rng.integers(1000, 5000))
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    mail = "".join(rng.choice(letters, size=8)) + "@example.org"
    return [
        (f"customer-{first}", 0.2, "tickets v2"),
        (f"customer-{first}", 0.2, ""),
        (mail, 0.2, "tickets v2"),
        (str(int(rng.integers(10**6))), 0.2, "rules v3"),
        (f"VE-{first + 7}", 0.2, "tickets v2"),
    ]


EXERCISE = Exercise(
    reference=in_canary,
    minutes=4,
    difficulty=2,
    drive=drive,
    hints=(
        "A coin toss forgets. What could you compute from the name alone that looks like a coin toss?",
        "A hash turns any text into a number that looks random and never changes. Hash the salt and the user together, "
        "turn the result into a number from 0 to 1, and compare it with the share.",
        'The first 8 bytes of `hashlib.sha256(text.encode()).digest()`, read by `int.from_bytes(…, "big")` and divided '
        "by 2**64, lie between 0 and 1. The share must not be in the text that is hashed.",
    ),
    proves="users stay on their side, a larger share only adds users, shares are kept, each rollout has its own users",
)
