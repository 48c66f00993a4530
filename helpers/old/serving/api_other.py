"""Vectors, the list of models, and what an operator asks: is it alive, is it ready, how is it doing?

| address              | answers                                                                             |
|----------------------|-------------------------------------------------------------------------------------|
| `POST /v1/embeddings`| vectors of texts                                                                    |
| `GET /v1/models`     | which models there are, and in which version                                        |
| `GET /health`        | 200 while the process can answer at all: otherwise start it again                   |
| `GET /ready`         | 200 while it takes requests: 503 while it loads, or stops: send them to another one |
| `GET /metrics`       | figures in Prometheus' text format                                                  |
"""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import numpy as np
from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST

from helpers.old.serving.backend import Model
from helpers.old.serving.errors import ApiError, Json
from helpers.old.serving.requests import Usage
from helpers.old.serving.service import Service, announce, at
from helpers.old.serving.wire import EmbeddingRequest

router = APIRouter()


@router.post("/v1/embeddings")
async def embeddings(body: EmbeddingRequest, request: Request) -> Response:
    """One vector for each text."""
    service, call, owner = at(request)
    model = service.model(body.model, encodes=True)
    announce(call, model, False)
    texts = [body.input] if isinstance(body.input, str) else body.input
    if len(texts) > service.settings.max_inputs:
        raise ApiError(
            400, f"One request may have {service.settings.max_inputs} texts, not {len(texts)}.", param="input"
        )
    if not all(texts):
        raise ApiError(400, "An empty text has no vector.", param="input")
    about = sum(len(text) for text in texts) // 4 + 1  # tokens, before they are counted
    reserved, headers = service.limits.take_tokens(owner, about)
    call.headers |= headers
    used = 0
    try:
        vectors, used = await asyncio.to_thread(service.require_ready().encoder.encode, texts)
    except ValueError as error:
        raise ApiError(400, str(error), param="input", code="context_length_exceeded") from None
    finally:
        service.limits.give_back(owner, reserved, reserved.tokens - used)
    if body.dimensions not in (None, len(vectors[0])):
        raise ApiError(400, f"This model's vectors have {len(vectors[0])} numbers.", param="dimensions")
    usage = Usage(used, 0, 0)
    call.finish(usage, "stop")
    data = [
        {"object": "embedding", "index": index, "embedding": as_wanted(vector, body.encoding_format)}
        for index, vector in enumerate(vectors)
    ]
    told = {"prompt_tokens": used, "total_tokens": used}
    return Json({"object": "list", "data": data, "model": model.name, "usage": told})


def as_wanted(vector: list[float], encoding: str | None) -> list[float] | str:
    """A vector as numbers, or as base64 of little-endian float32, which is a third of the size."""
    if encoding != "base64":
        return vector
    return base64.b64encode(np.asarray(vector, "<f4").tobytes()).decode()


@router.get("/v1/models")
async def models(request: Request) -> Response:
    """All models."""
    service = at(request)[0]
    found = service.require_ready().models.values()
    return Json({"object": "list", "data": [described(model, service) for model in found]})


@router.get("/v1/models/{name}")
async def model(name: str, request: Request) -> Response:
    """One model."""
    service = at(request)[0]
    found = service.require_ready().models
    if name not in found:
        raise ApiError(404, f"There is no model {name!r}: this server has {', '.join(found)}.", code="model_not_found")
    return Json(described(found[name], service))


def described(model: Model, service: Service) -> dict[str, Any]:
    told = {"id": model.name, "object": "model", "created": service.started, "owned_by": "hands-on-llms"}
    told |= {"version": model.version, "fingerprint": model.fingerprint}
    return told if model.encodes else told | {"max_model_len": service.require_ready().context}


@router.get("/health")
async def health(request: Request) -> Response:
    """Is the process alive?"""
    service = at(request)[0]
    engine_ended = service.state == "ready" and not getattr(service.backend.worker, "alive", True)
    if service.state == "broken" or engine_ended:
        return Json({"status": "broken", "problem": service.problem or "The engine's thread has ended."}, 500)
    return Json({"status": "alive", "state": service.state})


@router.get("/ready")
async def ready(request: Request) -> Response:
    """Does it take requests?"""
    service = at(request)[0]
    if service.state != "ready":
        return Json({"status": service.state, "problem": service.problem}, 503, {"Retry-After": "1"})
    return Json({"status": "ready", "models": list(service.backend.models)})


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """Figures for Prometheus."""
    return Response(at(request)[0].watch.metrics(), media_type=CONTENT_TYPE_LATEST)
