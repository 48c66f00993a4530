"""What is trained is seen: counted, colored, whole, and cut only where nothing is trained."""

from __future__ import annotations

import re

import pytest

from helpers.plots import png
from helpers.plots.token_boxes import SPECIAL
from helpers.training import plots as trained_tokens
from helpers.training import show_trained, tokens_seen, trained_figure
from helpers.training.plots import GIVEN, TRAINED, WIDTH
from helpers.trials.ticket_training import LABELS, encode_tickets, spoil
from helpers.velunda import load_tickets
from tests.training.test_chats import tokenizer  # noqa: F401


@pytest.fixture
def example(tokenizer):  # noqa: F811
    return encode_tickets(tokenizer, load_tickets("train")[:1])[0]


def test_every_token_has_its_color_and_the_end_its_own(tokenizer, example):  # noqa: F811
    seen = tokens_seen(tokenizer, example, edge=len(example))
    assert len(seen) == len(example)
    for token, i, trained in zip(seen, example.ids, example.trained, strict=True):
        end = i == tokenizer.eos_token_id
        assert token.color == (GIVEN if not trained else SPECIAL if end else TRAINED)
    assert sum(token.color == SPECIAL for token in seen) == 1  # the turns before it end with the same token


def test_only_untrained_lines_are_cut_and_the_count_of_what_is_missing_is_right(tokenizer, example):  # noqa: F811
    whole, cut = (tokens_seen(tokenizer, example, edge) for edge in (len(example), 4))
    assert [token for token in cut if token.trained] == [token for token in whole if token.trained]
    missing = [int(found[1]) for token in cut if (found := re.fullmatch(r"… (\d+) tokens …", token.text))]
    assert missing and len(cut) - len(missing) + sum(missing) == len(whole)


@pytest.mark.parametrize("labels", LABELS)
def test_plain_text_puts_what_is_trained_between_guillemets(monkeypatch, tokenizer, example, labels):  # noqa: F811
    emitted = []
    monkeypatch.setattr(trained_tokens, "emit", lambda text, markup: emitted.append((text, markup)))
    spoiled = spoil(example, labels, tokenizer.eos_token_id)
    show_trained(tokenizer, {"one": spoiled, "<two>": spoiled})
    [(text, markup)] = emitted
    first = text.splitlines()[0]
    assert first == f"one: {sum(spoiled.trained)} of {len(spoiled)} tokens are trained"
    runs = re.findall("«(.*?)»", text.splitlines()[1].replace("<|im_end|>", "<end>"))
    assert sum(len(run.split("|")) for run in runs) == sum(spoiled.trained) or labels == "no mask"
    assert ("<end>" in runs[-1]) == (labels in ("answer", "no mask", "mask one late"))
    assert "&lt;two&gt;" in markup and markup.count(GIVEN) > 0 or labels == "no mask"
    inked = re.findall(r'<span style="([^"]*)">', markup)  # dark letters only on a ground of their own, for dark themes
    assert all(("background:#" in style) == ("color:#1f2328" in style) for style in inked)
    assert any("color:" not in style for style in inked)


def test_the_figure_counts_keeps_within_its_lines_and_is_small(tokenizer, example):  # noqa: F811
    fig = trained_figure(tokenizer, example)
    assert f"{sum(example.trained)} of {len(example)} tokens" in fig._suptitle.get_text()
    ax = fig.axes[0]
    fig.draw_without_rendering()
    right = ax.transAxes.transform((1, 0))[0]
    assert all(text.get_window_extent().x1 <= right + 1 for text in ax.texts)
    patches = {patch.get_x(): patch for patch in ax.patches}
    assert max(patch.get_x() + patch.get_width() for patch in ax.patches) <= WIDTH + 0.2 and len(patches) > 20
    assert 3_000 < len(png(fig)) < 80_000
