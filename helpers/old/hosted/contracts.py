"""What a program relies on when it calls a model, as questions that code can ask any back end.

    for clause in replay(client, "chat", api="responses"):
        print(clause.name, clause.held, clause.said)

    def is_polite(asking):                                      # a clause of your own: a function with an assert
        assert "please" in asking.text(asking.create(ASKED)), "it does not say please"

    replay(client, "chat", "chat", ["answers", is_polite])      # names and functions, mixed

Each clause sends a few short requests and looks at what comes back. It asks for the form of replies, not for their
sense: whether a limit is kept and told, not whether an answer is right. A back end *declares* the clauses that it holds
(`DECLARED`), and a test replays them against it. Run the clauses against a new vendor before you move to it.

Limits on a reply are at least `LEAST` tokens, since OpenAI's Responses refuses smaller ones. A clause that has no sense
at a service (this API has no such parameter; its context is not known) is neither held nor broken: `held` is None.

What it does not do: cover an API. These are the clauses that this course's notebooks rely on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import openai
from pydantic import BaseModel

from helpers.old.hosted.allowance import NotAllowed

LEAST = 16  # tokens: OpenAI's Responses refuses a smaller max_output_tokens
CONTEXT_NAMES = ("max_model_len", "context_window", "context_length")  # how vLLM, Groq and OpenRouter declare it
ASKED = "Name a color. Answer in one short sentence."
TOOL = {
    "name": "find_order",
    "description": "Look up an order by its number",
    "parameters": {
        "type": "object",
        "properties": {"order_number": {"type": "string"}},
        "required": ["order_number"],
        "additionalProperties": False,
    },
}


class Color(BaseModel):
    """The form of a reply to a clause."""

    color: str


@dataclass(frozen=True)
class Clause:
    """One clause, as it was found. held: None where it was not asked; said: what came instead, or why not."""

    name: str
    held: bool | None
    said: str = ""


@dataclass(frozen=True)
class Asking:
    """A client, a model and one of the two APIs, "chat" or "responses", asked in the same words.

    thought: tokens of hidden reasoning that are added to each limit, for a model that thinks before it answers.
    context: the tokens that prompt and reply may have together, or None where the service is asked for it.
    """

    client: openai.OpenAI
    model: str
    api: str
    thought: int = 0
    context: int | None = None

    def create(self, text: str, most: int = LEAST, **extra: Any) -> Any:
        """One reply, as the client gives it. Responses is told not to stream, since some services do by default."""
        most += self.thought
        if self.api == "chat":
            asked = {"messages": [{"role": "user", "content": text}], "max_completion_tokens": most}
            return self.client.chat.completions.create(model=self.model, **asked, **extra)
        return self.client.responses.create(
            model=self.model, input=text, max_output_tokens=most, **({"stream": False} | extra)
        )

    def text(self, reply: Any) -> str:
        return (reply.choices[0].message.content if self.api == "chat" else reply.output_text) or ""

    def tokens(self, reply: Any) -> tuple[int, int]:
        """Tokens read and written, as the reply counts them."""
        usage = reply.usage
        if self.api == "chat":
            return usage.prompt_tokens, usage.completion_tokens
        return usage.input_tokens, usage.output_tokens

    def declared_context(self) -> int | None:
        """The model's context: as given, else as the service's list of models declares it, else None."""
        if self.context:
            return self.context
        try:
            told = self.client.models.retrieve(self.model)
        except openai.OpenAIError:
            return None
        return next((found for name in CONTEXT_NAMES if isinstance(found := getattr(told, name, None), int)), None)


class Broken(AssertionError):
    """A clause does not hold; the message says what came instead."""


class NotAsked(Exception):
    """A clause that has no sense at this service; the message says why."""


def held(condition: Any, instead: str) -> None:
    """Raises Broken."""
    if not condition:
        raise Broken(instead)


def answers(asking: Asking) -> None:
    """A reply has text, and its usage adds up."""
    reply = asking.create(ASKED)
    read, written = asking.tokens(reply)
    held(asking.text(reply).strip(), "the reply has no text")
    held(read > 0 and written > 0 and reply.usage.total_tokens == read + written, f"usage {read} + {written}")


def keeps_a_limit(asking: Asking) -> None:
    """A reply is cut at its limit, and says so. Hidden reasoning gets no room here: it is cut as well as text."""
    reply = replace(asking, thought=0).create("Tell me a long story about a river.", most=LEAST)
    why = reply.choices[0].finish_reason if asking.api == "chat" else reply.incomplete_details
    why = getattr(why, "reason", why)
    held(why in ("length", "max_output_tokens"), f"it gives {why!r} as the reason for its end")
    held(asking.tokens(reply)[1] <= LEAST, f"{asking.tokens(reply)[1]} tokens, not {LEAST}")


def streams(asking: Asking) -> None:
    """The pieces of a stream are the whole reply, and its last event says how it ended."""
    whole, pieces, ended = asking.text(asking.create(ASKED, temperature=0)), [], None
    for event in asking.create(ASKED, temperature=0, stream=True):
        if asking.api == "chat":
            for choice in event.choices:
                pieces.append(choice.delta.content or "")
                ended = choice.finish_reason or ended
        elif event.type == "response.output_text.delta":
            pieces.append(event.delta)
        elif event.type in ("response.completed", "response.incomplete"):
            ended = event.response.status
    held("".join(pieces) == whole, f"streamed {''.join(pieces)!r}, whole {whole!r}")
    held(ended, "nothing says how it ended")


def tells_usage_in_a_stream(asking: Asking) -> None:
    """A stream's last event holds the usage, where Chat Completions asks for it."""
    extra = {"stream_options": {"include_usage": True}} if asking.api == "chat" else {}
    *_, last = asking.create(ASKED, stream=True, **extra)
    usage = last.usage if asking.api == "chat" else last.response.usage
    held(usage and usage.total_tokens, "the last event has no usage")


