"""cached_pages: a prefix cache. Which pages of a prompt has somebody else already computed?"""

from __future__ import annotations

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise
from helpers.old.serving.pages import ROOT, page_key


def cached_pages(prompt: list[int], cache: dict[bytes, int], size: int) -> list[int]:
    """The pages from the beginning of a prompt that the cache holds, in order.

    cache: the hash of a full page → the page. `page_key(before, tokens)` gives a page's hash; before: the hash of the
    page before it, b"" for the first. The search ends at the first page that is not there. At least one token of the
    prompt must be left to read, since the model has to say what follows it.
    """
    pages, key = [], ROOT
    for end in range(size, len(prompt), size):
        key = page_key(key, prompt[end - size : end])
        if key not in cache:
            break
        pages.append(cache[key])
    return pages


ANSWER = """
def cached_pages(prompt, cache, size):
    pages, key = [], b""
    for start in range(0, len(prompt), size):
        tokens = prompt[start : start + size]
        if start + size >= len(prompt):
            break
        key = page_key(key, tokens)
        if key not in cache:
            break
        pages.append(cache[key])
    return pages
"""
ENDS = "start + size >= len(prompt)"
SLIPS = [
    (
        ENDS,
        "start + size > len(prompt)",
        "a prompt of full pages is taken over whole: leave at least one token to read.",
    ),
    (
        "page_key(key, tokens)",
        'page_key(b"", tokens)',
        "only the first page is found: a page's hash is made of the hash of the page before it and its own tokens.",
    ),
    (
        "        if key not in cache:\n            break\n        pages.append(cache[key])",
        "        if key in cache:\n            pages.append(cache[key])",
        "the search goes on behind a page that is not there: what follows it has to be read anyway.",
    ),
    (
        "pages.append(cache[key])",
        "pages.append(start // size)",
        "the cache says which page it is; its number may be any.",
    ),
    ("pages.append(cache[key])", "pages.insert(0, cache[key])", "the pages come in the order of the text."),
    ("    return pages", "    return len(pages)", "return the pages, not their number."),
]
REFUSED = [('pages, key = [], b""', "pages, key = [], None", "TypeError")]
RIGHT = [
    """
def cached_pages(prompt, cache, size):
    found, key = [], b""
    for n in range((len(prompt) - 1) // size):
        key = page_key(key, prompt[n * size : (n + 1) * size])
        page = cache.get(key)
        if page is None:
            return found
        found.append(page)
    return found
""",
]


def cases(rng: Generator) -> list[tuple]:
    def cache_of(texts: list[list[int]], size: int) -> dict[bytes, int]:
        cache: dict[bytes, int] = {}
        numbers = rng.permutation(100).tolist()
        for text in texts:
            key = ROOT
            for end in range(size, len(text) + 1, size):
                key = page_key(key, text[end - size : end])
                cache.setdefault(key, numbers.pop())
        return cache

    def tokens(n: int) -> list[int]:
        return rng.integers(0, 50, size=n).tolist()

    system, other = tokens(40), tokens(32)
    known = cache_of([system, other], 8)
    swapped = other[:8] + system[8:24]  # its second page holds known tokens behind another first page
    holes = {key: page for n, (key, page) in enumerate(known.items()) if n != 1}
    return [
        (system[:24] + tokens(5), known, 8),
        (system, known, 8),  # every page is known: one token is left to read
        (system + [1], known, 8),
        (system[:7], known, 8),
        (tokens(30), known, 8),
        (swapped, known, 8),
        (system + tokens(3), holes, 8),
        (other[:16], known, 8),
        (system[:12] + tokens(9), cache_of([system], 4), 4),
        (system, {}, 8),
    ]


def shown(prompt: list[int], cache: dict[bytes, int], size: int) -> str:
    """A prompt and a cache by what matters about them, since tokens and hashes say nothing to a reader."""
    known, key = [], ROOT
    for end in range(size, len(prompt) + 1, size):
        key = page_key(key, prompt[end - size : end])
        known += [str(end // size - 1)] if key in cache else []
    holds = f"that holds its full pages {', '.join(known)}" if known else "that holds none of its pages"
    return f"cached_pages(a prompt of {len(prompt)} tokens, a cache {holds}, size={size})"


EXERCISE = Exercise(
    reference=cached_pages,
    shown=shown,
    minutes=6,
    difficulty=2,
    hints=(
        "With pages of 16 tokens, how many full pages of a prompt of 32 tokens may be taken over, if one token has to "
        "be left?",
        "Go through the prompt page by page. Each hash is made of the hash before it and the page's tokens. Stop at "
        "the first hash that the cache does not hold.",
        'Begin with the hash b"" and the start 0. Cut the page out, make its hash with `page_key`, look it up, go on '
        "by `size`. Before each page, ask whether it would reach the end of the prompt: then stop.",
    ),
    proves="full pages are found by chained hashes up to the first gap, and a token is always left to read",
)
