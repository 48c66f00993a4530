"""The contract of helpers.old.hosted.contracts, put to two servers with OpenAI's API around the same chat model, the
course's own and `transformers serve`, through Chat Completions and through Responses. A clause that gets no answer
within 60 seconds is broken. The course's server declares its model's context; for `transformers serve`, which does not,
it is given, as the model's configuration has it. That server may work on a prompt beyond the context for minutes and
answer nobody else until then, so that clause comes last, and each case has a server of its own."""

import openai

from helpers.old.hosted.contracts import CLAUSES, replay
from tests.benchmarks.peers import started

NAME = "06_clauses"
SERVERS = {"course": "ours", "transformers serve": "transformers serve"}
CONTEXTS = {"transformers serve": 8192}
CASES = [{"server": server, "api": api} for api in ("chat", "responses") for server in SERVERS]


def run(case: dict) -> dict:
    with started(SERVERS[case["server"]]) as server:
        client = openai.OpenAI(api_key="none", base_url=server.base_url, max_retries=0, timeout=60)
        found = replay(client, server.model, case["api"], CLAUSES, context=CONTEXTS.get(case["server"]))
        return {"clauses": [{"name": clause.name, "held": clause.held, "said": clause.said} for clause in found]}
