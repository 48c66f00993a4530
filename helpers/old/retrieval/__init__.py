"""What only lessons that wait for their rework use of `helpers.retrieval`."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["metrics", "plots"],
    submod_attrs={
        "metrics": [
            "SearchScores",
            "found_spans",
            "ndcg_at_k",
            "recall_at_k",
            "reciprocal_rank",
            "score_search",
        ],
        "plots": [
            "by_kind",
        ],
    },
)
