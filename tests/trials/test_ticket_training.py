"""Fine-tuning on tickets: what each kind of labels trains, that it learns, repeats itself, and shows what it says."""

from __future__ import annotations

import pytest
import torch

from helpers.old.assistants.tickets import answer_text
from helpers.old.foundations.probability import IGNORED
from helpers.old.lora import lora_layers, lora_parameters
from helpers.old.training import collate, loss_at_labels, loss_behind_prefix
from helpers.old.trials.ticket_training import (
    LABELS,
    encode_tickets,
    fine_tune,
    of_one_length,
    recipe_of,
    rounded,
    subset,
)
from helpers.old.velunda import load_tickets
from tests.training.test_chats import tokenizer  # noqa: F401
from tests.training.test_libraries import tiny  # noqa: F401

TICKETS = load_tickets("train")[:4]


def trained_text(tokenizer, example) -> str:  # noqa: F811
    return tokenizer.decode([label for label in example.labels if label != IGNORED])


def test_each_kind_of_labels_trains_what_it_says(tokenizer):  # noqa: F811
    answer, end = answer_text(TICKETS[0]["label"]), tokenizer.eos_token
    found = {labels: encode_tickets(tokenizer, TICKETS[:1], labels)[0] for labels in LABELS}
    whole = tokenizer.decode(found["answer"].ids)
    assert trained_text(tokenizer, found["answer"]) == answer + end
    assert trained_text(tokenizer, found["no mask"]) == whole
    assert trained_text(tokenizer, found["mask one late"]) == answer.removeprefix('{"') + end + "\n"
    assert trained_text(tokenizer, found["labels one early"]) == answer + end
    assert trained_text(tokenizer, found["no stop"]) == answer
    assert all(example.ids == found["answer"].ids for example in found.values())


@pytest.mark.parametrize("labels", LABELS)
def test_labels_stand_at_their_tokens_except_those_that_come_one_early(tokenizer, labels):  # noqa: F811
    for example in encode_tickets(tokenizer, TICKETS, labels):
        early = labels == "labels one early"
        ids = [*example.ids[1:], None] if early else example.ids
        assert all(label in (IGNORED, i) for label, i in zip(example.labels, ids, strict=True))
        assert any(example.trained)


def test_another_kind_of_labels_is_refused(tokenizer):  # noqa: F811
    with pytest.raises(ValueError, match="answer, no mask"):
        encode_tickets(tokenizer, TICKETS, "right")


def test_fine_tuning_lowers_the_loss_moves_only_corrections_and_repeats_itself(tiny, tokenizer):  # noqa: F811
    _, model = tiny
    frozen = {name: parameter.clone() for name, parameter in model.named_parameters()}
    batch = collate(encode_tickets(tokenizer, TICKETS))
    before = loss_at_labels(model, batch).item() / batch.n_labels
    torch.manual_seed(5)
    history = fine_tune(model, tokenizer, TICKETS, recipe_of(30, rate=2e-2, batch=4), rank=4)
    assert history.losses[0] == pytest.approx(before, rel=1e-4)
    assert loss_at_labels(model, batch).item() / batch.n_labels < 0.8 * before
    assert len(lora_layers(model)) == 2 * 7 and not model.training
    after = {name.replace(".base.", "."): parameter for name, parameter in model.named_parameters()}
    assert all(torch.equal(parameter, after[name]) for name, parameter in frozen.items())
    drawn = torch.rand(1)
    torch.manual_seed(5)
    assert torch.equal(drawn, torch.rand(1))  # the start of the corrections comes from the recipe's seed alone


