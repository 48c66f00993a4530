"""What the prefix cache saves: one client sends requests with a system prompt of about 400 tokens, and two tokens are
written. shared 0: each request has another system prompt; shared 1: all have the same one, which was read before. Two
threads on two cores that nothing else used but the client."""

from tests.benchmarks.load_trials import trial

NAME = "18_prefix"
SYSTEM_TOKENS, TOKENS, REQUESTS = 400, 2, 4
CASES = [{"shared": shared} for shared in (0.0, 1.0)]


def run(case: dict) -> dict:
    if case["shared"]:
        trial("ours", 1, TOKENS, requests=1, shared=1.0, system_tokens=SYSTEM_TOKENS)  # reads it once
    return trial("ours", 1, TOKENS, requests=REQUESTS, shared=case["shared"], system_tokens=SYSTEM_TOKENS)
