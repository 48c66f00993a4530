"""Probability and gradients, as far as the course needs them.

| module        | what                                                                      | opened in       |
|---------------|---------------------------------------------------------------------------|-----------------|
| `probability` | softmax, cross-entropy                                                    | 00b, 02b        |
| `gradients`   | `numerical_gradient`: the slow check of every gradient computed by hand   | 00b             |
| `minimal`     | `Value`: backpropagation for single numbers                               | 00b             |
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["gradients", "minimal", "probability"],
    submod_attrs={
        "gradients": ["numerical_gradient"],
        "minimal": ["Value"],
        "probability": ["cross_entropy", "softmax"],
    },
)
