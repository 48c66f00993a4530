"""Memory for keys and values in pages: who owns which, which can be shared, and which is given up first.

    pool = PagePool(n_pages=356, page_size=16)
    page = pool.take()                         # None where every page is in use
    pool.keep(page, key)                       # full: whoever begins with the same tokens may share it
    pool.release(page)                         # kept pages stay findable until their memory is needed

A text of 100 tokens takes seven pages of 16, wherever they lie; its block table lists them in order (Kwon et al.,
2023). So memory is taken as a text grows, and nothing is reserved for what may never be written.

Prefix cache: a full page's key is a hash over all tokens up to its end. Two texts with the same key have the same keys
and values there, so the second one reads that page instead of computing it:

    tokens  0 … 15   16 … 31   32 … 37          38 tokens: two full pages and one begun
    keys    h(t₀…₁₅)  h(h, t₁₆…₃₁)  –           a page counts together with everything before it

What it does not do: hold numbers (`helpers.old.serving.paged`), choose whom to serve (`helpers.old.serving.engine`).
"""

from __future__ import annotations

import hashlib
from array import array
from collections import OrderedDict
from collections.abc import Sequence

ROOT = b""  # the key before the first page


class PagePool:
    """Pages 0 … n_pages − 1 with a count of owners each. A page is in use, kept (findable, without owner), or free."""

    def __init__(self, n_pages: int, page_size: int) -> None:
        if n_pages < 1 or page_size < 1:
            raise ValueError(f"A pool has at least 1 page of 1 token, not {n_pages} of {page_size}.")
        self.n_pages, self.page_size = n_pages, page_size
        self.owners = [0] * n_pages
        self._free = list(range(n_pages - 1, -1, -1))  # the lowest is taken first
        self._page_of: dict[bytes, int] = {}  # key → page
        self._key_of: dict[int, bytes] = {}
        self._kept: OrderedDict[int, None] = OrderedDict()  # without owner; the least recently used first

    @property
    def available(self) -> int:
        """Pages that `take` can give, kept ones included."""
        return len(self._free) + len(self._kept)

    @property
    def used(self) -> int:
        """Pages that somebody owns."""
        return self.n_pages - self.available

    @property
    def kept(self) -> int:
        """Pages without owner that can still be found by their key."""
        return len(self._kept)

    def take(self) -> int | None:
        """A page with one owner: a free one, else the kept one that was used longest ago; None where there is none."""
        if self._free:
            page = self._free.pop()
        elif self._kept:
            page, _ = self._kept.popitem(last=False)
            del self._page_of[self._key_of.pop(page)]
        else:
            return None
        self.owners[page] = 1
        return page

    def keep(self, page: int, key: bytes) -> None:
        """Let others find this full page by its key; the first page with a key is the one that is found."""
        if key not in self._page_of and page not in self._key_of:
            self._page_of[key], self._key_of[page] = page, key

    def share(self, key: bytes) -> int | None:
        """The page with this key, with one more owner; None where there is none."""
        page = self._page_of.get(key)
        if page is not None:
            self._kept.pop(page, None)
            self.owners[page] += 1
        return page

    def owned(self, key: bytes) -> bool:
        """Whether the page with this key is there and in use."""
        page = self._page_of.get(key)
        return page is not None and self.owners[page] > 0

    def forget(self, page: int) -> None:
        """Let nobody find this page any more; its owners keep it. A kept page becomes free."""
        key = self._key_of.pop(page, None)
        if key is not None:
            del self._page_of[key]
        if page in self._kept:
            del self._kept[page]
            self._free.append(page)

    def release(self, page: int) -> None:
        """One owner less; without any, a page with a key is kept, another one is free. Raises ValueError if unowned."""
        if self.owners[page] < 1:
            raise ValueError(f"Page {page} has no owner who could release it.")
        self.owners[page] -= 1
        if self.owners[page]:
            return
        if page in self._key_of:
            self._kept[page] = None  # the most recently used
        else:
            self._free.append(page)

    def release_all(self, pages: Sequence[int]) -> None:
        """Release a text's pages, the last one first: a page is of use only as long as those before it are there."""
        for page in reversed(pages):
            self.release(page)


def page_key(before: bytes, tokens: Sequence[int]) -> bytes:
    """The key of a full page: a hash over its tokens and the key of the page before it (ROOT for the first).

    128 bits, so that no two texts will share pages by accident.
    """
    return hashlib.blake2b(before + array("q", tokens).tobytes(), digest_size=16).digest()


def root_key(adapter: str | None) -> bytes:
    """Where a text's keys begin: an adapter changes keys and values, so texts share pages within one adapter only."""
    return ROOT if adapter is None else hashlib.blake2b(adapter.encode(), digest_size=16).digest()


def pages_for(tokens: int, page_size: int) -> int:
    """How many pages hold so many tokens."""
    return -(-tokens // page_size)
