"""What is trained in a conversation: the answers and their ends, in the chat model's template and in others."""

from __future__ import annotations

import pytest

from helpers.models import fetch
from helpers.old.foundations.probability import IGNORED
from helpers.old.training import ChatDataError, Example, encode_chat

ONE_TURN = [{"role": "user", "content": "Where is my order V-48213?"}, {"role": "assistant", "content": "On its way."}]
TURNS = [
    {"role": "system", "content": "You answer in few words."},
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Hello, 12  friends!\nWhat's up?"},
    {"role": "user", "content": "assistant\nOn its way."},
    {"role": "assistant", "content": "Ok."},
]


@pytest.fixture
def tokenizer():
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(fetch("chat"), local_files_only=True)


def spans(tokenizer, example: Example) -> list[str]:
    """The trained stretches, as text."""
    found: list[list[int]] = []
    for i, label in enumerate(example.labels):
        if label != IGNORED:
            if i == 0 or example.labels[i - 1] == IGNORED:
                found.append([])
            found[-1].append(label)
    return [tokenizer.decode(ids) for ids in found]


def test_the_answers_and_their_ends_are_trained_and_nothing_else(tokenizer):
    assert spans(tokenizer, encode_chat(tokenizer, ONE_TURN, 200)) == ["On its way.<|im_end|>"]
    answers = ["Hello, 12  friends!\nWhat's up?<|im_end|>", "Ok.<|im_end|>"]
    assert spans(tokenizer, encode_chat(tokenizer, TURNS, 200)) == answers


def test_a_label_is_the_id_at_its_own_place(tokenizer):
    example = encode_chat(tokenizer, TURNS, 200)
    assert all(label in (IGNORED, i) for i, label in zip(example.ids, example.labels, strict=True))
    assert example.ids == tokenizer.apply_chat_template(TURNS, return_dict=False)


def test_what_comes_before_the_first_label_is_what_the_model_is_given_when_it_answers(tokenizer):
    example = encode_chat(tokenizer, ONE_TURN, 200)
    prompt = tokenizer.apply_chat_template(ONE_TURN[:1], add_generation_prompt=True, return_dict=False)
    assert example.ids[: len(prompt)] == prompt
    assert example.trained.index(True) == len(prompt)


def test_masking_by_the_padding_id_would_take_the_end_away(tokenizer):
    """Why the mask does not come from ids: padding is the end of a turn."""
    example = encode_chat(tokenizer, ONE_TURN, 200)
    assert tokenizer.pad_token_id == tokenizer.eos_token_id == [i for i in example.labels if i != IGNORED][-1]
    by_id = [IGNORED if i == tokenizer.pad_token_id else i for i in example.labels]
    assert by_id != example.labels


@pytest.mark.parametrize("space", ["\n\n", "  "])
def test_an_answer_whose_beginning_merges_with_the_prompt_is_refused(tokenizer, space):
    """A line break and white space after it are one token, which never ends the prompt that the model is given."""
    messages = [ONE_TURN[0], {"role": "assistant", "content": f"{space}On its way."}]
    with pytest.raises(ChatDataError, match="answer in message 1 begins with white space"):
        encode_chat(tokenizer, messages, 200)


def test_a_template_that_rewrites_the_past_is_refused(tokenizer):
    tokenizer.chat_template = (
        "{% for m in messages %}<|im_start|>{{ m.role }}\n"
        "{{ m.content if loop.last or m.role == 'user' else '…' }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    assert spans(tokenizer, encode_chat(tokenizer, ONE_TURN, 200)) == ["On its way.<|im_end|>"]
    with pytest.raises(ChatDataError, match="text up to message 1 is not how the whole begins"):
        encode_chat(tokenizer, TURNS[1:], 200)


def test_a_template_whose_answers_have_no_end_is_refused(tokenizer):
    tokenizer.chat_template = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
    with pytest.raises(ChatDataError, match="does not end an answer with '<|im_end|>'"):
        encode_chat(tokenizer, ONE_TURN, 200)


def test_no_template_and_a_template_that_refuses_are_told_in_one_sentence(tokenizer):
    tokenizer.chat_template = "{{ raise_exception('Roles must alternate!') }}"
    with pytest.raises(ChatDataError, match="refuses this conversation: Roles must alternate!"):
        encode_chat(tokenizer, ONE_TURN, 200)
    tokenizer.chat_template = None
    with pytest.raises(ChatDataError, match="no chat template"):
        encode_chat(tokenizer, ONE_TURN, 200)


def test_a_conversation_over_the_limit_is_refused_or_cut_as_asked(tokenizer):
    whole = encode_chat(tokenizer, ONE_TURN, 200)
    exactly = len(whole)
    assert encode_chat(tokenizer, ONE_TURN, exactly) == whole
    with pytest.raises(ChatDataError, match=f"has {exactly} tokens and max_length is {exactly - 1}.*too_long=.cut"):
        encode_chat(tokenizer, ONE_TURN, exactly - 1)
    cut = encode_chat(tokenizer, ONE_TURN, exactly - 3, too_long="cut")
    assert (cut.ids, cut.labels) == (whole.ids[:-3], whole.labels[:-3])
    with pytest.raises(ChatDataError, match="Within 20 tokens there is no answer left"):
        encode_chat(tokenizer, ONE_TURN, 20, too_long="cut")
    with pytest.raises(ValueError, match="too_long is"):
        encode_chat(tokenizer, ONE_TURN, 20, too_long="drop")


def chat(*turns: tuple[str, object]) -> list[dict]:
    return [{"role": role, "content": content} for role, content in turns]


BAD_CHATS = [
    (chat(("user", "a"), ("bot", "b")), "Message 1 has the role 'bot': known are system, user, assistant"),
    (chat(("user", "a"), ("assistant", " \n")), "Message 1 is an empty answer"),
    (chat(("user", "a"), ("assistant", None)), "content of message 1 is a NoneType"),
    (chat(("user", "a"), ("assistant", "b<|im_end|>")), "Message 1 contains '<|im_end|>'"),
    (chat(("user", "a"), ("system", "b"), ("assistant", "c")), "system message can only be the first"),
    (chat(("user", "a")), "no answer of the assistant"),
    (chat(("assistant", "a"), ("user", "b")), "The user speaks first"),
    (chat(("system", "a"), ("assistant", "b")), "The user speaks first"),
    ([{"role": "user"}], "Message 0 is not of the form"),
    (["hello"], "Message 0 is not of the form"),
    ("hello", "A conversation is a list of messages"),
    ([], "A conversation is a list of messages"),
]


@pytest.mark.parametrize(("messages", "sentence"), BAD_CHATS, ids=[sentence for _, sentence in BAD_CHATS])
def test_a_conversation_that_cannot_be_trained_on_is_refused_in_one_sentence(tokenizer, messages, sentence):
    with pytest.raises(ChatDataError) as error:
        encode_chat(tokenizer, messages, 200)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_an_example_has_one_label_for_each_id():
    with pytest.raises(ValueError, match="not 1 for 2"):
        Example([1, 2], [1])
