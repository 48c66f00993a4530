"""Generation on the real chat model: the library's greedy ids for 20 prompts, and drafts by prompt lookup.

The library's model is loaded once, asked everything, and freed before ours is loaded.
"""

from __future__ import annotations

import gc

import pytest
import torch

from helpers.generation import generate, reply_text, stream
from helpers.models import chat_model, fetch
from helpers.old.generation import PromptLookup, speculative
from helpers.old.trials.ladder import fast_model
from helpers.transformer import Llama

NEW = 64
QUESTIONS = [
    "What is the capital of France?",
    "Write one sentence about the sea.",
    "List three fruits.",
    "How do I repair a flat bicycle tire?",
    "Explain photosynthesis to a child.",
    "Translate 'good morning' to Spanish.",
    "Who wrote Hamlet?",
    "My battery does not charge. What can I do?",
    "Say hello with an emoji.",
    "What is 12 + 30?",
]
BEGINNINGS = [
    "The old lighthouse keeper climbed the stairs and",
    "def fibonacci(n):\n",
    "Water boils at",
    "To whom it may concern:",
    "1, 2, 3, 4,",
    "An electric bicycle has a motor that",
    "Zwölf Boxkämpfer jagen",
    "| day | sales |\n|---|---|\n| Monday | 12 |\n",
    "In the year 1969",
    "한국의 수도는",
]
SENTENCE = (
    "The frame has a warranty of five years, the battery of two years, and the motor of three years "
    "if an authorized workshop has looked after it once a year."
)


def padded(rows: list[list[int]], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    width = max(map(len, rows))
    ids = torch.tensor([[pad] * (width - len(row)) + row for row in rows])
    return ids, (torch.arange(width) >= torch.tensor([width - len(row) for row in rows])[:, None]).long()


@pytest.fixture(scope="module")
def theirs() -> dict:
    """What the library says, and the prompts."""
    model, tokenizer = chat_model(torch.float32)

    def chat(question: str) -> list[int]:
        turns = [{"role": "user", "content": question}]
        return tokenizer.apply_chat_template(turns, add_generation_prompt=True)["input_ids"]

    prompts = [chat(question) for question in QUESTIONS] + [tokenizer(words)["input_ids"] for words in BEGINNINGS]
    copying = chat(f"Repeat this sentence word for word: {SENTENCE}")
    ids, mask = padded(prompts, tokenizer.pad_token_id)
    with torch.no_grad():
        found = {"tokenizer": tokenizer, "prompts": prompts, "copying": copying}
        found["greedy"] = model.generate(ids, attention_mask=mask, max_new_tokens=NEW, do_sample=False)
        row = torch.tensor([prompts[10]])
        found["loss"] = float(model(row, labels=row).loss)
    del model
    gc.collect()
    return found


@pytest.fixture(scope="module")
def llama(theirs) -> Llama:
    return Llama.from_pretrained(fetch("chat"))


@pytest.fixture(scope="module")
def ours(llama, theirs) -> torch.Tensor:
    return generate(llama, theirs["prompts"], NEW)


def test_greedy_ids_equal_the_librarys_for_20_prompts(ours, theirs):
    """Padding and the end's filling included. The two best logits are never closer than 0.001 here, and padding moves a
    logit by up to 0.0004, so the order of sums on another CPU decides nothing."""
    assert torch.equal(ours, theirs["greedy"])
    new = ours[:, -NEW:]
    assert new.shape == (20, NEW) and 3 <= (new[:, -1] == 2).sum() <= 17  # some replies end, some do not


def test_prompt_lookup_copies_with_the_same_ids_in_a_quarter_of_the_passes(llama, theirs):
    expected = generate(llama, theirs["copying"], 40)
    result = speculative(llama, theirs["copying"], 40, draft=PromptLookup(), n_draft=8)
    assert torch.equal(result.ids, expected)
    assert SENTENCE[:60] in reply_text(theirs["tokenizer"], result.ids[0, len(theirs["copying"]) :])
    assert result.acceptance > 0.7 and result.tokens_per_pass > 4


def test_the_int4_copy_drafts_and_float32_decides(llama, ours, theirs):
    """4-bit weights of a 4-bit checkpoint mostly agree; where they do not, the float32 model's token stands."""
    small = fast_model("int4")
    results = [speculative(llama, theirs["prompts"][row], 24, draft=small, n_draft=4) for row in (2, 12, 16)]
    for row, result in zip((2, 12, 16), results, strict=True):
        assert torch.equal(result.ids[0, len(theirs["prompts"][row]) :], ours[row, -NEW:][: result.new])
    assert sum(r.accepted for r in results) > 0.8 * sum(r.drafted for r in results) > 0


def test_pieces_of_a_stream_join_to_the_reply(llama, ours, theirs):
    pieces = list(stream(llama, theirs["tokenizer"], theirs["prompts"][0], NEW))
    assert "".join(pieces) == reply_text(theirs["tokenizer"], ours[0, -NEW:]) == "The capital of France is Paris."
