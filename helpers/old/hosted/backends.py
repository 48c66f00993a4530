"""OpenAI's official client for one of three back ends, chosen by one word.

    client()                                    # the one that HANDS_ON_BACKEND names; without it, "local"
    client("local")                             # the course's server, started here when it is first needed
    client("hosted", dollars=0.02)              # a paid service, with a bound on what it can cost
    client(Scripted([Outcome("cut_off")]))      # a scripted service that you keep hold of

A line says which back end it is, at which address, with which patience. Keys come from the environment only, and are
never shown. A paid service needs two consents: its key, and HANDS_ON_ALLOW_PAID=1.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import httpx2
import openai

from helpers.old.hosted.allowance import Allowance
from helpers.old.hosted.prices import price_of
from helpers.old.hosted.scripted import Scripted
from helpers.old.hosted.vendors import Vendor, vendor_of
from helpers.old.serving.process import ServerProcess, start_server

BACKENDS = ("local", "scripted", "hosted")
MODELS = {  # the name of a model for each purpose
    "local": {"chat": "chat", "embeddings": "embedder"},
    "scripted": {"chat": "nimbus-2", "embeddings": "nimbus-embed"},
}
SERVED = {"adapters": ("tickets", "tools")}
_server: ServerProcess | None = None


class HostedRefused(RuntimeError):
    """A paid service was asked for, and a consent or the key is missing; the message says which."""


def client(backend: str | Scripted | None = None, *, script: Any = (), **options: Any) -> openai.OpenAI:
    """A client. options: what `openai.OpenAI` takes, such as timeout and max_retries; also vendor and dollars (the most
    that all of the client's calls may cost together, 0.05 unless given), which matter where a service is paid.

    Raises ValueError for an unknown back end, HostedRefused, and ServerFailed where the local server cannot start.
    """
    found = _choose(backend, script, options)
    if found.service:
        web = httpx2.Client(transport=found.service)
    else:
        web = openai.DefaultHttpxClient(trust_env=found.allowance is not None)  # to this machine without a proxy
    if found.allowance:
        web.event_hooks = {"request": [found.allowance.reserve]}
    return _shown(openai.OpenAI(**found.address, http_client=web, **options), found)


def async_client(backend: str | Scripted | None = None, *, script: Any = (), **options: Any) -> openai.AsyncOpenAI:
    """The same for asyncio."""
    found = _choose(backend, script, options)
    if found.service:
        web = httpx2.AsyncClient(transport=found.service)
    else:
        web = openai.DefaultAsyncHttpxClient(trust_env=found.allowance is not None)
    if found.allowance:
        web.event_hooks = {"request": [found.allowance.areserve]}
    made = openai.AsyncOpenAI(**found.address, http_client=web, **options)
    if found.service:
        made._platform = "Other:scripted"  # else a thread is asked at first, for which simulated time does not wait
    return _shown(made, found)


def chosen_backend(backend: str | Scripted | None = None) -> str:
    """Which of the three it is. Raises ValueError for another name."""
    if isinstance(backend, Scripted):
        return "scripted"
    name = backend or os.environ.get("HANDS_ON_BACKEND") or "local"
    if name not in BACKENDS:
        raise ValueError(f"A back end (HANDS_ON_BACKEND) is one of {', '.join(BACKENDS)}, not {name!r}.")
    return name


def model_name(purpose: str = "chat", backend: str | None = None, vendor: str | None = None) -> str:
    """What the model for a purpose, "chat" or "embeddings", is called at a back end: one place for all names."""
    name = chosen_backend(backend)
    if name != "hosted":
        return MODELS[name][purpose]
    found = vendor_of(vendor)
    model = os.environ.get("HANDS_ON_HOSTED_MODEL") if purpose == "chat" else None
    return model or {"chat": found.chat_model, "embeddings": found.embedding_model}[purpose]


def local_server(**settings: Any) -> ServerProcess:
    """The course's server for this process, started on a free port if it does not run yet.

    settings: fields of `helpers.old.serving.Settings`, used where it is started; without them, the adapters `tickets`
    and `tools` are served beside the chat model. It ends with this process.
    """
    global _server
    if _server is None or not _server.running:
        _server = start_server(**(settings or SERVED))
    return _server


# What the client is made of ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Found:
    """What a client talks to: address and key, in whose process, within which bound, and what is said about it."""

    address: dict[str, str]
    said: str
    service: Scripted | None = None
    allowance: Allowance | None = None


def _choose(backend: str | Scripted | None, script: Any, options: dict[str, Any]) -> Found:
    name = chosen_backend(backend)
    dollars, vendor = float(options.pop("dollars", 0.05)), options.pop("vendor", None)
    if name == "scripted":
        given = isinstance(backend, Scripted)
        service = backend if given else Scripted(script)
        said = "" if given else "back end: scripted, in this process"
        return Found({"api_key": service.key, "base_url": service.base_url}, said, service=service)
    if name == "local":
        server = local_server()
        said = f"back end: local, the course's server at {server.base_url}"
        return Found({"api_key": "none", "base_url": server.base_url}, said)
    vendor = vendor_of(vendor)
    address = {"api_key": _key(vendor), "base_url": vendor.base_url}
    said = f"back end: hosted, {vendor.name} at {vendor.base_url}, for ${dollars:.2f} at most"
    return Found(address, said, allowance=Allowance(dollars, price_of))


def _key(vendor: Vendor) -> str:
    """The vendor's key, if both consents are there. Raises HostedRefused."""
    if os.environ.get("HANDS_ON_ALLOW_PAID") != "1":
        raise HostedRefused(f"{vendor.name} costs money: to pay for it, set HANDS_ON_ALLOW_PAID=1 and {vendor.key}.")
    key = os.environ.get(vendor.key, "").strip()
    if not key:
        raise HostedRefused(f"There is no key for {vendor.name}: set the environment variable {vendor.key}.")
    return key


def _shown(made: Any, found: Found) -> Any:
    if found.said:
        timeout = getattr(made.timeout, "read", made.timeout)
        patience = "no timeout" if timeout is None else f"timeout {timeout:g} s"
        print(f"{found.said} ({patience}, {made.max_retries} retries)")
    return made
