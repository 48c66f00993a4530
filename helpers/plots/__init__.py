"""Figures in one style, readable in light and dark themes."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["figures", "live_loss", "sliders", "tiles", "token_boxes"],
    submod_attrs={
        "figures": [
            "PALETTE",
            "bars",
            "contrast",
            "figure",
            "intervals",
            "label_lines",
            "png",
            "readable",
            "spread",
            "use_style",
        ],
        "live_loss": ["LiveLoss"],
        "sliders": ["slider"],
        "tiles": ["grids", "table"],
        "token_boxes": ["show_tokens", "spell"],
    },
)
