"""How far can a number be trusted? Each function takes counts or scores, never a model.

| module      | what                                                                                  | opened in    |
|-------------|---------------------------------------------------------------------------------------|--------------|
| `intervals` | intervals for a share, a statistic, two systems on the same items, the next run       | 00, 00b, 05 … |
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["intervals"],
    submod_attrs={
        "intervals": [
            "PairedDifference",
            "bootstrap",
            "bootstrap_ratio",
            "coverage",
            "paired_bootstrap",
            "prediction_interval",
            "wald",
            "wilson",
        ],
    },
)
