# /// script
# requires-python = ">=3.11"
# dependencies = ["accelerate>=1.2,<2", "bitsandbytes>=0.45,<1", "datasets>=4,<6", "pandas>=2.2,<4", "peft>=0.18,<1",
#   "scikit-learn>=1.5,<2", "scipy>=1.13,<2", "torch>=2.6,<3", "transformers>=5,<5.40", "trl>=1.16,<2"]
# ///
"""Teach a chat model your labels, and find out whether a plain classifier would do.

    finetune.py data.csv --text COLUMN --label COLUMN [--group COLUMN] --model MODEL --out OUT
    finetune.py chats.jsonl --model MODEL --out OUT       {"messages": […]} a line: the last message is the label
    finetune.py --plan --gpu 24 --model MODEL --out OUT   what fits 24 GB (0: this CPU), and train.py in plain TRL

MODEL is a folder or a hub name; nothing is fetched without --download. --dry-run says rows, the baseline's score and
seconds. All that is written lies in OUT; after a stop, the same command goes on from the last checkpoint there.
LoRA on all linear layers is trained; the answer is the likeliest label. Not done: full training, free or several
answers (train.py learns free ones), several GPUs, cutting rows. --selftest: known numbers.
Exit codes: 0 the model beats the baseline, or the plan fits; 1 it does not; 2 cannot run.
"""

import argparse, inspect, json, os, shutil, sys, tempfile, time  # noqa: E401, I001
from hashlib import sha256
from pathlib import Path

VERSION, GIB, KINDS, N_DEV = "1.0", 2**30, ("llama", "mistral", "qwen2", "qwen3"), 100  # dev rows read each time
NOT_CHECKED = "Not checked: wrong labels, texts unlike these, each group, other rates and seeds, reworded duplicates."
OPTIONS = {"model": "", "text": "text", "label": "label", "group": "", "bits": 16, "epochs": 3, "steps": 0, "rank": 8,
           "rate": 1e-3, "batch": 8, "max-length": 512, "gpu": 24.0, "out": "build/finetune", "plan": False,
           "download": False, "dry-run": False, "selftest": False}  # the first ten decide about a run  # fmt: skip
ASK = "Which label fits this text? Answer with the label alone.\nLabels: {labels}\n\n{text}"
FIELDS = "num_hidden_layers hidden_size intermediate_size num_attention_heads num_key_value_heads head_dim vocab_size"
SHAPES = """Llama-3.2-1B 16 2048 8192 32 8 64 128256 1, Llama-3.1-8B 32 4096 14336 32 8 128 128256 0,
Qwen2.5-0.5B 24 896 4864 14 2 64 151936 1, Qwen2.5-7B 28 3584 18944 28 4 128 152064 0"""  # FIELDS, and 1 if tied
SCRIPT = '''# pip install trl peft bitsandbytes; python train.py rows.jsonl: {{"prompt": …, "completion": …}} a line
import json, pathlib, sys, types
{functions}
args = types.SimpleNamespace(**{settings})
trainer = make_trainer(args, *load(args), [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")])
trainer.train(resume_from_checkpoint=any(pathlib.Path(args.out).glob("checkpoint-*")))
trainer.save_model(args.out + "/adapter")
'''

def read_table(args):
    import pandas as pd
    if args.data.stat().st_size > 100_000_000:
        raise ValueError(f"{args.data} has more than 100 MB: take a sample of it.")
    chats = args.data.suffix == ".jsonl"
    read = {"orient": "records", "lines": True} if chats else {"dtype": str, "keep_default_na": False}
    table = (pd.read_json if chats else pd.read_csv)(args.data, encoding="utf-8-sig", **read)
    for name in filter(None, [*(["messages"] if chats else [args.text, args.label]), args.group]):
        if name not in table:
            raise ValueError(f"{args.data} has no column {name!r}, but {', '.join(map(str, table.columns)) or 'none'}.")
    rows, group = [], table[args.group].astype(str).tolist() if args.group else [""] * len(table)
    for n, chat in enumerate(table["messages"] if chats else [], 1):
        try:
            *prompt, last = chat
            said = " ".join(one["content"] for one in prompt if one["role"])
            rows.append((said.strip(), {last["role"]: last["content"]}["assistant"].strip(), prompt))
        except (AttributeError, KeyError, TypeError, ValueError):
            raise ValueError(f"Chat {n} is no list of roles and contents that ends with the assistant's.") from None
    rows = rows or [(a.strip(), b.strip(), []) for a, b in zip(table[args.text], table[args.label], strict=True)]
    table = pd.DataFrame(rows, columns=["text", "answer", "prompt"]).assign(group=group)
    n, table = len(table), table[(table["answer"] != "") & table["text"].str.len().between(1, 50_000)]
    n, table, labels = n - len(table), table.reset_index(drop=True), sorted(set(table["answer"]))
    if len(table) < 20 or not 2 <= len(labels) <= 100:
        raise ValueError(f"{len(table)} rows and {len(labels)} labels: at least 20 and 2 to 100 are needed.")
    ask = [[{"role": "user", "content": ASK.format(labels=", ".join(labels), text=text)}] for text in table["text"]]
    table["prompt"] = table["prompt"] if chats else ask
    table["completion"] = [[{"role": "assistant", "content": answer}] for answer in table["answer"]]
    print(f"{len(table)} rows; {n} more are left out: empty, or of more than 50,000 characters")
    return table

