"""What a computation costs on this machine.

| module    | what                                                                                | opened in   |
|-----------|-------------------------------------------------------------------------------------|-------------|
| `costs`   | processor time, the largest tensor made, and the exponent with which both grow      | 02c         |
| `process` | memory of this machine and of this process, and giving freed memory back             | 00, 02b, 05      |

Speed in tokens per second is measured in `helpers.old.speed`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["costs", "process"],
    submod_attrs={
        "costs": ["cpu_seconds", "exponent", "largest_tensor"],
        "process": ["give_back_freed", "peak_bytes", "resident_bytes"],
    },
)
