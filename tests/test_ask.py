"""Asking a model, wherever it runs: in this process, at the course's server, at a stranger's, and at none."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from helpers import models
from helpers.files.paths import ROOT
from helpers.models import Answer, ModelUnavailable, address_of, ask, chat_model
from tests.test_models import at_laptop_scale, need_cached, tiny_llama  # noqa: F401 (fixtures)

FRANCE = "What is the capital of France?"


class Service:
    """A server on a free port that answers as a test says, and keeps what it was asked."""

    def __init__(self) -> None:
        self.status, self.body, self.kind, self.wait = 200, {}, "application/json", 0.0
        self.models, self.asked, self.headers = ["small", "large"], None, {}
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send(200, "application/json", {"data": [{"id": name} for name in service.models]})

            def do_POST(self):
                service.path, service.headers = self.path, dict(self.headers)
                service.asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
                service.over.wait(service.wait)
                self.send(service.status, service.kind, service.body)

            def send(self, status, kind, body):
                data = (body if isinstance(body, str) else json.dumps(body)).encode()
                self.send_response(status)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        self.over = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def replies(self, text="Paris", ending="stop", **message):
        message = {"role": "assistant", "content": text} | message
        self.body = {"id": "1", "object": "chat.completion", "created": 1, "model": "small",
                     "choices": [{"index": 0, "finish_reason": ending, "message": message}]}  # fmt: skip


@pytest.fixture
def service():
    made = Service()
    yield made
    made.over.set()
    made.server.shutdown()
    made.server.server_close()


@pytest.mark.parametrize(
    ("model", "address"),
    [
        ("a@http://x:1", ("a", "http://x:1/v1")),
        ("a@http://x:1/", ("a", "http://x:1/v1")),
        ("a@http://x:1/v1/", ("a", "http://x:1/v1")),
        ("b@c@https://x/openai/v1", ("b@c", "https://x/openai/v1")),
        ("course", None),
        ("Qwen/Qwen3-0.6B", None),
    ],
)
def test_an_address_gets_its_v1_once(model, address):
    assert address_of(model) == address


def test_an_address_without_http_is_one_sentence():
    with pytest.raises(ModelUnavailable, match=r'is no address: write it as "name@http://localhost:11434/v1"'):
        ask(FRANCE, model="qwen2.5:3b@localhost:11434")


def test_weights_cannot_be_had_from_an_address():
    with pytest.raises(ModelUnavailable, match="This cell needs the model's weights"):
        chat_model(model="small@http://localhost:11434/v1")


def test_a_server_gets_the_turns_and_only_the_settings_that_were_given(service, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    service.replies()
    assert ask(FRANCE, f"small@{service.address}", temperature=0, stop=["."]) == Answer("Paris", "stop")
    turns = [{"role": "user", "content": FRANCE}]
    assert service.asked == {"model": "small", "messages": turns, "temperature": 0, "stop": ["."]}
    assert service.path == "/v1/chat/completions" and "sk-secret" not in str(service.headers)


@pytest.mark.parametrize(
    ("message", "ending", "answer"),
    [
        ({"text": "Par"}, "length", Answer("Par", "length")),
        ({"text": None, "refusal": "No."}, "stop", Answer("No.", "refusal")),
        ({"text": None}, "content_filter", Answer("", "content_filter")),
        ({"text": None, "tool_calls": []}, "tool_calls", Answer("", "tool_calls")),
        ({"text": "Paris"}, None, Answer("Paris", "unknown")),
    ],
)
def test_how_an_answer_ended_is_said(service, message, ending, answer):
    service.replies(ending=ending, **message)
    assert ask(FRANCE, f"small@{service.address}") == answer


PAGE = "<html><body>Sign in</body></html>"
NO_MODEL = {"error": {"message": "no such model"}}


@pytest.mark.parametrize(
    ("status", "kind", "body", "sentence"),
    [
        (404, "application/json", NO_MODEL, "has no model smal: name one of small, large"),
        (404, "text/html", PAGE, r"web page \(status 404\)"),
        (401, "application/json", {}, "wants a key, and keys go only to the vendors"),
        (400, "application/json", {"error": {"message": "too long"}}, r"refused the request \(.*too long"),
        (502, "text/html", PAGE, r"web page \(status 502\)"),
        (200, "text/html", PAGE, "not as OpenAI's API does"),
        (200, "application/json", PAGE, "not as OpenAI's API does"),
        (200, "application/json", {"choices": []}, "not as OpenAI's API does"),
        (200, "application/json", {"error": "busy"}, "not as OpenAI's API does"),
    ],
)
def test_what_is_no_answer_is_one_sentence(service, status, kind, body, sentence):
    service.status, service.kind, service.body = status, kind, body
    with pytest.raises(ModelUnavailable, match=sentence) as error:
        ask(FRANCE, f"smal@{service.address}")
    assert "\n" not in str(error.value) and service.address in str(error.value)


def test_a_server_that_takes_too_long_is_one_sentence(service):
    service.wait = 20
    with pytest.raises(ModelUnavailable, match=r"did not reply within 0.2 s"):
        ask(FRANCE, f"small@{service.address}", timeout=0.2)


def test_an_address_where_nothing_listens_is_one_sentence():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(ModelUnavailable, match="No model answers at http://127.0.0.1:"):
            ask(FRANCE, f"small@http://127.0.0.1:{free.getsockname()[1]}")


def test_a_vendors_key_comes_from_its_own_variable_goes_nowhere_else_and_is_never_shown(service, monkeypatch):
    monkeypatch.setitem(models.KEYS, "127.0.0.1", "SOME_API_KEY")
    monkeypatch.delenv("SOME_API_KEY", raising=False)
    model = f"small@{service.address}"
    with pytest.raises(ModelUnavailable, match="set the environment variable SOME_API_KEY"):
        ask(FRANCE, model)
    monkeypatch.setenv("SOME_API_KEY", "sk-secret")
    with pytest.raises(ModelUnavailable, match="only encrypted"):
        ask(FRANCE, model)
    assert service.asked is None
    with pytest.raises(ModelUnavailable, match=r"No model answers at https") as error:
        ask(FRANCE, model.replace("http:", "https:"))
    assert "sk-secret" not in str(error.value)


def test_a_refused_key_is_named_by_its_variable_only():
    import httpx2
    import openai

    response = httpx2.Response(401, json={}, request=httpx2.Request("POST", "https://api.openai.com/v1"))
    error = openai.AuthenticationError("bad key sk-secret", response=response, body=None)
    said = models._refused(error, "https://api.openai.com/v1", "OPENAI_API_KEY", "sk-secret")
    assert said == "https://api.openai.com/v1 refused the key in OPENAI_API_KEY: renew it."


# In this process ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def course(at_laptop_scale):  # noqa: F811
    need_cached("chat")


def test_the_courses_model_answers_and_says_when_it_was_cut_off(course):
    whole = ask(FRANCE)
    assert "Paris" in whole.text and whole.ending == "stop"
    assert ask(FRANCE, max_tokens=2) == Answer(whole.text[: len(ask(FRANCE, max_tokens=2).text)], "length")


def test_a_stop_is_cut_out_of_the_text(course):
    answer = ask(FRANCE, stop="Paris")
    assert answer.ending == "stop" and "Paris" not in answer.text and "capital" in answer.text


def test_a_seed_repeats_a_draw_and_leaves_the_processs_own_draws_alone(course):
    import torch

    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first, second, other = (ask(FRANCE, temperature=1.5, seed=seed, max_tokens=30).text for seed in (1, 1, 2))
    assert first == second != other
    assert torch.rand(1) == expected


def test_a_setting_that_only_servers_know_is_refused_here(course):
    with pytest.raises(ValueError, match="not tools"):
        ask(FRANCE, tools=[])


def test_messages_longer_than_the_model_reads_are_one_sentence(course):
    with pytest.raises(ValueError, match=r"The messages take \d+ tokens, more than this model reads"):
        ask("many words " * 5000)


def test_a_named_folder_is_loaded_in_place_of_the_model_before(tiny_llama, course):  # noqa: F811
    ask(FRANCE, max_tokens=1)
    models.forget()
    assert not models._asked and chat_model(model=str(tiny_llama))[0].config.hidden_size == 8
    with pytest.raises(ModelUnavailable, match='MODEL names the folder ./none, which does not exist.*MODEL = "course"'):
        ask(FRANCE, model="./none")


# At servers that are real ---------------------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def serve(command: list[str], port: int, ready: str):
    process = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    for _ in range(600):
        assert process.poll() is None, process.stderr.read().decode()[-500:]
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}{ready}", timeout=5).close()
            return process
        except OSError:
            time.sleep(0.1)
    process.kill()
    raise AssertionError("the server was not ready within a minute")


def test_the_courses_own_server_answers_as_its_model_does_in_this_process(course):
    port = free_port()
    process = serve([sys.executable, "-m", "helpers.serving", "--port", str(port)], port, "/v1/models")
    try:
        settings = {"temperature": 0, "max_tokens": 20}
        assert ask(FRANCE, f"chat@http://127.0.0.1:{port}", **settings) == ask(FRANCE, **settings)
        with pytest.raises(ModelUnavailable, match="has no model gpt-9: name one of chat"):
            ask(FRANCE, f"gpt-9@http://127.0.0.1:{port}/v1")
    finally:
        process.terminate()
        process.wait(20)


def test_llama_cpp_answers_from_the_courses_weights(course):
    pytest.importorskip("llama_cpp.server", reason="llama-cpp-python[server] is not installed")
    from helpers.old.speed.llama_cpp import chat_gguf

    port = free_port()
    command = [sys.executable, "-m", "llama_cpp.server", "--model", str(chat_gguf()), "--port", str(port)]
    process = serve(command, port, "/v1/models")
    try:
        assert "Paris" in ask(FRANCE, f"chat@http://127.0.0.1:{port}/v1", temperature=0, max_tokens=20).text
    finally:
        process.terminate()
        process.wait(20)
