"""What only lessons that wait for their rework use of `helpers.plots`."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["alt_text"],
    submod_attrs={
        "alt_text": ["describe", "tell"],
    },
)
