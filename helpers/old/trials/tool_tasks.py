"""Conversations with tools to learn from: questions, calls, results and answers, written by rules from a seed.

    [group] = task_groups(1, size=8, seed=0)       # eight tasks with the same tools in the prompt
    group.schemas, group.tasks[0].messages         # as `helpers.old.prompting.run_tools` keeps them, the answer last

The tools are those of 46 invented places (data/tasks/tools/domains.json: a library, a ferry, a toy shop …), each
with a record by number, prices, rules to search, and arithmetic. Names of things, numbers and prices are drawn anew
for each task. Velunda's tools, products and numbers do not occur.

The questions to Velunda's tools, on which the taught model is tested, were written apart from these:

    [task, *_] = load_tool_tasks("test")           # kind, family, question, plan, and what the answer has to say
    solved(task, done)                             # does a `ToolAnswer` say it?
"""

from __future__ import annotations

import datetime
import functools
import json
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from helpers.files.paths import DATA
from helpers.files.safe_files import read_json, read_jsonl
from helpers.old.assistants.tools import call_text
from helpers.old.metrics.grouped import Score
from helpers.old.prompting.tools import ToolAnswer, calculate

FOLDER = DATA / "tasks" / "tools"
FILE = FOLDER / "domains.json"
SPLITS = ("dev", "test")
TESTED = ("one call", "two calls", "three calls", "no call", "argument missing", "tool fails")  # kinds of questions
KINDS = {  # how often each kind is drawn, of 100
    "record": 11,
    "items": 3,
    "amount": 7,
    "rules": 8,
    "sum": 6,
    "amount, sum": 10,
    "record, amount": 9,
    "amount, amount": 4,
    "record, rules": 2,
    "record, amount, sum": 13,
    "amount, amount, sum": 10,
    "words": 6,
    "missing": 8,
    "off": 2,
    "error": 5,
}
SYLLABLES = ("bar cor dal del fen gor hal jun kel lor mar nev ol pra quin ros sel tam ul ver wil yar zan "
             "bel dor fin lan mer nor pel rin sol tor vin").split()  # fmt: skip
BEFORE = ("", "", "", "", "", "Hello, ", "Hi! ", "Good evening. ", "A question: ", "Please tell me: ", "I wonder: ")
FIRST = (  # why somebody asks, in front of one question in six
    "It is for my sister.", "We are moving next week.", "I am planning my budget.", "My boss wants to know.",
    "I wrote you last week, too.", "This is my first time here.", "I am on the train.", "My son turns ten soon.",
    "I have mislaid my receipt.", "We are a small club.", "I am comparing offers.", "My neighbor told me about you.",
    "Sorry to bother you again.", "I am making a list.", "The weather is awful today.", "It is a present.",
    "I have to tell my husband.", "Our old one broke.", "I called, but nobody answered.", "Just a short question.",
    "My English is not so good.", "I keep the books for our team.", "We meet on Friday.", "I am back from my holidays.",
)  # fmt: skip
BEHIND = ("", "", "", "", "", " Thanks!", " Please.", " Thank you.", " I am in a hurry.")


@dataclass(frozen=True)
class Task:
    """One conversation: its kind, and the messages, the last of which is the answer."""

    kind: str
    messages: list[dict[str, str]]

    @property
    def n_calls(self) -> int:
        return sum(message["role"] == "tool" for message in self.messages)


@dataclass(frozen=True)
class Group:
    """Tasks that may use the same tools, whose schemas stand in the prompt."""

    schemas: list[dict[str, Any]]
    tasks: list[Task]


@cache
def domains() -> dict[str, Any]:
    return read_json(FILE)


def task_groups(n: int, size: int = 8, seed: int = 0) -> list[Group]:
    """`n` groups of `size` tasks each, the same for the same seed."""
    rng = random.Random(f"tools {seed}")
    return [Place(rng).group(size) for _ in range(n)]


