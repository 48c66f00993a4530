"""A masked language model, small enough to train while you watch: hide words, predict them (Devlin et al., 2019).

    rng = random.Random(0)
    ticket = make_ticket(rng)           # "hello the brake of my kite squeaks on snow in winter", word by word
    encoder = train_on_tickets(300, causal=False)       # learns to fill gaps, from both sides
    decoder = train_on_tickets(300, causal=True)        # the same parts and size, learns what comes next
    gap_logits(encoder, tickets, places)                # (n, V): which word fits that place?

Tickets follow a few rules, so the best possible score of each kind of word is known (`KINDS`). What this does not do:
real text, pairs of sentences, BERT's 80/10/10 rule (of the tokens chosen, 80 % become the mask, 10 % a random
token, 10 % stay).
"""

from __future__ import annotations

import random
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from helpers.attention import padding_mask
from helpers.display.frontend import is_static
from helpers.old.foundations.probability import IGNORED
from helpers.old.transformer.gpt import GPT, GPTConfig
from helpers.scale import device

TROUBLES = {
    "brake": ("squeaks", "slips"),
    "battery": ("drains", "overheats"),
    "light": ("flickers", "dims"),
    "motor": ("hums", "stalls"),
    "wheel": ("wobbles", "bends"),
    "chain": ("rusts", "jumps"),
    "saddle": ("tilts", "creaks"),
    "screen": ("freezes", "fogs"),
}
SURFACES = {"winter": ("snow", "ice"), "summer": ("sand", "dust")}
OWNERS, BIKES = ("my", "our", "his", "her"), ("kite", "otter")
OPENERS = ([], ["hello"], ["please", "help"])
PAD, MASK = 0, 1
WORDS = sorted(
    {
        *("the", "of", "on", "in", *OWNERS, *BIKES, *TROUBLES, *SURFACES),
        *(word for words in (*TROUBLES.values(), *SURFACES.values(), *OPENERS) for word in words),
    }
)
VOCAB_SIZE, LONGEST = len(WORDS) + 2, 12
BATCH, LEARNING_RATE, RATE = 32, 4e-3, 0.15

# Kind of word: (best share with both sides, best share from the left alone), where the kind stands in the middle
KINDS = {"part": (1.0, 1 / 8), "owner": (1 / 4, 1 / 4), "trouble": (1 / 2, 1 / 2)}


def make_ticket(rng: random.Random) -> list[str]:
    """One ticket of 10 to 12 words: which part gives trouble, and where."""
    part, season = rng.choice(list(TROUBLES)), rng.choice(list(SURFACES))
    trouble, surface = rng.choice(TROUBLES[part]), rng.choice(SURFACES[season])
    complaint = ["the", part, "of", rng.choice(OWNERS), rng.choice(BIKES), trouble, "on", surface]
    ending = ["in", season]
    return rng.choice(OPENERS) + (complaint + ending if rng.random() < 0.5 else ending + complaint)


def kind_of(word: str) -> str:
    """part, trouble, owner, or other."""
    if word in TROUBLES:
        return "part"
    if word in OWNERS:
        return "owner"
    return "trouble" if any(word in troubles for troubles in TROUBLES.values()) else "other"


def is_held_out(ticket: Sequence[str]) -> bool:
    """True for one ticket in ten, chosen by checksum: those are for testing and never trained on."""
    return zlib.crc32(" ".join(ticket).encode()) % 10 == 0


def make_tickets(n: int, rng: random.Random, held_out: bool = False) -> list[list[str]]:
    """`n` tickets, all of them held out from training or none."""
    made: list[list[str]] = []
    while len(made) < n:
        ticket = make_ticket(rng)
        if is_held_out(ticket) == held_out:
            made.append(ticket)
    return made


def encode_tickets(tickets: Sequence[Sequence[str]]) -> Tensor:
    """Words to ids: (B, 12) int64, padded on the right."""
    ids = torch.full((len(tickets), LONGEST), PAD)
    mask = padding_mask([len(ticket) for ticket in tickets], LONGEST)
    ids[mask] = torch.tensor([WORDS.index(word) + 2 for ticket in tickets for word in ticket])
    return ids


def mask_tokens(ids: Tensor, draw: Tensor, rate: float, mask_id: int, pad_id: int) -> tuple[Tensor, Tensor]:
    """Hide some tokens, and keep in the labels which tokens stood there.

    ids: (B, T) whole numbers, draw: (B, T), one random number in [0, 1) per token  →  (inputs, labels), both (B, T).
    Tokens whose draw is below `rate` become `mask_id` in the inputs and stand in the labels; padding is never
    hidden. Labels are −100 everywhere else; `ids` stays as it is.
    """
    hidden = (draw < rate) & (ids != pad_id)
    return ids.masked_fill(hidden, mask_id), ids.masked_fill(~hidden, IGNORED)


