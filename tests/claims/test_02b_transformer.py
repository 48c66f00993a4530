"""What 02b_transformer says in prose, held against the model, the recorded runs and its own outputs."""

from __future__ import annotations

import base64
import json
import re
from types import SimpleNamespace

import pytest
import torch
from helpers.trials.deep_stacks import batches, deep_stack, frequency_loss, gradient_norms, train
from helpers.trials.moved_facts import facts

from helpers.files import ROOT
from helpers.models import fetch
from helpers.transformer import Llama, MinimalLlama
from tests.tools.execute import same_pixels
from tests.tools.picture import main as copy_picture

PICTURE = ROOT / "notebooks/images/02b_move_a_fact.png"
NAMES, ALL = ("capitals", "languages", "countries"), ("capitals", "languages", "countries", "opposites")
BLOCK, HEAD = 24, 4  # block 24 and its head 4, which hand the country over


@pytest.fixture(scope="module")
def chat():
    from transformers import AutoTokenizer

    folder = fetch("chat")
    full = Llama.from_pretrained(folder)
    c = full.config
    model = MinimalLlama(c.vocab_size, c.d_model, c.n_layers, c.n_heads, c.n_kv_heads, c.d_ff, c.rope_base)
    model.load_state_dict(full.state_dict())
    return SimpleNamespace(model=model.requires_grad_(False), tokenizer=AutoTokenizer.from_pretrained(folder))


def encode(chat, *texts):
    return torch.tensor([chat.tokenizer(text)["input_ids"] for text in texts])


def first_tokens(chat, words):
    return torch.tensor([chat.tokenizer(f" {word}")["input_ids"][0] for word in words])


def stream(chat, ids):
    states = [chat.model.embedding(ids)]
    for block in chat.model.blocks:
        states.append(block(states[-1]))
    return torch.stack(states)  # (31, B, T, C)


def says(chat, ids, layer, vectors, position=-1):
    """The best token after the run in which `vectors` (B, C) replace layer `layer` at `position`, and all logits."""
    x = chat.model.embedding(ids)
    for number, block in enumerate([*chat.model.blocks, None]):
        if number == layer:
            x[:, position] = vectors
        x = block(x) if block else x
    logits = chat.model.head(chat.model.norm(x[:, -1]))
    return logits.argmax(-1), logits


def random_like(vectors):
    noise = torch.randn(vectors.shape, generator=torch.Generator().manual_seed(1))
    return noise / noise.norm(dim=-1, keepdim=True) * vectors.norm(dim=-1, keepdim=True)


@pytest.fixture(scope="module")
def cases(chat):
    """By kind, the prompts whose answer and whose partner's answer the model knows, in both directions."""
    found = {}
    for kind in ALL:
        here, there = (encode(chat, *(pair.prompts()[side] for pair in facts(kind))) for side in (0, 1))
        first = first_tokens(chat, [pair.answer for pair in facts(kind)])
        second = first_tokens(chat, [pair.other_answer for pair in facts(kind)])
        best_here, best_there = (chat.model(ids)[:, -1].argmax(-1) for ids in (here, there))
        known = (best_here == first) & (best_there == second)
        both = (torch.cat([one[known], two[known]]) for one, two in ((here, there), (there, here), (second, first)))
        found[kind] = SimpleNamespace(**dict(zip(("hosts", "donors", "others"), both, strict=True)))
        found[kind].vectors = stream(chat, found[kind].donors)[:, :, -1]
    return found


def turned(chat, case, layer, vectors=None):
    return says(chat, case.hosts, layer, case.vectors[layer] if vectors is None else vectors)[0] == case.others


# The facts -----------------------------------------------------------------------------------------------------------


def test_there_are_26_pairs_none_twice_and_their_words_are_one_token_each(chat):
    pairs = [fact for kind in ALL for fact in facts(kind)]
    assert len(pairs) == 26 == len({frozenset(fact.prompts()) for fact in pairs})
    words = [w for f in pairs for w in (f.subject, f.other_subject, f.answer, f.other_answer)]
    assert all(len(chat.tokenizer(f" {word}")["input_ids"]) == 1 for word in words)


