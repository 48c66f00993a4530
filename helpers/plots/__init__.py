"""Figures in one style, readable in light and dark themes.

| module        | what                                                                        | opened in        |
|---------------|-----------------------------------------------------------------------------|------------------|
| `figures`     | `use_style`, `PALETTE`, `figure`, `bars`, `intervals`, `label_lines`        | everywhere       |
| `alt_text`    | `describe`: a figure in words, for readers who cannot see it                | everywhere       |
| `tiles`       | `grids`, `table`: small matrices with their numbers in them                 | 00b, 02, 02c, 02d |
| `live_loss`   | `LiveLoss`: a loss curve that is redrawn while training runs                | 07               |
| `token_boxes` | `show_tokens`: a text as a model sees it                                    | 01, 01b          |

Figures about one topic stand in that topic's room, in its module `plots`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["alt_text", "figures", "live_loss", "tiles", "token_boxes"],
    submod_attrs={
        "alt_text": ["describe", "tell"],
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
            "timeline",
            "use_style",
        ],
        "live_loss": ["LiveLoss"],
        "tiles": ["grids", "table"],
        "token_boxes": ["show_tokens", "spell"],
    },
)
