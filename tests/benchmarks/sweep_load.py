"""The course's server under a closed loop: 1, 4, 8 and 16 clients, each with one request (two where there is one
client) of about 45 tokens, whose reply is cut at 16; beside it the same server with one request at a time, and with
int4 weights. One thread, servers in turns at each number of clients. Other programs ran on the same cores, so seconds
are long and differ from case to case: compare tokens per processor second of the server. A request that waits longer
than the server's limit of 300 seconds is an error."""

from tests.benchmarks.load_trials import trial

NAME = "18_load"
TOKENS = 16
CASES = [
    {"clients": clients, "server": server}
    for clients in (1, 4, 8, 16)
    for server in ("ours", "ours, one at a time", "ours, int4")
]


def run(case: dict) -> dict:
    return trial(case["server"], case["clients"], TOKENS)
