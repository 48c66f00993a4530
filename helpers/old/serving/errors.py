"""What a server says when it cannot do what it was asked: one sentence, in the form that OpenAI's clients read.

    raise ApiError(404, "There is no model 'gpt-9': this server has chat, embedder.", param="model")

    {"error": {"message": "There is no model …", "type": "invalid_request_error", "param": "model", "code": null}}

| status | type                   | when                                                                        |
|--------|------------------------|-----------------------------------------------------------------------------|
| 400    | invalid_request_error  | the body is no JSON, or asks for something that makes no sense              |
| 401    | authentication_error   | the key is missing or unknown                                               |
| 404    | invalid_request_error  | no such address, model or stored response                                   |
| 408    | timeout_error          | the body did not arrive in time                                             |
| 413    | invalid_request_error  | the body is larger than allowed                                             |
| 415    | invalid_request_error  | the body is not declared to be JSON                                         |
| 429    | rate_limit_error       | the key has used up its requests or tokens of this minute; Retry-After      |
| 500    | server_error           | a defect of the server; the log has more                                    |
| 503    | overloaded_error       | the queue is full, or the server is starting or stopping; Retry-After       |
| 504    | timeout_error          | the answer took longer than a request may take                              |
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi.responses import Response
from starlette.exceptions import HTTPException

TYPES = {401: "authentication_error", 408: "timeout_error", 429: "rate_limit_error", 500: "server_error"}
TYPES |= {503: "overloaded_error", 504: "timeout_error"}


class ApiError(HTTPException):
    """A refusal. code: a word that programs can compare; param: the field of the body that is meant."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        retry_after: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.message, self.param, self.code = message, param, code
        sent = dict(headers or {})
        if retry_after is not None:
            sent["Retry-After"] = str(max(1, round(retry_after)))  # whole seconds, as HTTP has it
        super().__init__(status, message, sent)

    def body(self) -> dict[str, Any]:
        """The error as OpenAI's API writes it."""
        kind = TYPES.get(self.status_code, "invalid_request_error")
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}


class Json(Response):
    """A body of JSON. Lone surrogates, which JSON can spell and UTF-8 cannot, become question marks."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return json_bytes(content)


def json_bytes(content: Any) -> bytes:
    return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8", "replace")


def as_response(error: ApiError) -> Json:
    return Json(error.body(), error.status_code, error.headers)


def from_http(error: HTTPException) -> ApiError:
    """Starlette's own refusals, such as 404 and 405."""
    if isinstance(error, ApiError):
        return error
    messages = {404: "There is nothing at this address.", 405: "This address does not take this method."}
    messages[400] = "The body cannot be read: send JSON in UTF-8."
    message = messages.get(error.status_code, str(error.detail))
    return ApiError(error.status_code, message, headers=error.headers)


def from_validation(errors: Sequence[Mapping[str, Any]]) -> ApiError:
    """The first of pydantic's findings as one sentence."""
    found = errors[0]
    place = [part for part in found["loc"] if part != "body"]
    param = ".".join(map(str, place)) or None
    if found["type"] == "json_invalid":
        return ApiError(400, f"The body is not valid JSON: {found['ctx']['error']}.", code="invalid_json")
    if found["type"] == "extra_forbidden":
        return ApiError(400, f"This server does not know the argument {param!r}.", param=param, code="unknown_argument")
    if found["type"] == "missing":
        return ApiError(400, f"The argument {param!r} is missing." if param else "The body is missing.", param=param)
    message = str(found["msg"]).removeprefix("Value error, ").rstrip(".")
    return ApiError(400, f"{param}: {message}." if param else f"{message}.", param=param)
