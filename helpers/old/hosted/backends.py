"""OpenAI's official client for a scripted service or for OpenAI itself, with a bound on what that may cost.

    client(Scripted([Outcome("cut_off")]))      # a scripted service that you keep hold of
    client("hosted", dollars=0.02)              # a paid service

Keys come from the environment only, and are never shown. A paid service needs two consents: its key, and
HANDS_ON_ALLOW_PAID=1.
"""

from __future__ import annotations

import os
from typing import Any

import httpx2
import openai

from helpers.old.hosted.allowance import Allowance
from helpers.old.hosted.prices import price_of
from helpers.old.hosted.scripted import Scripted

ADDRESS, KEY, MODEL = "https://api.openai.com/v1", "OPENAI_API_KEY", "gpt-5.6-luna"


class HostedRefused(RuntimeError):
    """A paid service was asked for, and a consent or the key is missing; the message says which."""


def client(backend: str | Scripted, *, dollars: float = 0.05, **options: Any) -> openai.OpenAI:
    """A client. dollars: what all calls to a paid service may cost together; options: what `openai.OpenAI` takes.

    Raises ValueError for another back end, and HostedRefused.
    """
    if isinstance(backend, Scripted):
        web = httpx2.Client(transport=backend)
    else:
        web = openai.DefaultHttpxClient()
        web.event_hooks = {"request": [Allowance(dollars, price_of).reserve]}
    return _shown(openai.OpenAI(**_address(backend), http_client=web, **options), backend, dollars)


def async_client(backend: str | Scripted, *, dollars: float = 0.05, **options: Any) -> openai.AsyncOpenAI:
    """The same for asyncio."""
    if isinstance(backend, Scripted):
        web = httpx2.AsyncClient(transport=backend)
    else:
        web = openai.DefaultAsyncHttpxClient()
        web.event_hooks = {"request": [Allowance(dollars, price_of).areserve]}
    return _shown(openai.AsyncOpenAI(**_address(backend), http_client=web, **options), backend, dollars)


def model_name(purpose: str = "chat", backend: str = "hosted") -> str:
    """What the model is called at the paid service: one place for its name."""
    return os.environ.get("HANDS_ON_HOSTED_MODEL") or MODEL


def _address(backend: str | Scripted) -> dict[str, str]:
    """Address and key, if both consents are there. Raises HostedRefused."""
    if isinstance(backend, Scripted):
        return {"api_key": backend.key, "base_url": backend.base_url}
    if backend != "hosted":
        raise ValueError(f'A back end is "hosted" or a scripted service, not {backend!r}.')
    if os.environ.get("HANDS_ON_ALLOW_PAID") != "1":
        raise HostedRefused(f"OpenAI costs money: to pay for it, set HANDS_ON_ALLOW_PAID=1 and {KEY}.")
    if not (key := os.environ.get(KEY, "").strip()):
        raise HostedRefused(f"There is no key for OpenAI: set the environment variable {KEY}.")
    return {"api_key": key, "base_url": ADDRESS}


def _shown(made: Any, backend: str | Scripted, dollars: float) -> Any:
    if not isinstance(backend, Scripted):
        print(f"back end: hosted, OpenAI at {ADDRESS}, for ${dollars:.2f} at most ({made.max_retries} retries)")
    return made
