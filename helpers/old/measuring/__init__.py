"""What a computation costs on this machine.

| module    | what                                                                                | opened in   |
|-----------|-------------------------------------------------------------------------------------|-------------|
| `costs`   | processor time, and the largest tensor made                                        | 02c         |
| `process` | the most memory that this process took                                              | (benchmarks)|

Speed in tokens per second is measured in `helpers.old.speed`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["costs", "process"],
    submod_attrs={
        "costs": ["cpu_seconds", "largest_tensor"],
        "process": ["peak_bytes"],
    },
)
