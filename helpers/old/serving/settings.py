"""All that can be set about a server, in one place, checked when it is made.

    settings = Settings(port=8000, adapters=("tickets",), bits=4, keys_file="keys.json")
    app = create_app(settings)                              # helpers.old.serving.app

`python -m helpers.serving --help` has the same names with dashes in place of underscores.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BITS = (32, 16, 8, 4)


def option(default: Any, help: str) -> Any:
    return field(default=default, metadata={"help": help})


@dataclass(frozen=True)
class Settings:
    """Raises ValueError, in one sentence, for a value that makes no sense."""

    host: str = option("127.0.0.1", "the address to listen on; 0.0.0.0 lets other machines in")
    port: int = option(8000, "0 takes a free one")
    # the models
    adapters: tuple[str, ...] = option((), "an adapter to serve as a model of its own: a name, or NAME=FOLDER")
    bits: int | None = option(None, "bits per weight: 32, 16, 8 or 4; by default what this processor is fast at")
    embedder: bool = option(True, "whether /v1/embeddings is offered; its model is loaded when it is first used")
    # the engine
    cache_mb: int = option(256, "memory for keys and values, in megabytes")
    page_size: int = option(16, "tokens per page of that memory")
    max_running: int = option(32, "requests that are written side by side")
    max_waiting: int = option(64, "requests that may wait; more are refused with 503")
    chunk: int = option(64, "tokens of a prompt that are read per step")
    prefix_cache: bool = option(True, "whether prompts that begin alike are read once")
    # what one request may ask for
    default_new_tokens: int = option(256, "tokens of a reply where the request does not say, max_new_tokens at most")
    max_new_tokens: int = option(2048, "tokens that a reply may have")
    max_inputs: int = option(256, "texts in one request for embeddings")
    max_body_kb: int = option(1024, "kilobytes that a request's body may have")
    temperature: float = option(0.0, "where the request does not say; OpenAI's is 1, too much for a small model")
    # time
    request_seconds: float = option(300.0, "within which a reply has to be finished")
    drain_seconds: float = option(30.0, "that running replies get to finish after SIGTERM")
    retry_seconds: float = option(2.0, "what Retry-After says when the queue is full")
    # who may ask, and how much
    keys_file: Path | None = option(None, "a file of API keys (`python -m helpers.serving keys`); without it, no keys")
    requests_per_minute: int | None = option(None, "per key, where the file does not say; by default no limit")
    tokens_per_minute: int | None = option(None, "per key: tokens read, and reserved for the reply")
    # what is written down

    def __post_init__(self) -> None:
        if isinstance(self.adapters, str):
            raise ValueError(f'adapters is a tuple of names: write adapters=("{self.adapters}",).')
        object.__setattr__(self, "adapters", tuple(map(str, self.adapters)))
        if self.keys_file is not None:
            object.__setattr__(self, "keys_file", Path(self.keys_file).expanduser())
        if self.bits not in (None, *BITS):
            raise ValueError(f"bits is one of {', '.join(map(str, BITS))}, not {self.bits}.")
        if not 0 <= self.port <= 65_535:
            raise ValueError(f"A port is a number from 0 to 65535, not {self.port}.")
        for name, least in LEAST.items():
            value = getattr(self, name)
            if value is not None and not value >= least:
                raise ValueError(f"{name} is at least {least}, not {value}.")

    @property
    def named_adapters(self) -> dict[str, str]:
        """The name under which each adapter is served, and which adapter it is. Raises ValueError for a name twice."""
        found: dict[str, str] = {}
        for adapter in self.adapters:
            name, _, which = adapter.partition("=")
            which = which or name
            name = name if "=" in adapter else Path(name).name
            if not name or name in found or name in RESERVED:
                raise ValueError(f"The model {name!r} would be served twice: give the adapter a name, NAME=FOLDER.")
            found[name] = which
        return found


RESERVED = ("chat", "embedder")
LEAST: Mapping[str, float] = {
    **dict.fromkeys(("cache_mb", "page_size", "max_running", "chunk", "default_new_tokens", "max_new_tokens"), 1),
    **dict.fromkeys(("max_inputs", "max_body_kb", "requests_per_minute", "tokens_per_minute"), 1),
    **dict.fromkeys(("max_waiting", "temperature", "drain_seconds"), 0),
    **dict.fromkeys(("request_seconds", "retry_seconds"), 0.001),
}
REPEATED = {"adapters": "--adapter"}
KINDS = {"keys_file": Path, "bits": int, "requests_per_minute": int, "tokens_per_minute": int}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Every setting as an option of a command."""
    for entry in dataclasses.fields(Settings):
        name, default = "--" + entry.name.replace("_", "-"), entry.default
        shown = "" if default in (None, ()) or isinstance(default, bool) else f" ({default})"
        about = entry.metadata["help"] + shown
        if entry.name in REPEATED:
            parser.add_argument(REPEATED[entry.name], action="append", default=[], dest=entry.name, help=about)
        elif isinstance(default, bool):
            parser.add_argument(name, action=argparse.BooleanOptionalAction, default=default, help=about)
        else:
            kind = KINDS.get(entry.name, type(default))
            parser.add_argument(name, type=kind, default=default, metavar=kind.__name__.upper(), help=about)


def as_arguments(settings: Settings) -> list[str]:
    """The options that give these settings, those left out that are as they are by default."""
    found = []
    for entry in dataclasses.fields(Settings):
        value, name = getattr(settings, entry.name), "--" + entry.name.replace("_", "-")
        if value == entry.default:
            continue
        if entry.name in REPEATED:
            found += [part for item in value for part in (REPEATED[entry.name], item)]
        elif isinstance(value, bool):
            found.append(name if value else name.replace("--", "--no-", 1))
        else:
            found += [name, str(value)]
    return found


def from_arguments(chosen: argparse.Namespace) -> Settings:
    """The settings of a command that was parsed with `add_options`. Raises ValueError as `Settings`."""
    names = [entry.name for entry in dataclasses.fields(Settings)]
    return Settings(**{name: getattr(chosen, name) for name in names})
