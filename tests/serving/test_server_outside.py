"""The server as others meet it: from a Jupyter kernel that dies, and by plain curl."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import threading
import time
import urllib.request

import pytest

from helpers.files import ROOT
from tests.serving.scripted import scripted_backend
from tests.serving.test_server_process import SCRIPTED, gone, posix

CURL = shutil.which("curl")
CELL = f"""
from helpers.old.serving import start_server
server = start_server(module={SCRIPTED!r})
print(server.pid, server.url)
"""


# A kernel -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def kernel():
    """A Jupyter kernel with a client, as a notebook has them."""
    from jupyter_client.manager import KernelManager

    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(ROOT), env=os.environ | {"PYTHONPATH": str(ROOT)})
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@posix
def test_a_server_ends_with_a_kernel_that_is_killed(kernel):
    manager, client = kernel
    said = []

    def listen(message: dict) -> None:
        said.append(message["content"].get("text", "") + "\n".join(message["content"].get("traceback", [])))

    reply = client.execute_interactive(CELL, timeout=60, output_hook=listen, store_history=False)
    assert reply["content"]["status"] == "ok", "".join(said)
    pid, url = "".join(said).split()
    with urllib.request.urlopen(f"{url}/health", timeout=10) as answer:
        assert json.load(answer)["status"] == "alive"
    os.kill(manager.provisioner.pid, signal.SIGKILL)
    assert gone(int(pid)), "the server is an orphan"


# curl -----------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def address():
    """A scripted server on a real port, in a thread of this process."""
    import uvicorn

    from helpers.old.serving import Settings, create_app

    server = uvicorn.Server(uvicorn.Config(create_app(Settings(), scripted_backend()), port=0, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


def curl(url: str, body: dict | None = None, *options: str) -> str:
    """What plain curl prints; it fails where the server answers with an error."""
    command = [CURL, "--silent", "--show-error", "--fail-with-body", "--noproxy", "*", "--max-time", "20", *options]
    if body is not None:
        command += ["-H", "Content-Type: application/json", "-d", json.dumps(body)]
    return subprocess.run([*command, url], capture_output=True, text=True, check=True, encoding="utf-8").stdout


needs_curl = pytest.mark.skipif(CURL is None, reason="curl is not installed")


@needs_curl
def test_curl_gets_a_reply_whole_or_as_a_stream(address):
    body = {"model": "chat", "messages": [{"role": "user", "content": "Ein Rad 🚲, bitte"}]}
    whole = json.loads(curl(f"{address}/v1/chat/completions", body))
    assert whole["choices"][0]["message"]["content"] == "Ein Rad 🚲, bitte"
    streamed = curl(f"{address}/v1/chat/completions", body | {"stream": True}, "--no-buffer")
    events = [line.removeprefix("data: ") for line in streamed.split("\n\n") if line]
    assert events[-1] == "[DONE]" and len(events) > 5
    pieces = [json.loads(event)["choices"][0]["delta"].get("content", "") for event in events[:-1]]
    assert "".join(pieces) == "Ein Rad 🚲, bitte"


@needs_curl
def test_curl_goes_on_with_a_response_and_gets_vectors(address):
    first = json.loads(curl(f"{address}/v1/responses", {"model": "chat", "input": "one"}))
    second = json.loads(
        curl(f"{address}/v1/responses", {"input": "two", "model": "chat", "previous_response_id": first["id"]})
    )
    assert second["output"][0]["content"][0]["text"] == "two" and second["previous_response_id"] == first["id"]
    assert second["usage"]["input_tokens"] > first["usage"]["input_tokens"], "the first turn was not read again"
    made = json.loads(curl(f"{address}/v1/embeddings", {"model": "embedder", "input": ["ab", "cc"]}))
    assert [one["embedding"] for one in made["data"]] == [[1, 1, 0], [0, 0, 2]]


@needs_curl
def test_curl_is_told_what_is_wrong_and_the_readmes_command_works(address):
    with pytest.raises(subprocess.CalledProcessError) as refused:
        curl(f"{address}/v1/chat/completions", {"messages": []})
    assert json.loads(refused.value.stdout)["error"]["message"]
    readme = (ROOT / "helpers" / "old" / "serving" / "README.md").read_text(encoding="utf-8")
    command = re.search(r"^    (curl (?:.*\\\n)*.*)$", readme, re.MULTILINE)[1].replace("\\\n", " ")
    words = shlex.split(command.replace("http://127.0.0.1:8000", address))
    found = subprocess.run(words, capture_output=True, text=True, check=True, timeout=20, encoding="utf-8").stdout
    assert json.loads(found)["choices"][0]["message"]["content"] == "Hello!"
