"""How much text fits into a token, and what a text costs: the measures by which tokenizers are compared.

A *token* is no unit that tokenizers share, so counts and losses per token cannot be compared between them. Bytes of
UTF-8 can: the text has equally many, whoever cuts it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence


def bytes_per_token(texts: Iterable[str], encode: Callable[[str], Sequence[int]]) -> float:
    """Bytes of all texts in UTF-8, divided by their tokens; each text is encoded by itself.

    Raises ValueError where the texts have no token.
    """
    n_bytes = n_tokens = 0
    for text in texts:
        n_bytes += len(text.encode("utf-8"))
        n_tokens += len(encode(text))
    if n_tokens == 0:
        raise ValueError("There is no token in these texts, so there are no bytes per token.")
    return n_bytes / n_tokens


def price(n_tokens: float, per_million: float) -> float:
    """What `n_tokens` cost at `per_million` for a million of them, in the same currency."""
    return n_tokens * per_million / 1e6
