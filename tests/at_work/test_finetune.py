"""`notebooks/at_work/finetune.py`: a table to an adapter with a random model, a killed run, plans, and bad input."""

import importlib
import json
import os
import runpy
import subprocess
import sys
from types import SimpleNamespace

import pandas as pd
import pytest

from helpers.models import fetch
from tests.tools.notebook import ROOT

PROGRAM = ROOT / "notebooks" / "at_work" / "finetune.py"
sys.path.insert(0, str(PROGRAM.parent))
finetune = importlib.import_module("finetune")

WORDS = {"sails": ["boat", "wind", "mast"], "bread": ["oven", "flour", "salt"]}
ROWS = [(f"{word} of {n}", label, f"crew {n}") for n in range(12) for label, words in WORDS.items() for word in words]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("tiny")
    tokenizer = transformers.AutoTokenizer.from_pretrained(fetch("chat"))
    sizes = {"vocab_size": len(tokenizer), "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
    torch.manual_seed(0)
    config = transformers.LlamaConfig(**sizes, num_attention_heads=2, max_position_embeddings=400)
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def table(tmp_path):
    pd.DataFrame(ROWS, columns=["text", "label", "crew"]).to_csv(tmp_path / "t.csv", index=False)
    return tmp_path / "t.csv"


@pytest.fixture
def run(monkeypatch, tmp_path, model):
    def run(*words) -> int:
        options = ["--model", model, "--out", tmp_path / "out", "--steps", 8, "--rank", 2, *words]
        monkeypatch.setattr(sys, "argv", ["finetune.py", *map(str, options)])
        return finetune.main()

    return run


def test_the_selftest_passes_without_the_course_and_help_loads_nothing_heavy(tmp_path):
    how = {"cwd": tmp_path, "env": {**os.environ, "PYTHONPATH": ""}, "capture_output": True, "text": True}
    command = [sys.executable, "-X", "importtime", str(PROGRAM)]
    done = subprocess.run([*command, "--selftest"], **how)
    assert done.returncode == 0 and "has passed" in done.stdout and "| helpers" not in done.stderr, done.stderr
    done = subprocess.run([*command, "--help"], **how)
    assert not {"numpy", "torch", "pandas"} & {line.split("|")[-1].strip() for line in done.stderr.splitlines()}


def test_a_table_becomes_an_adapter_with_its_report(run, table, tmp_path, capsys):
    assert run(table, "--group", "crew", "--dry-run") == 0 and not (tmp_path / "out").exists()
    assert run(table, "--group", "crew") == 1  # a random model does not beat TF-IDF
    shown = capsys.readouterr().out
    for said in ("checkpoint-8: ", "<|im_end|>", "on 6 of 6 dev rows", "TF-IDF 6 of 6 test rows", "Not checked"):
        assert said in shown
    found = pd.read_csv(tmp_path / "out" / "predictions.csv")
    assert set(found["model"]) <= set(WORDS) and (tmp_path / "out/adapter/adapter_model.safetensors").exists()
    state = json.loads((tmp_path / "out" / "run.json").read_text("utf-8"))
    assert len(state["data"]) == 64 and state["test"]["TF-IDF"] == len(found)
    assert run(table, "--group", "crew") == 1 and "already done. Only" in capsys.readouterr().out
    assert run(table, "--group", "crew", "--rank", 1) == 2 and "run of other rank:" in capsys.readouterr().err


def test_a_killed_training_goes_on_and_ends_as_one_that_was_not(run, table, tmp_path, monkeypatch, capsys):
    import transformers
    from safetensors.torch import load_file

    def killed(trainer, *rest, save=transformers.Trainer._save_checkpoint):
        save(trainer, *rest)
        if trainer.state.global_step == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(transformers.Trainer, "_save_checkpoint", killed)
    assert run(table) == 2 and "goes on from the last checkpoint" in capsys.readouterr().err
    monkeypatch.undo()
    (tmp_path / "out" / "checkpoint-6").mkdir()  # as left by one killed while it writes
    assert run(table) == run(table, "--out", tmp_path / "whole") == 1
    ours, whole = (load_file(tmp_path / name / "checkpoint-8/adapter_model.safetensors") for name in ("out", "whole"))
    assert all((ours[name] - whole[name]).abs().max() < 1e-5 for name in whole)


def test_the_likeliest_label_is_that_of_the_whole_answer(model):
    import torch

    loaded, tokenizer = finetune.load(SimpleNamespace(model=str(model), bits=16))
    prompt, scores, tails = [{"role": "user", "content": "boat?"}], {}, {}
    for name in ("a", "a long label", "no"):
        start, tail = finetune.ids_of(tokenizer, prompt, [{"role": "assistant", "content": name}])
        assert tokenizer.decode(tail) == f"{name}<|im_end|>\n"
        with torch.no_grad():
            logits = loaded(torch.tensor([start + tail])).logits[0, len(start) - 1 : -1].log_softmax(-1)
        scores[name], tails[name] = float(logits[range(len(tail)), tail].sum()), tail
    assert finetune.predict(loaded, [start], tails) == [max(scores, key=scores.get)]


def test_a_plan_writes_a_script_that_trains(tmp_path, run, model, monkeypatch, capsys):
    weight = finetune.load(SimpleNamespace(model=str(model), bits=4))[0].model.layers[0].mlp.up_proj.weight
    assert weight.quant_state.quant_type == "nf4" and weight.numel() == 32 * 48 / 2
    for gpu, said, code in ((24, "16 bits", 0), (8, "4 bits", 0), (2, "does not fit", 1)):
        assert run("--plan", "--gpu", gpu, "--model", "Llama-3.1-8B") == code and said in capsys.readouterr().out
    assert run("--plan", "--gpu", 0, "--steps", 1) == 0
    chat = {"prompt": [{"role": "user", "content": "boat"}], "completion": [{"role": "assistant", "content": "sails"}]}
    (tmp_path / "rows.jsonl").write_text((json.dumps(chat) + "\n") * 8, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["train.py", "rows.jsonl"])
    runpy.run_path(str(tmp_path / "out" / "train.py"))
    assert (tmp_path / "trained" / "adapter" / "adapter_model.safetensors").exists()


CHAT = '{"messages": [{"role": "user", "content": "%s boat"}, {"role": "assistant", "content": "%s"}]}\n'
CHATS = "".join(CHAT % (chr(97 + n), "ab"[n % 2]) for n in range(24))
SOUND = "text,label\n" + "".join(f"{'x ' * n},{n % 2}\n" for n in range(1, 31))
BAD = {  # the file's text, words of the command, and what is said
    "empty": ("", [], "No columns"),
    "a single class": ("text,label\n" + "a,b\n" * 30, [], "1 labels"),
    "a missing column": ("text,label\n" + "a,b\n" * 30, ["--label", "kind"], "no column 'kind', but text, label"),
    "a huge field": ("text,label\n" + f"{'a' * 300_000},b\n" * 30, [], "0 rows"),
    "binary": ("text,label\n\0\0\n", [], "0 rows"),
    "one group": ("text,label\n" + "a 1,b\na 2,c\n" * 30, [], "cannot be split"),
    "long rows": (SOUND.replace("x ", "word " * 30), [], "have more than 400 tokens"),
    "an adapter": (SOUND, ["--model", "."], "name the model that it was trained on"),
    "no model": (SOUND, ["--model", "gone/x"], "gone/x"),
    "a chat that asks": (CHATS + CHAT.replace("assistant", "user"), [], "Chat 25 is no list of roles"),
    "no chat": (CHATS + '{"messages": null}', [], "Chat 25 is no list of roles"),
    "foreign checkpoints": (CHATS, [], "run of other"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gets_a_sentence(name, run, tmp_path, capsys, monkeypatch):
    text, words, said = BAD[name]
    (file := tmp_path / ("bad.jsonl" if "{" in text else "bad.csv")).write_text(text, "utf-8")
    (tmp_path / "adapter_config.json").write_text("{}", "utf-8")
    (tmp_path / "out" / "checkpoint-8").mkdir(parents=True)  # somebody else's
    monkeypatch.chdir(tmp_path)
    assert run(file, *words) == 2
    assert said in capsys.readouterr().err
