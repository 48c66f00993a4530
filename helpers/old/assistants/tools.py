"""A chat model that calls tools: what it is told of them, what it may say, and Velunda's four tools.

    ask = tool_caller()                                    # the chat model with the adapter "tools", Velunda's tools
    done = ask("What do the helmets in order VE-21133 cost together?")
    print(done)                                            # each call with its result, then the answer

| tool              | what it gives                                                    |
|-------------------|------------------------------------------------------------------|
| `order_info`    | items, status and delivery date of an order, by its number       |
| `shop_price`    | the price of a product or part, from the canon                   |
| `calculate`       | the value of an arithmetic expression                            |
| `handbook_search` | the sentence or row of the handbook that answers best            |

The model was taught with tools of other places (`helpers.old.trials.tool_tasks`), one call a turn. It is held to a
form: a reply is words, or a call of a known tool with this tool's arguments (`reply_pattern`), whose texts are copied
from what was said before (`is_copied`). So a malformed call and a made-up number are impossible; a wrong call is not.
What it does not do: several calls at once, lists or nested objects as arguments, remember earlier questions.
"""

from __future__ import annotations

import functools
import json
import os
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Annotated, Any

import torch
from torch import Tensor

from helpers.generation.decoding import generate
from helpers.generation.sampling import greedy
from helpers.generation.streaming import reply_text
from helpers.old.assistants.handbook import handbook_assistant
from helpers.old.assistants.taught import taught_model
from helpers.old.generation.constrained import regex_grammar, within
from helpers.old.generation.prefix import BehindPrefix
from helpers.old.generation.token_grammar import TokenGrammar
from helpers.old.prompting.tools import ToolAnswer, calculate, run_tools
from helpers.old.velunda.orders import load_orders, price_of, with_kind
from helpers.scale import matrix_dtype
from helpers.velunda.company import order_numbers

Messages = Sequence[Mapping[str, str]]
Schemas = Sequence[Mapping[str, Any]]

ROOM = 96  # tokens for a call or an answer


# What the model is told, and what it may say --------------------------------------------------------------------------


def tool_line(schema: Mapping[str, Any]) -> str:
    """What the model is told of a tool, in one line: `fare(passenger, season=summer|winter): fare in euros`."""
    told = schema["function"]
    names = [
        f"{name}={'|'.join(map(str, parameter['enum']))}" if "enum" in parameter else name
        for name, parameter in told["parameters"]["properties"].items()
    ]
    return f"{told['name']}({', '.join(names)}): {told['description'].rstrip('.')}"


def call_text(name: str, arguments: Mapping[str, Any]) -> str:
    """A call as the model writes it: JSON without spaces."""
    return json.dumps({"name": name, "arguments": dict(arguments)}, separators=(",", ":"), ensure_ascii=False)


def tool_chat(messages: Messages, schemas: Schemas) -> list[dict[str, str]]:
    """The conversation of `run_tools` as the chat model reads it: tools first, results as turns of the user."""
    told = [{"role": "system", "content": "Tools:\n" + "\n".join(map(tool_line, schemas))}]
    for message in messages:
        content = message["content"].replace("<|", "< |")  # markers of roles stay text
        if message["role"] == "tool":
            told.append({"role": "user", "content": f"Result: {content}"})
        else:
            told.append({"role": message["role"], "content": content})
    return told


WORDS = r"[^{\n][^\n]*"
VALUES = {
    "string": r'"[^"\\\n]+"',
    "integer": r"-?\d+",
    "number": r"-?\d+(\.\d+)?",
    "boolean": r"true|false",
    "null": r"null",
}


def reply_pattern(schemas: Schemas, words: bool = True) -> str:
    """A regular expression of all replies: a call of one of the tools, or, unless not wanted, an answer in words."""
    calls = "|".join(map(call_pattern, schemas))
    return f"{WORDS}|{calls}" if words or not schemas else calls


