"""`python -m tests.serving.serve_scripted`: the real process around a scripted engine, so that it starts fast.

Prompts are answered by their last turn, 20 ms per token; one with "stubborn" or "long story" gets a reply that never
ends by itself, and one with `MARK` breaks while it is written.
"""

from __future__ import annotations

import argparse
import sys

from helpers.old.serving.__main__ import serve
from helpers.old.serving.settings import add_options, from_arguments
from tests.serving.scripted import ScriptedWorker, last_turn, scripted_backend

MARK = "Break here."


def reply(prompt: str) -> str:
    endless = "stubborn" in prompt or "long story" in prompt
    return "on and on " * 500 if endless else last_turn(prompt)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    add_options(parser)
    parser.add_argument("--stop-with-parent", action="store_true")
    chosen = parser.parse_args()
    settings = from_arguments(chosen)
    worker = ScriptedWorker(reply, 0.02, slots=settings.max_running + settings.max_waiting, fail=MARK)
    sys.exit(serve(settings, chosen.stop_with_parent, backend=scripted_backend(worker)))
