"""A request gets what it would get alone, memory stays in its bounds, and nobody harms another."""

from __future__ import annotations

import random

import pytest
import torch

from helpers.generation import sample, temperature, top_p
from helpers.old.serving import Ask, Full, Usage
from helpers.old.serving.choosing import nucleus
from helpers.old.serving.pages import pages_for
from helpers.old.speed import FastLlama
from tests.serving.tiny import (
    END,
    Characters,
    V,
    adapted,
    adapter,
    alone,
    alone_endless,
    endless_engine,
    engine,
    prompt,
    run,
    served,
    text,
    tiny,
    tokens,
    wordy,
)


def asks(n: int, **options) -> list[Ask]:
    """Greedy requests with prompts from 1 to 40 tokens."""
    rng = random.Random(0)
    return [Ask(prompt(rng.randint(1, 40), seed), rng.randint(1, 25), **options) for seed in range(n)]


# The same reply alone and in any batch --------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"max_running": 1}, {"chunk": 1}, {"chunk": 7}, {"page_size": 1}])
@pytest.mark.parametrize("prefix_cache", [True, False])
def test_a_greedy_reply_is_the_same_alone_and_in_any_batch(options, prefix_cache):
    wanted = asks(12)
    found = served(engine(prefix_cache=prefix_cache, **options), wanted)
    for ask, pieces in zip(wanted, found, strict=True):
        reply = alone(ask)
        assert tokens(pieces) == reply
        assert pieces[-1].finish == ("stop" if reply[-1] == END else "length")
        assert text(pieces) == Characters().decode([token for token in reply if token != END])
        assert [piece.finish for piece in pieces[:-1]] == [None] * (len(pieces) - 1)
    assert len({tuple(tokens(pieces)) for pieces in found}) > 6


def test_requests_may_come_at_any_time():
    wanted, server, names = asks(12), engine(), {}
    arrivals = random.Random(1).sample(range(60), 12)

    def arrive(step: int) -> None:
        for i, arrival in enumerate(arrivals):
            if arrival == step:
                names[i] = server.submit(wanted[i])

    pieces = {}
    for step in range(400):
        arrive(step)
        for name, piece in server.step().items():
            pieces.setdefault(name, []).append(piece)
    assert server.idle
    assert [tokens(pieces[names[i]]) for i in range(12)] == [alone(ask) for ask in wanted]


def test_each_request_of_a_batch_gets_its_own_adapter(tmp_path):
    folders = {"one": adapter(tmp_path, 1), "two": adapter(tmp_path, 2, rank=3, targets=("k_proj", "down_proj"))}
    models = {None: tiny()} | {name: adapted(folder) for name, folder in folders.items()}
    shared = prompt(14)
    wanted = [Ask(shared, 10, adapter=name) for name in (None, "one", "two", "one", None, "two")]
    found = [tokens(pieces) for pieces in served(engine(adapters=folders), wanted)]
    assert found == [alone(ask, models[ask.adapter]) for ask in wanted]
    assert len({tuple(reply) for reply in found}) == 3


def test_a_seed_draws_the_same_tokens_alone_and_in_a_batch():
    options = {"temperature": 1.0, "top_p": 0.9}
    (by_itself,) = served(engine(), [Ask(prompt(9), 20, seed=3, **options)])
    wanted = [*asks(5), Ask(prompt(9), 20, seed=3, **options), Ask(prompt(9), 20, seed=4, **options)]
    found = served(engine(), wanted)
    assert tokens(found[5]) == tokens(by_itself) != tokens(found[6])


def test_draws_are_those_of_the_sampler():
    ask = Ask(prompt(9), 20, temperature=0.8, top_p=0.7, seed=5)
    (pieces,) = served(engine(), [ask])
    sampler = sample(temperature(0.8), top_p(0.7), generator=torch.Generator().manual_seed(5))
    from helpers.generation import generate

    expected = generate(tiny(), list(ask.prompt), 20, sampler=sampler)[0, 9:].tolist()
    assert tokens(pieces) == expected


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("spread", [0.1, 1.0, 5.0])
def test_the_fast_nucleus_is_the_nucleus(p, spread):
    logits = spread * torch.randn(8, 2_000, generator=torch.Generator().manual_seed(0))
    for row in logits:
        differ = (nucleus(row[None], p) != top_p(p)(row[None]))[0]
        # a token may stand on the edge: those before it sum to p up to rounding, in float32 and another order
        probabilities = row.double().softmax(-1)
        for token in differ.nonzero()[:, 0]:
            assert float(probabilities[row > row[token]].sum()) == pytest.approx(p, abs=1e-6)


