"""Masked tickets: what can be known, what is hidden, and two models that differ in one mask."""

from __future__ import annotations

import random
from collections import Counter

import pytest
import torch

from helpers.old.foundations.probability import IGNORED
from helpers.old.trials import hidden_words as lm


def test_tickets_for_training_and_for_testing_never_meet():
    rng = random.Random(0)
    train, test = lm.make_tickets(2000, rng), lm.make_tickets(300, rng, held_out=True)
    assert not set(map(tuple, train)) & set(map(tuple, test))
    assert {len(ticket) for ticket in train} == {10, 11, 12}


def test_the_trouble_tells_the_part_and_the_part_leaves_two_troubles():
    owners = {trouble: part for part, troubles in lm.TROUBLES.items() for trouble in troubles}
    assert len(owners) == 2 * len(lm.TROUBLES)  # no trouble belongs to two parts
    for ticket in lm.make_tickets(200, random.Random(1)):
        kinds = {lm.kind_of(word): word for word in ticket}
        assert owners[kinds["trouble"]] == kinds["part"]


def test_the_best_possible_shares_follow_from_the_rules():
    tickets = lm.make_tickets(20_000, random.Random(2))
    for kind, (both, left) in lm.KINDS.items():
        words = Counter(word for ticket in tickets for word in ticket if lm.kind_of(word) == kind)
        common = words.most_common(1)[0][1] / len(tickets)
        expected = {"part": left, "owner": both, "trouble": both / len(lm.TROUBLES)}[kind]
        assert common == pytest.approx(expected, abs=0.02)  # 4 standard errors of a share of 20,000; some are held out


def test_words_become_ids_and_back_with_padding_on_the_right():
    tickets = lm.make_tickets(20, random.Random(3))
    ids = lm.encode_tickets(tickets)
    assert ids.shape == (20, lm.LONGEST)
    for row, ticket in zip(ids.tolist(), tickets, strict=True):
        assert [lm.word_of(i) for i in row[: len(ticket)]] == ticket
        assert set(row[len(ticket) :]) <= {lm.PAD}


def test_hidden_tokens_are_asked_for_and_no_others():
    ids = lm.encode_tickets(lm.make_tickets(200, random.Random(4)))
    before, draw = ids.clone(), torch.rand(ids.shape, generator=torch.Generator().manual_seed(0))
    inputs, labels = lm.mask_tokens(ids, draw, 0.15, lm.MASK, lm.PAD)
    hidden = inputs == lm.MASK
    assert torch.equal(ids, before)
    assert torch.equal(labels[hidden], ids[hidden]) and (labels[~hidden] == IGNORED).all()
    assert torch.equal(inputs[~hidden], ids[~hidden]) and not hidden[ids == lm.PAD].any()
    assert hidden.sum() / (ids != lm.PAD).sum() == pytest.approx(0.15, abs=0.03)


def test_encoder_and_decoder_differ_in_the_mask_alone():
    encoder, decoder = lm.ticket_model(False, seed=5), lm.ticket_model(True, seed=5)
    for (name, a), (other, b) in zip(encoder.state_dict().items(), decoder.state_dict().items(), strict=True):
        assert name == other and torch.equal(a, b)


def test_the_word_in_the_gap_is_seen_by_neither_and_what_follows_by_the_encoder_alone():
    ids = lm.encode_tickets(lm.make_tickets(8, random.Random(6)))
    place = torch.full((8,), 4)
    for causal in (False, True):
        model = lm.ticket_model(causal).eval()
        other, later = ids.clone(), ids.clone()
        other[:, 4], later[:, 6] = 2, 3
        was, in_gap, after = (lm.gap_logits(model, rows, place) for rows in (ids, other, later))
        assert torch.allclose(was, in_gap, atol=1e-6)
        assert torch.allclose(was, after, atol=1e-6) == causal


def test_training_lowers_the_surprise_and_the_seed_decides():
    ids = lm.encode_tickets(lm.make_tickets(100, random.Random(7), held_out=True))
    place, rows = torch.full((100,), 4), torch.arange(100)

    def loss(model):
        return float(-lm.gap_logits(model, ids, place).log_softmax(-1)[rows, ids[rows, 4]].mean())

    first, again, other = (loss(lm.train_on_tickets(40, False, seed, progress=False)) for seed in (0, 0, 1))
    assert first < loss(lm.ticket_model(False).eval()) - 0.3
    assert first == pytest.approx(again, abs=1e-4) and first != pytest.approx(other, abs=1e-4)


def test_a_ticket_is_as_likely_as_its_words_after_what_stands_before_them():
    model, tickets = lm.ticket_model(True).eval(), lm.make_tickets(5, random.Random(8))
    ids = lm.encode_tickets(tickets)
    by_word = [
        sum(
            float(lm.gap_logits(model, ids[i : i + 1], torch.tensor([place])).log_softmax(-1)[0, ids[i, place]])
            for place in range(1, len(ticket))
        )
        for i, ticket in enumerate(tickets)
    ]
    assert lm.log_likelihoods(model, tickets).tolist() == pytest.approx(by_word, abs=1e-4)  # sums of float32


def test_ranking_whole_tickets_uses_what_stands_behind_the_gap(monkeypatch):
    def fits_the_rules(_, tickets):
        kinds = [{lm.kind_of(word): word for word in ticket} for ticket in tickets]
        return torch.tensor([float(kind["trouble"] in lm.TROUBLES[kind["part"]]) for kind in kinds])

    monkeypatch.setattr(lm, "log_likelihoods", fits_the_rules)
    tickets = lm.make_tickets(200, random.Random(9))
    found = lm.gaps_ranked(None, tickets)
    assert found["part"] == len(tickets)
    assert found["trouble"] / len(tickets) == pytest.approx(0.5, abs=0.14)  # 4 standard errors
    assert found["owner"] / len(tickets) == pytest.approx(0.25, abs=0.13)


def test_no_steps_are_refused_in_one_sentence():
    with pytest.raises(ValueError, match="at least 1"):
        lm.train_on_tickets(0, causal=True)