def remembers(asking: Asking) -> None:
    """`previous_response_id` brings the earlier turns into the prompt."""
    first = asking.create("My name is Ada.")
    alone, after = asking.create("What is it?"), asking.create("What is it?", previous_response_id=first.id)
    grown = asking.tokens(after)[0] - asking.tokens(alone)[0]
    held(grown > 0, f"the prompt grew by {grown} tokens")


def keeps_a_schema(asking: Asking) -> None:
    """A reply held to a schema is one of its objects, though the words of the question do not speak of JSON."""
    asked = "Which color does the sky have?"
    if asking.api == "chat":
        turns = [{"role": "user", "content": asked}]
        said = asking.client.chat.completions.parse(
            model=asking.model, messages=turns, response_format=Color, max_completion_tokens=32 + asking.thought
        )
        found = said.choices[0].message.parsed
    else:
        said = asking.client.responses.parse(
            model=asking.model, input=asked, text_format=Color, max_output_tokens=32 + asking.thought, stream=False
        )
        found = said.output_parsed
    held(isinstance(found, Color), f"it was read as {found!r}")


def calls_a_tool(asking: Asking) -> None:
    """With tool_choice="required" the reply is a call of the tool, with arguments in JSON."""
    tool = {"type": "function", "function": TOOL} if asking.api == "chat" else {"type": "function"} | TOOL
    reply = asking.create("Where is order VE-20417?", most=48, tools=[tool], tool_choice="required")
    if asking.api == "chat":
        calls = [call.function for call in reply.choices[0].message.tool_calls or []]
    else:
        calls = [item for item in reply.output if item.type == "function_call"]
    held(calls and calls[0].name == TOOL["name"], "it calls nothing")
    held(set(json.loads(calls[0].arguments)) == {"order_number"}, f"arguments {calls[0].arguments}")


def repeats_with_a_seed(asking: Asking) -> None:
    """The same seed draws the same reply, and another one differs in one of four.

    The first reply does not count: it is written before the prompt is in any cache, and sums of floating-point numbers
    in another order can change a draw.
    """
    _, *drawn = (asking.text(asking.create(ASKED, temperature=1, seed=seed)) for seed in (1, 1, 1, 2, 3, 4))
    held(drawn[0] == drawn[1], f"the same seed gave {drawn[0]!r} and {drawn[1]!r}")
    held(len(set(drawn)) > 1, "every seed gives the same reply")


def tells_logprobs(asking: Asking) -> None:
    """Each token comes with its log-probability and two alternatives."""
    if asking.api == "responses":
        reply = asking.create(ASKED, include=["message.output_text.logprobs"], top_logprobs=2)
        parts = [part for item in reply.output if item.type == "message" for part in item.content]
        found = parts[0].logprobs if parts else None  # a reasoning item may come before the message
    else:
        found = getattr(asking.create(ASKED, logprobs=True, top_logprobs=2).choices[0].logprobs, "content", None)
    held(found, "there are none")
    held(all(one.logprob <= 0 and len(one.top_logprobs) == 2 for one in found), "they are not two per token")


