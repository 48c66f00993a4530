"""`python -m tests.benchmarks.serve_breaking`: the course's server, in which some requests break on their way.

A request with the words "Break here." in its prompt raises an error inside the engine's pass over all rows, when its
fourth token is due. Nothing else differs from `python -m helpers.serving`.
"""

from __future__ import annotations

import argparse
import sys

from helpers.old.serving.__main__ import serve
from helpers.old.serving.backend import Backend, load_backend
from helpers.old.serving.settings import Settings, add_options, from_arguments
from tests.benchmarks.drills import MARK

WRITTEN = 3  # tokens that such a request has written before it breaks


def breaking(settings: Settings) -> Backend:
    """What the server serves, with the fault planted in its engine."""
    backend = load_backend(settings)
    engine, read = backend.worker.engine, backend.worker.engine._read_rows

    def read_or_break(planned):
        for request, _ in planned:
            if request.choice.written == WRITTEN and MARK in backend.tokenizer.decode(list(request.ask.prompt)):
                raise RuntimeError("planted")
        return read(planned)

    engine._read_rows = read_or_break
    return backend


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    add_options(parser)
    parser.add_argument("--stop-with-parent", action="store_true")
    chosen = parser.parse_args()
    sys.exit(serve(from_arguments(chosen), chosen.stop_with_parent, backend=breaking))