def test_a_second_call_goes_on_with_the_corrections_that_are_there(tiny, tokenizer):  # noqa: F811
    _, model = tiny
    first = fine_tune(model, tokenizer, TICKETS, recipe_of(10, rate=2e-2, batch=4), rank=4)
    layers = [id(layer) for layer in lora_layers(model).values()]
    second = fine_tune(model, tokenizer, TICKETS, recipe_of(2, rate=1e-3, batch=4), rank=4)
    assert [id(layer) for layer in lora_layers(model).values()] == layers
    assert second.losses[0] < first.losses[0]
    assert any(parameter.abs().max() > 0 for parameter in lora_parameters(model))


def test_the_watched_ticket_is_shown_every_few_steps_and_changes_nothing(tiny, tokenizer):  # noqa: F811
    from copy import deepcopy

    _, model = tiny
    twin, shown = deepcopy(model), []
    watch = {"text": load_tickets("dev")[0]["text"]}
    recipe = recipe_of(5, rate=1e-2, batch=2)
    seen = fine_tune(model, tokenizer, TICKETS, recipe, rank=2, watch=watch, watch_every=2, show=shown.append)
    unseen = fine_tune(twin, tokenizer, TICKETS, recipe, rank=2)
    assert seen.losses == unseen.losses
    assert list(seen.evaluations) == [0, 2, 4, 5] and not unseen.evaluations
    assert [line.split()[1] for line in shown] == ["0", "2", "4", "5"]
    for line, reply in zip(shown, seen.evaluations.values(), strict=True):
        assert line.endswith(reply) and "\n" not in line


def test_a_larger_subset_holds_the_smaller_one_of_its_seed():
    tickets = load_tickets("train")
    small, large, other = subset(tickets, 25, 1), subset(tickets, 100, 1), subset(tickets, 25, 2)
    assert large[:25] == small != other
    assert len({ticket["text"] for ticket in subset(tickets, len(tickets), 0)}) == len(tickets)
    assert len({ticket["label"]["intent"] for ticket in large}) >= 7
    for n in (0, len(tickets) + 1):
        with pytest.raises(ValueError, match=f"so {n} of them"):
            subset(tickets, n, 0)


def test_rounded_rows_are_padded_further_and_change_no_loss(tiny, tokenizer):  # noqa: F811
    _, model = tiny
    examples = encode_tickets(tokenizer, TICKETS[:3])
    plain, padded = collate(examples), rounded(examples, 16)
    assert padded.ids.shape[1] % 16 == 0 and 0 <= padded.ids.shape[1] - plain.ids.shape[1] < 16
    assert padded.n_labels == plain.n_labels and int(padded.mask.sum()) == sum(map(len, examples))
    for loss in (loss_at_labels, loss_behind_prefix):
        assert loss(model, padded).item() == pytest.approx(loss_at_labels(model, plain).item(), rel=1e-5)


def test_groups_of_one_length_hold_every_example_once_and_waste_less(tokenizer):  # noqa: F811
    examples = encode_tickets(tokenizer, load_tickets("train")[:70])
    groups = of_one_length(examples, 8, seed=0)
    assert len(groups) == 8 and all(len(group) == 8 for group in groups)
    members = [id(example) for group in groups for example in group]
    assert len(set(members)) == 64 and set(members) <= set(map(id, examples[:64]))
    as_they_come = [examples[i : i + 8] for i in range(0, 64, 8)]
    longest = [sum(max(map(len, group)) for group in cut) for cut in (groups, as_they_come)]
    assert longest[0] < 0.95 * longest[1]
    assert [list(map(len, g)) for g in groups] != [list(map(len, g)) for g in of_one_length(examples, 8, seed=1)]


def test_training_on_groups_sees_as_many_examples_a_step(tiny, tokenizer):  # noqa: F811
    _, model = tiny
    tickets = load_tickets("train")[:8]
    batch = collate(encode_tickets(tokenizer, tickets))
    before = loss_at_labels(model, batch).item() / batch.n_labels
    history = fine_tune(model, tokenizer, tickets, recipe_of(1, batch=8), rank=2, alike=True)
    assert history.losses == [pytest.approx(before, rel=1e-4)]
