"""What the notebooks of Hands-On LLMs import: small modules, each named by the field's word for its topic.

Importing the package costs nothing: no PyTorch, no plotting, no model. `show` is looked up on first use:

    from helpers import show
    show(some_function)          # its source, highlighted
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from helpers.source import show as show

__all__ = ["__version__", "show"]


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
    # PEP 562: both names are computed when somebody asks, so that `import helpers` stays instant.
    if name == "__version__":
        value: Any = _version()
    elif name == "show":
        from helpers.source import show as value
    else:
        raise AttributeError(f"module 'helpers' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
