"""Prompts as files: what a template takes and refuses, that a user's text stays a text, and labels that are scored."""

from __future__ import annotations

import random

import pytest
import torch
import yaml
from transformers import LlamaConfig, LlamaForCausalLM

from helpers import prompting
from helpers.models import Answer
from helpers.prompting import (
    PromptError,
    check,
    escape,
    label_scores,
    load,
    main,
    names,
    parse,
    prompt_ids,
    render,
    reply,
    versions,
)

FRONT = {
    "name": "greeting",
    "version": "1.0.0",
    "purpose": "Greet.",
    "variables": {"message": {"type": "user text"}, "limit": {"type": "integer", "default": 3}},
    "model": "any",
    "answer": {"how": "written", "max_new_tokens": 8},
    "examples": [{"given": {"message": "Hello."}, "reply": "Good day."}],
    "tests": [{"name": "said", "given": {"message": "Hello."}, "says": ["in 3 words"]}],
    "changelog": {"1.0.0": "First."},
}
BODY = "[system]\nAnswer in {{ limit }} words.\n\n[user]\n{{ message }}\n"


def text_of(body=BODY, **changed):
    changed = {"changelog": {str(changed.get("version", "1.0.0")): "First."}} | changed
    front = {key: value for key, value in (FRONT | changed).items() if value is not None}
    return f"---\n{yaml.safe_dump(front)}---\n{body}"


def test_a_template_becomes_the_messages_of_a_chat():
    assert render(parse(text_of()), message=" Hello. ", limit=5) == [
        {"role": "system", "content": "Answer in 5 words."},
        {"role": "user", "content": "<message>\nHello.\n</message>"},
    ]


def test_the_newest_version_is_the_largest_not_the_last_in_the_alphabet(tmp_path):
    for version in ("1.9.0", "1.10.0", "1.2.0"):
        (tmp_path / "greeting").mkdir(exist_ok=True)
        (tmp_path / "greeting" / f"{version}.md").write_text(text_of(version=version), encoding="utf-8")
    assert names(tmp_path) == ["greeting"] and versions("greeting", tmp_path) == ["1.2.0", "1.9.0", "1.10.0"]
    assert load("greeting", folder=tmp_path).version == "1.10.0"
    assert load("greeting", "1.2.0", tmp_path).version == "1.2.0"
    (tmp_path / "greeting" / "1.11.0.md").write_text(text_of(version="1.9.0"), encoding="utf-8")
    with pytest.raises(PromptError, match=r"greeting/1.11.0.md says that it is greeting 1.9.0"):
        load("greeting", folder=tmp_path)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, r"needs the variable message \(user text\): pass message=…"),
        ({"message": 7}, "takes user text as message, not int"),
        ({"message": None}, "needs the variable message"),
        ({"message": ["a"]}, "takes user text as message, not list"),
        ({"message": "a", "limit": "3"}, "takes integer as limit, not str"),
        ({"message": "a", "limit": True}, "takes integer as limit, not bool"),
        ({"mesage": "a"}, "no variable 'mesage' .did you mean 'message'?"),
        ({"message": "a", "zebra": 1}, "no variable 'zebra'; it takes"),
    ],
)
def test_wrong_variables_are_refused_in_one_sentence(given, said):
    with pytest.raises(PromptError, match=said) as caught:
        render(parse(text_of()), **given)
    assert str(caught.value).startswith("greeting 1.0.0") and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[user]\nHello.", "does not begin with front matter"),
        ("---\nname: [\n---\n[user]\nHello.", "is no YAML"),
        ("---\n- name\n---\n[user]\nHello.", "is not a list of `field: value`"),
        (text_of(purpos="x"), "wrong at purpos: Extra inputs"),
        (text_of(purpose=None), "wrong at purpose: Field required"),
        (text_of(version=1.0), "wrong at version: Input should be a valid string"),
        (text_of(version="1.0"), "wrong at version: String should match pattern"),
        (text_of(answer={"how": "sung"}), "wrong at answer.how: Input should be 'written' or 'scored'"),
        (text_of(examples=["Hello."]), "wrong at examples.0"),
        (text_of(tests=None), "wrong at tests: Field required"),
        (text_of(changelog={}), "changelog of a.md does not say what 1.0.0 changed"),
        (text_of(variables={"message": {"type": "user test"}}), "wrong at variables.message.type"),
        (text_of("Hello.\n[user]\nHello."), "text before its first turn"),
        (text_of("[system]\n{{ message }} {{ limit }}"), "no turn of the user"),
        (text_of(BODY.replace("message", "mesage")), "uses {{ mesage }}, which it does not declare .did you mean"),
        (text_of("[user]\n{{ message }}"), "declares the variable limit and never uses it"),
        (text_of("[user]\nHello.\n{{ message }\n{{ limit }}"), r"a mistake in line 2 of its \[user\] turn"),
        (text_of("[user]\n{% if message %}{{ limit }}"), r"a mistake in line 1 of its \[user\] turn: Unexpected end"),
    ],
)
def test_a_broken_template_is_refused_in_one_sentence(text, said):
    with pytest.raises(PromptError, match=said) as caught:
        parse(text, "a.md")
    assert "a.md" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: load("sumarization"), "no template 'sumarization' .did you mean 'summarization'?"),
        (lambda: load("extraction", "1.0.9"), "has no version '1.0.9' .did you mean '1.0.0'?"),
        (lambda: render("extraction"), "needs the variable ticket"),
    ],
)
def test_an_unknown_name_or_version_is_refused_with_the_nearest(call, said):
    with pytest.raises(PromptError, match=said):
        call()


