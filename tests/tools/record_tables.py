"""The tables of recorded results that stand in prose, as Markdown: tests hold the README against them."""

from __future__ import annotations

from helpers.old.trials.searches import SYSTEMS, answers, f1_of, search_scores
from helpers.stats import bootstrap, paired_bootstrap, wilson


def retrieval_table() -> str:
    """What each part adds, on test: nDCG@10, answer F1 and its gain, exact answers, with intervals."""
    scores = search_scores()
    lines = [
        "| | nDCG@10 | answer F1 | against closed-book | exact answers |",
        "|---|---|---|---|---|",
    ]
    closed = f1_of("closed-book")
    for system in SYSTEMS:
        found, f1 = scores.get(system), f1_of(system)
        ndcg = "–" if system == "closed-book" else "1 by definition"
        if found is not None:
            ndcg = ranged(found.mean("ndcg@10"), found.interval("ndcg@10"))
        gain = "–"
        if system != "closed-book":
            difference = paired_bootstrap(f1, closed)
            gain = f"{difference.difference:+.2f} ({difference.low:+.2f} to {difference.high:+.2f})"
        right = sum(reply["exact"] for reply in answers(system))
        low, high = wilson(right, len(f1))
        exact = f"{100 * right / len(f1):.0f} % ({100 * low:.0f}–{100 * high:.0f})"
        lines.append(f"| {system} | {ndcg} | **{f1.mean():.2f}** ({bounds(bootstrap(f1))}) | {gain} | {exact} |")
    return "\n".join(lines)


def ranged(mean: float, interval: tuple[float, float]) -> str:
    """A number with its interval: 0.42 (0.35–0.50)."""
    return f"{mean:.2f} ({bounds(interval)})"


def bounds(interval: tuple[float, float]) -> str:
    low, high = interval
    return f"{low:.2f}–{high:.2f}"
