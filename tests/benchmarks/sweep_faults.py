"""The course's server with int8 weights in four drills, a server for each. crowd: 200 clients ask for 30 seconds, again
as soon as they are answered or, after 503, as soon as Retry-After allows. hang-ups: 1,000 clients, 64 at a time, leave
after 0 to 2 seconds or after 1 to 8 pieces of a reply of 64 tokens. exception: in each of 16 rounds eight clients ask
together with a ninth, at whose fourth token the engine's pass raises an error. SIGTERM: the server is told to stop
while the requests of 40 clients run or wait, and eight more come after that; it may take two minutes. Every reply but
those that are left or broken is a number that only its client asked for, of 8 tokens, in the last drill of 32; what
came back is counted. Two threads on two cores that nothing else used but the clients; no time limit per request that
could be reached."""

import asyncio

import psutil

from helpers.old.serving.process import start_server
from helpers.old.serving.settings import Settings
from tests.benchmarks import drills
from tests.benchmarks.peers import threads

NAME = "18_faults"
DRILLS = {
    "crowd": lambda server: drills.crowd(server, clients=200, seconds=30),
    "hang-ups": lambda server: drills.hang_ups(server, clients=1000, at_once=64),
    "exception": lambda server: drills.one_breaks(server, rounds=16, together=8),
    "SIGTERM": lambda server: drills.stop_under_load(server, clients=40),
}
CASES = [{"drill": name} for name in DRILLS]


def run(case: dict) -> dict:
    module = "tests.benchmarks.serve_breaking" if case["drill"] == "exception" else "helpers.old.serving"
    settings = Settings(bits=8, embedder=False, port=0, drain_seconds=120, request_seconds=3600)
    with start_server(settings, module=module) as server:
        found = asyncio.run(DRILLS[case["drill"]](server))
        if server.running:
            found["cpu_s"] = round(sum(psutil.Process(server.pid).cpu_times()[:2]), 1)
        return {"threads": threads(), **found}
