"""`python -m helpers.serving`: serve the chat model over HTTP, for OpenAI's clients, until Ctrl+C or SIGTERM.

    python -m helpers.serving --port 8000 --adapter tickets --bits 4
    python -m helpers.serving keys add anna --keys-file keys.json --requests-per-minute 60
    python -m helpers.serving --keys-file keys.json

On SIGTERM or Ctrl+C the server takes no new requests, finishes the running ones within `--drain-seconds`, and exits
with status 0. A second Ctrl+C stops it at once. One line of JSON per request goes to stderr.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from typing import Any

from helpers.old.serving.keys import Keys, add_key
from helpers.old.serving.settings import Settings, add_options, from_arguments

GRACE = 5.0  # seconds that the last bytes get after the replies were finished or cut off


def main(arguments: list[str] | None = None) -> int:
    """Serve, or manage keys; returns the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return keys_main(given[1:]) if given[:1] == ["keys"] else serve_main(given)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


# Keys ----------------------------------------------------------------------------------------------------------------


def keys_main(given: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m helpers.serving keys", description="API keys for the server.")
    actions = parser.add_subparsers(dest="action", required=True)
    for action, about in (("add", "make a key and show it once"), ("list", "show names")):
        sub = actions.add_parser(action, help=about)
        sub.add_argument("--keys-file", required=True, metavar="PATH")
        if action != "list":
            sub.add_argument("name")
        if action == "add":
            sub.add_argument("--requests-per-minute", type=int, metavar="INT")
            sub.add_argument("--tokens-per-minute", type=int, metavar="INT")
    chosen = parser.parse_args(given)
    if chosen.action == "add":
        limits = {"requests_per_minute": chosen.requests_per_minute, "tokens_per_minute": chosen.tokens_per_minute}
        print(add_key(chosen.keys_file, chosen.name, **limits))
        print("Keep it now: the file holds only its hash.", file=sys.stderr)
    else:
        for owner in Keys.read(chosen.keys_file).owners:
            print(owner.name, owner.requests_per_minute or "-", owner.tokens_per_minute or "-", sep="\t")
    return 0


# The server ----------------------------------------------------------------------------------------------------------


def serve_main(given: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m helpers.serving",
        description="Serve the chat model over HTTP, for OpenAI's clients. `… keys --help` manages API keys.",
    )
    add_options(parser)
    parser.add_argument(
        "--stop-with-parent", action="store_true", help="stop when stdin is closed, as it is when who started it ends"
    )
    chosen = parser.parse_args(given)
    return serve(from_arguments(chosen), chosen.stop_with_parent)


def serve(settings: Settings, stop_with_parent: bool = False, **options: Any) -> int:
    """Run until told to stop. options: for `create_app`. Raises ValueError, in one sentence."""
    import uvicorn

    from helpers.old.serving.app import create_app
    from helpers.old.serving.watch import log, log_to_stderr

    opened = listen(settings.host, settings.port)
    log_to_stderr()
    app = create_app(settings, **options)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=int(settings.drain_seconds + GRACE) + 1,
    )

    class Server(uvicorn.Server):
        """Uvicorn's, which lets the service finish its replies, or name those that it cuts off."""

        draining: asyncio.Task | None = None

        async def on_tick(self, counter: int) -> bool:
            self.should_exit = self.should_exit or service.state == "broken"
            ends = await super().on_tick(counter)
            if ends and self.draining is None:
                log.info("draining", extra={"fields": {"seconds": settings.drain_seconds}})
                self.draining = asyncio.create_task(service.close())
            return ends

    server, service = Server(config), app.state.service
    where = f"http://{settings.host}:{opened.getsockname()[1]}"
    print(json.dumps({"listening": where, "pid": os.getpid()}), flush=True)  # for who started it
    log.info("listening", extra={"fields": {"address": where}})
    if stop_with_parent:
        watch_parent(server, settings.drain_seconds + 2 * GRACE)
    try:
        asyncio.run(run(server, opened))
    finally:
        opened.close()
    log.info("stopped")
    if service.problem:
        print(service.problem, file=sys.stderr)
    return 1 if service.problem else 0


async def run(server: Any, opened: socket.socket) -> None:
    """Run Uvicorn with its own handlers of signals, but without its raising them again when all is done."""
    names = [name for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)]
    before = {}
    if threading.current_thread() is threading.main_thread():
        before = {name: signal.signal(getattr(signal, name), server.handle_exit) for name in names}
    try:
        await server._serve([opened])
        if server.draining is not None:
            await server.draining
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises ValueError, in one sentence, where the address is taken or not this machine's."""
    try:
        kind, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        opened = socket.socket(kind, socket.SOCK_STREAM)
        if os.name == "posix":
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(address)
    except OSError as error:
        raise ValueError(
            f"The address {host}:{port} cannot be used ({error.strerror or error}): choose another port, or --port 0."
        ) from None
    opened.listen(2048)
    return opened


def watch_parent(server: Any, most: float) -> None:
    """Stop the server once stdin is closed or the parent is another process; after `most` seconds, however it is."""
    parent = os.getppid()

    def until_closed() -> None:
        with suppress(OSError, ValueError):
            while os.read(sys.stdin.fileno(), 4096):  # not by sys.stdin, whose lock Python wants when it ends
                pass
        closed.set()

    def stop() -> None:
        while not closed.wait(1.0):
            if os.getppid() != parent:  # killed: another process may still hold the other end of stdin
                break
        server.should_exit = True
        time.sleep(most)
        os._exit(1)  # somebody hangs

    closed = threading.Event()
    for work in (until_closed, stop):
        threading.Thread(target=work, daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())
