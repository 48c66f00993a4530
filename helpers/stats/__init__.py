"""How far can a number be trusted? Every function takes counts, scores or labels, never a model.

| module         | what                                                                               | opened in     |
|----------------|------------------------------------------------------------------------------------|---------------|
| `intervals`    | intervals for a share, a statistic, two systems on the same items, the next run    | 00b and after |
| `significance` | permutation tests, McNemar's test, many tests at once                              | 14b           |
| `power`        | how many questions it takes to tell two shares apart                               | 14b           |
| `agreement`    | do raters agree more than by chance? Cohen's kappa, Krippendorff's alpha           | 14b           |
| `ranking`      | one ranking from comparisons of two (Bradley and Terry)                            | 14b           |
| `sequential`   | an A/B test that may be looked at at any time, and what peeking costs otherwise    | 14b           |
| `resampling`   | intervals where some rows belong together, such as pairs of one question            | 14, 14b       |
| `minimal`      | a permutation test, kappa and an e-value in a few lines each                       | 14b           |
| `checks`       | what all of them ask of their arguments                                            |               |
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["agreement", "intervals", "minimal", "power", "ranking", "resampling", "sequential", "significance"],
    submod_attrs={
        "agreement": ["alpha_interval", "cohen_kappa", "kappa_interval", "krippendorff_alpha"],
        "intervals": [
            "PairedDifference",
            "bootstrap",
            "bootstrap_ratio",
            "coverage",
            "gain_interval",
            "paired_bootstrap",
            "prediction_interval",
            "wald",
            "wilson",
        ],
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