# Stops, log-probabilities, usage --------------------------------------------------------------------------------------


def test_a_stop_string_ends_a_reply_and_is_not_shown():
    (ask,) = wordy(1, 8, 20)
    whole = Characters().decode(alone_endless(ask))
    word = whole[5:7]
    (pieces,) = served(endless_engine(), [Ask(ask.prompt, 20, stop=("never there", word))])
    assert text(pieces) == whole[: whole.index(word)] and pieces[-1].finish == "stop"


def test_log_probabilities_are_the_models_own():
    ask = Ask(prompt(8), 6, temperature=1.5, seed=0, logprobs=3)
    (pieces,) = served(engine(), [ask])
    with torch.no_grad():
        expected = tiny()(torch.tensor([[*ask.prompt, *tokens(pieces)]]))[0, 7:-1].log_softmax(-1)
    for row, piece in zip(expected, pieces, strict=True):
        (found,) = piece.logprobs
        assert found.token == piece.tokens[0]
        assert found.logprob == pytest.approx(float(row[found.token]), abs=1e-4)
        assert [token for token, _ in found.top] == row.topk(3).indices.tolist()
        assert [value for _, value in found.top] == pytest.approx(row.topk(3).values.tolist(), abs=1e-4)
    (none,) = served(engine(), [Ask(ask.prompt, 6, logprobs=0)])
    assert all(piece.logprobs[0].top == () for piece in none)


def test_usage_counts_what_was_read_and_written():
    ask = Ask(prompt(11), 6)
    server = engine()
    first, second = served(server, [ask])[0][-1].usage, served(server, [ask])[0][-1].usage
    written = len(alone(ask))
    assert first == Usage(11, 0, written) and second == Usage(11, 8, written)
    assert server.stats.tokens_read == 11 + 3 and server.stats.prefix_tokens_hit == 8
    assert server.stats.tokens_written == 2 * written


# The prefix cache -----------------------------------------------------------------------------------------------------


def test_a_shared_beginning_is_read_once():
    system, server = prompt(20), engine()
    wanted = [Ask(system + prompt(5, seed), 6) for seed in range(4)]
    found = served(server, wanted)
    assert [tokens(pieces) for pieces in found] == [alone(ask) for ask in wanted]
    assert server.stats.prefix_tokens_hit == 3 * 20, "five full pages, for all but the first"
    assert server.stats.tokens_read == 25 + 3 * 5


def test_an_answer_is_found_again_by_the_next_turn_of_a_chat():
    server, ask = engine(), Ask(prompt(9), 12)
    reply = tokens(served(server, [ask])[0])
    longer = Ask(ask.prompt + tuple(reply) + prompt(4), 6)
    (pieces,) = served(server, [longer])
    held = len(ask.prompt) + len(reply) - 1  # the last token was written and never read
    assert pieces[-1].usage.cached_tokens == held // 4 * 4
    assert tokens(pieces) == alone(longer)


def test_an_adapter_shares_nothing_with_the_model_itself(tmp_path):
    server = engine(adapters={"one": adapter(tmp_path, 1)})
    served(server, [Ask(prompt(20), 2)])
    (pieces,) = served(server, [Ask(prompt(20), 2, adapter="one")])
    assert pieces[-1].usage.cached_tokens == 0


def test_at_least_one_token_is_read():
    server, ask = engine(), Ask(prompt(8), 3)
    served(server, [ask])
    (pieces,) = served(server, [ask])
    assert pieces[-1].usage.cached_tokens == 4, "the second page is full, but its logits are needed"
    assert tokens(pieces) == alone(ask)


def test_kept_pages_make_room_when_memory_is_needed():
    server = engine()
    for seed in range(8):
        ask = Ask(prompt(40, seed), 3)
        assert tokens(served(server, [ask])[0]) == alone(ask)
    assert server.stats.pages_free == 36 and server.stats.pages_cached <= 36


def test_without_a_prefix_cache_nothing_is_kept():
    server = engine(prefix_cache=False)
    served(server, [Ask(prompt(20), 2)] * 2)
    assert server.stats.prefix_tokens_hit == server.stats.pages_cached == 0


