"""`python -m tests.serving.serve_scripted`: the real process around a scripted engine, so that it starts fast.

A prompt with the word "slowly" is answered word by word, 20 ms each; one with "stubborn" never ends by itself.
"""

from __future__ import annotations

import argparse
import sys

from helpers.serving.__main__ import serve
from helpers.serving.settings import add_options, from_arguments
from tests.serving.scripted import ScriptedWorker, last_turn, scripted_backend


def reply(prompt: str) -> str:
    return "on and on " * 500 if "stubborn" in prompt else last_turn(prompt)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    add_options(parser)
    parser.add_argument("--stop-with-parent", action="store_true")
    chosen = parser.parse_args()
    worker = ScriptedWorker(reply, seconds=0.02)
    sys.exit(serve(from_arguments(chosen), chosen.stop_with_parent, backend=scripted_backend(worker)))
