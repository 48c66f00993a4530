"""How far can a number be trusted? Every function takes counts, scores or labels, never a model."""

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
            "gain_interval",
            "paired_bootstrap",
            "wald",
            "wilson",
        ],
    },
)
