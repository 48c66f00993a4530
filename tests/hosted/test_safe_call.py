"""The recipe of lesson 06 at a server that misbehaves: every failure is an ending, and the text that came is kept."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.tools.notebook import ROOT


def part(kind, **fields):
    return "data: " + json.dumps({"type": kind, **fields}) + "\n\n"


def last(status, text="", tokens=0, **fields):
    """The last event; without a text, `output` is null."""
    output = [{"type": "message", "content": [{"type": "output_text", "text": text}]}] if text else None
    response = {"status": status, "output": output, "usage": {"output_tokens": tokens}, **fields}
    return part(f"response.{status}", response=response)


ASIDE, FINAL = (
    part("response.output_item.added", item={"type": "message", "phase": phase})
    for phase in ("commentary", "final_answer")
)
HALF, STREAM = part("response.output_text.delta", delta="half"), "text/event-stream"
CODE = {"code": "rate_limit_exceeded", "message": "sk-secret"}
# name: status, content type, body, whether the connection stays open → ending, text
CASES = {
    "whole": (200, STREAM, FINAL + HALF + last("completed", "half and half", 3), False, "whole", "half and half"),
    "full": (200, STREAM, last("completed", "five tokens", 5), False, "cut", "five tokens"),
    "open": (200, STREAM, last("completed", "Paris.", 2), True, "whole", "Paris."),
    "broken": (200, STREAM, HALF, False, "broken off", "half"),
    "silent": (200, STREAM, HALF, True, "TimeoutError", "half"),
    "aside": (200, STREAM, ASIDE + HALF, False, "broken off", ""),
    "answer": (200, STREAM, ASIDE + FINAL + HALF, False, "broken off", "half"),
    "error": (200, STREAM, HALF + part("error", **CODE), True, "APIError rate_limit_exceeded", "half"),
    "nested": (200, STREAM, HALF + part("error", error=CODE), False, "APIError rate_limit_exceeded", "half"),
    "failed": (200, STREAM, HALF + last("failed", error=CODE), False, "failed rate_limit_exceeded", "half"),
    "null": (200, STREAM, last("completed"), False, "empty", ""),
    "pieces": (200, STREAM, HALF + last("completed"), False, "whole", "half"),
    "no-json": (200, STREAM, HALF + "data: {half\n\n", False, "JSONDecodeError", "half"),
    "no-stream": (200, "application/json", '{"status": "completed"}', False, "no response", ""),
    "page": (200, "text/html", "<html>Sign in</html>", False, "no response", ""),
    "500": (500, "text/html", "<html>sk-secret</html>", False, "500", ""),
    "401": (401, "application/json", json.dumps({"error": {**CODE, "code": "no_key"}}), False, "401 no_key", ""),
}
NO_CONTENT = {"status": "completed", "output": [{"type": "message", "content": None}]}
MALFORMED = [HALF.replace('"half"', delta) for delta in ("null", "5")] + ["data: [5]\n\n"]
MALFORMED += [part("response.completed", response=bad) for bad in (None, NO_CONTENT, NO_CONTENT | {"output": 5})]
CASES |= {f"bad{n}": (200, STREAM, HALF + bad, True, "malformed", "half") for n, bad in enumerate(MALFORMED)}
READER = ROOT / "notebooks/exercises/06_openai_api/read_ending.py"
BOOK = json.loads((ROOT / "notebooks/06_openai_api.ipynb").read_text("utf-8"))
CODE = ["".join(cell["source"]) for cell in BOOK["cells"] if cell["id"] in ("call", "take", "safe-call")]
SCRIPT = "\n".join([READER.read_text("utf-8"), "import json, httpx2, openai", *CODE])


@pytest.fixture(scope="module")
def address():
    leave = threading.Event()

    class Misbehaving(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["content-length"]))
            status, kind, body, stays_open, *_ = CASES[self.path.split("/")[1]]
            self.send_response(status)
            self.send_header("content-type", kind)
            if status != 500:
                self.send_header("x-request-id", json.dumps(dict(self.headers)))
            self.end_headers()
            self.wfile.write(body.encode())
            leave.wait(30 if stays_open else 0)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Misbehaving)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    leave.set()
    server.shutdown()


@pytest.fixture(scope="module")
def safe_call():
    exec(SCRIPT, names := {})
    return names["safe_call"]


def test_good_calls_from_a_script_end_without_a_complaint(address):
    """24 calls, since a stream that is left open gives a complaint after one call in four."""
    script = SCRIPT + f'\nfor _ in range(24):\n    asyncio.run(safe_call("?", "{address}/whole", "m"))'
    process = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert (process.returncode, process.stderr) == (0, "")


@pytest.mark.parametrize("name", CASES)
def test_every_failure_is_an_ending_and_the_text_is_kept(name, address, safe_call):
    *_, stays_open, ending, text = CASES[name]
    reply = asyncio.run(safe_call("?", f"{address}/{name}", "m", limit=5, seconds=1 if name == "silent" else 20))
    assert (reply["ending"], reply["text"]) == (ending, text)
    assert set(reply) == {"ending", "text", "tokens", "request_id"} and isinstance(reply["request_id"], str)
    assert bool(reply["request_id"]) == (name != "500") and "sk-secret" not in reply["ending"]


def test_only_the_named_key_leaves_the_house(address, safe_call, monkeypatch):
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "mine-alone")
    monkeypatch.setenv("VENDOR_KEY", "sk-vendor\n")
    for key_name, key in {"": "none", "NOT_SET": "none", "VENDOR_KEY": "sk-vendor"}.items():
        sent = asyncio.run(safe_call("?", f"{address}/whole", "m", key_name))["request_id"]
        assert f'Bearer {key}"' in sent and "mine-alone" not in sent


def test_addresses_and_keys_that_cannot_work_are_endings(safe_call, monkeypatch):
    monkeypatch.setenv("VENDOR_KEY", "sk-ü")
    calls = {
        ("http://127.0.0.1:9/v1", ""): "APIConnectionError",
        ("no address", ""): "APIConnectionError",
        ("http://127.0.0.1:99999/v1", ""): "ExceptionGroup",
        ("http://a:b:c", ""): "InvalidURL",
        ("http://127.0.0.1:9/v1", "VENDOR_KEY"): "UnicodeEncodeError",
    }
    for (address, key_name), ending in calls.items():
        assert asyncio.run(safe_call("?", address, "m", key_name))["ending"] == ending


def test_a_bug_of_ones_own_stops(safe_call, address, monkeypatch):
    monkeypatch.delitem(safe_call.__globals__, "read_ending")
    with pytest.raises(NameError):
        asyncio.run(safe_call("?", f"{address}/whole", "m"))