def test_the_model_knows_twenty_of_the_prompts_about_capitals(cases):
    assert len(cases["capitals"].hosts) == 20


# The swaps -----------------------------------------------------------------------------------------------------------


def test_places_turn_at_layer_24_and_not_at_23(chat, cases):
    at = torch.cat([turned(chat, cases[kind], BLOCK) for kind in NAMES])
    before = torch.cat([turned(chat, cases[kind], BLOCK - 1) for kind in NAMES])
    assert at.float().mean() > 0.95 and not before.any()
    assert turned(chat, cases["capitals"], BLOCK).all()


def test_opposites_turn_later_and_not_all_at_once(chat, cases):
    shares = [turned(chat, cases["opposites"], layer).float().mean() for layer in (BLOCK, 25, 26, 28)]
    assert shares[0] < 0.5 and shares[-1] > 0.9 and shares == sorted(shares)


def test_a_random_vector_turns_no_answer_but_about_half_of_the_preferences(chat, cases):
    case = cases["capitals"]
    best, logits = says(chat, case.hosts, BLOCK, random_like(case.vectors[BLOCK]))
    own = chat.model(case.hosts)[:, -1].argmax(-1)
    prefers = logits.gather(1, case.others[:, None]) > logits.gather(1, own[:, None])
    assert not (best == case.others).any() and 4 <= prefers.sum() <= 16


def test_a_third_countrys_vector_gives_that_countrys_capital_and_neither_of_the_two(chat, cases):
    case = cases["capitals"]
    own = chat.model(case.hosts)[:, -1].argmax(-1)
    best, _ = says(chat, case.hosts, BLOCK, case.vectors[BLOCK].roll(2, 0))
    assert not (best == case.others).any() and not (best == own).any()
    assert (best == case.others.roll(2)).all()


def test_the_last_tokens_vector_brings_the_question_before_block_24_and_the_country_from_there_on(chat):
    donor = stream(chat, encode(chat, "In Italy people speak"))[:, 0, -1]
    france = encode(chat, "The capital of France is")
    answers = [chat.tokenizer.decode(says(chat, france, n, donor[n])[0]) for n in range(8, 31)]
    assert answers == [" French"] * (BLOCK - 8) + [" Italian"] * (31 - BLOCK)


def test_exchanging_either_vector_makes_the_model_say_rome_and_the_two_take_turns(chat):
    france, italy = (encode(chat, f"The capital of {country} is") for country in ("France", "Italy"))
    donor = stream(chat, italy)[:, 0]  # (31, 5, C)
    for position, rome in ((3, lambda n: n < BLOCK), (-1, lambda n: n >= BLOCK)):
        for n in range(31):
            best = chat.tokenizer.decode(says(chat, france, n, donor[n, position], position)[0])
            assert best == (" Rome" if rome(n) else " Paris"), (position, n)


def test_a_vector_that_wipes_out_the_country_prefers_about_half_because_each_pair_is_there_in_both_directions(
    chat, cases
):
    case = cases["capitals"]
    own = chat.model(case.hosts)[:, -1].argmax(-1)
    n = len(case.hosts) // 2  # first one direction of each pair, then the other
    noise = random_like(case.vectors[BLOCK][:n]).repeat(2, 1)
    _, logits = says(chat, case.hosts, BLOCK, noise)
    prefers = logits.gather(1, case.others[:, None]) > logits.gather(1, own[:, None])
    one, other = prefers[:n, 0], prefers[n:, 0]
    assert (one != other).float().mean() >= 0.7  # mostly one direction of a pair and not the other


