"""The script that a plan writes: it stands alone, trains, survives kill −9, and names what is wrong with its input."""

from __future__ import annotations

import ast
import json
import os
import re
import runpy
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from helpers.old.lora import METHODS, plan_training, training_script, write_script
from helpers.old.lora.__main__ import main
from tests.tiny_models import randomized

ROWS = [{"prompt": f"What is {a} plus {b}?", "completion": f"It is {a + b}."} for a in range(8) for b in range(3)]
SIZES = {"vocab_size": 300, "hidden_size": 128, "intermediate_size": 192, "num_hidden_layers": 2,
         "num_attention_heads": 4, "num_key_value_heads": 2, "tie_word_embeddings": False}  # fmt: skip


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Path:
    """A random Llama of the library with a tokenizer of bytes, which has no template for chats."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("base")
    torch.manual_seed(0)
    randomized(LlamaForCausalLM(LlamaConfig(bos_token_id=257, eos_token_id=256, **SIZES))).save_pretrained(folder)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({letter: i for i, letter in enumerate(alphabet)} | {"<end>": 256}, []))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<end>").save_pretrained(folder)
    return folder


def script_for(base: Path, folder: Path, method: str = "lora", **changes) -> Path:
    """The script of a plan for the tiny model, with some of its constants changed, as its head invites to."""
    plan = plan_training(str(base), 8, seq_len=64, method=method, rank=4, effective_batch=4)
    path = write_script(plan, folder / "train.py")
    text = path.read_text(encoding="utf-8")
    for name, value in ({"SAVE_EVERY": 4, "LEARNING_RATE": 0.01} | changes).items():
        [line] = [line for line in text.splitlines() if line.startswith(f"{name} = ")]
        text = text.replace(line, f"{name} = {value!r}")
    path.write_text(text, encoding="utf-8")
    return path


def data(folder: Path, rows=ROWS) -> Path:
    path = folder / "data.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def run(script: Path, monkeypatch, output: str = "tuned") -> dict:
    """Run the script in this process, where its libraries are loaded already; returns its names."""
    monkeypatch.chdir(script.parent)
    monkeypatch.setattr(sys, "argv", [script.name, "data.jsonl", "--output", output])
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    return runpy.run_path(str(script), run_name="__main__")


def refused(script: Path, monkeypatch, output: str = "tuned") -> str:
    """What it says when it ends without having trained to the end."""
    with pytest.raises(SystemExit) as caught:
        run(script, monkeypatch, output)
    assert isinstance(caught.value.code, str) and "\n" not in caught.value.code
    return caught.value.code


def started(script: Path, output: str) -> subprocess.Popen:
    command = [sys.executable, script.name, "data.jsonl", "--output", output]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
    environment.pop("PYTHONPATH", None)  # nothing of this repository can be imported
    return subprocess.Popen(
        command, cwd=script.parent, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


# What is written


@pytest.mark.parametrize("method", METHODS)
def test_the_script_holds_the_plan_and_nothing_of_this_course(method, tmp_path):
    plan = plan_training("Qwen/Qwen2.5-1.5B", 24, seq_len=512, method=method, rank=16, effective_batch=8)
    text = training_script(plan)
    tree = ast.parse(text)
    assert "helpers" not in text and "<<" not in text and "trust_remote_code" not in text
    constants = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    assert constants["MODEL"] == "Qwen/Qwen2.5-1.5B" and constants["MAX_LENGTH"] == 512
    assert constants["CHECKPOINTING"] is plan.checkpointing and constants["OPTIMIZER"] == plan.optimizer
    assert f"BATCH, ACCUMULATION = {plan.batch}, {plan.accumulation} " in text and plan.batch * plan.accumulation == 8
    assert (method == "qlora") == ("BitsAndBytesConfig" in text) == ("bitsandbytes" in text)
    assert (method != "full") == ("RANK, ALPHA = 16, 32 " in text) == ("peft_config=LoraConfig(" in text)
    path = tmp_path / "train.py"
    path.write_text(text, encoding="utf-8")
    for command in (["check"], ["format", "--check"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--config", "pyproject.toml", "--no-cache", str(path)]
        done = subprocess.run(ruff, cwd=Path(__file__).parents[2], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


def test_layers_that_were_chosen_are_in_the_script():
    plan = plan_training("Qwen/Qwen2.5-1.5B", 24, targets=("q_proj", "v_proj"))
    assert 'TARGETS = ["q_proj", "v_proj"] ' in training_script(plan)


def test_no_script_is_written_for_what_does_not_fit(tmp_path, capsys):
    assert main(f"plan --model Llama-3.1-70B --gpu-memory 24 --write {tmp_path / 'train.py'}".split()) == 1
    assert not list(tmp_path.iterdir()) and "Nothing fits" in capsys.readouterr().out
    with pytest.raises(ValueError, match="does not fit"):
        training_script(plan_training("Llama-3.1-70B", 24))


def test_the_command_writes_the_script_and_says_how_to_start_it(tmp_path, capsys):
    path = tmp_path / "train.py"
    assert main(f"plan --model Qwen3-0.6B --gpu-memory 16 --write {path}".split()) == 0
    assert f"python {path} data.jsonl" in capsys.readouterr().out
    compile(path.read_text(encoding="utf-8"), "train.py", "exec")
    assert main(f"plan --model Qwen3-0.6B --gpu-memory 16 --write {tmp_path / 'none' / 'train.py'}".split()) == 2
    assert "does not exist: make it" in capsys.readouterr().err
    assert main(f"plan --model Qwen3-0.6B --write {path}".split()) == 2
    assert "--write needs --gpu-memory" in capsys.readouterr().err


# What it does


@pytest.mark.slow
def test_killed_it_goes_on_and_ends_where_it_would_have_ended(base, tmp_path, monkeypatch, capsys):
    script = script_for(base, tmp_path)
    data(tmp_path)
    killed = started(script, "killed")
    run(script, monkeypatch, "whole")
    first = capsys.readouterr().out
    while not (tmp_path / "killed" / "checkpoint-8" / "trainer_state.json").exists():
        assert killed.poll() is None, killed.communicate()
        time.sleep(0.01)
    killed.kill()  # SIGKILL; on Windows, TerminateProcess
    killed.communicate()
    assert killed.returncode != 0 and not (tmp_path / "killed" / "final").exists()
    half = tmp_path / "killed" / "checkpoint-99"  # as if it had died while it wrote that one
    half.mkdir()
    (half / "trainer_state.json").write_text('{"global_step": 9', encoding="utf-8")
    again = started(script, "killed")
    second, _ = again.communicate()
    assert again.returncode == 0, second[-3000:]
    assert "Going on from killed" in second and "Going on" not in first and not half.exists()

    files = (tmp_path / name / "final" / "adapter_model.safetensors" for name in ("whole", "killed"))
    weights, others = map(load_file, files)
    assert weights.keys() == others.keys() and len(weights) == 2 * 7 * 2
    for name in weights:
        torch.testing.assert_close(others[name], weights[name], rtol=0, atol=1e-6)  # float32, the same order of sums
    [told] = [line for line in first.splitlines() if line.startswith("Held-out loss: ")]
    assert told in second
    before, after = losses(told)
    assert after < 0.8 * before

    card = (tmp_path / "whole" / "final" / "README.md").read_text(encoding="utf-8")
    assert "library_name: peft" in card and "| rank, alpha | 4, 8 |" in card
    assert "| rows trained on, held out | 22, 2 |" in card and f"{after:.3f} nats" in card


def test_what_it_wrote_is_loaded_as_its_card_says_and_is_what_it_measured(base, tmp_path, monkeypatch, capsys):
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    script = script_for(base, tmp_path, EPOCHS=1)
    names = run(script, monkeypatch, data(tmp_path) and "tuned")
    _, after = losses(capsys.readouterr().out)
    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), tmp_path / "tuned" / "final")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "tuned" / "final")
    _, held_out = names["split"](ROWS, tokenizer)
    total = count = 0
    for row in held_out:
        prompt = tokenizer(row["prompt"])["input_ids"]
        answer = tokenizer(row["completion"] + tokenizer.eos_token)["input_ids"]
        ids = torch.tensor([prompt + answer])
        with torch.no_grad():
            surprise = -model(ids).logits.log_softmax(-1)[0, :-1].gather(-1, ids[0, 1:, None])[-len(answer) :]
        total, count = total + float(surprise.sum()), count + len(answer)
    assert total / count == pytest.approx(after, abs=2e-3)  # printed with three digits


@pytest.mark.parametrize("method", ["qlora", "full"])
def test_the_other_methods_train_too(base, tmp_path, method, monkeypatch, capsys):
    script = script_for(base, tmp_path, method, EPOCHS=1)
    data(tmp_path)
    run(script, monkeypatch)
    before, after = losses(capsys.readouterr().out)
    assert after < before
    final = tmp_path / "tuned" / "final"
    assert (final / ("model.safetensors" if method == "full" else "adapter_model.safetensors")).exists()
    run(script, monkeypatch)  # once more: nothing is left to do, and it says the same
    out = capsys.readouterr().out
    assert "Going on from" in out and losses(out) == pytest.approx((before, after), abs=2e-3)  # 16-bit adapters


def test_a_model_that_chats_is_given_conversations(base, tmp_path):
    from types import SimpleNamespace

    read = runpy.run_path(str(script_for(base, tmp_path)))["as_the_model_reads"]
    row = {"prompt": "Hi?", "completion": "Ho."}
    assert read(row, SimpleNamespace(chat_template="{{ messages }}")) == {
        "prompt": [{"role": "user", "content": "Hi?"}],
        "completion": [{"role": "assistant", "content": "Ho."}],
    }
    plain = SimpleNamespace(chat_template=None)
    assert read(row, plain) == {"prompt": "Hi?\n", "completion": "Ho."}
    assert read({"prompt": "Hi?", "completion": " Ho."}, plain)["prompt"] == "Hi?"
    assert read({"prompt": "Hi? ", "completion": "Ho."}, plain)["prompt"] == "Hi? "


def test_a_prompt_that_stands_twice_is_on_one_side(base, tmp_path):
    from types import SimpleNamespace

    split = runpy.run_path(str(script_for(base, tmp_path, HELD_OUT=0.4)))["split"]
    rows = [{"prompt": f"p{i % 10}", "completion": f"c{i}"} for i in range(30)]
    sides = [{row["prompt"] for row in side} for side in split(rows, SimpleNamespace(chat_template=None))]
    assert len(sides[0]) == 6 and len(sides[1]) == 4 and not sides[0] & sides[1]


def test_rows_that_are_too_long_are_counted(base, tmp_path, monkeypatch, capsys):
    rows = [*ROWS, {"prompt": "a" * 100, "completion": "y"}, {"prompt": "q", "completion": "y" * 100}]
    script = script_for(base, tmp_path, EPOCHS=0.2)
    data(tmp_path, rows)
    run(script, monkeypatch)
    assert "1 rows are cut at 64 tokens, and 1 whose prompt alone is longer are left out." in capsys.readouterr().out
    data(tmp_path, [{"prompt": letter * 100, "completion": "y"} for letter in "abc"])
    assert "have more than 64 tokens: raise MAX_LENGTH" in refused(script, monkeypatch, "other")


# What it refuses

GOOD = '{"prompt": "a", "completion": "b"}\n'


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (GOOD + '{"prompt": "a", "compl', "data.jsonl, line 2 is not JSON (Unterminated string"),
        (GOOD + "\n\n" + "[1, 2]", "data.jsonl, line 4 is not an object"),
        (
            GOOD + '{"question": "a", "answer": "b"}',
            "has other columns than prompt and completion: question, answer",
        ),
        (GOOD + '{"prompt": "a"}', "line 2 has other columns than prompt and completion: prompt."),
        (GOOD + '{"prompt": "a", "completion": " "}', "line 2: its completion is empty. A model trained on such rows"),
        (GOOD + '{"prompt": "a", "completion": null}', "line 2: its completion is no text"),
        (GOOD + '{"prompt": "", "completion": "b"}', "line 2: its prompt is empty"),
        (GOOD + '{"prompt": "a", "completion": "\xe9"}', "data.jsonl, line 2 is not JSON ("),  # Latin-1
        (GOOD + GOOD, "data.jsonl has fewer than two different prompts"),
        ("", "has fewer than two different prompts"),
        (None, "data.jsonl cannot be read: No such file"),
    ],
)
def test_data_that_cannot_be_trained_on_are_named_by_their_line(base, tmp_path, monkeypatch, content, said):
    script = script_for(base, tmp_path)
    if content is not None:
        (tmp_path / "data.jsonl").write_bytes(content.encode("latin-1"))
    assert said in refused(script, monkeypatch)
    assert not (tmp_path / "tuned").exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"TARGETS": ["query"]},
            "'query', and this model's linear layers are called q_proj, k_proj, v_proj",
        ),
        ({"RANK, ALPHA": (0, 8)}, "RANK is at least 1 and at most 128, the smaller side of q_proj, not 0."),
        ({"RANK, ALPHA": (65, 8)}, "the smaller side of k_proj, not 65"),
        ({"MODEL": "no/such-folder/at-all"}, "no/such-folder/at-all cannot be loaded: "),
        ({"LEARNING_RATE": 1e30, "SAVE_EVERY": 1}, "is nan. Start again in another folder: lower LEARNING_RATE."),
    ],
)
def test_a_setting_that_cannot_work_is_named(base, tmp_path, monkeypatch, changes, said):
    script = script_for(base, tmp_path, **changes)
    data(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert said in refused(script, monkeypatch)
    assert not (tmp_path / "tuned" / "final").exists()


def test_an_overflow_of_float16_is_told_from_steps_that_are_too_large(base, tmp_path):
    from types import SimpleNamespace

    callback = runpy.run_path(str(script_for(base, tmp_path)))["StopAtNan"]()
    state = SimpleNamespace(global_step=7)
    with pytest.raises(SystemExit) as caught:
        callback.on_log(SimpleNamespace(fp16=True), state, None, {"loss": float("inf")})
    assert "At step 7 the loss is inf" in caught.value.code and "use a GPU with bfloat16" in caught.value.code
    callback.on_log(SimpleNamespace(fp16=True), state, None, {"loss": 3.0, "grad_norm": float("inf")})  # scaled anew
    callback.on_log(SimpleNamespace(fp16=True), state, None, {"eval_loss": 3.0})


def test_a_gated_model_says_how_to_get_access(base, tmp_path, monkeypatch):
    from transformers import AutoTokenizer

    def gated(*_, **__):
        raise OSError("You are trying to access a gated repo.\nMake sure to have access to it.")

    script = script_for(base, tmp_path, MODEL="meta-llama/Llama-3.1-8B")
    data(tmp_path)
    monkeypatch.setattr(AutoTokenizer, "from_pretrained", gated)
    said = refused(script, monkeypatch)
    assert "open https://huggingface.co/meta-llama/Llama-3.1-8B, accept them, and run `hf auth login`" in said


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (torch.OutOfMemoryError("x"), "halve BATCH and double ACCUMULATION"),
        (KeyboardInterrupt(), "Stopped. The same command"),
    ],
)
def test_a_full_gpu_and_a_stop_end_in_one_sentence(base, tmp_path, monkeypatch, error, said):
    from trl import SFTTrainer

    def fails(*_, **__):
        raise error

    script = script_for(base, tmp_path)
    data(tmp_path)
    monkeypatch.setattr(SFTTrainer, "train", fails)
    assert said in refused(script, monkeypatch)


def test_a_folder_is_not_continued_with_other_data_or_settings(base, tmp_path, monkeypatch):
    script = script_for(base, tmp_path, EPOCHS=0.2, SAVE_EVERY=1)
    data(tmp_path)
    run(script, monkeypatch)
    data(tmp_path, ROWS[1:])
    assert "tuned holds a run with other data: choose another --output" in refused(script, monkeypatch)
    data(tmp_path)
    script = script_for(base, tmp_path, EPOCHS=0.2, SAVE_EVERY=1, LEARNING_RATE=0.02)
    assert "tuned holds a run with other LEARNING_RATE" in refused(script, monkeypatch)


def losses(said: str) -> tuple[float, float]:
    """Before and after, from the line that the script prints at its end."""
    found = re.search(r"Held-out loss: ([\d.]+) before, ([\d.]+) after", said)
    return float(found[1]), float(found[2])
