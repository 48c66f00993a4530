"""Servers under the same closed loop, in turns, in a run that was resumed once: 1 and 8 clients, each with one
request (two where there is one client) of about 45 tokens, whose reply is cut at 12. One thread; float32 weights,
except llama.cpp's (Q4_1, the file as published). Other programs ran on the same cores, so seconds are long and differ
from case to case: compare tokens per processor second of the server."""

from tests.benchmarks.load_trials import trial

NAME = "18_peers"
TOKENS = 12
SERVERS = ("ours", "transformers serve", "transformers serve --continuous-batching", "llama.cpp")
CASES = [{"clients": clients, "server": server} for clients in (1, 8) for server in SERVERS]


def run(case: dict) -> dict:
    return trial(case["server"], case["clients"], TOKENS)