def test_a_country_from_another_sentence_moves_facts_in_time_and_not_too_late(chat, cases):
    hits, late, noise = [], [], []
    for kind in NAMES:
        case = cases[kind]
        position = int((case.hosts != case.donors).any(0).nonzero())
        aunt = encode(chat, "My aunt lives in").expand(len(case.hosts), -1)
        vectors = stream(chat, torch.cat([aunt, case.donors[:, [position]]], dim=1))[:, :, -1]
        for found, layer, put in (
            (hits, 12, vectors[12]),
            (late, BLOCK, vectors[BLOCK]),
            (noise, 12, random_like(vectors[12])),
        ):
            found.append(says(chat, case.hosts, layer, put, position)[0] == case.others)
    assert torch.cat(hits).float().mean() > 0.8
    assert not torch.cat(late).any() and torch.cat(noise).float().mean() < 0.1


def test_the_own_country_from_the_aunts_sentence_leaves_all_answers_but_one(chat, cases):
    kept = []
    for kind in NAMES:
        case = cases[kind]
        position = int((case.hosts != case.donors).any(0).nonzero())
        aunt = encode(chat, "My aunt lives in").expand(len(case.hosts), -1)
        vectors = stream(chat, torch.cat([aunt, case.hosts[:, [position]]], dim=1))[12, :, -1]
        own = chat.model(case.hosts)[:, -1].argmax(-1)
        kept.append(says(chat, case.hosts, 12, vectors, position)[0] == own)
    assert (~torch.cat(kept)).sum() == 1


def test_what_the_aunts_sentence_ends_with_counts(chat):
    france = encode(chat, "The capital of France is")
    answers = {}
    for sentence in ("My aunt lives in France", "My aunt lives in Rome", "My aunt likes cheese"):
        vector = stream(chat, encode(chat, sentence))[12, 0, -1]
        answers[sentence.split()[-1]] = chat.tokenizer.decode(says(chat, france, 12, vector, 3)[0])
    assert answers["France"] == " Paris" and answers["Rome"] == " Rome" and answers["cheese"] not in (" Paris", " Rome")


# The head ------------------------------------------------------------------------------------------------------------


def turned_by_head(chat, case, head):
    """Answers turned where one head of block 24 over the last token comes from the donors' run."""
    projection, part, kept = chat.model.blocks[BLOCK - 1].attention.o_proj, slice(head * 64, head * 64 + 64), []

    def put(_, inputs):
        heads = inputs[0].clone()
        heads[:, -1, part] = kept[0]
        return (heads,)

    keep = projection.register_forward_pre_hook(lambda _, inputs: kept.append(inputs[0][:, -1, part].clone()))
    chat.model(case.donors)
    keep.remove()
    handle = projection.register_forward_pre_hook(put)
    best = chat.model(case.hosts)[:, -1].argmax(-1)
    handle.remove()
    return int((best == case.others).sum())


def test_head_4_alone_turns_most_capitals_some_other_places_and_no_opposite(chat, cases):
    assert turned_by_head(chat, cases["capitals"], HEAD) > 0.5 * len(cases["capitals"].hosts)
    assert all(turned_by_head(chat, cases["capitals"], head) == 0 for head in range(9) if head != HEAD)
    for kind in ("languages", "countries"):
        assert 0 < turned_by_head(chat, cases[kind], HEAD) < len(cases[kind].hosts)
    assert turned_by_head(chat, cases["opposites"], HEAD) == 0


def test_without_head_4_over_the_last_token_the_model_gives_8_of_the_20_capitals(chat, cases):
    case = cases["capitals"]
    own = chat.model(case.hosts)[:, -1].argmax(-1)

    def silence(_, inputs):
        heads = inputs[0].clone()
        heads[:, -1, HEAD * 64 : HEAD * 64 + 64] = 0
        return (heads,)

    handle = chat.model.blocks[BLOCK - 1].attention.o_proj.register_forward_pre_hook(silence)
    best = chat.model(case.hosts)[:, -1].argmax(-1)
    handle.remove()
    assert (best == own).sum() == 8 and len(own) == 20


