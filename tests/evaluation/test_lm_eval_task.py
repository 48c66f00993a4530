"""lm-eval and the harness give the same log-probabilities for the same items, so the same acc and acc_norm."""

from __future__ import annotations

import json

import pytest
import torch

from helpers.old.evaluation import (
    Reply,
    SuiteError,
    likelihood_model,
    lm_eval_accuracy,
    load_suite,
    picks_intent,
    run_suite,
    write_task,
)
from helpers.old.evaluation.lm_eval_task import CHOICES
from helpers.transformer.llama import Llama
from tests.evaluation.small import suite_of
from tests.tiny_models import randomized
from tests.tools.optional import needs


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """The folder of a random Llama of the library, its vocabulary the 256 bytes and an end."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({letter: i for i, letter in enumerate(letters)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    folder = tmp_path_factory.mktemp("tiny")
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<end>").save_pretrained(folder)
    config = LlamaConfig(
        vocab_size=257,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=1024,
        eos_token_id=256,
        bos_token_id=None,
        pad_token_id=256,
    )
    randomized(LlamaForCausalLM(config)).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def run(tiny, tmp_path_factory):
    from transformers import AutoTokenizer

    model = Llama.from_pretrained(tiny, torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(tiny, local_files_only=True)
    scoring = likelihood_model(model, tokenizer, "tiny")
    return run_suite(
        scoring, load_suite("tickets").sample(12), scorer=picks_intent, folder=tmp_path_factory.mktemp("a")
    )


@needs("lm_eval", extra="compare")
def test_lm_eval_and_the_harness_agree_item_by_item(tiny, run, tmp_path):
    task = write_task(tmp_path, run.suite)
    found = lm_eval_accuracy(tmp_path, task, tiny)
    ours = torch.tensor([list(reply.answer.values()) for reply in run.replies])
    # sums of up to 36 log-probabilities, in float32 and in two orders
    torch.testing.assert_close(ours, torch.tensor(found["nats"]), rtol=0, atol=2e-3)
    assert (found["acc"], found["acc_norm"]) == (run.share("acc").mean, run.share("acc_norm").mean)
    assert len({tuple(row.argsort().tolist()) for row in ours}) > 1, "the ticket makes a difference"


def test_acc_norm_divides_by_characters():
    [item] = load_suite("tickets").sample(1).items
    right = item.fields["intent"]
    per_character = {intent: -2.0 * len(text) for intent, text in CHOICES.items()}
    per_character[right] = -1.9 * len(CHOICES[right])  # the best per character; by the sum, the shortest wins
    shortest = max(per_character, key=per_character.get)
    assert picks_intent(item, Reply(per_character)) == {"acc": float(shortest == right), "acc_norm": 1.0}


def test_the_task_is_two_files_that_name_each_other(tmp_path):
    suite = load_suite("tickets").sample(5)
    name = write_task(tmp_path / "new", suite)
    rows = [json.loads(line) for line in (tmp_path / "new" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["choices"][row["answer"]] for row in rows] == [CHOICES[item.fields["intent"]] for item in suite.items]
    assert all(row["prompt"] == row["prompt"].rstrip() for row in rows), "lm-eval moves what a prompt ends in"
    assert f"{name}.jsonl" in (tmp_path / "new" / f"{name}.yaml").read_text(encoding="utf-8")
    with pytest.raises(SuiteError, match="no intents"):
        write_task(tmp_path, suite_of(3))
