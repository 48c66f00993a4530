"""Servers under the same closed loop, in turns: 1, 4, 8, 16 and 32 clients who ask again as soon as they are answered;
as many requests as clients, at least four, of about 45 tokens, whose replies are cut at 32. Two threads on two cores
that nothing else used but the client. float32 weights, except llama.cpp's (Q4_1, the file as published) and ours in
4 bits (groups of 32)."""

from tests.benchmarks.load_trials import trial

NAME = "18_peers"
TOKENS = 32
SERVERS = (
    "ours",
    "ours, int4",
    "transformers serve",
    "transformers serve --continuous-batching",
    "llama.cpp",
    "vLLM",
)
CASES = [{"clients": clients, "server": server} for clients in (1, 4, 8, 16, 32) for server in SERVERS]


def run(case: dict) -> dict:
    return trial(case["server"], case["clients"], TOKENS, requests=max(4, case["clients"]))