def test_the_model_has_270_heads_of_64_numbers_and_134_5_million_parameters(chat):
    assert sum(w.numel() for w in chat.model.parameters()) == 134_515_008
    blocks = chat.model.blocks
    assert len(blocks) * blocks[0].attention.q_proj.out_features == 270 * 64
    assert abs(134_515_008 + chat.model.head.weight.numel() - 162.8e6) < 0.1e6  # what it would be without tying


def test_the_three_classes_of_the_model_are_about_forty_lines():
    cells = json.loads((ROOT / "notebooks/02b_transformer.ipynb").read_text(encoding="utf-8"))["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["id"] in ("attention-module", "llama"))
    lines = [line for line in code.splitlines() if line.strip()]
    assert sum(line.startswith("class ") for line in lines) == 3 and 33 <= len(lines) <= 44


# The lens ------------------------------------------------------------------------------------------------------------


def test_the_lens_has_the_answer_among_the_four_best_only_after_block_29(chat):
    paris = int(first_tokens(chat, ["Paris"]))
    states = stream(chat, encode(chat, "The capital of France is"))[:, 0, -1]
    best = chat.model.head(chat.model.norm(states)).topk(4).indices  # (31, 4)
    assert [bool((row == paris).any()) for row in best] == [False] * 29 + [True] * 2


def test_the_lens_sees_the_rank_of_the_answer_fall_at_block_24(chat):
    paris = int(first_tokens(chat, ["Paris"]))
    scores = chat.model.head(chat.model.norm(stream(chat, encode(chat, "The capital of France is"))[:, 0, -1]))
    ahead = (scores > scores[:, [paris]]).sum(-1)
    assert ahead[:BLOCK].min() >= 2000
    assert abs(ahead[BLOCK] - 395) < 10 and abs(ahead[BLOCK + 1] - 92) < 5  # rounding may move a few


def test_the_first_three_vectors_are_the_same_in_both_runs_and_the_stream_grows(chat):
    france, italy = (stream(chat, encode(chat, f"The capital of {c} is"))[:, 0] for c in ("France", "Italy"))
    differ = (france - italy).abs().amax(-1) > 1e-3  # (31, 5); at the first three tokens only rounding differs
    assert not differ[:, :3].any() and differ[:, 3].all() and differ[1:, 4].all()
    norms = france[:, -1].norm(dim=-1)
    assert abs(norms[0] - 2.6) < 0.05 and norms[29:].min() > 600 > norms[:29].max()


# The deep stacks -----------------------------------------------------------------------------------------------------


def recorded(variant: str, layers: int = 24, warmup: int = 0, rate: float = 3e-3) -> list[dict]:
    runs = json.loads((ROOT / "data/results/02b_deep_stacks.json").read_text(encoding="utf-8"))["runs"]
    wanted = {"variant": variant, "layers": layers, "warmup": warmup, "rate": rate}
    found = [run for run in runs if wanted.items() <= run["case"].items()]
    assert len(found) == 3
    return found


def last(*setting) -> list[float]:
    return [sum(run["losses"][-10:]) / 10 for run in recorded(*setting)]


def test_without_residuals_nothing_but_byte_frequencies_is_learned():
    bar = 3.26  # nats: measured on Python 3.11's language reference, on which the runs were made
    assert abs(frequency_loss() - bar) < 0.1  # another version's text differs a little
    assert max(last("pre-norm")) < bar - 0.5
    assert all(abs(loss - bar) < 0.1 for loss in last("no residual"))


def test_without_norms_every_run_at_the_rate_of_0_003_breaks_and_one_of_three_at_a_third_of_it():
    assert all(run["broke_at"] is not None for run in recorded("no norm"))
    slow = recorded("no norm", 24, 0, 1e-3)
    ends = [sum(run["losses"][-10:]) / 10 for run in slow if run["broke_at"] is None]
    assert len(ends) == 2 and all(abs(end - 2.8) < 0.05 for end in ends)
    assert all(run["broke_at"] is None for v in ("pre-norm", "post-norm", "no residual") for run in recorded(v))


def test_deep_post_norm_falls_behind_and_a_warm_up_takes_most_of_it_away():
    def mean(*setting):
        return sum(last(*setting)) / 3

    gap, with_warmup = mean("post-norm") - mean("pre-norm"), mean("post-norm", 24, 50) - mean("pre-norm", 24, 50)
    assert 0.4 < gap < 0.6 and 0 < with_warmup < 0.4 * gap
    assert abs(mean("pre-norm", 24, 50) - mean("pre-norm")) < 0.05
    assert mean("post-norm", 2) < mean("pre-norm", 2)


def test_at_a_third_of_the_rate_deep_post_norm_is_no_worse_than_pre_norm_without_a_warm_up():
    post, pre = last("post-norm", 24, 0, 1e-3), last("pre-norm", 24, 0, 1e-3)
    assert all(one <= other for one, other in zip(post, pre, strict=True))  # seed by seed
    assert max(post) < min(last("post-norm", 24, 50)) and max(post) < min(last("post-norm")) - 0.3


def printed_gradients() -> dict[str, list[float]]:
    """By row of the notebook's table, the norms at blocks 24, 12 and 1."""
    cells = json.loads((ROOT / "notebooks/02b_transformer.ipynb").read_text(encoding="utf-8"))["cells"]
    cell = next(cell for cell in cells if cell["id"] == "gradients")
    lines = "".join("".join(output.get("text", [])) for output in cell["outputs"]).splitlines()
    numbers = [[float(n.replace(",", "")) for n in re.findall(r": +([\d.,]+)", line)] for line in lines]
    return {line.split(" block ")[0].strip(): row for line, row in zip(lines, numbers, strict=True)}


def test_the_start_of_the_writing_matrices_decides_how_the_gradient_of_post_norm_grows():
    rows = printed_gradients()
    growth = {name: norms[-1] / norms[0] for name, norms in rows.items()}
    assert growth["post-norm"] < 3 and 35 < growth["post-norm, equal start"] < 47
    assert 5 < growth["pre-norm"] < growth["pre-norm, equal start"] < 15
    assert growth["no residual"] > 1000 and growth["no norm"] == min(growth.values())


def test_with_a_residual_the_gradient_stays_within_about_a_factor_of_ten():
    text = batches(0, 1)[0]
    for name in ("pre-norm", "post-norm", "no norm"):
        norms = gradient_norms(deep_stack(name), text)
        assert norms.max() < 15 * norms.min()


def test_training_stops_where_the_loss_is_no_number():
    model = deep_stack("pre-norm", n_layers=2)
    with torch.no_grad():
        model.head.weight.fill_(torch.nan)
    assert len(list(train(model, 3))) == 1


def test_the_same_seed_gives_the_same_losses_and_a_warm_up_other_ones():
    first, second, warm = (
        list(train(deep_stack("no residual", 3, n_layers=2), 3, seed=5, warmup=warmup)) for warmup in (0, 0, 4)
    )
    assert first == second and first[2] < first[0]
    assert warm[0] == first[0] and warm[1:] != first[1:]


# The picture in README.md --------------------------------------------------------------------------------------------


def test_the_picture_for_the_readme_is_the_notebooks_own(tmp_path):
    copy = tmp_path / "copy.png"
    assert copy_picture(["02b_transformer", "move-a-fact", str(copy)]) == 0
    assert PICTURE.stat().st_size <= 80_000
    first, second = (base64.b64encode(path.read_bytes()).decode() for path in (PICTURE, copy))
    assert same_pixels(first, second), (
        "the picture is not that of the notebook: renew it with python -m tests.tools.picture 02b_transformer "
        "move-a-fact notebooks/images/02b_move_a_fact.png"
    )


def test_a_cell_without_a_picture_is_refused_and_nothing_is_written(tmp_path, capsys):
    assert copy_picture(["02b_transformer", "move-a-factt", str(tmp_path / "copy.png")]) == 1
    assert "no cell 'move-a-factt' that shows a picture" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
