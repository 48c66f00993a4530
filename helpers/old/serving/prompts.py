"""From a conversation to token ids, and from a wished form to a grammar that the reply cannot leave.

    prompts = Prompts(tokenizer)
    ids = prompts.chat([{"role": "user", "content": "Hi"}], tools=[])
    grammar = await prompts.grammar(Form(schema={"type": "object", …}))

Tools are told to the model in the words that the adapter `tools` was taught with, and
a reply is then held to a form: words, or one call whose arguments fit the tool's schema. A model that was not taught to
call tools still writes a valid call when `tool_choice` demands one, though seldom a sensible one.

What it does not do: pictures and sound; several calls in one reply.
"""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from helpers.old.generation.json_schema import TEXT, Limits, json_character, schema_node
from helpers.old.generation.regular import EMPTY, GrammarError, Node, alt, automaton, literal, parse, repeat, seq
from helpers.old.generation.token_grammar import TokenGrammar
from helpers.old.serving.errors import ApiError

Chat = list[dict[str, str]]
WORDS = r"[^{\s](.|\n)*"  # an answer in words, which does not look like a call
MAX_STATES = 20_000  # of a grammar: a few seconds of work
MAX_SCHEMA = 20_000  # characters
KEPT = 64  # grammars
ENDLESS = Limits(characters=None, items=None)
JSON_LEVELS = 3  # objects and lists inside of each other, where any JSON object will do


@dataclass(frozen=True)
class Form:
    """What a reply may look like. schema: JSON that fits it; any_json: any JSON object; neither: as tools say.

    tools: schemas of the tools that may be called, in OpenAI's format; words: whether it may answer in words instead.
    """

    schema: Mapping[str, Any] | None = None
    any_json: bool = False
    tools: tuple[Mapping[str, Any], ...] = ()
    words: bool = True

    @property
    def free(self) -> bool:
        return self.schema is None and not self.any_json and not self.tools


