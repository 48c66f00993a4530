"""A hosted service that exists only in this process, and fails when it is told to.

    service = Scripted(["Hello!", Outcome("cut_off", tokens=20)])
    openai.OpenAI(api_key=service.key, base_url=service.base_url, http_client=httpx2.Client(transport=service))
    client(service)                                  # the same, from helpers.old.hosted.backends

The official client sends its requests through a *transport*, and this is one: it gets the very bytes that would go
over the network, and answers with status, headers and body as OpenAI's service does, for Chat Completions and
the list of models. What is sent is kept in `requests`, what is billed in `invoice`. It honors
`Idempotency-Key`: a key that was billed gets its first reply again, free of charge.

What it does not do: think. A reply is the script's, or `answer(turns)`'s.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2

from helpers.old.hosted import written_chat
from helpers.old.hosted.clocks import RealClock, SimulatedClock
from helpers.old.hosted.invoice import Invoice
from helpers.old.hosted.outcomes import Outcome, Script, outcomes_of
from helpers.old.hosted.prices import Tokens, price_of
from helpers.old.hosted.sending import Flow, Sending, cut, event, failed, refused, whole
from helpers.old.hosted.written import PrefixCache, Written, prompt_pieces, write

MODELS = ("nimbus-2", "nimbus-2-mini")
RETIRED = ("nimbus-1",)
Price = Callable[[str, int, int, int], float]


def default_answer(turns: list[dict[str, Any]]) -> str:
    return (
        "Thank you for writing to Velunda. Please check first that the battery sits firmly in its holder and that "
        "the display is on. If the motor stays silent, send us the order number and a photo of the display, and the "
        "workshop will call you back within two working days."
    )


def default_price(model: str, prompt: int, cached: int, completion: int) -> float:
    """US dollars, from the table of prices."""
    return price_of(model).cost(Tokens(prompt, completion, cached))


class Scripted(httpx2.BaseTransport, httpx2.AsyncBaseTransport):
    """A service by script. script: outcomes or texts in the order of requests, or a function such as `Rates`.

    answer: turns → what an ordinary reply says; price: (model, prompt, cached, completion tokens) → money; invoice: the
    file of the bill; clock: whose time passes while it writes, at `per_token` seconds per token after `first` seconds;
    """

    base_url = "http://scripted.invalid/v1"

    def __init__(
        self,
        script: Script = (),
        *,
        answer: Callable[[list[dict[str, Any]]], str] = default_answer,
        models: tuple[str, ...] = MODELS,
        retired: tuple[str, ...] = RETIRED,
        key: str = "scripted",
        context: int = 8192,
        price: Price = default_price,
        invoice: Path | str | None = None,
        clock: SimulatedClock | RealClock | None = None,
        first: float = 0.3,
        per_token: float = 0.02,
        honors_keys: bool = True,
    ) -> None:
        self.outcome_of, self.answer = outcomes_of(script), answer
        self.models, self.retired, self.key, self.context = models, retired, key, context
        self.price, self.invoice = price, Invoice(invoice)
        self.clock, self.first, self.per_token = clock or SimulatedClock(), first, per_token
        self.honors_keys = honors_keys
        self.requests: list[dict[str, Any]] = []
        self._cache = PrefixCache()

    # The transport's two ends ----------------------------------------------------------------------------------------

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        request.read()
        sending = self._decide(request)
        self.clock.sleep(sending.wait)
        return self._begin(sending, request)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        await request.aread()
        sending = self._decide(request)
        await self.clock.asleep(sending.wait)
        return self._begin(sending, request)

    def _begin(self, sending: Sending, request: httpx2.Request) -> httpx2.Response:
        if not sending.status:
            raise sending.error
        return httpx2.Response(sending.status, headers=sending.headers, stream=Flow(sending, self.clock))

    # What it answers -------------------------------------------------------------------------------------------------

    def _decide(self, request: httpx2.Request) -> Sending:
        path = request.url.path.removeprefix("/v1")
        try:
            body = json.loads(request.content or b"{}")
        except ValueError:
            return refused(400, "The body is not valid JSON.", "invalid_json")
        number = len(self.requests)
        headers = dict(request.headers) | {"authorization": "(not kept)"}
        self.requests.append({"path": path, "body": body, "headers": headers, "time": self.clock.now()})
        if request.headers.get("authorization") != f"Bearer {self.key}":
            return refused(401, "Incorrect API key provided.", "invalid_api_key")
        if request.method != "POST":
            return self._look_up(path)
        model = body.get("model", "")
        if model in self.retired:
            return refused(404, f"The model {model!r} has been retired.", "model_not_found", "model")
        if model not in self.models:
            return refused(404, f"The model {model!r} does not exist.", "model_not_found", "model")
        if path != "/chat/completions":
            return refused(404, f"There is nothing at {path}.", "not_found")
        return self._write(number, model, body, request)

    def _look_up(self, path: str) -> Sending:
        kind, _, name = path.strip("/").partition("/")
        told = {"object": "model", "created": 0, "owned_by": "scripted", "max_model_len": self.context}
        described = [{"id": model} | told for model in self.models]
        if kind == "models" and not name:
            return whole({"object": "list", "data": described})
        if kind == "models" and name in self.models:
            return whole(described[self.models.index(name)])
        return refused(404, f"There is no {name!r}.", "not_found")

    def _write(self, number: int, model: str, body: dict[str, Any], request: httpx2.Request) -> Sending:
        key = request.headers.get("idempotency-key")
        honored = key is not None and self.honors_keys
        paid = next((line for line in self.invoice.lines if line["key"] == key), None) if honored else None
        outcome = Outcome() if paid else self.outcome_of(number, body)
        if not outcome.billed:
            return failed(outcome)
        prompt = prompt_pieces(body)
        limit = body.get("max_completion_tokens") or body.get("max_tokens")
        if len(prompt) + (limit or 0) > self.context:
            asked = f"{len(prompt):,} tokens of the prompt" + (f" and {limit:,} of the reply" if limit else "")
            return refused(400, f"The context has {self.context:,} tokens, not {asked}.", "context_length_exceeded")
        text = self.answer(body["messages"]) if outcome.text is None else outcome.text
        written = write(outcome, text, limit, len(prompt), self._cache.cached(prompt))
        name = paid["request"] if paid else f"req_{len(self.invoice.lines):06d}"
        if not paid:
            self._bill(name, key, model, written, outcome)
            self.requests[number]["billed"] = name
        return self._send(name, model, body, written, outcome, request)

    def _bill(self, name: str, key: str | None, model: str, written: Written, outcome: Outcome) -> None:
        used = {"prompt_tokens": written.prompt, "cached_tokens": written.cached}
        used["completion_tokens"] = written.completion
        money = self.price(model, written.prompt, written.cached, written.completion)
        told = {"money": money, "time": self.clock.now(), "outcome": outcome.kind}
        self.invoice.add(request=name, key=key, model=model, **used, **told)

    def _send(
        self, name: str, model: str, body: dict[str, Any], written: Written, outcome: Outcome, request: Any
    ) -> Sending:
        """The reply on its way: how long it takes, and whether it arrives."""
        stream = bool(body.get("stream"))
        thinking, writing = self.first + written.reasoning * self.per_token, len(written.shown) * self.per_token
        patience = (request.extensions.get("timeout") or {}).get("read") or math.inf
        wait = thinking if stream else thinking + writing
        if outcome.kind == "timeout" or wait > patience:
            wait = patience if patience < math.inf else 600.0
            return Sending(wait, 0, error=httpx2.ReadTimeout("The read operation timed out", request=request))
        headers = {"content-type": "text/event-stream" if stream else "application/json", "x-request-id": name}
        if not stream:
            flow = [(0.0, json.dumps(written_chat.whole(name, model, written)).encode())]
        else:
            wants = bool((body.get("stream_options") or {}).get("include_usage"))
            flow = [(self.per_token, event(made)) for made in written_chat.chunks(name, model, written, wants)]
            flow += [(0.0, b"data: [DONE]\n\n")]
        sending = Sending(wait, 200, headers, flow)
        if outcome.kind in ("malformed", "page"):
            sending.flow = [(0.0, b"<html><body>Bad gateway</body></html>")]
            sending.headers |= {"content-type": "text/html"} if outcome.kind == "page" else {}
        if outcome.kind == "cut_off":
            sending.flow = cut(sending.flow, outcome.tokens)
            gone = "peer closed connection without sending complete message body (incomplete chunked read)"
            sending.error = httpx2.RemoteProtocolError(gone, request=request)
        return sending
