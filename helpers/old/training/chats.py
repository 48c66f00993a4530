"""Conversations as training examples: token ids, and as labels the same ids where the assistant speaks.

    example = encode_chat(tokenizer, [{"role": "user", …}, {"role": "assistant", …}], max_length=512)
    example.ids       [1, 4093, 198, …, 34, 2, 198]
    example.labels    [-100, -100, …,   34, 2, -100]            # the answer and the token that ends it

The mask comes from the conversation, never from a token's id: where padding and end of turn are the same token, as in
the course's chat model, a mask by id takes the end away, and the model never learns to stop.

What it does not do: tools, images, several tokens that end a turn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from helpers.old.foundations.probability import IGNORED

ROLES = ("system", "user", "assistant")
Messages = Sequence[Mapping[str, str]]


class ChatDataError(ValueError):
    """A conversation cannot be trained on; the message says why, and where in it."""


@dataclass(frozen=True)
class Example:
    """One text to learn from: its token ids, and as labels those of them that are trained, −100 elsewhere.

    Labels stand at their own token's place, as in `transformers`; `helpers.old.training.losses.shift_labels` moves
    them.
    """

    ids: list[int]
    labels: list[int]

    def __post_init__(self) -> None:
        if len(self.ids) != len(self.labels):
            raise ValueError(f"An example has one label for each id, not {len(self.labels)} for {len(self.ids)}.")

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def trained(self) -> list[bool]:
        """Which tokens are trained on."""
        return [label != IGNORED for label in self.labels]


def encode_chat(tokenizer: Any, messages: Messages, max_length: int, too_long: str = "refuse") -> Example:
    """A conversation through the tokenizer's chat template; trained are the assistant's answers with their end.

    messages: [{"role": "user", "content": "…"}, …], any number of turns. too_long: "refuse" raises for a conversation
    of more than max_length tokens; "cut" keeps the first max_length, and an answer that is cut has no end to learn.
    An answer is what the text with it has more than the text before it. Raises ChatDataError for bad messages, a
    template that gives no such prefixes or whose answers do not end with `tokenizer.eos_token`, and where nothing is
    left to train on.
    """
    if too_long not in ("refuse", "cut"):
        raise ValueError(f'too_long is "refuse" or "cut", not {too_long!r}.')
    require_messages(messages, tokenizer.all_special_tokens)
    if not tokenizer.chat_template:
        raise ChatDataError("This tokenizer has no chat template: set tokenizer.chat_template, or take a chat model's.")
    ids, trained = _answers_by_prefixes(tokenizer, messages)
    if len(ids) > max_length:
        if too_long == "refuse":
            raise ChatDataError(
                f"The conversation has {len(ids)} tokens and max_length is {max_length}: shorten it, or say "
                'too_long="cut" to train on its beginning.'
            )
        ids, trained = ids[:max_length], trained[:max_length]
    if not any(trained[1:]):
        raise ChatDataError(f"Within {max_length} tokens there is no answer left to train on: give it more room.")
    return Example(ids, [i if is_trained else IGNORED for i, is_trained in zip(ids, trained, strict=True)])


def _answers_by_prefixes(tokenizer: Any, messages: Messages) -> tuple[list[int], list[bool]]:
    """Ids of the conversation, and which of them are an answer or its end, by comparing it with its beginnings."""
    ids = _render(tokenizer, messages)
    trained = [False] * len(ids)
    for turn, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        before = _render(tokenizer, messages[:turn], add_generation_prompt=True)  # what the model is given
        after = _render(tokenizer, messages[: turn + 1])  # what it should make of it
        if ids[: len(before)] != before and message["content"][0].isspace():
            raise ChatDataError(f"The answer in message {turn} begins with white space, which merges with the prompt.")
        if ids[: len(before)] != before or ids[: len(after)] != after:
            raise ChatDataError(
                f"With this chat template the text up to message {turn} is not how the whole begins, so its answer "
                "cannot be told apart: use another template."
            )
        stop = _last(tokenizer.eos_token_id, ids, len(before), len(after))
        if stop is None:
            raise ChatDataError(
                f"This chat template does not end an answer with {tokenizer.eos_token!r}, so the model would not learn "
                "to stop: set tokenizer.eos_token to the token that ends a turn."
            )
        trained[len(before) : stop + 1] = [True] * (stop + 1 - len(before))
    return ids, trained


def _render(tokenizer: Any, messages: Messages, **options: Any) -> list[int]:
    return list(_apply(tokenizer, messages, return_dict=False, **options))


def _apply(tokenizer: Any, messages: Messages, **options: Any) -> Any:
    from jinja2 import TemplateError

    try:
        return tokenizer.apply_chat_template([dict(message) for message in messages], tokenize=True, **options)
    except TemplateError as error:
        raise ChatDataError(f"The chat template refuses this conversation: {str(error).rstrip('.')}.") from None


def _last(wanted: int, ids: Sequence[int], start: int, end: int) -> int | None:
    return next((i for i in range(end - 1, start - 1, -1) if ids[i] == wanted), None)


def require_messages(messages: Any, special_tokens: Sequence[str] = ()) -> None:
    """Raises ChatDataError unless these are messages of known roles, in an order that can be trained on.

    special_tokens: what no text may contain, because the tokenizer would read it as the end of a turn.
    """
    if not isinstance(messages, Sequence) or isinstance(messages, str) or not messages:
        raise ChatDataError('A conversation is a list of messages such as {"role": "user", "content": "Hello"}.')
    for turn, message in enumerate(messages):
        if not isinstance(message, Mapping) or not {"role", "content"} <= set(message):
            raise ChatDataError(f'Message {turn} is not of the form {{"role": …, "content": …}}.')
        role, content = message["role"], message["content"]
        if role not in ROLES:
            raise ChatDataError(f"Message {turn} has the role {role!r}: known are {', '.join(ROLES)}.")
        if not isinstance(content, str):
            raise ChatDataError(f"The content of message {turn} is a {type(content).__name__}, not a text.")
        if role == "assistant" and not content.strip():
            raise ChatDataError(f"Message {turn} is an empty answer, which would teach the model to say nothing.")
        if found := next((token for token in special_tokens if token in content), None):
            raise ChatDataError(f"Message {turn} contains {found!r}, which the tokenizer takes for a command.")
    roles = [message["role"] for message in messages]
    if "system" in roles[1:]:
        raise ChatDataError("A system message can only be the first one.")
    if "assistant" not in roles:
        raise ChatDataError("This conversation has no answer of the assistant, so there is nothing to train on.")
    if roles[roles[0] == "system"] != "user":
        raise ChatDataError("The user speaks first, after a system message if there is one.")