# Memory ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix_cache", [True, False])
def test_memory_stays_in_its_budget_and_whoever_steps_back_gets_the_same_reply(prefix_cache):
    """Twelve requests that together need three times the pages there are."""
    wanted = wordy(12, 6, 26)
    server = endless_engine(cache_mb=32 * 1536 / 1e6, prefix_cache=prefix_cache)
    assert sum(pages_for(6 + 26 - 1, 4) for _ in wanted) == 3 * 32
    names = [server.submit(ask) for ask in wanted]
    stepped_back, pieces = 0, {name: [] for name in names}
    while not server.idle:
        before = {request.name for request in server.running}
        for name, piece in server.step().items():
            pieces[name].append(piece)
        stepped_back += len(before & {request.name for request in server.waiting})
        assert server.stats.pages_used + server.stats.pages_free == 32
        assert server.pool.owners == [
            sum(request.pages.count(page) for request in server.running) for page in range(32)
        ]
    assert stepped_back > 0, "memory was short, or this test shows nothing"
    assert [tokens(pieces[name]) for name in names] == [alone_endless(ask) for ask in wanted]
    assert server.stats.pages_used == 0


def test_the_store_takes_the_memory_that_was_given():
    server = engine(cache_mb=1)
    assert 1e6 - 1536 < server.model.nbytes <= 1e6
    with pytest.raises(ValueError, match="raise cache_mb"):
        engine(cache_mb=0.001)


@pytest.mark.parametrize("limit", ["max_running", "max_waiting", "chunk"])
def test_limits_below_one_are_refused(limit):
    with pytest.raises(ValueError, match=f"{limit} is at least 1"):
        engine(**{limit: 0})


def test_as_many_run_as_may_and_the_rest_wait_in_order():
    server = engine(max_running=2)
    names = [server.submit(Ask(prompt(3, seed), 4)) for seed in range(4)]
    server.step()
    assert (server.stats.running, server.stats.waiting) == (2, 2)
    ended = [name for name, pieces in run(server).items() for piece in pieces if piece.finish]
    assert sorted(ended[:2]) == sorted(names[:2])


# What is refused ------------------------------------------------------------------------------------------------------


def test_a_full_queue_refuses():
    server = engine(max_waiting=2)
    for _ in range(2):
        server.submit(Ask(prompt(3), 2))
    with pytest.raises(Full, match="2 requests are waiting"):
        server.submit(Ask(prompt(3), 2))
    run(server)
    server.submit(Ask(prompt(3), 2))


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (Ask(prompt(3), 2, adapter="unknown"), "no adapter 'unknown' here: this engine has none"),
        (Ask((1, V), 2), f"no token {V}: ids of this model go from 0 to 60"),
        (Ask((-1,), 2), "no token -1"),
        (Ask(prompt(3), 2046), "together more than the model's context of 2048"),
        (Ask(prompt(100), 46), "cache holds 144"),
    ],
)
def test_what_cannot_be_served_is_refused_at_once(ask, said):
    server = engine()
    with pytest.raises(ValueError, match=said):
        server.submit(ask)
    assert server.idle
    server.submit(Ask(prompt(100), 45))


# Chunked prefill ------------------------------------------------------------------------------------------------------


def test_a_long_prompt_does_not_hold_up_those_who_write():
    server = endless_engine(chunk=8)
    writing = server.submit(Ask(prompt(4, 1), 40))
    server.step()
    long, steps = server.submit(Ask(prompt(80), 2)), []
    while not steps or long not in steps[-1]:
        before = server.stats.tokens_read
        steps.append(server.step())
        assert server.stats.tokens_read - before == 8
    assert len(steps) == 10, "80 tokens, 8 at a step"
    assert all(writing in pieces for pieces in steps), "who writes gets a token at every one of them"


def test_prompts_share_the_tokens_of_a_step():
    server = engine(chunk=8, prefix_cache=False)
    for seed in range(3):
        server.submit(Ask(prompt(6, seed), 2))
    read = []
    for _ in range(3):
        server.step()
        read.append(server.stats.tokens_read)
    assert read[0] == 8 and read[-1] == 18


# Cancellation ---------------------------------------------------------------------------------------------------------


