"""What only lessons that wait for their rework use of `helpers.stats`."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["agreement", "minimal", "power", "ranking", "resampling", "sequential", "significance"],
    submod_attrs={
        "agreement": ["alpha_interval", "cohen_kappa", "kappa_interval", "krippendorff_alpha"],
        "minimal": ["e_value", "kappa", "paired_p_value"],
        "power": ["power_of_shares", "sample_size", "smallest_effect"],
        "ranking": ["Ranking", "bradley_terry"],
        "resampling": ["bootstrap_groups"],
        "sequential": ["Peeking", "SequentialTest", "e_value_limit", "log_e_value", "simulate_peeking"],
        "significance": [
            "McNemar",
            "PermutationTest",
            "benjamini_hochberg",
            "holm",
            "mcnemar",
            "mcnemar_limit",
            "mcnemar_p_value",
            "permutation_test",
        ],
    },
)