class Place:
    """One of the places with its tools as they are named this time, and the tasks that it gives."""

    def __init__(self, rng: random.Random) -> None:
        told = domains()
        self.rng, self.small_talk = rng, told["small talk"]
        self.domain = rng.choice(told["domains"])
        self.tools = {}
        for key, spec in (
            ("record", self.domain["record"]),
            ("amount", self.domain["amount"]),
            ("rules", self.domain["rules"]),
            ("sum", told["calculator"]),
        ):
            self.tools[key] = (rng.choice(spec["names"]), rng.choice(spec["args"]), rng.choice(spec["about"]))
        extra = self.domain["amount"]["extra"]
        self.extra = extra if extra and rng.random() < 0.6 else None
        self.key_form = self.domain["record"]["key"]
        if rng.random() < 0.6:
            letters = "".join(rng.choices("ABCDEFGHJKLMNPQRSTUVWXYZ", k=rng.choice((1, 2, 2, 3))))
            self.key_form = letters + rng.choice(("-", "-", "", " ")) + "#" * rng.choice((3, 4, 5, 5, 6))
        things = self.domain["amount"]["things"]
        self.naming = rng.choice(("plain", "names", "names with kinds"))  # fern; Corbar 20; Corbar 20 fern
        self.made_up = self.naming != "plain"
        names = list(things) if self.naming == "plain" else [self._name() for _ in things]
        ends = {name: f" {thing}" for name, thing in zip(names, things, strict=True)}
        self.things = [name + ends[name] * (self.naming == "names with kinds") for name in names]
        self.kinds = dict(zip(self.things, things, strict=True))
        self.names = dict(zip(self.things, names, strict=True))
        self.prices = {thing: self._price() for thing in self.things}
        self.price_form = rng.choice(("{} euros", "{} euros", "{}", '{{"price":{}}}', '{{"euros":{}}}'))
        self.items_field = rng.choice(("items", "content", self.domain["record"]["items"]))
        self.items_form = rng.choice(("{n} x {thing}", "{n} x {thing}", "{n} {thing}", "{thing} ({n})"))

    def group(self, size: int) -> Group:
        """Tasks of about one length, so that little of a batch is padding: up to one call, or several."""
        lengths = [[kind for kind in KINDS if (", " in kind) == several] for several in (False, True)]
        shares = [sum(KINDS[kind] for kind in kinds) for kinds in lengths]
        [kinds] = self.rng.choices(lengths, weights=shares)
        kinds = self.rng.choices(kinds, weights=[KINDS[kind] for kind in kinds], k=size)
        tasks = [Task(kind, getattr(self, "_" + kind.replace(", ", "_"))()) for kind in kinds]
        schemas = [self._schema(key) for key in self.tools]
        if self.rng.random() < 0.25:  # a tool of another place, which nobody needs
            other = self.rng.choice([place for place in domains()["domains"] if place is not self.domain])
            spec = other[self.rng.choice(("record", "amount"))]
            schemas.append(make_schema(spec["names"][0], spec["about"][0], {spec["args"][0]: {"type": "string"}}))
        self.rng.shuffle(schemas)
        return Group(schemas, tasks)

    # Pieces ----------------------------------------------------------------------------------------------------------

    def _schema(self, key: str) -> dict[str, Any]:
        name, argument, about = self.tools[key]
        properties: dict[str, Any] = {argument: {"type": "string"}}
        if key == "amount" and self.extra:
            properties[self.extra[0]] = {"type": "string", "enum": self.extra[1]}
        return make_schema(name, about, properties)

    def _name(self) -> str:
        name = "".join(self.rng.sample(SYLLABLES, self.rng.choice((1, 2, 2)))).capitalize()
        return name + self.rng.choice(("", f" {self.rng.randint(2, 90) * 10}", f" {self.rng.choice('XLSM')}"))

    def _price(self) -> float:
        kind = self.rng.random()
        if kind < 0.15:
            return self.rng.randint(1, 60) / 2
        return self.rng.randint(2, 99) if kind < 0.55 else self.rng.randint(100, 5000)

    def _called(self, thing: str) -> str:
        """What a question calls it: its name, with or without its kind."""
        return self.rng.choice((thing, self.names[thing]))

    def _several(self, thing: str) -> str:
        """What a question calls several of it, which an order names: by their kind, if the order tells it."""
        if self.naming == "names with kinds" and self.rng.random() < 0.8:
            return plural(self.kinds[thing], False)
        return plural(self._called(thing), self.made_up)

    def _chains(self, kind: str) -> list[str]:
        """The place's own ways to ask for something that takes several calls."""
        return self.domain.get("chains", {}).get(kind, [])

    def _key(self) -> str:
        return re.sub("#", lambda _: str(self.rng.randint(0, 9)), self.key_form)

    def _question(self, text: str) -> dict[str, str]:
        before, behind = self.rng.choice(BEFORE), self.rng.choice(BEHIND)
        text = text[0].upper() + text[1:]
        if before.endswith(", ") and text[1].islower():
            text = text[0].lower() + text[1:]
        if self.rng.random() < 1 / 6:
            before, text = self.rng.choice(FIRST) + " ", text[0].upper() + text[1:]
        return {"role": "user", "content": before + text + behind}

    def _call(self, key: str, value: str, result: str, season: str | None = None) -> list[dict[str, str]]:
        name, argument, _ = self.tools[key]
        arguments = {argument: value} | ({self.extra[0]: season} if season else {})
        return [
            {"role": "assistant", "content": call_text(name, arguments)},
            {"role": "tool", "name": name, "content": result},
        ]

    def _talk(self, question: str, calls: Sequence[dict[str, str]], answer: str) -> list[dict[str, str]]:
        answer = answer[0].upper() + answer[1:]
        return [self._question(question), *calls, {"role": "assistant", "content": answer}]

    def _say(self, templates: Sequence[str], **values: Any) -> str:
        if "thing" in values:
            values["a_thing"] = a_thing(values["thing"], self.made_up, self.rng)
        return self.rng.choice(templates).format(**values)

    def _ask(self, templates: Sequence[str]) -> str:
        return self.rng.choice(templates)

    def _record_result(self, items: Sequence[tuple[int, str]] = (), **known: str) -> str:
        fields = self.domain["record"]["fields"]
        found = {name: known.get(name) or self._value(field["values"]) for name, field in fields.items()}
        if not items:
            items = [(self.rng.choice((1, 1, 2, 3)), self.rng.choice(self.things))]
        told = {self.items_field: ", ".join(self.items_form.format(n=n, thing=thing) for n, thing in items)}
        kept = [name for name in found if name in known or self.rng.random() < 0.6]
        return json.dumps(told | {name: found[name] for name in kept}, separators=(",", ":"))

    def _value(self, values: str | list[str]) -> str:
        if values != "date":
            return self.rng.choice(values)
        return (datetime.date(2026, 1, 1) + datetime.timedelta(days=self.rng.randint(0, 700))).isoformat()

    def _priced(self, thing: str, season: str | None = None, called: str | None = None) -> list[dict[str, str]]:
        price = self.price_form.format(number(self.prices[thing]))
        return self._call("amount", called or thing, price, season)

    def _season(self) -> tuple[str | None, str]:
        """A value for the second argument, if the tool has one, and how a question says it."""
        if not self.extra:
            return None, ""
        season = self.rng.choice(self.extra[1])
        return season, f" in {season}"

    def _worked_out(self, expression: str) -> tuple[list[dict[str, str]], str]:
        value = number(calculate(expression))
        return self._call("sum", expression, value), value

    # One call --------------------------------------------------------------------------------------------------------

    def _record(self) -> list[dict[str, str]]:
        name, field = self.rng.choice(list(self.domain["record"]["fields"].items()))
        key, value = self._key(), self._value(field["values"])
        calls = self._call("record", key, self._record_result(**{name: value}))
        return self._talk(self._say(field["ask"], key=key), calls, self._say(field["say"], key=key, value=value))

    def _items(self) -> list[dict[str, str]]:
        key, items = self._key(), self._some_items()
        told = ", ".join(f"{n} x {thing}" for n, thing in items)
        own = self.domain["record"]["own"].format(key=key)
        asks = ("What is {own}?", "Which {items} are {own}?", "Please list the {items} {own}.", "What did I get {own}?")
        asked = self._say(asks, own=own, items=self.domain["record"]["items"])
        return self._talk(asked, self._call("record", key, self._record_result(items)), f"{own}: {told}.")

    def _some_items(self) -> list[tuple[int, str]]:
        things = self.rng.sample(self.things, self.rng.choice((1, 2)))
        return [(self.rng.choice((1, 2, 2, 3, 4, 5, 6)), thing) for thing in things]

    def _amount(self) -> list[dict[str, str]]:
        spec, thing = self.domain["amount"], self.rng.choice(self.things)
        season, said = self._season()
        called = self._called(thing)
        asked = self._say(spec["ask"], thing=called)
        asked = asked[:-1] + said + asked[-1]
        answer = self._say(spec["say"], thing=called, value=number(self.prices[thing]))
        return self._talk(asked, self._priced(thing, season, called), answer)

    def _rules(self) -> list[dict[str, str]]:
        question, passage = self._fact()
        found = [passage]
        if self.rng.random() < 0.3:
            other = self._fact()[1]
            found += [other] if other[:9] != passage[:9] else []
        self.rng.shuffle(found)
        return self._talk(question, self._call("rules", question, " ".join(found)), passage)

    def _fact(self) -> tuple[str, str]:
        """A question and the sentence that answers it, with numbers that are drawn anew: the answer has to be read."""
        question, passage = self.rng.choice(self.domain["rules"]["facts"])
        return question, re.sub(r"\d+", lambda _: str(self.rng.randint(2, 60)), passage)

    def _sum(self) -> list[dict[str, str]]:
        a, b = self.rng.randint(2, 400), self.rng.randint(2, 60)
        asks = (
            ("What is {a} * {b}?", "{a} * {b}"),
            ("How much is {a} times {b}?", "{a} * {b}"),
            ("Add {a} and {b}.", "{a} + {b}"),
            ("What is {a} plus {b}?", "{a} + {b}"),
            ("What do you get for {a} - {b}?", "{a} - {b}"),
            ("Subtract {b} from {a}.", "{a} - {b}"),
            ("How much is {b} percent of {a}?", "{a} * {b} / 100"),
            ("Divide {a} by {b}.", "{a} / {b}"),
            ("Please work out ({a} + {b}) * 3.", "({a} + {b}) * 3"),
            ("{a} and {b} together make what?", "{a} + {b}"),
            ("Sum of {a} and {b}?", "{a} + {b}"),
            ("Take {b} away from {a}: what is left?", "{a} - {b}"),
            ("Multiply {a} by {b} for me.", "{a} * {b}"),
            ("I have {a} euros and spend {b}. What remains?", "{a} - {b}"),
            ("{a} x {b} = ?", "{a} * {b}"),
            ("{b} % of {a}, please.", "{a} * {b} / 100"),
        )
        asked, expression = (text.format(a=a, b=b) for text in self.rng.choice(asks))
        calls, value = self._worked_out(expression)
        return self._talk(asked, calls, f"{expression} is {value}.")

    # Two and three calls ---------------------------------------------------------------------------------------------

    def _amount_sum(self) -> list[dict[str, str]]:
        thing, n = self.rng.choice(self.things), self.rng.randint(2, 12)
        called, price = self._called(thing), number(self.prices[thing])
        season, said = self._season()
        things = plural(called, self.made_up)
        values = {"n": n, "word": WORDS[n], "thing": called, "things": things, "a_thing": self._with_article(called)}
        values |= {"said": said, "p": self.rng.choice((5, 10, 15, 20, 25, 30, 50))}
        if self.rng.random() < 0.25:
            asks = (
                "What does the {thing} cost{said} with {p} percent off?",
                "You give me {p} % off. What is the {thing} then{said}?",
                "How much is {a_thing}{said} after a discount of {p} percent?",
                "With a voucher over {p} percent, what do I pay for {a_thing}{said}?",
                "{p} % less for the {thing}{said}: what price is that?",
                "What is left to pay for {a_thing}{said} if {p} percent are taken off?",
            )
            expression, answer = f"{price} * (100 - {values['p']}) / 100", "The {thing} then costs {value} euros."
        else:
            asks = (
                "What do {n} {things} cost{said}?",
                "How much are {n} {things}{said}?",
                "I need {n} {things}{said}. What do I pay?",
                "We want {word} {things}{said}. How much is that together?",
                "What is the total for {n} x {thing}{said}?",
                "What would {word} {things} come to{said}?",
                *self._chains("amount, sum"),
            )
            expression, answer = f"{n} * {price}", "{n} {things} cost {value} euros."
        calls, value = self._worked_out(expression)
        asked = self.rng.choice(asks).format(**values)
        return self._talk(asked, [*self._priced(thing, season, called), *calls], answer.format(**values, value=value))

    def _record_amount(self) -> list[dict[str, str]]:
        key, thing = self._key(), self.rng.choice(self.things)
        season, said = self._season()
        noun = (
            self.kinds[thing] if self.naming != "names" and self.rng.random() < 0.6 else self.domain["record"]["noun"]
        )
        values = {"own": self.domain["record"]["own"].format(key=key), "noun": noun, "key": key}
        asks = (
            "What does the {noun} {own} cost{said}?",
            "How much is the {noun} {own}{said}?",
            "What is the price of the {noun} {own}{said}?",
            "Look up the {noun} {own} and tell me what it costs{said}.",
            "What is {own}, and what does it cost{said}?",
            *self._chains("record, amount"),
        )
        others = [other for other in self.things if other != thing]
        items = [(1, thing)] + [(self.rng.choice((1, 2)), self.rng.choice(others))] * (noun == self.kinds[thing])
        self.rng.shuffle(items)
        first = self._call("record", key, self._record_result(items))
        answer = f"The {thing} costs {number(self.prices[thing])} euros."
        return self._talk(self._say(asks, **values, said=said), [*first, *self._priced(thing, season)], answer)

    def _amount_amount(self) -> list[dict[str, str]]:
        a, b = self.rng.sample(self.things, 2)
        season, said = self._season()
        asks = (
            "What do {a} and {b} cost{said}?",
            "Tell me the prices of {a} and {b}{said}.",
            "How much is {a}, and how much is {b}{said}?",
            *self._chains("amount, amount"),
        )
        one, other = self._called(a), self._called(b)
        asked = self._say(asks, a=self._with_article(one), b=self._with_article(other), said=said)
        answer = f"The {one} costs {number(self.prices[a])} euros and the {other} {number(self.prices[b])} euros."
        return self._talk(asked, [*self._priced(a, season, one), *self._priced(b, season, other)], answer)

    def _with_article(self, thing: str) -> str:
        return a_thing(thing, self.made_up, self.rng)

    def _record_rules(self) -> list[dict[str, str]]:
        name, field = self.rng.choice(list(self.domain["record"]["fields"].items()))
        key, value = self._key(), self._value(field["values"])
        question, passage = self._fact()
        asked = self._say(field["ask"], key=key) + " " + self.rng.choice(("", "And: ", "Also: ")) + question
        calls = self._call("record", key, self._record_result(**{name: value}))
        answer = self._say(field["say"], key=key, value=value) + " " + passage
        return self._talk(asked, [*calls, *self._call("rules", question, passage)], answer)

    def _record_amount_sum(self) -> list[dict[str, str]]:
        key, items = self._key(), self._some_items()
        season, said = self._season()
        n, thing = self.rng.choice(items)
        record = self.domain["record"]
        noun = self._several(thing) if len(items) > 1 or self.rng.random() < 0.5 else record["items"]
        values = {"own": record["own"].format(key=key), "things": noun, "said": said, "key": key}
        asks = (
            "What do the {things} {own} cost together{said}?",
            "How much are the {things} {own} in total{said}?",
            "What is the total for the {things} {own}{said}?",
            "What do I pay for all {things} {own}{said}?",
            "My number is {key}. What do the {things} cost altogether{said}?",
            "Work out what the {things} {own} cost in all{said}.",
            *self._chains("record, amount, sum"),
        )
        calls, value = self._worked_out(f"{n} * {number(self.prices[thing])}")
        first = self._call("record", key, self._record_result(items))
        answer = f"{n} x {thing} cost {value} euros together."
        return self._talk(self._say(asks, **values), [*first, *self._priced(thing, season), *calls], answer)

    def _amount_amount_sum(self) -> list[dict[str, str]]:
        a, b = self.rng.sample(self.things, 2)
        season, said = self._season()
        if self.rng.random() < 0.35 and self.prices[a] != self.prices[b]:
            a, b = sorted((a, b), key=lambda thing: -self.prices[thing])
            asks = (
                "How much more does {a} cost than {b}{said}?",
                "What is the difference in price between {a} and {b}{said}?",
                "By how much is {a} dearer than {b}{said}?",
                *self._chains("amount - amount"),
            )
            sign, answer = "-", "The {a} costs {value} euros more than the {b}."
        else:
            asks = (
                "What do {a} and {b} cost together{said}?",
                "I take {a} and {b}{said}. What is the total?",
                "How much are {a} plus {b} in all{said}?",
                "What do I pay for {a} and {b} together{said}?",
                "What is the sum of the prices of {a} and {b}{said}?",
                *self._chains("amount + amount"),
            )
            sign, answer = "+", "The {a} and the {b} cost {value} euros together."
        one, other = self._called(a), self._called(b)
        asked = self._say(asks, a=self._with_article(one), b=self._with_article(other), said=said)
        calls, value = self._worked_out(f"{number(self.prices[a])} {sign} {number(self.prices[b])}")
        calls = [*self._priced(a, season, one), *self._priced(b, season, other), *calls]
        return self._talk(asked, calls, answer.format(a=one, b=other, value=value))

    # No call, or one that fails --------------------------------------------------------------------------------------

    def _words(self) -> list[dict[str, str]]:
        asked, answer = self.rng.choice(self.small_talk)
        return [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}]

    def _missing(self) -> list[dict[str, str]]:
        record, amount = self.domain["record"], self.domain["amount"]
        kind = self.rng.random()
        if kind < 0.25 and amount["missing"]:
            return self._talk(self._ask(amount["missing"]), [], self._ask(amount["back"]))
        if kind < 0.5:
            asks = (
                "What do my {items} cost together?",
                "How much are the {items} that I have in total?",
                "What does my {noun} cost?",
                *self._chains("missing"),
            )
            return self._talk(
                self._say(asks, items=record["items"], noun=record["noun"]), [], self._ask(record["back"])
            )
        return self._talk(self._ask(record["missing"]), [], self._ask(record["back"]))

    def _off(self) -> list[dict[str, str]]:
        return self._talk(self.rng.choice(self.domain["off"]), [], "I am sorry, I have no tool for that.")

    def _error(self) -> list[dict[str, str]]:
        """A record that is not there, a thing without a price, or a tool that does not answer, alone or in a chain."""
        record, key, thing = self.domain["record"], self._key(), self._name()
        not_known = ("There is no {what} {key}.", "No {what} {key} is known.", "The {what} {key} was not found.")
        kind, own = self.rng.choice(("record", "chain", "amount", "late")), record["own"].format(key=key)
        tool = self.tools["amount" if kind == "amount" else "record"][0]
        problem = self._say(not_known, what=record["what"], key=key)
        if kind == "amount":
            season, said = self._season()
            asked = self._say(self.domain["amount"]["ask"], thing=thing)
            asked = asked[:-1] + said + asked[-1]
            problem = self._say(("There is no price for {x}.", "{x} is not known.", "Nothing is called {x}."), x=thing)
        elif kind == "chain":
            asks = ("What do the {items} {own} cost together?", "How much is the {noun} {own}?")
            asked = self._say(asks, own=own, items=record["items"], noun=record["noun"])
        else:
            asked = self._say(self.rng.choice(list(record["fields"].values()))["ask"], key=key)
        result, answer = f"{tool} failed: {problem}", "Sorry, " + problem[0].lower() + problem[1:]
        if kind == "late":
            result, answer = f"{tool} gave no result within 5 seconds.", "Sorry, I cannot look that up at the moment."
        if kind == "amount":
            answer = "Sorry, " + (problem if problem.startswith(thing) else problem[0].lower() + problem[1:])
            return self._talk(asked, self._call("amount", thing, result, season), answer)
        return self._talk(asked, self._call("record", key, result), answer)


