"""What a server says about itself: numbers for Prometheus, and one line of JSON per request.

    watch = Watch(settings, stats=lambda: engine.stats)
    call = watch.begin(request_id="3f…", method="POST", path="/v1/chat/completions")
    call.wrote(tokens=1)                                # each time that something is sent
    call.finish(usage, "stop")
    watch.end(call, status=200)                         # a log line, and the metrics

A log line holds no text of prompts and replies.

| metric                         | what it tells                                                                    |
|--------------------------------|----------------------------------------------------------------------------------|
| `llm_requests_total`           | by endpoint, model and status: what is asked, what fails                         |
| `llm_tokens_total`             | prompt, cached, completion: the work                                             |
| `llm_first_token_seconds`      | how long a reader waits for the first word                                       |
| `llm_between_tokens_seconds`   | how fast the words come after that                                               |
| `llm_request_seconds`          | from the request to its end                                                      |
| `llm_running`, `llm_waiting`   | requests in the engine now: is it time for another server?                       |
| `llm_pages`                    | pages of the cache: used, free, and of the free ones those that hold a prefix    |
| `llm_refused_total`            | by reason: keys, limits, a full queue, bodies                                    |
| `llm_hangups_total`            | clients that went away before their reply was finished                           |
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from helpers.old.serving.requests import EngineStats, Usage
from helpers.old.serving.settings import Settings

SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
FAST = (0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5)
log = logging.getLogger("helpers.old.serving")
disable_created_metrics()  # a second series per counter, which nobody reads


@dataclass
class Call:
    """One request from its arrival to its end. Times are seconds of `time.perf_counter`."""

    request_id: str
    method: str
    path: str
    began: float = field(default_factory=time.perf_counter)
    endpoint: str = "other"  # the route, not the path, which a client could vary without end
    key: str = "-"
    model: str = "-"
    version: str = "-"
    stream: bool = False
    first_token: float | None = None
    last_token: float | None = None
    between: list[float] = field(default_factory=list)
    usage: Usage | None = None
    finish_reason: str | None = None
    refused: str | None = None
    error: str | None = None
    headers: dict[str, str] = field(default_factory=dict)  # to be sent with the reply

    def wrote(self) -> None:
        """Something was written for this request: the first time, or once more."""
        now = time.perf_counter()
        if self.last_token is None:
            self.first_token = now
        else:
            self.between.append(now - self.last_token)
        self.last_token = now

    def finish(self, usage: Usage, reason: str) -> None:
        self.usage, self.finish_reason = usage, reason


class Watch:
    """Metrics and logs of one server. stats: gives the engine's figures, or None while there is no engine."""

    def __init__(self, settings: Settings, stats: Callable[[], EngineStats | None]) -> None:
        self.settings = settings
        self.registry = CollectorRegistry()
        made: dict[str, Any] = {"registry": self.registry}
        self.requests = Counter("llm_requests", "Requests", ["endpoint", "model", "status"], **made)
        self.tokens = Counter("llm_tokens", "Tokens", ["kind"], **made)
        self.first = Histogram("llm_first_token_seconds", "Time to the first token", buckets=SECONDS, **made)
        self.gaps = Histogram("llm_between_tokens_seconds", "Time from piece to piece", buckets=FAST, **made)
        self.whole = Histogram("llm_request_seconds", "Time to the end", ["endpoint"], buckets=SECONDS, **made)
        self.refused = Counter("llm_refused", "Requests that were refused", ["reason"], **made)
        self.hangups = Counter("llm_hangups", "Clients that went away before the end", **made)
        self.registry.register(_EngineFigures(stats))

    def begin(self, request_id: str, method: str, path: str) -> Call:
        return Call(request_id, method, path)

    def end(self, call: Call, status: int, hung_up: bool = False) -> None:
        """Count a request, and write its line. status: as sent; 499 (nginx's number) if the client was gone before."""
        seconds = time.perf_counter() - call.began
        self.requests.labels(call.endpoint, call.model, str(status)).inc()
        if call.refused:
            self.refused.labels(call.refused).inc()
        if hung_up:
            self.hangups.inc()
        if call.endpoint.startswith("/v1/"):
            self.whole.labels(call.endpoint).observe(seconds)
        if call.first_token is not None:
            self.first.observe(call.first_token - call.began)
        for gap in call.between:
            self.gaps.observe(gap)
        if call.usage:
            self.tokens.labels("prompt").inc(call.usage.prompt_tokens)
            self.tokens.labels("cached").inc(call.usage.cached_tokens)
            self.tokens.labels("completion").inc(call.usage.completion_tokens)
        self.line(call, status, seconds, hung_up)

    def line(self, call: Call, status: int, seconds: float, hung_up: bool) -> None:
        fields: dict[str, Any] = {"request_id": call.request_id, "method": call.method, "path": call.path[:200]}
        fields |= {"status": status, "seconds": round(seconds, 4), "key": call.key}
        if call.model != "-":
            fields |= {"model": call.model, "version": call.version, "stream": call.stream}
        if call.first_token is not None:
            fields["first_token_seconds"] = round(call.first_token - call.began, 4)
        if call.usage:
            fields |= {
                "prompt_tokens": call.usage.prompt_tokens,
                "cached_tokens": call.usage.cached_tokens,
                "completion_tokens": call.usage.completion_tokens,
            }
        told = {"finish": call.finish_reason, "refused": call.refused, "error": call.error, "hung_up": hung_up or None}
        quiet = call.endpoint in ("/health", "/ready", "/metrics")  # asked every few seconds
        level = logging.ERROR if status == 500 else logging.DEBUG if quiet else logging.INFO
        log.log(level, "request", extra={"fields": fields | {k: v for k, v in told.items() if v is not None}})

    def metrics(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self.registry)


class _EngineFigures(Collector):
    """The engine's figures of the moment, asked for when somebody reads them."""

    def __init__(self, stats: Callable[[], EngineStats | None]) -> None:
        self.stats = stats

    def collect(self):
        stats = self.stats()
        if stats is None:
            return
        yield GaugeMetricFamily("llm_running", "Requests being written", value=stats.running)
        yield GaugeMetricFamily("llm_waiting", "Requests in the queue", value=stats.waiting)
        pages = GaugeMetricFamily("llm_pages", "Pages of keys and values", labels=["state"])
        for state in ("used", "free", "cached"):
            pages.add_metric([state], getattr(stats, f"pages_{state}"))
        yield pages

    def describe(self):
        return []


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class JsonLines(logging.Formatter):
    """A log record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {"time": now(), "level": record.levelname.lower(), "event": record.getMessage()}
        entry |= getattr(record, "fields", {})
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False, default=str)


def log_to_stderr(level: int = logging.INFO) -> None:
    """Send the server's lines, and Uvicorn's warnings, to stderr as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    for name, least in (("helpers.old.serving", level), ("uvicorn", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(least)
