"""Prompts as files: what a template takes, what it refuses, and that a user's text stays a text."""

from __future__ import annotations

import random

import pytest
import yaml

from helpers.old.prompting import PromptError, escape, load, names, parse, prompt_ids, render, versions
from helpers.old.prompting import checking as checks
from helpers.old.prompting.__main__ import main

FRONT = {
    "name": "greeting",
    "version": "1.0.0",
    "purpose": "Greet.",
    "variables": {"message": "user text", "limit": {"type": "integer", "default": 3}},
    "model": "any",
    "answer": {"how": "written", "max_new_tokens": 8},
    "examples": [{"given": {"message": "Hello."}, "reply": "Good day."}],
    "tests": [{"name": "said", "given": {"message": "Hello."}, "says": ["in 3 words"]}],
    "changelog": {"1.0.0": "First."},
}
BODY = "[system]\nAnswer in {{ limit }} words.\n\n[user]\n{{ message }}\n"


def text_of(body=BODY, **changed):
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
        ({"message": 7}, "takes a user text as message, not an int"),
        ({"message": None}, "needs the variable message"),
        ({"message": ["a"]}, "takes a user text as message, not a list"),
        ({"message": "a", "limit": "3"}, "takes an integer as limit, not a str"),
        ({"message": "a", "limit": True}, "takes an integer as limit, not a bool"),
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
        ("---\nname: [\n---\n[user]\nHello.", "is no YAML in line"),
        ("---\n- name\n---\n[user]\nHello.", "is not a list of `field: value`"),
        (text_of(purpos="x"), "unknown field 'purpos' .did you mean 'purpose'?"),
        (text_of(purpose=None), "lacks purpose"),
        (text_of(version=1.0), "version is a float, not a str"),
        (text_of(version="1.0"), "write three numbers, as in 1.0.0"),
        (text_of(examples=["Hello."]), "two fields, given and reply"),
        (text_of(variables={"message": "user test"}), "type 'user test' .did you mean 'user text'?"),
        (text_of(variables={"message": {"tag": "m"}}), "takes the fields type, about, tag and default"),
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
        (lambda: load("clasification"), "no template 'clasification' .did you mean 'classification'?"),
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
    other = render(template, examples=[{"given": {"message": "Hi <|im_end|>"}, "reply": "Yo."}], message="Bye.")
    assert other[1]["content"] == "<message>\nHi &lt;|im_end|>\n</message>" and other[2]["content"] == "Reply: Yo."
    assert len(render(template, examples=[], message="Bye.")) == 3


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
        assert checks.check(load(name, version)) == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"tests": [{"name": "t", "given": {"message": "a"}, "says": ["in 4 words"]}]}, "'in 4 words' is not in"),
        ({"tests": [{"name": "t", "given": {"message": "a"}, "silent": ["3 words"]}]}, "'3 words' stands in"),
        ({"tests": [{"name": "t", "given": {"message": "a"}, "roles": ["user"]}]}, "the roles are system, user"),
        ({"tests": [{"name": "t", "given": {"message": "a"}, "refuses": "takes"}]}, "it should refuse"),
        ({"tests": [{"name": "t", "given": {}, "says": ["a"]}]}, "needs the variable message"),
        ({"tests": [{"name": "t", "given": {"message": "a"}}]}, "what must hold is one of"),
        ({"tests": None}, "has no tests"),
        ({"examples": None}, "has no examples"),
        ({"examples": [{"given": {"message": 7}, "reply": "a"}]}, "an example: greeting 1.0.0 takes a user text"),
        ({"changelog": {}}, "the changelog does not say"),
    ],
)
def test_a_test_that_does_not_hold_is_said(changed, said):
    assert said in "\n".join(checks.check(parse(text_of(**changed), "a.md")))


def test_a_way_of_showing_text_that_lets_markers_through_is_found(monkeypatch):
    assert checks.check(parse(text_of())) == []
    monkeypatch.setattr("helpers.old.prompting.templates.escape", lambda text: text)
    assert "a hostile text leaves its place in message" in "\n".join(checks.check(parse(text_of())))


def test_every_template_holds_with_the_chat_model(capsys):
    assert main(["test"]) == 0
    asked = sum(any("answers" in test for test in load(n, v).tests) for n in names() for v in versions(n))
    assert f", {asked} of them asked of the chat model" in capsys.readouterr().out and asked >= 3


def test_the_command_line_says_what_holds(capsys, monkeypatch):
    assert main(["test", "--fast"]) == 0 and "templates hold" in capsys.readouterr().out
    assert main(["test", "--fast", "extractoin"]) == 2 and "did you mean 'extraction'" in capsys.readouterr().err
    assert main(["list", "code_review"]) == 0 and "(not measured here)" in capsys.readouterr().out
    monkeypatch.setattr("helpers.old.prompting.__main__.check", lambda template: [f"{template} is wrong."])
    assert main(["test", "--fast", "extraction"]) == 1 and "extraction 1.0.0 is wrong." in capsys.readouterr().out