def make_schema(name: str, about: str, properties: dict[str, Any]) -> dict[str, Any]:
    """What `helpers.old.prompting.tool_schema` makes of a function with these parameters."""
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    return {"type": "function", "function": {"name": name, "description": about, "parameters": parameters}}


WORDS = dict(enumerate("no one two three four five six seven eight nine ten eleven twelve".split()))


def a_thing(thing: str, is_name: bool, rng: random.Random) -> str:
    """The thing with an article; a name may stand without one."""
    if is_name:
        return rng.choice(("the ", "the ", "a ", "")) + thing
    return ("an " if thing[0] in "aeiou" else "a ") + thing


def plural(thing: str, is_name: bool) -> str:
    """Several of it; a name stays as it is."""
    return thing if is_name else thing + ("es" if thing[-1] in "sx" else "s")


def number(value: float) -> str:
    """A number as it is written in a result: 7, 2.5"""
    return f"{value:.6f}".rstrip("0").rstrip(".")


# Questions to Velunda's tools ----------------------------------------------------------------------------------------


def load_tool_tasks(split: str) -> list[dict[str, Any]]:
    """The questions of "dev" or "test": id, kind, family (one phrasing), question, plan (the tools to call, in order),
    and what the answer has to say: `all` of these texts, or one of them (`any`). broken: a tool that fails in this one.

    Raises ValueError for another split, DataUnavailable if the file is missing or damaged.
    """
    if split not in SPLITS:
        raise ValueError(f"There is no split {split!r}: choose one of {', '.join(SPLITS)}.")
    return read_jsonl(FOLDER / f"{split}.jsonl")


