"""API keys: made once, shown once, kept only as hashes.

    key = add_key("keys.json", "anna", requests_per_minute=60)     # "hol-…": the only time that it can be read
    keys = Keys.read("keys.json")
    keys.owner("Bearer " + key)                                    # Owner(name="anna", …), None for a wrong key

A key is 32 random bytes, so nobody can guess it, and a plain SHA-256 is enough (a password, which people choose,
would need a slow hash with a salt). Whoever reads the file learns no key. All hashes are compared, each in constant
time, so that the time of a refusal says nothing about how much of a key was right.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from helpers.files.safe_files import shown, write_atomically

PREFIX = "hol-"
COMMAND = "python -m helpers.serving keys add NAME --keys-file keys.json"


@dataclass(frozen=True)
class Owner:
    """Who a key belongs to, and what they may use per minute; None: as the server's settings say."""

    name: str
    sha256: str = ""
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None


class Keys:
    """The keys that are valid."""

    def __init__(self, owners: list[Owner]) -> None:
        self.owners = list(owners)

    def owner(self, authorization: str | None) -> Owner | None:
        """Whose key stands in an Authorization header, as in `Bearer hol-…`; None where it is nobody's."""
        scheme, _, key = (authorization or "").partition(" ")
        given = digest(key.strip()) if scheme.lower() == "bearer" else ""
        found = None
        for owner in self.owners:  # all of them, however early one fits
            if hmac.compare_digest(owner.sha256.encode(), given.encode()):
                found = owner
        return found

    @classmethod
    def read(cls, path: str | os.PathLike) -> Keys:
        """The keys in a file. Raises ValueError, in one sentence, where it is missing, damaged or has no keys."""
        path = Path(path)
        owners = _read(path)
        if not owners:
            raise ValueError(f"There are no keys in {shown(path)}: make one with `{COMMAND}`.")
        return cls(owners)


def digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


def add_key(
    path: str | os.PathLike, name: str, *, requests_per_minute: int | None = None, tokens_per_minute: int | None = None
) -> str:
    """Make a key, write its hash into the file, and return it. Raises ValueError where the name has one already."""
    path = Path(path)
    owners = _read(path) if path.exists() else []
    if not name or any(owner.name == name for owner in owners):
        raise ValueError(f"There is a key for {name!r} already." if name else "A key needs a name.")
    for limit in (requests_per_minute, tokens_per_minute):
        if limit is not None and limit < 1:
            raise ValueError(f"A limit per minute is at least 1, not {limit}.")
    key = PREFIX + secrets.token_urlsafe(32)
    _write(path, [*owners, Owner(name, digest(key), requests_per_minute, tokens_per_minute)])
    return key


def _read(path: Path) -> list[Owner]:
    try:
        return [Owner(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))["keys"]]
    except OSError as error:
        raise ValueError(f"{shown(path)} cannot be read ({error.strerror}): make it with `{COMMAND}`.") from None
    except (ValueError, TypeError, KeyError):
        raise ValueError(f"{shown(path)} is no file of keys: make one with `{COMMAND}`.") from None


def _write(path: Path, owners: list[Owner]) -> None:
    path = path.absolute()
    text = json.dumps({"keys": [asdict(owner) for owner in owners]}, indent=2) + "\n"

    def write(temporary: Path) -> None:
        temporary.touch(mode=0o600)  # hashes are no secret, but names and limits need not be read by others
        temporary.write_text(text, encoding="utf-8")

    write_atomically(path, write)
