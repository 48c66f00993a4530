"""What only lessons that wait for their rework use of `helpers.attention`."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["plots", "positions"],
    submod_attrs={
        "plots": ["rotation_circles"],
    },
)
