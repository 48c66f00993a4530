"""One dial for every size in the course: `smoke`, `laptop`, `gpu`.

    SCALE = "laptop"                                   # the notebook's parameters cell
    size = scale(SCALE)
    n_steps = size.pick(smoke=2, laptop=200, gpu=2000)

* `smoke`  - does every cell still run? Seconds, on any machine.
* `laptop` - the sizes that the text speaks about: two CPU cores, 2 GB of memory.
* `gpu`    - the same notebook with larger models and more steps.

What it does not do: choose a model (helpers.models) or move tensors; it only names sizes, a device and a precision.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import torch

NAMES = ("smoke", "laptop", "gpu")
_NOT_GIVEN: Any = object()


@dataclass(frozen=True)
class Scale:
    """The size at which a notebook runs. Make one with `scale(name)`, which checks the name."""

    name: Literal["smoke", "laptop", "gpu"]

    def pick(self, *, laptop: Any = _NOT_GIVEN, smoke: Any = _NOT_GIVEN, gpu: Any = _NOT_GIVEN, **unknown: Any) -> Any:
        """The value for this scale; `smoke` and `gpu` fall back to `laptop`, which is required.

        >>> Scale("smoke").pick(smoke=2, laptop=200)
        2
        >>> Scale("gpu").pick(smoke=2, laptop=200)
        200

        Raises TypeError if `laptop` is missing or a keyword is not the name of a scale.
        """
        if unknown:
            names = ", ".join(repr(name) for name in unknown)
            raise TypeError(f"pick() does not know the scale {names}: it takes smoke=, laptop= and gpu=.")
        if laptop is _NOT_GIVEN:
            raise TypeError("pick() needs a value for laptop=, which smoke and gpu fall back to.")
        value = {"smoke": smoke, "laptop": laptop, "gpu": gpu}[self.name]
        return laptop if value is _NOT_GIVEN else value

    def __str__(self) -> str:
        return self.name


_current = Scale("laptop")
_told_no_gpu = False


def scale(name: str) -> Scale:
    """The scale called `name`, which also becomes the process's current one (see `current`).

    Raises ValueError, with the nearest name, if there is no such scale; the current scale then stays as it was.
    """
    global _current, _told_no_gpu
    if not isinstance(name, str) or name not in NAMES:
        raise ValueError(_unknown(name))
    if name != _current.name:
        _told_no_gpu = False
    _current = Scale(name)  # type: ignore[arg-type]
    return _current


def current() -> Scale:
    """The scale set last in this process; `laptop` until one is set."""
    return _current


def device() -> str:
    """Where tensors of this run belong: "cuda", "mps" or "cpu", as `torch.device` and `.to()` take it.

    `smoke` and `laptop` always mean "cpu", so that everybody sees the same numbers, and PyTorch is not imported.
    At `gpu` it is CUDA if PyTorch sees it, else Apple's MPS, else "cpu" and one printed sentence (once).
    """
    if _current.name != "gpu":
        return "cpu"
    try:
        import torch
    except ImportError:
        return _no_gpu("PyTorch is not installed (pip install torch), so SCALE = 'gpu' runs nothing on a GPU here.")
    if torch.cuda.is_available():
        return "cuda"
    if torch.backends.mps.is_available():
        return "mps"
    return _no_gpu("PyTorch sees no GPU, so this runs on the CPU and will be slow: set SCALE = 'laptop' instead.")


def matrix_dtype() -> torch.dtype:
    """In which precision `device()` multiplies matrices fast: bfloat16 on a GPU and on CPUs with AVX-512, else float32.

    Without instructions for it, a CPU takes many times as long for bfloat16 as for float32, most of all in training.
    """
    import torch

    fast = device() != "cpu" or torch.backends.cpu.get_cpu_capability().startswith("AVX512")
    return torch.bfloat16 if fast else torch.float32


def _no_gpu(sentence: str) -> str:
    global _told_no_gpu
    if not _told_no_gpu:
        print(sentence)
        _told_no_gpu = True
    return "cpu"


def _unknown(name: object) -> str:
    if not isinstance(name, str):
        return f"SCALE must be one of 'smoke', 'laptop' and 'gpu', not {name!r}."
    near = difflib.get_close_matches(name.lower().strip(), NAMES, n=1, cutoff=0.4)
    meant = f" Did you mean {near[0]!r}?" if near else ""
    return f"There is no scale {name!r}: choose 'smoke', 'laptop' or 'gpu'.{meant}"
