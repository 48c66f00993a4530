"""The server as an ASGI application: `create_app(settings)`, which Uvicorn, or a test without any network, runs.

    app = create_app(Settings(adapters=("tickets",)))
    app = create_app(settings, backend=scripted)            # a test's own engine

Every request passes one door (`Door`): it gets an id, its key is checked before its body is read, its body has a limit
of size and time, and when it is over, one line is logged. The models are loaded in a thread, so that /health answers
at once, and /ready as soon as there is something to serve.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Callable
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, Response
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from helpers.old.serving import api_chat, api_other, api_responses
from helpers.old.serving.backend import Backend, load_backend
from helpers.old.serving.errors import ApiError, as_response, from_http, from_validation
from helpers.old.serving.service import Service
from helpers.old.serving.settings import Settings
from helpers.old.serving.watch import Call, log
from helpers.old.serving.writing import HungUp

BODY_SECONDS = 10.0  # within which a request's body has to arrive
PAGE = Path(__file__).with_name("page.html")
GOOD_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}


def create_app(settings: Settings, backend: Backend | Callable[[Settings], Backend] = load_backend) -> FastAPI:
    """The application. backend: what it serves, or what loads it. Raises ValueError for a file of keys that is none."""
    service = Service(settings)
    settings.named_adapters  # noqa: B018  # raises now, and not in a thread

    @asynccontextmanager
    async def lifespan(app: FastAPI):
        loading = asyncio.create_task(_open(service, backend))
        yield
        await service.close()
        loading.cancel()

    app = FastAPI(title="Hands-On LLMs", version="1", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.service = service
    if isinstance(backend, Backend):
        service.open(backend)  # also where nobody runs the lifespan
    for api in (api_chat, api_responses, api_other):
        app.include_router(api.router)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.get("/", include_in_schema=False)(page)
    app.add_middleware(Door, service=service)
    return app


async def _open(service: Service, backend: Backend | Callable[[Settings], Backend]) -> None:
    """Load the models; what goes wrong is told to everybody who asks, and to the log."""
    if isinstance(backend, Backend):
        return
    began = time.perf_counter()
    try:
        service.open(await asyncio.to_thread(backend, service.settings))
    except Exception as error:
        service.state, service.problem = "broken", f"The models cannot be loaded: {error}"
        log.error("broken", exc_info=error, extra={"fields": {"error": str(error)}})
        return
    versions = {name: model.version for name, model in service.backend.models.items()}
    log.info("ready", extra={"fields": {"seconds": round(time.perf_counter() - began, 2), "models": versions}})


def page() -> Response:
    """A small page to chat with the models."""
    return HTMLResponse(PAGE.read_text(encoding="utf-8"), headers=PAGE_HEADERS)


async def _refused(request: Request, error: HTTPException) -> Response:
    found, call = from_http(error), request.scope["call"]
    call.error = found.message
    if found.status_code == 429:
        call.refused = "limit"
    return as_response(found)


async def _invalid(request: Request, error: RequestValidationError) -> Response:
    found = from_validation(error.errors())
    request.scope["call"].refused = "body"
    return as_response(found)


class Door:
    """What every request passes on its way in, and every reply on its way out."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self.app, self.service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers, watch = Headers(scope=scope), self.service.watch
        given = headers.get("x-request-id", "")
        request_id = given if GOOD_ID.fullmatch(given) else secrets.token_hex(12)
        call = watch.begin(request_id, scope["method"], scope["path"])
        scope["call"] = call
        visit = Visit(self.service, call, receive, send)
        try:
            await self._answer(scope, headers, call, visit)
        finally:
            route = getattr(scope.get("route"), "path", None)
            call.endpoint = route or call.endpoint
            watch.end(call, visit.status or 499, visit.hung_up)

    async def _answer(self, scope: Scope, headers: Headers, call: Call, visit: Visit) -> None:
        try:
            self._admit(scope, headers, call)
            await self.app(scope, visit.receive, visit.send)
        except HungUp:
            visit.gone = True
        except ApiError as error:
            call.error = error.message
            await as_response(error)(scope, visit.receive, visit.send)
        except Exception as error:
            call.error = f"{type(error).__name__}"
            log.error("defect", exc_info=error, extra={"fields": {"request_id": call.request_id}})
            if visit.status is None:
                told = ApiError(500, f"The server failed, and its log has more: request {call.request_id}.")
                await as_response(told)(scope, visit.receive, visit.send)
            # half a reply was sent: breaking it off is all that is left

    def _admit(self, scope: Scope, headers: Headers, call: Call) -> None:
        """Raises ApiError for a request that is refused before its body is read."""
        if not scope["path"].startswith("/v1/"):
            return
        try:
            owner = scope["owner"] = self.service.owner(headers.get("authorization"))
        except ApiError:
            call.refused = "key"
            raise
        call.key = owner.name
        try:
            call.headers |= self.service.limits.take_request(owner)
        except ApiError:
            call.refused = "limit"
            raise
        if scope["method"] != "POST":
            return
        # a web page elsewhere may send text/plain to this server without asking; JSON it may not
        if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            call.refused = "body"
            raise ApiError(415, "Send the body as JSON, with the header `Content-Type: application/json`.")
        most = self.service.settings.max_body_kb * 1024
        length = headers.get("content-length", "0")
        if length.isdecimal() and int(length) > most:
            call.refused = "body"
            raise too_large(most)


class Visit:
    """One request's `receive` and `send`: the body is limited, and what was sent is remembered."""

    def __init__(self, service: Service, call: Call, receive: Receive, send: Send) -> None:
        self.call, self._receive, self._send = call, receive, send
        self.most = service.settings.max_body_kb * 1024
        self.ends = time.monotonic() + BODY_SECONDS
        self.seconds = BODY_SECONDS
        self.read, self.whole = 0, False
        self.status: int | None = None
        self.finished = self.gone = False

    @property
    def hung_up(self) -> bool:
        return self.gone and not self.finished

    async def receive(self) -> Message:
        """Raises ApiError 413 for a body that is too large, 408 for one that takes too long."""
        if self.whole:
            message = await self._receive()
        else:
            try:
                async with asyncio.timeout(self.ends - time.monotonic()):
                    message = await self._receive()
            except TimeoutError:
                self.call.refused = "body"
                seconds = f"{self.seconds:g} seconds"
                raise ApiError(
                    408, f"The body did not arrive within {seconds}.", headers={"Connection": "close"}
                ) from None
        if message["type"] == "http.disconnect":
            self.gone = True
        elif message["type"] == "http.request":
            self.read += len(message.get("body", b""))
            self.whole = not message.get("more_body", False)
            if self.read > self.most:
                self.call.refused = "body"
                raise too_large(self.most)
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["x-request-id"] = self.call.request_id
            for name, value in self.call.headers.items():
                headers[name] = value
            headers["x-content-type-options"] = "nosniff"
        elif message["type"] == "http.response.body" and not message.get("more_body", False):
            self.finished = True
        await self._send(message)


def too_large(most: int) -> ApiError:
    message = f"The body may have {most:,} bytes at most."
    return ApiError(413, message, code="body_too_large", headers={"Connection": "close"})
