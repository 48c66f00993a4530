"""The course's server under a closed loop: 1, 4, 8, 16 and 32 clients who ask again as soon as they are answered; as
many requests as clients, at least eight, of about 45 tokens, whose replies are cut at 32. Beside it the same server
with one request at a time, and with weights of 16, 8 and 4 bits. Two threads on two cores that nothing else used but
the client; servers in turns at each number of clients."""

from tests.benchmarks.load_trials import trial

NAME = "18_load"
TOKENS = 32
SERVERS = ("ours", "ours, one at a time", "ours, bfloat16", "ours, int8", "ours, int4")
CASES = [{"clients": clients, "server": server} for clients in (1, 4, 8, 16, 32) for server in SERVERS]


def run(case: dict) -> dict:
    return trial(case["server"], case["clients"], TOKENS, requests=max(8, case["clients"]))
