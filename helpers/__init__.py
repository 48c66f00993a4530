"""What the notebooks of Hands-On LLMs import: one topic, one file or folder, each named by the field's word for it.

Importing the package costs nothing: no PyTorch, no plotting, no model. Names are loaded on first use:

    from helpers import show
    show(some_function)                                  # its source, highlighted
    from helpers.tokenization import BPETokenizer

`helpers.old` holds what only lessons that wait for their rework use. `README.md` beside this file is the plan.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from helpers.display.source import show as show

MODULES = (
    "adapters", "assistants", "attention", "bootstrap", "display", "environment", "exercises", "fetching", "files",
    "generation", "metrics", "mine", "models", "plots", "quantization", "records", "retrieval", "scale", "serving",
    "stats", "tokenization", "transformer", "velunda",
)  # fmt: skip

__all__ = ["__version__", "show", *MODULES]  # noqa: PLE0604


def _version() -> str:
    """The installed distribution's version; in a clone that was never installed, pyproject.toml's."""
    import re
    from importlib.metadata import PackageNotFoundError, version
    from pathlib import Path

    try:
        return version("hands-on-llms")
    except PackageNotFoundError:
        pyproject = Path(__file__).resolve().parent.parent / "pyproject.toml"
        try:
            found = re.search(r'^version\s*=\s*"([^"]+)"', pyproject.read_text(encoding="utf-8"), re.MULTILINE)
        except OSError:
            found = None
        return found.group(1) if found else "0+unknown"


def __getattr__(name: str) -> Any:
    # PEP 562: computed when somebody asks, so that `import helpers` stays instant.
    if name == "__version__":
        value: Any = _version()
    elif name == "show":
        from helpers.display.source import show as value
    elif name in MODULES:
        value = importlib.import_module(f"helpers.{name}")
    else:
        raise AttributeError(f"module 'helpers' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