def call_pattern(schema: Mapping[str, Any]) -> str:
    """A regular expression of all calls of a tool, as `call_text` writes them, arguments in the schema's order.

    Raises ValueError for an argument that is a list or an object.
    """
    told = schema["function"]
    required = told["parameters"]["required"]
    pattern = ""
    for name, parameter in told["parameters"]["properties"].items():
        pair = f'"{re.escape(name)}":({value_pattern(told["name"], name, parameter)})'
        pair = "," * bool(pattern) + pair
        pattern += pair if name in required or not pattern else f"({pair})?"
    return rf'\{{"name":"{re.escape(told["name"])}","arguments":\{{{pattern}\}}\}}'


def form_of(parameter: Mapping[str, Any]) -> str:
    """The regular expression that a text has to match as a whole."""
    return parameter["pattern"].removeprefix("^").removesuffix("$").replace("(?:", "(")


def offered(schemas: Schemas, known: str) -> list[Mapping[str, Any]]:
    """The tools that can be called now: each text that has to be of a form can be copied from what was said.

    A form that a lone digit fits, such as arithmetic, can be written anew.
    """
    return [
        schema
        for schema in schemas
        if all(
            re.search(rf"(?<!\w)(?:{form_of(parameter)})(?!\w)", known, re.IGNORECASE)
            for parameter in schema["function"]["parameters"]["properties"].values()
            if "pattern" in parameter and not re.search(parameter["pattern"], "1")
        )
    ]


def value_pattern(tool: str, name: str, parameter: Mapping[str, Any]) -> str:
    if "enum" in parameter:
        return "|".join(re.escape(json.dumps(value, ensure_ascii=False)) for value in parameter["enum"])
    if "pattern" in parameter:
        return f'"{form_of(parameter)}"'
    kinds = [parameter["type"]] if isinstance(parameter["type"], str) else parameter["type"]
    if unknown := [kind for kind in kinds if kind not in VALUES]:
        raise ValueError(
            f"The argument {name!r} of {tool} is an {unknown[0]}, which this model was not taught to write."
        )
    return "|".join(VALUES[kind] for kind in kinds)


ARITHMETIC = re.compile(r"[\d+*/%.() -]*")
WITHIN_TEXT = re.compile(r'"arguments":\{.*":"(?P<value>[^"]*)(?P<closed>"?)[}]*$', re.DOTALL)


SMALL = (
    "zero one two|twice|double|both|pair|couple three four five six seven eight nine ten eleven twelve|dozen".split()
)


def said_numbers(known: str) -> set[str]:
    """The numbers that a text names, in figures or, up to twelve, in words; and 1 and 100, for a share."""
    figures = re.findall(r"\d+(?:\.\d+)?", re.sub(r"(?<=\d),(?=\d{3})", "", known))
    words = {str(n) for n, names in enumerate(SMALL) if re.search(rf"\b(?:{names})\b", known)}
    return {*figures, *words, "1", "100"}


def is_copied(said: str, known: str) -> bool:
    """Is the last text in a call that is being written one that stands in `known`, or arithmetic with its numbers?

    Capitals and a plural do not matter. What is not yet closed has to be the beginning of such a text.
    """
    if not (found := WITHIN_TEXT.search(said)):
        return True
    value, known = found["value"].lower(), known.lower()
    if ARITHMETIC.fullmatch(value):
        numbers, allowed = re.findall(r"\d+(?:\.\d*)?", value), said_numbers(known)
        begun = numbers.pop() if numbers and not found["closed"] and value[-1] in "0123456789." else ""
        return allowed.issuperset(numbers) and any(number.startswith(begun) for number in allowed)
    end = r"(?:e?s)?(?!\w)" if found["closed"] else ""
    return re.search(rf"(?<!\w){re.escape(value)}{end}", known) is not None


class Copying:
    """Greedy, but the texts in a call are copied from what was said before: names and numbers cannot be made up.

    known: for each row, what was said. start: where the replies begin.
    """

    def __init__(self, tokenizer: Any, known: Sequence[str], start: int) -> None:
        self.tokenizer, self.known, self.start = tokenizer, known, start

    def __call__(self, logits: Tensor, ids: Tensor) -> Tensor:
        best = greedy(logits, ids)
        rows = zip(ids[:, self.start :].tolist(), self.known, strict=True)
        for i, (said, known) in enumerate(rows):
            if '"arguments"' in self.tokenizer.decode(said) and not self._fits(said, int(best[i]), known):
                allowed = int(torch.isfinite(logits[i]).sum())
                likely = logits[i].topk(allowed).indices.tolist()
                best[i] = next((token for token in likely if self._fits(said, token, known)), best[i])
        return best

    def _fits(self, said: list[int], token: int, known: str) -> bool:
        return is_copied(self.tokenizer.decode([*said, token]), known)


