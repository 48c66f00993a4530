"""What only lessons that wait for their rework use of `helpers.stats`."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["minimal", "power", "ranking", "resampling", "sequential", "significance"],
    submod_attrs={
        "minimal": [
            "e_value",
            "kappa",
        ],
        "power": [
            "power_of_shares",
            "sample_size",
        ],
        "ranking": ["Ranking", "bradley_terry"],
        "sequential": ["Peeking", "SequentialTest", "e_value_limit", "log_e_value", "simulate_peeking"],
        "significance": [
            "McNemar",
            "mcnemar",
            "mcnemar_limit",
            "mcnemar_p_value",
        ],
    },
)