@pytest.mark.parametrize("source", ["{{ message.__class__.__mro__ }}", "{% for i in range(10**9) %}{% endfor %}"])
def test_a_template_cannot_reach_out_of_its_sandbox(source):
    with pytest.raises(PromptError, match="cannot be rendered"):
        render(parse(text_of(f"[user]\n{source}{{{{ message }}}}{{{{ limit }}}}")), message="Hello.")


def test_examples_become_turns_in_the_form_of_the_question():
    template = parse(text_of("[system]\n{{ limit }}\n\n[examples]\n\n[user]\n{{ message }}\n\n[assistant]\nReply:"))
    shown = render(template, message="Bye.")
    assert [message["role"] for message in shown] == ["system", "user", "assistant", "user", "assistant"]
    assert shown[1]["content"] == "<message>\nHello.\n</message>" and shown[2]["content"] == "Reply: Good day."
    assert shown[-1]["content"] == "Reply:"


def test_a_reply_that_has_begun_goes_on_in_the_same_turn(tokenizer):
    messages = [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "Order:"}]
    assert tokenizer.decode(prompt_ids(tokenizer, messages)).endswith("<|im_start|>assistant\nOrder:")
    assert tokenizer.decode(prompt_ids(tokenizer, messages[:1])).endswith("Hello.<|im_end|>\n<|im_start|>assistant\n")


def test_role_markers_in_a_users_text_stay_text(tokenizer):
    commands = [str(token) for token in tokenizer.added_tokens_decoder.values()]
    template = load("extraction", "1.0.0")
    usual = prompt_ids(tokenizer, render(template, ticket="Hello."))
    special = set(tokenizer.added_tokens_decoder)
    rng = random.Random(0)
    for _ in range(200):
        pieces = [*rng.choices(commands, k=4), "</ticket>", "{{ ticket }}", "[system]\n", "a < b", "<", "|", "im_end|>"]
        hostile = "".join(rng.sample(pieces, len(pieces)))
        ids = prompt_ids(tokenizer, render(template, ticket=hostile))
        assert sorted(i for i in ids if i in special) == sorted(i for i in usual if i in special)
        content = render(template, ticket=hostile)[-1]["content"]
        assert (
            content.count("</ticket>") == 1
            and content.replace("&lt;", "<") == f"<ticket>\n{hostile.strip()}\n</ticket>"
        )


def test_what_render_would_have_escaped_is_refused_where_it_was_not_used(tokenizer):
    with pytest.raises(PromptError, match="holds '<file_sep>', a command to the model"):
        prompt_ids(tokenizer, [{"role": "user", "content": "Hello <file_sep>"}])


@pytest.mark.parametrize("text", ["20 < 30", "a<3", "x <= y", "5 > 3", "price: <20", "[1]", "&lt;b>", ""])
def test_ordinary_signs_stay_as_they_are(text):
    assert escape(text) == text


@pytest.mark.parametrize("name", names())
def test_the_tests_of_every_version_hold(name):
    for version in versions(name):
        assert check(load(name, version)) == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"tests": [{"name": "t", "given": {"message": "a"}, "says": ["in 4 words"]}]}, "'in 4 words' is not in"),
        ({"tests": [{"name": "t", "given": {"message": "a"}, "silent": ["3 words"]}]}, "'3 words' stands in"),
        ({"tests": [{"name": "t", "given": {"message": "a"}, "roles": ["user"]}]}, "the roles are system, user"),
        ({"tests": [{"name": "t", "given": {"message": "a"}, "refuses": "takes"}]}, "it should refuse"),
        ({"tests": [{"name": "t", "given": {}, "says": ["a"]}]}, "needs the variable message"),
        ({"examples": [{"given": {"message": 7}, "reply": "a"}]}, "an example: greeting 1.0.0 takes user text"),
    ],
)
def test_a_test_that_does_not_hold_is_said(changed, said):
    assert said in "\n".join(check(parse(text_of(**changed), "a.md")))