def solved(task: Mapping[str, Any], done: ToolAnswer) -> bool:
    """Was the task done, from the question to the answer?

    The answer says what it has to, as whole words. Where no tool is needed or an argument is missing, nothing was
    called; where a tool fails, it was called, and the answer makes up no amount and no date.
    """
    text = re.sub(r"(?<=\d),(?=\d{3})", "", done.text.lower())
    called = [step.name for step in done.steps]
    said = [
        re.search(rf"(?<![\w-]){re.escape(words.lower())}(?![\w])", text) for words in task.get("all", task.get("any"))
    ]
    right = not done.stopped and (all(said) if "all" in task else any(said))
    if not task["plan"]:
        return right and not called
    if task["kind"] == "tool fails":
        return right and task["plan"][0] in called and not re.search(r"\d euro|20\d\d-\d\d", text)
    return right


def scores_by_kind(rows: Sequence[Mapping[str, Any]]) -> dict[str, Score]:
    """A score for each kind of TESTED that occurs, from rows as 12b_tools.json has them: kind, family, solved."""
    kinds = [kind for kind in TESTED if any(row["kind"] == kind for row in rows)]
    return {kind: Score.of((row["family"], row["solved"]) for row in rows if row["kind"] == kind) for kind in kinds}


def with_broken(tools: Sequence[Callable], name: str | None) -> list[Callable]:
    """The tools, one of which raises what a data base does that cannot be reached."""

    def broken(tool: Callable) -> Callable:
        def fail(*args: Any, **arguments: Any) -> Any:
            raise TimeoutError("The data base cannot be reached.")

        return functools.wraps(tool)(fail)

    return [broken(tool) if tool.__name__ == name else tool for tool in tools]
