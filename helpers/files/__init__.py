"""Where the course's files lie, and files that are there whole or not at all.

| module       | what                                                                                    |
|--------------|-----------------------------------------------------------------------------------------|
| `paths`      | `ROOT`, `DATA`, `RESULTS`                                                               |
| `safe_files` | write files atomically; read JSON lines; `DataUnavailable`, if a data file is missing   |

Used by nearly every room, opened by no notebook.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["paths", "safe_files"],
    submod_attrs={
        "paths": ["DATA", "RESULTS", "ROOT"],
        "safe_files": [
            "DataUnavailable",
            "numbered_lines",
            "read_json",
            "read_jsonl",
            "read_text",
            "shown",
            "unavailable",
            "write_together",
        ],
    },
)
