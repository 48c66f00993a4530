"""Which family fits which task? An encoder, a decoder and an encoder-decoder of one size learn four small tasks.

| task      | reads                            | writes                      | what it asks for                  |
|-----------|----------------------------------|-----------------------------|-----------------------------------|
| label     | six letters                      | the one that comes twice    | all of the text in one look       |
| fill      | three letters twice, with a gap  | the missing letter          | what stands on the other side     |
| translate | three letters                    | the same, backwards         | several tokens, one right answer  |
| retell    | three letters                    | the same, in either order   | tokens that belong together       |

    trial = train_trial("encoder", "translate", seed=1)
    trial.right, trial.of                                # of `TESTS` unseen items

Every family reads the same examples in the same order, has the same size (to 3 %), width, learning rate and number of
steps, and answers as it is used: the encoder fills the gap, or all slots behind the text in one pass; the decoder
continues "text, separator", and the encoder-decoder writes what belongs to the text, both letter by letter. Answers
are drawn from the predicted probabilities: where two are right, the likeliest letter of each place says little.

What this does not do: pretraining, large models, tuning anything for a family. It compares architectures at the size
of a toy.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from helpers.old.transformer.encoder_decoder import EncoderDecoder, EncoderDecoderConfig
from helpers.old.transformer.gpt import GPT, GPTConfig

FAMILIES, TASKS = ("encoder", "decoder", "encoder-decoder"), ("label", "fill", "translate", "retell")
N_LETTERS, SEPARATOR, GAP = 12, 12, 13
SHOWN_AS = {"translate": "reverse"}  # the notebook's name, since its section 4 translates number words
VOCAB_SIZE, WIDTH, BATCH, STEPS, LEARNING_RATE, TESTS = 14, 48, 32, 600, 4e-3, 200
Item = tuple[list[int], list[list[int]]]  # what is read, and the answers that are right


def make_item(task: str, rng: random.Random) -> Item:
    """One example of a task. Raises ValueError for a task that does not exist."""
    if task == "label":
        letters = rng.sample(range(N_LETTERS), 5)
        read = [*letters, letters[0]]
        rng.shuffle(read)
        return read, [[letters[0]]]
    read = rng.choices(range(N_LETTERS), k=3)
    if task == "fill":
        at, missing = rng.randrange(6), read * 2
        return [*missing[:at], GAP, *missing[at + 1 :]], [[missing[at]]]
    if task == "translate":
        return read, [read[::-1]]
    if task == "retell":
        return read, [read, read[::-1]]
    raise ValueError(f"There is no task {task!r}: choose one of {', '.join(TASKS)}.")


def is_held_out(read: list[int]) -> bool:
    """True for one text in ten, chosen by checksum: those are for testing and never trained on."""
    return zlib.crc32(bytes(read)) % 10 == 0


def items(task: str, n: int, rng: random.Random, held_out: bool) -> list[Item]:
    """`n` examples, all of them held out from training or none."""
    made: list[Item] = []
    while len(made) < n:
        item = make_item(task, rng)
        if is_held_out(item[0]) == held_out:
            made.append(item)
    return made


def build(family: str, seed: int) -> nn.Module:
    """A model of about 75,000 parameters with random weights. Raises ValueError for an unknown family."""
    if family not in FAMILIES:
        raise ValueError(f"There is no family {family!r}: choose one of {', '.join(FAMILIES)}.")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if family == "encoder-decoder":  # cross-attention takes its weights from the feed-forward layers
            config = EncoderDecoderConfig(
                VOCAB_SIZE, WIDTH, n_layers=2, n_heads=4, d_ff=48, n_buckets=16, max_distance=16, start_id=SEPARATOR
            )
            return EncoderDecoder(config)
        sizes = {"d_model": WIDTH, "n_layers": 4, "n_heads": 4, "d_ff": 96, "activation": "relu", "gated": False}
        return GPT(GPTConfig(VOCAB_SIZE, positions="t5", causal=family == "decoder", **sizes))


def answer_logits(family: str, model: nn.Module, read: Tensor, answer: Tensor) -> Tensor:
    """Logits of each answer token: read (B, S), answer (B, T)  →  (B, T, V). An encoder does not look at `answer`."""
    gap = read == GAP
    if family == "encoder" and gap.any():  # every text has one
        return model(read)[gap][:, None]
    start = torch.full_like(read[:, :1], SEPARATOR)
    if family == "encoder-decoder":
        return model(read, torch.cat((start, answer[:, :-1]), dim=1))
    if family == "encoder":
        return model(torch.cat((read, torch.full_like(answer, SEPARATOR)), dim=1))[:, read.shape[1] :]
    return model(torch.cat((read, start, answer[:, :-1]), dim=1))[:, read.shape[1] :]


def fill_some(answer: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """What an encoder reads in its slots, (B, T), and which of them are still empty, (B, T) bool: at least one.

    Of T slots 0, 1 … T − 1 are filled, each number as often as the others, and any slots can be the filled ones.
    """
    n_filled = torch.randint(answer.shape[1], (len(answer), 1), generator=generator)  # (B, 1)
    rank = torch.rand(answer.shape, generator=generator).argsort(dim=1).argsort(dim=1)  # (B, T)
    empty = rank >= n_filled
    return answer.masked_fill(empty, SEPARATOR), empty


@torch.no_grad()
def write(family: str, model: nn.Module, read: Tensor, T: int, generator: torch.Generator) -> Tensor:
    """Answers (B, T) drawn from the model: all at once by an encoder, one token after another by the others."""

    def draw(logits: Tensor) -> Tensor:
        return torch.multinomial(logits.softmax(-1), 1, generator=generator)

    answer = torch.zeros(len(read), T, dtype=torch.long)
    if family == "encoder":
        logits = answer_logits(family, model, read, answer)  # one pass
        return torch.cat([draw(logits[:, t]) for t in range(T)], dim=1)
    for t in range(T):
        answer[:, t : t + 1] = draw(answer_logits(family, model, read, answer)[:, t])
    return answer


@dataclass(frozen=True)
class Trial:
    """How many of `of` unseen items a trained model got right, its number of weights, and the model itself.

    curve: how many it got right after each `every` steps of its training, the last step included; empty if not asked.
    """

    right: int
    of: int
    n_parameters: int
    model: nn.Module
    curve: tuple[int, ...] = ()


def train_trial(
    family: str,
    task: str,
    seed: int,
    steps: int = STEPS,
    tick: Callable[[], object] | None = None,
    every: int | None = None,
    some_filled: bool = False,
) -> Trial:
    """Train one family on one task and test it on unseen items.

    tick is called after every step. every: also test after each `every` steps, for the learning curve. some_filled:
    let an encoder train with some slots filled already (`fill_some`), so that it can fill them one after another.
    Raises ValueError for other families that are asked to.
    """
    if some_filled and family != "encoder":
        raise ValueError(f"Slots are an encoder's: some_filled means nothing for the {family}.")
    model, rng = build(family, seed), random.Random(f"{task} {seed}")
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE)
    # of 10 steps, a tenth is one, and OneCycleLR divides by zero
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, LEARNING_RATE, total_steps=steps, pct_start=0.2 if steps == 10 else 0.1
    )
    curve: list[int] = []
    for step in range(1, steps + 1):
        batch = items(task, BATCH, rng, held_out=False)
        read = torch.tensor([text for text, _ in batch])
        answer = torch.tensor([rng.choice(answers) for _, answers in batch])
        if some_filled:
            slots, asked = fill_some(answer, generator)
            logits = model(torch.cat((read, slots), dim=1))[:, read.shape[1] :]
            loss = F.cross_entropy(logits[asked], answer[asked])
        else:
            logits = answer_logits(family, model, read, answer)
            loss = F.cross_entropy(logits.flatten(0, 1), answer.flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if tick is not None:
            tick()
        if every is not None and step % every == 0:
            curve.append(count_right(family, model.eval(), task, seed))
            model.train()
    right, n_parameters = count_right(family, model.eval(), task, seed), sum(p.numel() for p in model.parameters())
    return Trial(right, TESTS, n_parameters, model, tuple(curve))


def count_right(family: str, model: nn.Module, task: str, seed: int) -> int:
    """How many of `TESTS` held-out items get an answer that is right."""
    tests = items(task, TESTS, random.Random(f"test {task}"), held_out=True)
    read = torch.tensor([text for text, _ in tests])
    written = write(family, model, read, len(tests[0][1][0]), torch.Generator().manual_seed(seed)).tolist()
    return sum(answer in answers for answer, (_, answers) in zip(written, tests, strict=True))


def shares_right(runs: Sequence[Mapping]) -> dict[tuple[str, str], list[float]]:
    """(task, family) → the shares right of its recorded runs, one a seed."""
    shares: dict[tuple[str, str], list[float]] = {(task, family): [] for task in TASKS for family in FAMILIES}
    for run in runs:
        shares[run["case"]["task"], run["case"]["family"]].append(run["right"] / run["of"])
    return shares


def final_shares(runs: Sequence[Mapping]) -> dict[tuple[str, str], list[float]]:
    """(task as the notebook calls it, family) → the share right at the end of each recorded curve, one a seed."""
    shares: dict[tuple[str, str], list[float]] = {}
    for run in runs:
        task = SHOWN_AS.get(run["case"]["task"], run["case"]["task"])
        shares.setdefault((task, run["case"]["family"]), []).append(run["curve"][-1] / run["of"])
    return shares


def draw_recorded(axes: Sequence, longer: Sequence[Mapping], short: Sequence[Mapping]) -> None:
    """Recorded shares right of "reverse" and "retell", on two axes: curves of `longer`, one mark per seed of `short`.

    A family without a curve for "reverse" had learned it after the steps of `short`; there the marks stand.
    """
    drawn = {task: ax for task, ax in zip(("translate", "retell"), axes, strict=True)}
    with_curve = {(run["case"]["task"], run["case"]["family"]) for run in longer}
    for run in longer:
        task, family, seed = (run["case"][key] for key in ("task", "family", "seed"))
        if task in drawn:
            every = run["case"]["steps"] // len(run["curve"])
            steps = range(every, run["case"]["steps"] + 1, every)
            style = f"C{FAMILIES.index(family)}" + ("-" if seed == 1 else ":")
            label = family if seed == 1 else "_second seed"
            drawn[task].plot(steps, [right / run["of"] for right in run["curve"]], style, label=label)
    for (task, family), shares in shares_right(short).items():
        if task in drawn and (task, family) not in with_curve:
            look = {"marker": "os"[FAMILIES.index(family)], "markersize": (9, 4)[FAMILIES.index(family)]}
            look |= {"color": f"C{FAMILIES.index(family)}", "markerfacecolor": "none", "linestyle": ""}
            drawn[task].plot([STEPS] * len(shares), shares, label=f"{family}, {STEPS} steps", **look)
    for task, ax in drawn.items():
        name = SHOWN_AS.get(task, task)
        ax.set(title=name, xlabel="training step", xticks=[0, 600, 1200, 1800], ylim=(0, 1.03))
        ax.legend(fontsize=8, loc="lower right", title="dotted: second seed", title_fontsize=8)
    axes[0].set_ylabel("share right of 200\nunseen texts (recorded)")