def split(table) -> None:
    """Parts by group. Without groups, texts of equal words, numbers aside, are one group."""
    words = table["text"].str.casefold().str.replace(r"\d", "0", regex=True).str.findall(r"\w+").str.join(" ")
    table["group"] = table["group"] if (table["group"] != "").any() else words
    sizes, filled, part_of = table.groupby("group").size(), {"test": 0, "dev": 0, "train": 0}, {}
    for group in sorted(sizes.index, key=lambda group: sha256(group.encode()).digest()):
        open_to = (part for part in ("test", "dev") if filled[part] + sizes[group] <= max(3, 0.15 * len(table)))
        part_of[group] = next(open_to, "train")
        filled[part_of[group]] += int(sizes[group])
    table["part"] = table["group"].map(part_of)
    print(f"{len(sizes)} groups, each in one part: {filled}")
    if min(filled.values()) < 3 or table["answer"][table["part"] == "train"].nunique() < 2:
        raise ValueError("These groups cannot be split into train, dev and test: more and smaller ones are needed.")

def baseline(train, dev):
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression as Logistic
    from sklearn.pipeline import make_pipeline, make_union
    letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, max_features=200_000)
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\w+")
    tried = [make_pipeline(make_union(words, letters), Logistic(C=c, max_iter=1000)) for c in (1, 10, 100)]
    return max(tried, key=lambda one: one.fit(train["text"], train["answer"]).score(dev["text"], dev["answer"]))