# Velunda's tools -----------------------------------------------------------------------------------------------------


def order_lookup(order: Annotated[str, re.compile(r"(VE-)?[0-9]{5}")]) -> dict[str, str]:
    """Items, status and delivery date of an order.

    order: its number, such as VE-48213
    """
    number = next(iter(order_numbers(f"VE {order}" if order.strip().isdigit() else order)), order)
    if (found := load_orders().get(number)) is None:
        raise LookupError(f"There is no order {order}.")
    items = ", ".join(f"{item['quantity']} x {with_kind(item['product'])}" for item in found["items"])
    return {"items": items, "status": found["status"], "delivery": found["delivery"] or "none"}


def price_lookup(product: str) -> str:
    """Price of a product in euros.

    product: its name, such as Kite 500
    """
    if (found := price_of(product)) is None:
        raise LookupError(f"There is no price for {product}.")
    return f"{found[1]} euros"


def handbook_search(question: str) -> str:
    """Searches the handbook: terms, delivery, warranty, care.

    question: in whole words
    """
    found = handbook_assistant()(question)
    if found.abstained:
        raise LookupError("The handbook does not say it.")
    return found.citations[0].sentence


def named(tool: Callable, name: str) -> Callable:
    """The tool under another name."""

    @functools.wraps(tool)
    def renamed(*args: Any, **arguments: Any) -> Any:
        return tool(*args, **arguments)

    renamed.__name__ = name
    return renamed


# As the taught model is told of them: two names that end alike it confuses, and what is first in the list it prefers
TOOLS = (handbook_search, named(price_lookup, "shop_price"), calculate, named(order_lookup, "order_info"))


# The assistant -------------------------------------------------------------------------------------------------------


