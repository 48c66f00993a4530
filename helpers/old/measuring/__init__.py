"""What a computation costs on this machine (02c): processor time, and the largest tensor made."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__, submodules=["costs"], submod_attrs={"costs": ["cpu_seconds", "largest_tensor"]}
)