def load(args, adapter=None):
    import peft, torch, transformers as hf  # noqa: E401, I001
    on = {"dtype": torch.bfloat16, "device_map": {"": 0}} if torch.cuda.is_available() else {"dtype": torch.float32}
    nf4 = {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": True}
    four = hf.BitsAndBytesConfig(bnb_4bit_compute_dtype=on["dtype"], **nf4) if args.bits == 4 else None
    model = hf.AutoModelForCausalLM.from_pretrained(args.model, quantization_config=four, **on)
    model = peft.PeftModel.from_pretrained(model, adapter) if adapter else model
    return model, hf.AutoTokenizer.from_pretrained(args.model)

def make_trainer(args, model, tokenizer, rows):
    import datasets, peft, torch, torch.nn.functional as F, trl  # noqa: E401, I001
    cuda, steps = torch.cuda.is_available(), args.steps or -(-len(rows) * args.epochs // args.batch)
    settings = trl.SFTConfig(
        str(args.out), max_steps=steps, per_device_train_batch_size=args.batch // args.passes, use_cpu=not cuda,
        gradient_accumulation_steps=args.passes, learning_rate=args.rate, lr_scheduler_type="cosine", warmup_steps=0.05,
        save_steps=-(-steps // 4), logging_steps=10, report_to="none", bf16=cuda, max_length=args.max_length)
    class OnCPU(trl.SFTTrainer):
        def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
            at = (inputs["labels"] >= 0).any(0).nonzero()[:, 0]  # on a CPU, TRL computes the loss of the prompt, too
            logits = model(inputs["input_ids"], attention_mask=inputs["attention_mask"], logits_to_keep=at - 1).logits
            return F.cross_entropy(logits.flatten(0, 1), inputs["labels"][:, at].flatten()) / args.passes
    torch.manual_seed(0)
    lora = peft.LoraConfig(r=args.rank, lora_alpha=2 * args.rank, target_modules="all-linear", task_type="CAUSAL_LM")
    kind, rows = trl.SFTTrainer if cuda else OnCPU, datasets.Dataset.from_list(rows)
    return kind(model, settings, train_dataset=rows, peft_config=lora, processing_class=tokenizer)

def ids_of(tokenizer, prompt: list[dict], completion: list[dict]) -> tuple[list[int], list[int]]:
    """The prompt's tokens, and those that are learned: the answer and the end of its turn."""
    start = tokenizer.apply_chat_template(prompt, add_generation_prompt=True, return_dict=False)
    whole = tokenizer.apply_chat_template(prompt + completion, return_dict=False)
    if whole[: len(start)] != start:
        raise ValueError("This model's chat template changes a prompt once it is answered: take another model.")
    return start, whole[len(start) :]

def predict(model, prompts: list[list[int]], tails: dict[str, list[int]]) -> list[str]:
    """The likeliest label of each prompt, the end of its turn included."""
    import torch
    for module in model.eval().modules():  # some CPUs repack 4 bits in eval mode, and cannot train afterwards
        module.training = type(module).__name__ == "Linear4bit" and model.device.type == "cpu"
    ids = torch.nn.utils.rnn.pad_sequence([*map(torch.tensor, tails.values())], True, -1).to(model.device)
    found = []
    for prompt in prompts:
        with torch.no_grad():
            first = model(torch.tensor([prompt], device=model.device), use_cache=True, logits_to_keep=1)
            first.past_key_values.batch_repeat_interleave(len(ids))
            rest = model(ids[:, :-1].clamp(0), past_key_values=first.past_key_values).logits
            logits = torch.cat([first.logits.expand(len(ids), -1, -1), rest], 1).float().log_softmax(-1)
            scores = (logits.gather(-1, ids.clamp(0)[..., None])[..., 0] * (ids >= 0)).sum(-1)
        found.append(list(tails)[int(scores.argmax())])
    return found

def teach(args, model, tokenizer, table, tails: dict) -> list[str] | None:
    """Train from the last checkpoint, after an estimate from two measured steps; what the model then says on dev."""
    train, dev, clock = table[table["part"] == "train"], table[table["part"] == "dev"][:N_DEV], []
    trainer = make_trainer(args, model, tokenizer, train[["prompt", "completion"]].to_dict("records"))
    trainer.model.gradient_checkpointing_enable({"use_reentrant": False})
    for _, batch in zip(range(3), trainer.get_train_dataloader(), strict=False):  # the first one warms up
        trainer.compute_loss(trainer.model.train(), batch).backward()
        clock.append(time.perf_counter())
    trainer.model.zero_grad()
    predict(trainer.model, dev["ids"][:3], tails)
    reading = (time.perf_counter() - clock[-1]) / 3 * (5 * len(dev) + len(table) - len(train))
    steps, learned = trainer.args.max_steps, tokenizer.decode([one for one in batch["labels"][0].tolist() if one >= 0])
    taught = steps * (clock[-1] - clock[0]) / max(1, len(clock) - 1)
    print(f"Learned of a row: {learned!r}. {steps} steps take about {taught:.0f} s, reading {reading:.0f} s.")
    if not args.dry_run:
        last = next(map(str, checkpoints(args.out)[::-1]), "")
        (trainer._load_from_checkpoint if last.endswith(f"-{steps}") else trainer.train)(last or None)
        return predict(trainer.model, dev["ids"], tails)

def checkpoints(out: Path) -> list[Path]:
    return sorted((at.parent for at in out.glob("checkpoint-*/trainer_state.json")), key=lambda at: int(at.name[11:]))

def note(out: Path, state: dict) -> None:
    (out / "run.tmp").write_text(json.dumps(state, indent=1), "utf-8")
    (out / "run.tmp").replace(out / "run.json")  # whole or not at all

def finetune(args) -> int:
    from scipy.stats import binomtest
    table = read_table(args)
    split(table)
    train, dev, test = (table[table["part"] == part] for part in ("train", "dev", "test"))
    table["TF-IDF"] = baseline(train, dev).predict(table["text"])
    print(f"TF-IDF: {sum(table['TF-IDF'][dev.index] == dev['answer'])} of {len(dev)} dev rows right, the line to beat.")
    if (Path(args.model) / "adapter_config.json").exists():
        raise ValueError("It is an adapter: name the model that it was trained on.")
    model, tokenizer = load(args)
    rows = zip(table["prompt"], table["completion"], strict=True)
    table["ids"], table["end"] = zip(*(ids_of(tokenizer, *row) for row in rows), strict=True)
    tails = table.set_index("answer")["end"].to_dict()
    longest = min(args.max_length, model.config.max_position_embeddings)
    if n_long := sum(table["ids"].str.len() + table["end"].str.len() > longest):
        raise ValueError(f"{n_long} rows have more than {longest} tokens: shorten them, or raise --max-length.")
    weights = model.get_input_embeddings().weight[:999].detach().float().cpu().numpy().tobytes()
    state = {"version": VERSION, **{name: vars(args)[name] for name in [*OPTIONS][:10]}}
    state |= {"data": sha256(args.data.read_bytes()).hexdigest(), "weights": sha256(weights).hexdigest()}
    if not args.dry_run:
        args.out.mkdir(parents=True, exist_ok=True)
        there, known = {at.name for at in args.out.iterdir()} - {"run.tmp"}, args.out / "run.json"
        old = json.loads(known.read_text("utf-8")) if known.exists() else {} if there else state
        if other := [name for name in state if old.get(name) != state[name]]:
            raise ValueError(f"{args.out} has a run of other {', '.join(other)}: name another --out.")
        if "said" in old:
            print(f"{args.out} is already done. {old['said']}")
            return old["code"]
        note(args.out, state)
    if (said := teach(args, model, tokenizer, table, tails)) is None:
        return 0
    dev, test, curve = table.loc[dev.index[:N_DEV]], table.loc[test.index].copy(), {}
    for folder in checkpoints(args.out):
        curve[folder] = predict(load(args, folder)[0], dev["ids"], tails)
        print(f"{folder.name}: {sum(dev['answer'] == curve[folder])} of {len(dev)} dev rows right", flush=True)
    best = max(curve, key=lambda folder: sum(dev["answer"] == curve[folder]))
    same = sum(a == b for a, b in zip(said, curve[folder], strict=True))
    print(f"Loaded again by PEFT, {folder.name} says the same as the trained model on {same} of {len(dev)} dev rows.")
    shutil.copytree(best, args.out / "adapter", dirs_exist_ok=True)
    test["model"] = predict(load(args, args.out / "adapter")[0], test["ids"], tails)
    test[["group", "text", "answer", "TF-IDF", "model"]].to_csv(args.out / "predictions.csv", index=False)
    print(test.groupby(["answer", "model"]).size().unstack(fill_value=0).to_string())
    right = {name: test[name] == test["answer"] for name in ("TF-IDF", "model")}
    for name, each in right.items():
        low, high = binomtest(each.sum(), len(test)).proportion_ci(method="wilson")
        print(f"{name:6} {each.sum()} of {len(test)} test rows right, 95 % interval {low:.0%} to {high:.0%}")
    a, b = sum(right["model"] & ~right["TF-IDF"]), sum(right["TF-IDF"] & ~right["model"])
    p = binomtest(a, a + b).pvalue if a + b else 1.0
    winner = "nobody wins: take TF-IDF, which costs less" if p >= 0.05 else "the model wins" if a > b else "TF-IDF wins"
    said = f"Only the model is right on {a}, only TF-IDF on {b} (sign test, p = {p:.2g}): {winner}."
    state |= {"said": said, "test": {name: int(each.sum()) for name, each in right.items()}, "checkpoint": best.name}
    note(args.out, state | {"code": (code := int(winner != "the model wins" or same < len(dev)))})
    print(f"{said}\n{NOT_CHECKED}")
    return code

def needed(shape: tuple, bits: int, batch: int, tokens: int, rank: int, cpu: bool) -> dict[str, float]:
    """Bytes at the peak of a training step that recomputes activations, by part."""
    layers, d, ff, heads, kv_heads, size, vocab, tied = shape
    q, k, n, width, own = heads * size, kv_heads * size, batch * tokens, 4 if cpu else 2, 2 if bits == 4 else 4
    matrices, others = layers * (2 * d * (q + k) + 3 * d * ff), vocab * d * (2 - tied) + (2 * layers + 1) * d
    adapters, mask = layers * rank * (4 * d + 2 * q + 2 * k + 3 * (d + ff)), batch * tokens**2 * (batch > 1)
    inputs = 2 * (5 * d + ff + q) if own != width else width * (2 * d + ff)  # each adapter casts its own, or shares
    layer = inputs + width * (2 * q + 2 * (q if batch > 1 else k) + 3 * ff + 7 * rank) + 8 * d + 4 * heads
    loss = 12 * batch * min(tokens, 4 * batch) * vocab if cpu else min(n, 4096) * 65536 + n * 8 * d  # 4 tokens a label
    buffers = max(0, n * (8 * ff + 4 * d) - loss) + (width * d * max(ff, q) if bits == 4 else 0)
    parts = {"frozen weights": width * others + matrices * (0.516 if bits == 4 else width),
             "adapters, gradients, AdamW": 4 * own * adapters + 2 * adapters * (own > width),
             "activations": n * (layers * width * d + layer + (4 + width) * d) + (width + 1) * mask,
             "loss and buffers": loss + buffers}  # fmt: skip
    return parts | {"allocator": (0.12 if cpu else 0.05) * sum(parts.values()), "CUDA": 0.5 * GIB * (not cpu)}

def plan(args) -> int:
    known = {name: tuple(map(int, rest)) for name, *rest in (line.split() for line in SHAPES.split(","))}
    if (Path(args.model) / "config.json").exists():
        config = json.loads((Path(args.model) / "config.json").read_text("utf-8"))
        heads = config.get("num_attention_heads") or 1
        config = {"head_dim": config.get("hidden_size", 0) // heads, "num_key_value_heads": heads} | config
        if config.get("model_type") not in KINDS or not all(config.get(name) for name in FIELDS.split()):
            raise ValueError(f"The plan counts {', '.join(KINDS)}, with {FIELDS} in config.json.")
        shape = (*(config[name] for name in FIELDS.split()), config.get("tie_word_embeddings", False))
    elif not (shape := known.get(args.model.split("/")[-1].removesuffix("-Instruct"))):
        raise ValueError(f"{args.model} is no folder with config.json, and none of {', '.join(known)}.")
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if args.gpu == 0 else args.gpu * 0.92 * GIB
    tried = [(bits, passes, needed(shape, bits, args.batch // passes, args.max_length, args.rank, args.gpu == 0))
             for bits in (16, 4) for passes in (1, 2, 4, 8) if args.batch % passes == 0]  # fmt: skip
    bits, passes, parts = next((each for each in tried if sum(each[2].values()) <= memory), tried[-1])
    print(f"{args.model}, {bits} bits a weight, {args.batch // passes} × {passes} rows of {args.max_length} tokens")
    for part, size in [*parts.items(), ("together", sum(parts.values())), ("there are", memory)]:
        print(f"  {part:28}{size / GIB:7.2f} GiB")
    if sum(parts.values()) > memory:
        print("It does not fit: take a smaller model, or shorter rows with --max-length.")
        return 1
    settings = vars(args) | {"bits": bits, "passes": passes, "out": "trained", "data": ""}
    functions = "\n\n".join(inspect.getsource(function) for function in (load, make_trainer))
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "train.py").write_text(SCRIPT.format(functions=functions, settings=settings), "utf-8")
    print(f"It fits: {args.out}/train.py trains so.")
    return 0

def selftest() -> int:
    import pandas as pd
    table = pd.DataFrame({"text": [f"Order {n // 2}: {'late' if n % 2 else 'LATE!'} {n // 20}" for n in range(80)]})
    table["group"], table["answer"] = [f"g{n // 4}" for n in range(80)], ["yes", "no"] * 40
    split(table)
    assert table.groupby("group")["part"].nunique().max() == 1 and set(table["part"]) == {"train", "dev", "test"}
    llama = needed((32, 4096, 14336, 32, 8, 128, 128256, 0), 4, 1, 1024, 8, False)
    assert round(llama["frozen weights"] / 1e9, 1) == 5.7 and 6 < sum(llama.values()) / GIB < 9
    print("The selftest has passed.")
    return 0

def main() -> int:
    parser = argparse.ArgumentParser("finetune.py", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path)
    for name, default in OPTIONS.items():
        kind = {"action": "store_true"} if default is False else {"type": type(default), "help": f"({default})"}
        parser.add_argument(f"--{name}", default=default, **kind)
    args = parser.parse_args()
    args.out, args.passes = Path(tempfile.gettempdir() if args.dry_run else args.out), 1
    os.environ |= {"HF_HUB_OFFLINE": str(int(not args.download)), "TRANSFORMERS_VERBOSITY": "error"}
    try:
        if not args.selftest and not (args.model and (args.data or args.plan)):
            raise ValueError("Give a table and --model, or --plan and --model; --help says more.")
        return selftest() if args.selftest else plan(args) if args.plan else finetune(args)
    except (ValueError, OSError, ImportError, RuntimeError, KeyboardInterrupt) as error:
        why = str(error)[:300] or "stopped; the same command goes on from the last checkpoint."
        print(f"Cannot go on with {args.data or ''} {args.model}: {why}", file=sys.stderr)
        return 2

if __name__ == "__main__":
    sys.exit(main())
