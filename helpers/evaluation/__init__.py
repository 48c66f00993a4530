"""How good is an assistant, and who says so? Opened in 14 and 14b.

| module     | what                                                                                          |
|------------|-----------------------------------------------------------------------------------------------|
| `failures` | forty recorded failures of the course's assistants, and what coders found wrong in each       |
| `coding`   | read failures, code them, count the codes: a table of widgets, and a form that needs none     |
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["coding", "failures"],
    submod_attrs={
        "coding": ["coding_table", "my_codes", "show_counts", "write_code"],
        "failures": [
            "Code",
            "Failure",
            "by_assistant",
            "counts",
            "load_categories",
            "load_codes",
            "load_failures",
            "paired",
        ],
    },
)
