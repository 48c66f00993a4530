"""in_canary: who gets the new version? A hash decides, so that nobody changes sides."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise
from helpers.serving import rollout


def in_canary(user: str, share: float, salt: str = "") -> bool:
    """Does this user get the new version? About `share` of all users do (0: nobody, 1: everybody).

    A user always gets the same answer, in every process; whoever is in a small share is in every larger one, too.
    salt: the name of the rollout: another one tries its version on other users.
    """
    return rollout.in_canary(user, share, salt)


ANSWER = """
def in_canary(user, share, salt=""):
    digest = hashlib.sha256(f"{salt} {user}".encode()).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64
    return place < share
"""
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
    ('f"{salt} {user}"', "user", "the salt has no effect: every rollout would be tried on the same users."),
    ("place < share", "place > share", "as the share grows, fewer users are in it: the comparison is the wrong way."),
    ("digest[:8]", "digest[:4]", "about half of the users, or none, are in any share: scale the number to 0 … 1."),
    (
        """
def in_canary(user, share, salt=""):
    return sum(map(ord, salt + user)) % 100 < 100 * share
""",
        "similar names get similar places: a sum of characters is no hash, so the share is not kept.",
    ),
]
REFUSED = [("return place < share", "return place", "")]
RIGHT = [
    """
def in_canary(user, share, salt=""):
    number = int(hashlib.blake2b(user.encode(), key=salt.encode()).hexdigest()[:12], 16)
    return number < share * 16**12
""",
]


def drive(split: Any, users: list[str], salt: str) -> dict[str, Any]:
    """What every good split has in common, whatever its hash."""

    def kept(share: float, name: str = salt) -> list[bool]:
        return [bool(split(user, share, name)) for user in users]

    fifth, half, other = kept(0.2), kept(0.5), kept(0.5, salt + " again")
    both = sum(a and b for a, b in zip(half, other, strict=True)) / len(users)
    return {
        "the same user gets the same answer again": kept(0.2) == fifth,
        "who is in a fifth is in a half, too": all(b for a, b in zip(fifth, half, strict=True) if a),
        "share of a fifth, rounded to fifths": round(5 * sum(fifth) / len(users)) / 5,
        "share of a half, rounded to quarters": round(4 * sum(half) / len(users)) / 4,
        "another salt chooses other users": abs(both - 0.25) < 0.1,
        "0 is nobody and 1 is everybody": not any(kept(0.0)) and all(kept(1.0)),
    }


def cases(rng: Generator) -> list[tuple]:
    first = int(rng.integers(1000, 5000))
    numbered = [f"customer-{first + i}" for i in range(400)]
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    mails = ["".join(rng.choice(letters, size=8)) + "@example.org" for _ in range(400)]
    numbers = [str(int(n)) for n in rng.choice(10**6, size=400, replace=False)]
    orders = [f"VE-{first + 7 * i}" for i in range(400)]
    return [
        (numbered, "tickets v2"),
        (numbered, ""),
        (mails, "tickets v2"),
        (numbers, "rules v3"),
        (orders, "tickets v2"),
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
