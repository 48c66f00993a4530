"""What a model's configuration says about its size: enough to plan a training before anything is downloaded.

    shape = read_shape("meta-llama/Llama-3.1-8B")   # by its name, from data/model_shapes.json
    shape = read_shape("models/mine")               # a folder with a config.json, or that file
    shape = read_shape("chat")                      # the course's own model
    shape.n_parameters, shape.linears               # 8_030_261_248, {"q_proj": (4096, 4096), ...}

What it does not do: mixtures of experts, models that also see or hear, and decoders whose attention keeps its weights
(Gemma 2), because the arithmetic of `helpers.old.lora.plan` does not describe them.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from helpers.files.paths import DATA
from helpers.files.safe_files import read_json
from helpers.old.memory import Architecture

MODEL_TYPES = ("llama", "mistral", "qwen2", "qwen3", "gemma3_text", "phi3")
NEEDED = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "vocab_size")
VARIANTS = ("-instruct", "-chat", "-base", "-it", "-pt", "-hf")  # trained further, of the same shape


class ShapeUnknown(ValueError):
    """The model is not known, or the arithmetic does not describe its configuration; the message says what helps."""


@dataclass(frozen=True)
class Shape(Architecture):
    """`helpers.old.memory.Architecture` and what else decides about memory: biases, norms, fused projections,
    access."""

    model: str = ""  # what from_pretrained is given: a hub id or a folder
    model_type: str = "llama"
    license: str = ""
    gated: bool = False
    stated_parameters: float | None = None  # in billions, as the maker states them

    @property
    def linears(self) -> dict[str, tuple[int, int]]:
        """(in, out) of each linear layer of one block by its own name; what "all-linear" corrects."""
        query, key = self.heads * self.head_dim, self.kv_heads * self.head_dim
        if self.model_type == "phi3":  # three projections in one matrix, and two
            return {
                "qkv_proj": (self.d_model, query + 2 * key),
                "o_proj": (query, self.d_model),
                "gate_up_proj": (self.d_model, 2 * self.d_ff),
                "down_proj": (self.d_ff, self.d_model),
            }
        names = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
        return dict(zip(names, self.linear_shapes, strict=True))

    @property
    def norms(self) -> int:
        """Norms of a block over the whole width."""
        return 4 if self.model_type == "gemma3_text" else 2

    @property
    def n_parameters(self) -> int:
        """Every parameter, a tied matrix once."""
        biases = self.heads * self.head_dim + 2 * self.kv_heads * self.head_dim if self.model_type == "qwen2" else 0
        return super().n_parameters + self.layers * ((self.norms - 2) * self.d_model + biases)

    def adapter_parameters(self, rank: int, targets: tuple[str, ...]) -> int:
        """Parameters of LoRA beside the linear layers in `targets`: rank · (in + out) each, in every block."""
        return self.layers * sum(rank * sum(self.linears[name]) for name in targets)


def read_shape(model: str) -> Shape:
    """The shape of a model by its name on the hub (with or without the owner), a folder, a config.json, or "chat".

    Nothing is downloaded but the course's own model, if it is not there yet. Raises ShapeUnknown, ModelUnavailable.
    """
    if model == "chat":
        from helpers.models import SOURCES, fetch, named_instead

        chosen, _ = named_instead("chat")
        shape = _from_file(fetch("chat") / "config.json")
        return shape if chosen else replace(shape, name=SOURCES["chat"].name)
    path = Path(model).expanduser()
    if path.is_dir() or path.suffix == ".json":
        return _from_file(path / "config.json" if path.is_dir() else path)
    if known := _find(model):
        owner, _, own = known.partition("/")
        asked = model if "/" in model else known if model.lower() == own.lower() else f"{owner}/{model}"
        config = known_models()[known]
        gated = config["gated"] and asked.startswith(f"{owner}/")  # somebody else's copy may be open
        return shape_from_config(config | {"gated": gated}, asked)
    names = {_plain(name): name for name in known_models()}
    close = [names[near] for near in difflib.get_close_matches(_plain(model), names, n=3, cutoff=0.5)]
    meant = f" Did you mean {' or '.join(close)}?" if close else ""
    raise ShapeUnknown(
        f"{model} is neither a folder nor among the {len(known_models())} models of data/model_shapes.json.{meant} "
        f"For any other model, get its configuration with `hf download {model} config.json --local-dir its-config` "
        "and pass --model its-config."
    )


@cache
def known_models() -> dict[str, dict[str, Any]]:
    """The configurations of data/model_shapes.json by hub id."""
    return read_json(DATA / "model_shapes.json")["models"]


def shape_from_config(config: Mapping[str, Any], model: str) -> Shape:
    """The shape that a config.json describes. Raises ShapeUnknown where it is not a dense decoder of a known type."""
    kind = config.get("model_type")
    if kind not in MODEL_TYPES:
        raise ShapeUnknown(
            f"{model} is of the type {kind!r}, and this plan knows dense decoders of the types "
            f"{', '.join(MODEL_TYPES)}: choose a model of one of these."
        )
    if missing := [name for name in NEEDED if not _is_count(config.get(name))]:
        raise ShapeUnknown(
            f"The configuration of {model} has no whole number above zero for {missing[0]}: get the file again."
        )
    heads = config["num_attention_heads"]
    return Shape(
        name=model.rstrip("/").rpartition("/")[2],
        layers=config["num_hidden_layers"],
        d_model=config["hidden_size"],
        d_ff=config["intermediate_size"],
        heads=heads,
        kv_heads=config.get("num_key_value_heads") or heads,
        head_dim=config.get("head_dim") or config["hidden_size"] // heads,
        vocab=config["vocab_size"],
        tied=bool(config.get("tie_word_embeddings", kind.startswith("gemma"))),  # the library's default for the type
        qk_norm=kind in ("qwen3", "gemma3_text"),
        model=model,
        model_type=kind,
        license=config.get("license", ""),
        gated=config.get("gated", False),
        stated_parameters=config.get("parameters"),
    )


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _from_file(path: Path) -> Shape:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(config, dict):
            raise ValueError
    except FileNotFoundError:
        raise ShapeUnknown(f"{path.parent} holds no config.json: name a folder that save_pretrained wrote.") from None
    except (OSError, ValueError):
        raise ShapeUnknown(f"{path} is not a configuration in JSON: get the file again.") from None
    return shape_from_config(config, str(path.parent))


def _find(model: str) -> str | None:
    return next((name for name in known_models() if _plain(name) == _plain(model)), None)


def _plain(model: str) -> str:
    """The model's name without its owner and without what it was trained to do."""
    name = model.rstrip("/").rpartition("/")[2].lower()
    for variant in VARIANTS:
        name = name.removesuffix(variant)
    return name