class ToolCaller:
    """Called with a question, it gives a `ToolAnswer`: the answer in words, and the calls that led to it.

    model: one of the course that was taught to call tools; tokenizer: its tokenizer. tools: functions with type hints
    and a docstring. held: replies cannot leave the form. plan: question → the names of the tools to call, in their
    order, or None where the model is to decide: code plans, and the model fills in the arguments.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        tools: Sequence[Callable] = TOOLS,
        *,
        held: bool = True,
        plan: Callable[[str], Sequence[str] | None] | None = None,
        max_steps: int = 5,
        seconds: float = 30.0,  # the first search of the handbook loads two models
    ) -> None:
        if plan is not None and not held:
            raise ValueError("A plan is kept by holding replies to a form: leave held=True.")
        self.model, self.tokenizer, self.tools = model, tokenizer, tools
        self.held, self.plan, self.max_steps, self.seconds = held, plan, max_steps, seconds
        self._grammars: dict[str, TokenGrammar] = {}

    def __call__(self, question: str) -> ToolAnswer:
        """The answer and its steps. Raises ValueError for an empty question, or one that is too long for the model."""
        return self._run(question, self.reply, self.tools)

    def many(self, questions: Sequence[str], tools: Sequence[Sequence[Callable]] | None = None) -> list[ToolAnswer]:
        """The same for several questions at once, in their order. tools: other tools for each of them."""
        turns = Turns(len(questions), lambda conversations: self.replies(conversations, 12))

        def ask(question: str, tools: Sequence[Callable]) -> ToolAnswer:
            try:
                return self._run(question, turns.reply, tools)
            finally:
                turns.leave()

        with ThreadPoolExecutor(max(1, len(questions))) as pool:
            return list(pool.map(ask, questions, tools or [self.tools] * len(questions)))

    def _run(self, question: str, reply: Callable[..., str], tools: Sequence[Callable]) -> ToolAnswer:
        if not question.strip():
            raise ValueError("The question is empty: there is nothing to answer.")
        return run_tools(reply, tools, question, max_steps=self.max_steps, seconds=self.seconds)

    def reply(self, messages: Messages, schemas: Schemas) -> str:
        """What the model says next: a call, or the answer."""
        return self.replies([(messages, schemas)])[0]

    def replies(self, conversations: Sequence[tuple[Messages, Schemas]], batch: int = 12) -> list[str]:
        """The same for several conversations, `batch` at once, in their order."""
        prompts = [self._prompt(*conversation) for conversation in conversations]
        replies = [""] * len(prompts)
        by_length = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
        for first in range(0, len(by_length), batch):
            chosen = by_length[first : first + batch]
            form = None
            if self.held:
                known = ["\n".join(message["content"] for message in conversations[i][0]) for i in chosen]
                form = ([self._grammar(*conversations[i]) for i in chosen], known)
            for i, text in zip(chosen, self._together([prompts[i] for i in chosen], form), strict=True):
                replies[i] = text
        return replies

    def _together(self, prompts: list[list[int]], form: tuple[list[TokenGrammar], list[str]] | None) -> list[str]:
        model, eos = self.model, self.tokenizer.eos_token_id
        if len(prompts) > 1:  # the tools are read once for all
            prefix = min(len(os.path.commonprefix(prompts)), min(map(len, prompts)) - 1)
            model, prompts = BehindPrefix(model, prompts[0][:prefix]), [prompt[prefix:] for prompt in prompts]
        start = max(map(len, prompts))
        sampler = greedy
        if form is not None:
            sampler = within(form[0], start, ROOM, Copying(self.tokenizer, form[1], start))
        ids = generate(model, prompts, ROOM, sampler=sampler, eos_ids=eos, pad_id=eos)
        rows = [row[: row.index(eos)] if eos in row else row for row in ids[:, start:].tolist()]
        return [reply_text(self.tokenizer, row) for row in rows]

    def _prompt(self, messages: Messages, schemas: Schemas) -> list[int]:
        chat = tool_chat(messages, schemas)
        return list(self.tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_dict=False))

    def _grammar(self, messages: Messages, schemas: Schemas) -> TokenGrammar:
        """All replies that are allowed now: any, or, under a plan, the next call, and words once it is done."""
        schemas = offered(schemas, "\n".join(message["content"] for message in messages))
        pattern = reply_pattern(schemas)
        if self.plan and (names := self.plan(messages[0]["content"])) is not None:
            done = [message["role"] for message in messages].count("tool")
            failed = messages[-1]["role"] == "tool" and " failed: " in messages[-1]["content"]
            following = [] if failed else names[done : done + 1]
            schemas = [schema for schema in schemas if schema["function"]["name"] in following]
            pattern = reply_pattern(schemas, words=False)
        if pattern not in self._grammars:
            self._grammars[pattern] = regex_grammar(self.tokenizer, pattern)
        return self._grammars[pattern]


class Turns:
    """A `reply` for several conversations in threads: it waits until all of them ask, then answers them together."""

    def __init__(self, running: int, replies: Callable[[Sequence[tuple[Messages, Schemas]]], list[str]]) -> None:
        self.running, self.replies, self.turn = running, replies, threading.Condition()
        self.asked: dict[int, tuple[Messages, Schemas]] = {}
        self.answered: dict[int, str] = {}
        self.error: Exception | None = None

    def reply(self, messages: Messages, schemas: Schemas) -> str:
        me = threading.get_ident()
        with self.turn:
            self.asked[me] = (messages, schemas)
            self._answer_if_all_asked()
            self.turn.wait_for(lambda: me in self.answered or self.error)
            if self.error:
                raise self.error
            return self.answered.pop(me)

    def leave(self) -> None:
        """This conversation is over."""
        with self.turn:
            self.running -= 1
            self._answer_if_all_asked()

    def _answer_if_all_asked(self) -> None:
        if self.asked and len(self.asked) == self.running:
            try:
                said = self.replies(list(self.asked.values()))
                self.answered.update(zip(self.asked, said, strict=True))
            except Exception as error:  # all of them shall hear of it, and none wait
                self.error = error
            self.asked.clear()
            self.turn.notify_all()


@cache
def tool_caller() -> ToolCaller:
    """The course's caller of Velunda's tools, loaded once per process.

    Raises ModelUnavailable, AdapterUnavailable in one sentence.
    """
    return ToolCaller(*taught_model("tools", matrix_dtype()))
