"""A job of many calls: some at a time, each journaled before it is sent, retried, paid for within a budget, resumable.

    report = await run_batch(client, tickets, request_of, "job.jsonl", ledger=CostLedger(budget=0.10), at_once=8)
    print(report)                    # 200 items: 200 done, …
    report.texts["t017"]

Start it again with the same journal, after whatever ended it: what is done is not sent again. An item in doubt (sent,
and no answer came: a timeout, a broken stream, kill −9) may have been billed. What happens to it is yours to say:

| `in_doubt`   | what is done                                   | paid twice                             |
|--------------|------------------------------------------------|----------------------------------------|
| `"report"`   | nothing; it is counted and named (the default) | never                                  |
| `"same key"` | sent again with its idempotency key            | never, if the service honors such keys |
| `"again"`    | sent again with a new key                      | at most once per doubt, and counted    |

The journal has a digest of each request. Another prompt, model or limit for an item that is done or in doubt is an
error before anything is sent: it is another job, with a journal of its own. An item that was refused for good is sent
again once its request has changed. Replies are not streamed: nobody watches a batch, and what comes in one piece is
whole or is nothing.

What it does not do: vendors' batch APIs, which take a file and a day, for half the price.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from openai import APIError, AsyncOpenAI
from openai.types.chat import ChatCompletion
from tqdm.auto import tqdm

from helpers.display.frontend import is_static
from helpers.old.hosted.backoff import wait_after
from helpers.old.hosted.clocks import RealClock, SimulatedClock
from helpers.old.hosted.journal import AGAIN, DONE, FAILED, UNSURE, Journal, State
from helpers.old.hosted.ledger import CostLedger, Hold, OverBudget
from helpers.old.hosted.prices import Tokens, tokens_of
from helpers.old.hosted.retries import STOP, BrokenReply, CircuitBreaker, asked_to_wait, is_ill, what_happened

REPORT, SAME_KEY, NEW_KEY = IN_DOUBT = ("report", "same key", "again")
STATUS_OF = {FAILED: FAILED, UNSURE: UNSURE}  # in the journal; all else was refused before any work was done
Request = Mapping[str, Any]  # what client.chat.completions.create takes: model, messages, max_tokens …


class ChangedRequest(RuntimeError):
    """The journal has an answer to, or a doubt about, another request for this item."""


@dataclass
class Report:
    """What came of a job, this run and those before. Each item is in exactly one of the first four.

    done: item → its outcome in the journal; failed: refused for good; unsure: in doubt; left: not answered yet, and
    nothing in doubt. sent: requests of this run; spent, doubtful: US dollars of all runs; stopped: why, if early.
    """

    done: dict[str, dict[str, Any]]
    failed: dict[str, dict[str, Any]]
    unsure: list[str]
    left: list[str]
    sent: int
    spent: float
    doubtful: float
    stopped: str | None = None

    @property
    def texts(self) -> dict[str, str]:
        return {item: outcome["text"] for item, outcome in self.done.items()}

    @property
    def unfinished(self) -> list[str]:
        """Answered, and not to the end: cut by max_tokens, or by a filter."""
        return [item for item, outcome in self.done.items() if outcome["finish"] != "stop"]

    def __str__(self) -> str:
        n = len(self.done) + len(self.failed) + len(self.unsure) + len(self.left)
        parts = {"failed": self.failed, "in doubt": self.unsure, "left": self.left, "not to the end": self.unfinished}
        told = "".join(f", {len(items)} {name}" for name, items in parts.items() if items)
        doubt = f", at most ${self.doubtful:.6f} in doubt" if self.doubtful else ""
        why = f"; stopped: {self.stopped}" if self.stopped else ""
        return f"{n} items: {len(self.done)} done{told}; {self.sent} requests sent, ${self.spent:.6f} spent{doubt}{why}"


@dataclass
class Job:
    """What the workers of one run share."""

    client: AsyncOpenAI
    request_of: Callable[[Any], Request]
    journal: Journal
    ledger: CostLedger
    breaker: CircuitBreaker
    clock: RealClock | SimulatedClock
    draw: Callable[[], float]
    in_doubt: str
    attempts: int
    deadline: float
    count: Callable[[Request], int]
    sent: int = 0
    stopped: str | None = None


async def run_batch(
    client: AsyncOpenAI,
    items: Mapping[str, Any],
    request_of: Callable[[Any], Request],
    journal: str | os.PathLike,
    *,
    ledger: CostLedger | None = None,
    at_once: int = 8,
    in_doubt: str = REPORT,
    attempts: int = 8,
    deadline: float = 120.0,
    breaker: CircuitBreaker | None = None,
    clock: RealClock | SimulatedClock | None = None,
    count: Callable[[Request], int] | None = None,
    seed: int | None = None,
    progress: bool | None = None,
    sync: bool = False,
) -> Report:
    """Ask for every item, `at_once` at a time; `request_of(item's value)` says what.

    ledger: a new one, which the journal's earlier calls are counted in. in_doubt: one of IN_DOUBT. attempts: requests
    per item in this run; deadline: seconds that one item may wait between them. count: tokens of a prompt, an upper
    bound (by default its bytes). seed: of the random waits. progress: a bar; None shows it to people, not to tools.
    sync: force each line of the journal to the disk, against a power cut.
    Raises JournalInUse, ChangedRequest, UnknownModel, and ValueError.
    """
    if in_doubt not in IN_DOUBT or at_once < 1:
        raise ValueError(f"in_doubt is one of {', '.join(map(repr, IN_DOUBT))}, and at_once at least 1.")
    with Journal(journal, sync) as book:
        ledger = ledger or CostLedger()
        ledger.replay(book.state)
        job = Job(
            *(client.with_options(max_retries=0), request_of, book, ledger, breaker or CircuitBreaker()),
            *(clock or RealClock(), random.Random(seed).random, in_doubt, attempts, deadline, count or most_tokens),
        )
        waiting = iter(still_to_do(book.state, {item: digest(request_of(value)) for item, value in items.items()}))
        shown = not is_static() if progress is None else progress
        bar = tqdm(total=len(items), initial=len(book.state.done), disable=not shown, unit="item")

        async def work() -> None:
            for item in waiting:  # all workers take from one iterator
                await send_until_done(job, item, items[item])
                bar.update(item in book.state.done)
                if job.stopped:
                    return

        try:
            async with asyncio.TaskGroup() as workers:
                for _ in range(at_once):
                    workers.create_task(work())
        except* Exception as several:
            raise several.exceptions[0] from None
        finally:
            bar.close()
        return _report(job, items)


def still_to_do(state: State, asked: Mapping[str, str]) -> list[str]:
    """The items to send; asked: item → digest of its request. Raises ChangedRequest.

    Journals of before the digest are taken as they are.
    """
    changed = [item for item, said in asked.items() if state.asked.get(item, said) != said]
    for item in changed:
        if item in state.done or item in state.open:
            raise ChangedRequest(
                f"The journal knows {item!r} with another request (its text, the prompt, the model or the limit was "
                "changed): give the new job a journal of its own."
            )
    return [item for item in asked if item not in state.done and (item not in state.failed or item in changed)]


async def send_until_done(job: Job, item: str, value: Any) -> None:
    """One item: sent until there is an answer, a refusal for good, a doubt, or no patience left."""
    request, failures, waited = job.request_of(value), 0, 0.0
    while not job.stopped and failures < job.attempts:
        if item in job.journal.state.open and job.in_doubt == REPORT:
            return
        while not job.stopped and (seconds := job.breaker.wait(job.clock.now())) > 0:
            await job.clock.asleep(seconds)
        happened, error = await send_once(job, item, request)
        if happened in (DONE, FAILED):
            return
        if happened == STOP:
            job.stopped = str(error)
            return
        if happened == UNSURE and job.in_doubt == REPORT:
            return
        failures += 1
        pause = wait_after(failures, job.draw(), asked_to_wait(error))
        waited += pause
        if waited > job.deadline:
            return
        await job.clock.asleep(pause)


async def send_once(job: Job, item: str, request: Request) -> tuple[str, Exception | None]:
    """One request: reserve, intent, send, outcome, settle. What happened, and the error if there was one."""
    attempt = job.journal.state.sent.get(item, 0) + 1
    key = request_key(job.journal.state.job, item, request, attempt if job.in_doubt == NEW_KEY else None)
    if job.in_doubt == SAME_KEY and item in job.journal.state.open:
        key = job.journal.state.open[item]["key"]
    try:
        hold = await reserve(job, request, key)
    except OverBudget as error:
        return STOP, error
    told = {"key": key, "request": digest(request), "model": request["model"], "worst": hold.worst}
    job.journal.intent(item, attempt, **told)
    job.sent += 1
    try:
        reply = await read_reply(job.client, request, key)
    except (APIError, BrokenReply, ValueError) as error:
        happened = what_happened(error)
        told = {"error": f"{type(error).__name__}: {error}", "request_id": getattr(error, "request_id", None)}
        job.journal.outcome(item, attempt, STATUS_OF.get(happened, AGAIN), **told)
        if happened == UNSURE:
            job.ledger.doubt(hold)
        else:
            job.ledger.release(hold)
        if is_ill(error):
            job.breaker.failed(job.clock.now())
        else:
            job.breaker.refused()
        return happened, error
    money = job.ledger.price(hold, reply.tokens)
    job.journal.outcome(item, attempt, DONE, model=request["model"], money=money, **reply.told)
    job.ledger.settle(hold, reply.tokens)
    job.breaker.succeeded()
    return DONE, None


async def reserve(job: Job, request: Request, key: str) -> Hold:
    """Set the worst case aside, and wait for it while other calls are under way: they may take less than they hold."""
    while True:
        try:
            return job.ledger.reserve(request["model"], job.count(request), limit_of(request), key)
        except OverBudget:
            if not job.ledger.held:
                raise
        await job.clock.asleep(0.05)


@dataclass(frozen=True)
class Reply:
    """A whole reply. finish: why it ended; request_id: what the service calls the request, to ask its support about."""

    text: str
    finish: str
    tokens: Tokens
    request_id: str | None

    @property
    def told(self) -> dict[str, Any]:
        """What of it stands in the journal."""
        used = [self.tokens.prompt, self.tokens.completion, self.tokens.cached]
        return {"finish": self.finish, "tokens": used, "request_id": self.request_id, "text": self.text}


async def read_reply(client: AsyncOpenAI, request: Request, key: str) -> Reply:
    """A reply that came whole. Raises APIError, BrokenReply; ValueError for no JSON."""
    reply = await client.chat.completions.create(**request, extra_headers={"Idempotency-Key": key})
    if not isinstance(reply, ChatCompletion) or not reply.choices or not reply.usage:  # a gateway's page, for instance
        raise BrokenReply("The reply has no choice or no usage.")
    choice = reply.choices[0]
    if not choice.finish_reason:
        raise BrokenReply("The reply does not say why it ended.")
    text = choice.message.content or choice.message.refusal or ""
    return Reply(text, choice.finish_reason, tokens_of(reply.usage), reply._request_id)


def request_key(job: str, item: str, request: Request, attempt: int | None = None) -> str:
    """An idempotency key: equal for equal requests of one item and job, another one if the prompt was changed."""
    return f"{job}-{item}-{digest(request)}" + (f"-{attempt}" if attempt else "")


def digest(request: Request) -> str:
    """Twelve characters that are equal for equal requests, in every process."""
    return hashlib.sha256(json.dumps(request, sort_keys=True, default=str).encode()).hexdigest()[:12]


def limit_of(request: Request) -> int:
    """How long the reply may get, in tokens. Raises ValueError where nothing is said: there is no worst case then."""
    limit = request.get("max_completion_tokens") or request.get("max_tokens")
    if limit is None:
        raise ValueError("A request of a job needs max_tokens: without it, nobody knows what it may cost.")
    return limit


def most_tokens(request: Request) -> int:
    """More tokens than a prompt can have: one per byte, and eight per message. Needs no tokenizer."""
    rest = {name: value for name, value in request.items() if name in ("tools", "response_format")}
    said = sum(len(json.dumps(message, ensure_ascii=False).encode()) for message in request["messages"])
    return said + 8 * len(request["messages"]) + len(json.dumps(rest, ensure_ascii=False, default=str).encode())


def _report(job: Job, items: Mapping[str, Any]) -> Report:
    state = job.journal.state
    done = {item: state.done[item] for item in items if item in state.done}
    failed = {item: state.failed[item] for item in items if item in state.failed and item not in done}
    rest = [item for item in items if item not in done and item not in failed]
    unsure = [item for item in rest if item in state.open]
    left = [item for item in rest if item not in state.open]
    return Report(done, failed, unsure, left, job.sent, job.ledger.spent, job.ledger.doubtful, job.stopped)