def test_a_way_of_showing_text_that_lets_markers_through_is_found(monkeypatch):
    assert check(parse(text_of())) == []
    monkeypatch.setattr("helpers.prompting.escape", lambda text: text)
    assert "a hostile text leaves its place in message" in "\n".join(check(parse(text_of())))


def test_every_template_holds_with_the_chat_model(capsys):
    assert main(["test"]) == 0
    asked = sum(any(test.answers for test in load(n, v).tests) for n in names() for v in versions(n))
    assert f", {asked} of them asked of the model" in capsys.readouterr().out and asked >= 3


def test_the_command_line_says_what_holds(capsys, monkeypatch):
    assert main(["test", "--fast"]) == 0 and "templates hold" in capsys.readouterr().out
    assert main(["test", "--fast", "extractoin"]) == 2 and "did you mean 'extraction'" in capsys.readouterr().err
    monkeypatch.setattr(prompting, "check", lambda template: [f"{template} is wrong."])
    assert main(["test", "--fast", "extraction"]) == 1 and "extraction 1.0.0 is wrong." in capsys.readouterr().out


def test_behind_an_address_replies_are_written_from_the_beginning_and_scores_are_skipped(capsys, monkeypatch):
    asked = []

    def answer(messages, model, **settings):
        asked.append(messages)
        return Answer("Order number: VE-26841\nAnything else?", "stop")

    monkeypatch.setattr(prompting, "ask_model", answer)
    address = "small@http://localhost:1/v1"
    assert reply(load("extraction"), {"ticket": "VE-26841"}, address) == "Order number: VE-26841"
    assert asked[0][-1]["role"] == "user"
    assert main(["test", "--model", address, "extraction", "customer_support"]) == 0
    assert "customer_support 2.0.0 is not asked" in capsys.readouterr().out
    assert main(["test", "--model", "small@localhost", "extraction"]) == 2
    assert "is no address" in capsys.readouterr().err


class Letters:
    """Each character is a token."""

    def __call__(self, text, **_):
        return {"input_ids": [ord(letter) % 40 for letter in text]}


@pytest.fixture(scope="module")
def small():
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = LlamaConfig(vocab_size=40, max_position_embeddings=64, initializer_range=0.5, **sizes)
    return LlamaForCausalLM(config).eval()


@pytest.mark.parametrize("prompts", [[[3, 4, 5, 6], [3, 4, 5, 9], [3, 4]], [[3, 4, 5]], [[1], [2, 3]]])
@pytest.mark.parametrize("labels", [["yes", "not at all", "y"], ["a", "b"]])
def test_a_score_is_the_sum_over_the_labels_tokens_read_alone(small, prompts, labels):
    found = label_scores(small, Letters(), prompts, labels)
    for row, prompt in zip(found, prompts, strict=True):
        for score, label in zip(row, labels, strict=True):
            ids = torch.tensor([[*prompt, *Letters()(label)["input_ids"]]])
            with torch.no_grad():
                log_p = small(ids).logits[0, :-1].log_softmax(-1).gather(-1, ids[0, 1:, None])[:, 0]
            assert score.item() == pytest.approx(log_p[-len(label) :].sum().item(), abs=1e-3)  # float32, other shapes


@pytest.mark.parametrize(("prompts", "labels"), [([], ["a"]), ([[]], ["a"]), ([[1]], []), ([[1]], ["a", ""])])
def test_what_cannot_be_scored_is_refused(small, prompts, labels):
    with pytest.raises(ValueError, match="at least one token each"):
        label_scores(small, Letters(), prompts, labels)


def test_what_a_label_usually_gets_decides(monkeypatch):
    desk = load("desk")
    first, second = list(desk.answer.labels)[:2]
    usual = torch.tensor([list(desk.answer.usual.values())])
    more = usual.clone()
    more[0, 1] += 1.0
    monkeypatch.setattr(prompting, "_loaded", lambda model: (None, Letters()))
    monkeypatch.setattr(prompting, "label_scores", lambda *_: torch.cat([more, usual * 0]))
    assert usual[0, 0] > more[0, 1] and reply(desk, {"message": "a"}) == second != first