def writes_several(asking: Asking) -> None:
    """n=2 gives two replies."""
    held(len(asking.create(ASKED, n=2).choices) == 2, "n=2 gives one reply")


def refuses_an_unknown_model(asking: Asking) -> None:
    """A model that does not exist is an error 404, and not another model."""
    try:
        replace(asking, model="no-such-model").create(ASKED)
    except openai.NotFoundError:
        return
    held(False, "it answers all the same")


def refuses_a_long_prompt(asking: Asking) -> None:
    """A prompt beyond the context is an error 400, and not cut off in silence.

    The same request with one word is answered first, so that the length is what the service refuses.
    """
    context = asking.declared_context()
    if context is None:
        raise NotAsked("the service does not declare its model's context: give replay(context=…)")
    asking.create("word ")
    try:
        asking.create("word " * (context + 1))  # a token has at most one of these words
    except openai.BadRequestError:
        return
    held(False, "it answers all the same")


CLAUSES: dict[str, tuple[Callable[[Asking], None], tuple[str, ...]]] = {  # name → question, the APIs that have it
    "answers": (answers, ("chat", "responses")),
    "keeps a limit": (keeps_a_limit, ("chat", "responses")),
    "streams": (streams, ("chat", "responses")),
    "usage in a stream": (tells_usage_in_a_stream, ("chat", "responses")),
    "remembers": (remembers, ("responses",)),
    "keeps a schema": (keeps_a_schema, ("chat", "responses")),
    "calls a tool": (calls_a_tool, ("chat", "responses")),
    "repeats with a seed": (repeats_with_a_seed, ("chat",)),
    "log-probabilities": (tells_logprobs, ("chat", "responses")),
    "several replies": (writes_several, ("chat",)),
    "refuses an unknown model": (refuses_an_unknown_model, ("chat", "responses")),
    "refuses a long prompt": (refuses_a_long_prompt, ("chat", "responses")),
}

BASIC = frozenset({"answers", "keeps a limit", "streams", "usage in a stream"})
REFUSES = frozenset({"refuses an unknown model", "refuses a long prompt"})
DECLARED: dict[str, dict[str, frozenset[str]]] = {  # back end → API → the clauses that it says it holds
    "scripted": {"chat": BASIC | REFUSES, "responses": BASIC | REFUSES | {"remembers"}},
    "course": {
        "chat": frozenset(CLAUSES) - {"remembers"},
        "responses": BASIC | REFUSES | {"remembers", "keeps a schema", "calls a tool"},
    },
    "transformers serve": {"chat": BASIC, "responses": BASIC - {"keeps a limit"}},
}


def replay(
    client: openai.OpenAI,
    model: str,
    api: str = "chat",
    names: Iterable[str | Callable[[Asking], None]] = CLAUSES,
    *,
    thought: int = 0,
    context: int | None = None,
) -> Iterator[Clause]:
    """Ask all clauses, one after another. A refusal by the back end breaks a clause as silence does.

    names: names of `CLAUSES`, or functions of your own that take an `Asking` and raise AssertionError where the clause
    does not hold. thought, context: as `Asking` has them. A request that the client's own bound on money did not let
    out says nothing of the service: such a clause was not asked. Raises ValueError for a name that is no clause.
    """
    asking = Asking(client, model, api, thought, context)
    for name in names:
        if not callable(name) and name not in CLAUSES:
            raise ValueError(f"There is no clause {name!r}: there are {', '.join(CLAUSES)}.")
        question, apis = (name, (api,)) if callable(name) else CLAUSES[name]
        name = name.__name__.replace("_", " ") if callable(name) else name
        if api not in apis:
            yield Clause(name, None, "this API has no such parameter")
            continue
        try:
            question(asking)
            yield Clause(name, True)
        except (NotAsked, NotAllowed) as error:
            yield Clause(name, None, str(error))
        except (AssertionError, openai.OpenAIError, ValueError, TypeError, AttributeError, LookupError) as error:
            yield Clause(name, False, f"{type(error).__name__}: {str(error)[:160]}".removesuffix(": "))
