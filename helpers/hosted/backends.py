"""OpenAI's official client for one of three back ends: this machine, a service by script, or a hosted service.

client()                                    # the one that HANDS_ON_BACKEND names; without it, "local"
client("scripted", script=["Hello!"])
client(Scripted([Outcome("cut_off")]))      # a scripted service that you keep hold of
"""

from __future__ import annotations

import os
from typing import Any

import httpx2
import openai

from helpers.hosted.scripted import Scripted

BACKENDS = ("local", "scripted", "hosted")


def client(backend: str | Scripted | None = None, *, script: Any = (), **options: Any) -> openai.OpenAI:
    """A client. options: what `openai.OpenAI` takes, such as timeout and max_retries."""
    service = _service(backend, script)
    return openai.OpenAI(**_address(service), http_client=httpx2.Client(transport=service), **options)


def async_client(backend: str | Scripted | None = None, *, script: Any = (), **options: Any) -> openai.AsyncOpenAI:
    """The same for asyncio."""
    service = _service(backend, script)
    made = openai.AsyncOpenAI(**_address(service), http_client=httpx2.AsyncClient(transport=service), **options)
    made._platform = "Other:scripted"  # else the first request asks a thread, for which simulated time does not wait
    return made


def _service(backend: str | Scripted | None, script: Any) -> Scripted:
    if isinstance(backend, Scripted):
        return backend
    backend = backend or os.environ.get("HANDS_ON_BACKEND") or "local"
    if backend == "scripted":
        return Scripted(script)
    raise ValueError(f"HANDS_ON_BACKEND is one of {', '.join(BACKENDS)}, not {backend!r}.")


def _address(service: Scripted) -> dict[str, str]:
    return {"api_key": service.key, "base_url": service.base_url}
