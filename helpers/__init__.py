"""What the notebooks of Hands-On LLMs import: one room (subpackage) per topic, each named by the field's word for it.

Importing the package costs nothing: no PyTorch, no plotting, no model. Rooms and names are loaded on first use:

    from helpers import show
    show(some_function)                                  # its source, highlighted
    from helpers.tokenization import BPETokenizer        # a room's face: what notebooks import
    help("helpers.tokenization")                         # what is in the room, and in which notebook it is opened

`README.md` beside this file is the plan of the house: the rooms, what may import what, and where new code goes.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from helpers import moved

if TYPE_CHECKING:
    from helpers.display.source import show as show

ROOMS = (
    "attention",
    "display",
    "exercises",
    "fetching",
    "files",
    "foundations",
    "generation",
    "lora",
    "measuring",
    "metrics",
    "plots",
    "prompting",
    "quantization",
    "retrieval",
    "speed",
    "tasks",
    "tokenization",
    "training",
    "transformer",
    "trials",
    "velunda",
)
MODULES = ("adapters", "bootstrap", "corpora", "environment", "memory", "models", "scale", "stats")

__all__ = ["__version__", "show", *ROOMS, *MODULES]  # noqa: PLE0604


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
    elif name in ROOMS or name in MODULES:
        value = importlib.import_module(f"helpers.{name}")
    else:
        raise AttributeError(moved.sentence(name) or f"module 'helpers' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


moved.install()
