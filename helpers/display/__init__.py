"""What a notebook shows that is not a figure: boxes, source code, old snippets and their errors.

| module     | what                                                                               | opened in       |
|------------|------------------------------------------------------------------------------------|-----------------|
| `source`   | `show(obj)`: the source of anything written in Python, highlighted                 | everywhere      |
| `boxes`    | `Box`: the verdicts of exercises, hints and quizzes                                | everywhere      |
| `frontend` | is this a notebook, a terminal, or a page that nobody can click?                   | 02c, 07, 10     |
| `snippets` | code from older tutorials, run as it stands and its error caught                   | 05, 07, 07b, 10 |
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["boxes", "frontend", "snippets", "source"],
    submod_attrs={
        "frontend": ["is_static"],
        "snippets": ["failing", "first_words", "no_hub"],
        "source": ["show", "source_of", "without_docstrings"],
    },
)