def ticket_model(causal: bool, seed: int = 0) -> GPT:
    """A small transformer with random weights: a decoder if `causal`, else an encoder; all else is alike."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return GPT(GPTConfig(VOCAB_SIZE, d_model=64, n_layers=2, n_heads=4, causal=causal)).to(device())


def inputs_and_labels(
    ids: Tensor, causal: bool, generator: torch.Generator, mask: Callable[..., tuple[Tensor, Tensor]] = mask_tokens
) -> tuple[Tensor, Tensor]:
    """What a decoder (`causal`) or an encoder reads in training, and what it is asked for; −100 where it is not."""
    if causal:
        asked = ids[:, 1:]  # at each position the token that comes next
        return ids[:, :-1], asked.masked_fill(asked == PAD, IGNORED)
    draw = torch.rand(ids.shape, generator=generator)  # (B, T)
    return mask(ids, draw, RATE, MASK, PAD)


def learn(model: GPT, inputs: Tensor, labels: Tensor, optimizer: torch.optim.Optimizer) -> None:
    """One step of training, the same for an encoder and a decoder: inputs and labels (B, T)."""
    logits = model(inputs, mask=inputs != PAD)  # (B, T, V)
    loss = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORED)
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()


def train_on_tickets(
    steps: int,
    causal: bool,
    seed: int = 0,
    mask: Callable[..., tuple[Tensor, Tensor]] = mask_tokens,
) -> GPT:
    """A model trained to fill gaps or, if `causal`, to say what comes next, on tickets that are not held out.

    mask: hides tokens, as `mask_tokens` does. Raises ValueError below one step.
    """
    if steps < 1:
        raise ValueError(f"steps must be at least 1, not {steps}.")
    model, rng = ticket_model(causal, seed), random.Random(f"train {seed}")
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE)
    # of 10 steps, a tenth is one, and OneCycleLR divides by zero
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, LEARNING_RATE, total_steps=steps, pct_start=0.2 if steps == 10 else 0.1
    )
    name, quiet = "decoder" if causal else "encoder", is_static()
    for _ in tqdm(range(steps), desc=name, unit="step", disable=quiet, file=sys.stdout, leave=False):
        ids = encode_tickets(make_tickets(BATCH, rng))  # (B, T)
        inputs, labels = inputs_and_labels(ids, causal, generator, mask)
        learn(model, inputs.to(device()), labels.to(device()), optimizer)
        schedule.step()
    return model.eval()


@torch.no_grad()
def gap_logits(model: GPT, ids: Tensor, places: Tensor) -> Tensor:
    """How well each word fits one place of each ticket: ids (n, T), places (n,)  →  (n, V).

    An encoder sees the ticket with that word hidden, a decoder what stands before it (so a place is at least 1).
    """
    rows = torch.arange(len(ids))
    inputs = ids.clone()
    inputs[rows, places] = MASK
    logits = model(inputs.to(device()), mask=(inputs != PAD).to(device())).cpu()  # (n, T, V)
    return logits[rows, places - 1 if model.config.causal else places]


def gaps_found(model: GPT, tickets: Sequence[Sequence[str]]) -> dict[str, int]:
    """For each kind of word, in how many of the tickets the model's first guess for it is right."""
    ids, found = encode_tickets(tickets), {}
    for kind in KINDS:
        places = torch.tensor([[kind_of(word) for word in ticket].index(kind) for ticket in tickets])  # (n,)
        truth = ids[torch.arange(len(ids)), places]  # (n,)
        found[kind] = int((gap_logits(model, ids, places).argmax(-1) == truth).sum())
    return found


@torch.no_grad()
def log_likelihoods(model: GPT, tickets: Sequence[Sequence[str]]) -> Tensor:
    """log p in nats that a decoder gives to each ticket behind its first word, (n,)."""
    ids = encode_tickets(tickets)
    inputs, following = ids[:, :-1], ids[:, 1:]  # (n, T) each
    logits = model(inputs.to(device()), mask=(inputs != PAD).to(device())).cpu()  # (n, T, V)
    losses = F.cross_entropy(logits.transpose(1, 2), following, ignore_index=PAD, reduction="none")  # (n, T)
    return -losses.sum(dim=1)


def gaps_ranked(model: GPT, tickets: Sequence[Sequence[str]]) -> dict[str, int]:
    """The same for a decoder that compares whole tickets: one for each word of the kind; the likeliest one counts."""
    found = {}
    for kind in KINDS:
        words = [word for word in WORDS if kind_of(word) == kind]
        places = [[kind_of(word) for word in ticket].index(kind) for ticket in tickets]
        candidates = [
            [*ticket[:place], word, *ticket[place + 1 :]]
            for ticket, place in zip(tickets, places, strict=True)
            for word in words
        ]
        likeliest = log_likelihoods(model, candidates).view(len(tickets), len(words)).argmax(dim=1).tolist()
        guesses = zip(tickets, places, likeliest, strict=True)
        found[kind] = sum(ticket[place] == words[best] for ticket, place, best in guesses)
    return found


def most_frequent_found(seen: Sequence[Sequence[str]], tickets: Sequence[Sequence[str]]) -> dict[str, int]:
    """The same for a guess that costs nothing: the word of each kind that is most frequent in `seen`."""
    found = {}
    for kind in KINDS:
        words = Counter(word for ticket in seen for word in ticket if kind_of(word) == kind)
        found[kind] = sum(words.most_common(1)[0][0] in ticket for ticket in tickets)
    return found
