"""How good is an assistant, and who says so? Opened in 14 and 14b.

| module      | what                                                                       |
|-------------|----------------------------------------------------------------------------|
| `judgments` | pairs of answers with raters' preferences, by criterion: `data/judgments/` |
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["judgments"],
    submod_attrs={"judgments": ["CRITERIA", "Pair", "Rating", "SystemAnswer", "load_pairs", "load_ratings"]},
)