class Prompts:
    """Prompts and grammars for one tokenizer."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        special = (str(token) for token in getattr(tokenizer, "all_special_tokens", []))
        self.markers = [token for token in special if not token.startswith("<|")]
        self._grammars: OrderedDict[str, TokenGrammar] = OrderedDict()
        self._builder = ThreadPoolExecutor(1, thread_name_prefix="grammars")  # expressions are shared: one at a time

    def close(self) -> None:
        self._builder.shutdown(wait=False, cancel_futures=True)

    # Prompts -------------------------------------------------------------------------------------------------------

    def chat(self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]] = ()) -> tuple[int, ...]:
        """The ids of a conversation by the model's chat template, up to where the reply begins.

        messages: role, content (text), and for calls tool_calls. Raises ApiError 400 where the template refuses.
        """
        try:
            ids = self.tokenizer.apply_chat_template(self.as_told(messages, tools), add_generation_prompt=True)
        except Exception as error:  # templates raise what their authors liked
            raise ApiError(400, f"These messages do not fit the model's chat template: {error}.") from None
        return tuple(ids["input_ids"] if isinstance(ids, Mapping) else ids)

    def raw(self, text: str) -> tuple[int, ...]:
        """The ids of a text as it is."""
        ids = tuple(self.tokenizer(text, add_special_tokens=False)["input_ids"])
        return ids or (self.tokenizer.eos_token_id,)  # an empty prompt: as if a text had ended before

    def as_told(self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]]) -> Chat:
        """The conversation in the roles that the model knows: tools first, their results as turns of the user."""
        chat: Chat = []
        if tools:
            chat.append({"role": "system", "content": "Tools:\n" + "\n".join(map(tool_line, tools))})
        for message in messages:
            role, content = message["role"], self.plain(message.get("content") or "")
            if role in ("system", "developer"):
                if chat and chat[0]["role"] == "system" and len(chat) == 1:  # one system message, as in training
                    chat[0]["content"] += f"\n\n{content}"
                else:
                    chat.append({"role": "system", "content": content})
            elif role == "tool":
                chat.append({"role": "user", "content": f"Result: {content}"})
            else:
                calls = [self.plain(call_text(*call)) for call in message.get("tool_calls") or []]
                chat.append({"role": role, "content": "\n".join([content, *calls] if content else calls)})
        return chat

    def plain(self, text: str) -> str:
        """The text without the markers of roles: nobody can write a turn of somebody else."""
        text = text.replace("<|", "< |")
        for marker in self.markers:
            text = text.replace(marker, f"{marker[0]} {marker[1:]}")
        return text

    # Grammars ------------------------------------------------------------------------------------------------------

    async def grammar(self, form: Form) -> TokenGrammar | None:
        """The grammar of a form, kept for the next time; None for a free reply. Raises ApiError 400."""
        if form.free:
            return None
        try:
            key = json.dumps([form.schema, form.any_json, form.tools, form.words])
        except RecursionError:
            raise ApiError(400, "The schema is nested too deeply.") from None
        if len(key) > MAX_SCHEMA:
            raise ApiError(400, f"The schema has {len(key):,} characters, and {MAX_SCHEMA:,} are the most.")
        if key not in self._grammars:
            build = asyncio.get_running_loop().run_in_executor(self._builder, self._build, form)
            self._grammars[key] = await build
            if len(self._grammars) > KEPT:
                self._grammars.popitem(last=False)
        self._grammars.move_to_end(key)
        return self._grammars[key]

    def _build(self, form: Form) -> TokenGrammar:
        try:
            return TokenGrammar(self.tokenizer, automaton(form_node(form), MAX_STATES))
        except GrammarError as error:
            raise ApiError(400, f"The schema cannot be used. {error}", code="unsupported_schema") from None
        except Exception as error:  # a schema comes from outside and may have anything anywhere
            what = f"{type(error).__name__}: {error}"[:200]
            raise ApiError(400, f"The schema cannot be read ({what}).", code="unsupported_schema") from None


def form_node(form: Form) -> Node:
    """The expression of all replies of a form. Raises GrammarError."""
    if form.schema is not None:
        return schema_node(form.schema, ENDLESS)
    if form.any_json:
        return any_object(JSON_LEVELS)
    calls = [call_node(tool) for tool in form.tools]
    return alt(parse(WORDS), *calls) if form.words else alt(*calls)


def call_node(tool: Mapping[str, Any]) -> Node:
    """All calls of a tool: {"name":"…","arguments":{…}}, the arguments in the schema's order."""
    told = tool["function"]
    begins, ends = literal(f'{{"name":{json.dumps(told["name"])},"arguments":'), literal("}")
    return seq(begins, schema_node(told["parameters"], ENDLESS), ends)


def any_object(levels: int) -> Node:
    """Any JSON object without spaces, of so many levels of objects and lists."""
    text = seq(literal('"'), repeat(json_character(TEXT), 0, None), literal('"'))
    number = parse(r"-?(0|[1-9]\d{0,14})(\.\d{1,6})?")
    plain = alt(text, number, literal("true"), literal("false"), literal("null"))
    value = whole = plain
    for _ in range(levels):
        whole = enclosed("{", seq(text, literal(":"), value), "}")
        value = alt(plain, whole, enclosed("[", value, "]"))
    return whole


def enclosed(begins: str, item: Node, ends: str) -> Node:
    """None, one or more of an item, with commas between them."""
    some = seq(item, repeat(seq(literal(","), item), 0, None))
    return seq(literal(begins), alt(EMPTY, some), literal(ends))


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


def whole_tool(name: str, description: str | None, parameters: Mapping[str, Any] | None) -> dict[str, Any]:
    """A tool in OpenAI's format with nothing left out. Raises ApiError 400 for parameters that are no object."""
    parameters = dict(parameters or {"type": "object"})
    if parameters.get("type", "object") != "object" or not isinstance(parameters.get("properties", {}), Mapping):
        raise ApiError(400, f"The parameters of the tool {name!r} are no schema of an object.", param="tools")
    properties = parameters.get("properties", {})
    if not all(isinstance(parameter, Mapping) for parameter in properties.values()):
        raise ApiError(
            400, f"A parameter of the tool {name!r} is no schema, such as {{'type': 'string'}}.", param="tools"
        )
    parameters |= {"type": "object", "properties": properties, "required": parameters.get("required", [])}
    return {"type": "function", "function": {"name": name, "description": description or "", "parameters": parameters}}