def test_cancelling_returns_pages_wherever_a_request_is():
    server = engine(max_running=2, chunk=8, prefix_cache=False)
    writing, reading, waiting = (server.submit(Ask(prompt(n), 20)) for n in (3, 40, 5))
    server.step()
    assert server.stats.pages_used > 0
    for name in (writing, reading, waiting, "never was"):
        server.cancel(name)
    pieces = server.step()
    assert {name: piece.finish for name, piece in pieces.items()} == dict.fromkeys(
        (writing, reading, waiting), "cancelled"
    )
    assert pieces[writing].usage.completion_tokens == 1
    assert server.idle and server.stats.pages_used == 0 and server.step() == {}


def test_clients_that_leave_at_random_leave_nothing_behind():
    rng, server, names = random.Random(0), engine(), []
    kept = []

    def come_and_go(step: int) -> None:
        if step < 150 and server.stats.waiting < server.max_waiting:
            names.append(server.submit(Ask(prompt(rng.randint(1, 30), step), rng.randint(1, 30))))
            if rng.random() < 0.2:
                kept.append(names.pop())
        if names and rng.random() < 0.9:
            server.cancel(names.pop(rng.randrange(len(names))))

    pieces = run(server, come_and_go)
    assert kept and all(pieces[name][-1].finish in ("stop", "length") for name in kept)
    assert server.stats.pages_used == 0 and sum(server.pool.owners) == 0


# One request's fault --------------------------------------------------------------------------------------------------


class Stumbling:
    """A model that fails for one token."""

    def __init__(self, model, token: int) -> None:
        self.model, self.token = model, token
        self.corrections, self.clear = model.corrections, model.clear

    def __call__(self, rows):
        if any(self.token in row.tokens for row in rows):
            raise RuntimeError("planted")
        return self.model(rows)


def test_a_pass_that_fails_ends_the_request_whose_fault_it_is():
    server, wanted = engine(), asks(5)
    server.model = Stumbling(server.model, V - 1)
    bad = Ask((V - 1, 3), 4)
    wanted = [ask for ask in wanted if V - 1 not in ask.prompt and V - 1 not in alone(ask)]
    assert len(wanted) > 1
    *found, failed = served(server, [*wanted, bad])
    assert [tokens(pieces) for pieces in found] == [alone(ask) for ask in wanted]
    assert [piece.finish for piece in failed] == ["error"] and "RuntimeError: planted" in failed[0].error
    assert server.stats.pages_used == 0


def test_numbers_that_are_none_end_one_request_and_reach_nobody_else():
    """The embedding of one token is NaN: whoever uses it fails, and so does nobody who gets its pages."""
    model = FastLlama(tiny())
    with torch.no_grad():
        model.embedding.weight[V - 1] = float("nan")
    server = engine(model=model, cache_mb=12 * 1536 / 1e6)
    wanted = [ask for ask in (Ask(prompt(7, seed), 4) for seed in range(30)) if V - 1 not in ask.prompt]
    wanted = [ask for ask in wanted if V - 1 not in alone(ask)][:6]
    bad = Ask((*prompt(6, 99)[:5], V - 1, *prompt(9, 5)), 4)
    first, failed, *rest = served(server, [wanted[0], bad, *wanted[1:]])
    assert failed[-1].finish == "error" and "NaN" in failed[-1].error
    assert [tokens(pieces) for pieces in (first, *rest)] == [alone(ask) for ask in wanted]
    assert not server.model.store.isnan().any() and server.pool.used == 0


class Muttering(Characters):
    """A tokenizer that fails at one token."""

    def __init__(self, token: int) -> None:
        self.token = token

    def decode(self, ids):
        if self.token in ids:
            raise KeyError("planted")
        return super().decode(ids)


def test_a_text_that_cannot_be_decoded_ends_its_request_alone():
    wanted = wordy(6, 5, 12)
    replies = [alone_endless(ask) for ask in wanted]
    token = next(t for t in replies[0] if sum(t in reply for reply in replies) < 6)
    server = endless_engine()
    server.tokenizer = Muttering(token)
    for reply, pieces in zip(replies, served(server, wanted), strict=True):
        assert pieces[-1].finish == ("error" if token in reply else "length")
        assert tokens(pieces) == reply[: reply.index(token) if token in reply else None]


def test_an_error_of_the_engine_itself_ends_those_who_run():
    server = engine(max_running=1)
    first, second = (server.submit(Ask(prompt(3, seed), 3)) for seed in range(2))
    server.step()
    pieces = server.abandon(RuntimeError("planted"))
    assert pieces[first].finish == "error" and pieces[first].error == "RuntimeError: planted"
    assert [list(run(server))] == [[second]]
