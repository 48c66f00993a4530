"""Many clients at once: nobody gets another's reply, hang-ups free places, a full queue is the only refusal."""

from __future__ import annotations

import asyncio
import random

from helpers.old.serving import read_events
from tests.serving.scripted import ScriptedWorker, Server, in_loop
from tests.serving.test_server_refusals import CHAT, says, visit_and_leave


def said(answer, stream: bool) -> str:
    """The text of a reply."""
    if not stream:
        return answer.json()["choices"][0]["message"]["content"]
    return "".join(data["choices"][0]["delta"].get("content", "") for _, data in read_events(answer.text.splitlines()))


@in_loop
async def test_each_of_two_hundred_clients_gets_its_own_reply_if_it_comes_back_after_503():
    chance = random.Random(0)
    async with Server(ScriptedWorker(seconds=0.001, slots=48)) as server:
        statuses = []

        async def client(number: int) -> None:
            nonce, stream = f"{number}-{chance.randrange(10**6)}", chance.random() < 0.5
            while True:
                answer = await server.post(CHAT, says(nonce, stream=stream))
                statuses.append(answer.status_code)
                if answer.status_code == 200:
                    assert said(answer, stream) == nonce, "a reply was crossed"
                    return
                assert answer.status_code == 503 and answer.headers["retry-after"]
                await asyncio.sleep(0.1 + 0.2 * chance.random())

        await asyncio.gather(*(client(number) for number in range(200)))
        assert statuses.count(200) == 200 and statuses.count(503) > 0
        assert server.worker.running == 0


@in_loop
async def test_three_hundred_clients_that_hang_up_at_random_leave_nothing_behind():
    chance = random.Random(1)
    worker = ScriptedWorker(reply=lambda prompt: "word " * 100, seconds=0.001)
    async with Server(worker) as server:
        visits = [
            visit_and_leave(
                server, says("x", stream=chance.random() < 0.7, n=chance.choice([1, 2])), chance.randrange(8)
            )
            for _ in range(300)
        ]
        await asyncio.gather(*visits)
        for _ in range(100):
            if worker.running == 0:
                break
            await asyncio.sleep(0.01)
        assert worker.running == 0 and worker.hung_up > 100
        await asyncio.sleep(0)
        followers = [task for task in asyncio.all_tasks() if "_follow" in str(task.get_coro())]
        assert not followers, "tasks were left behind"
