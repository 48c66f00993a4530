"""BERTScore against the package on the same encoder and layer, MoverScore against POT's exact optimal transport."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from helpers.models import embedder, fetch
from helpers.old.metrics import BERTScore, MoverScore, greedy_match, random_baseline
from helpers.old.metrics.embeddings import NAMES, TokenVectors, transport_cost
from helpers.transformer import Encoder
from tests.metrics.test_overlap import random_texts
from tests.tools.optional import needs


@pytest.fixture(scope="module")
def encoder():
    return embedder()


def some_texts(n: int, several: bool, seed: int) -> tuple[list[str], list[list[str]]]:
    predictions, references = random_texts(2 * n, several, seed)
    kept = [(text, row) for text, row in zip(predictions, references, strict=True) if text][:n]
    return [text for text, _ in kept], [row for _, row in kept]


def of_package(predictions, references, **options):
    import bert_score

    scores = bert_score.score(
        predictions, references, model_type=str(fetch("embedder")), nthreads=0, device="cpu", **options
    )
    return [part.tolist() for part in scores]


@needs("bert_score", extra="compare")
@pytest.mark.parametrize(("layer", "idf", "several"), [(6, False, False), (6, True, True), (4, True, False)])
def test_bertscore_equals_the_package(encoder, layer, idf, several):
    predictions, references = some_texts(40, several, seed=layer)
    ours = BERTScore(encoder, layer=layer, idf=idf).each(predictions=predictions, references=references)
    given = references if several else [row[0] for row in references]
    theirs = of_package(predictions, given, num_layers=layer, idf=idf)
    for name, expected in zip(NAMES, theirs, strict=True):
        assert ours[name] == pytest.approx(expected, abs=1e-4)
    assert np.std(ours["bertscore_f1"]) > 0.01


def test_greedy_match_by_hand():
    answer, reference = torch.eye(3)[:2], torch.eye(3)[[0, 2, 2]]  # one token in common
    found = greedy_match(answer, reference, torch.tensor([1.0, 3.0]), torch.tensor([2.0, 1.0, 1.0]))
    assert found == pytest.approx((1 / 4, 2 / 4, 2 * (1 / 4) * (2 / 4) / (3 / 4)))


def test_the_courses_encoder_the_embedder_and_a_pair_of_the_library_agree(encoder):
    predictions, references = some_texts(8, True, seed=2)
    first = BERTScore(encoder).each(predictions=predictions, references=references)
    own = Encoder.from_pretrained(fetch("embedder"))
    pair = (encoder[0].auto_model, encoder.tokenizer)
    for other in (own, pair):
        found = BERTScore(other).each(predictions=predictions, references=references)
        assert all(found[name] == pytest.approx(first[name], abs=1e-5) for name in NAMES)
        movers = [MoverScore(one).each(predictions=predictions, references=references) for one in (encoder, other)]
        assert movers[0]["moverscore"] == pytest.approx(movers[1]["moverscore"], abs=1e-5)


def test_equal_texts_have_one_and_unrelated_ones_about_zero_after_rescaling(encoder):
    sentences = [
        "The battery charges in four hours.",
        "Our shop in Utrecht opens at nine.",
        "He plays the violin every Sunday.",
        "Interest rates fell again last month.",
        "Please wash the apples before cooking.",
        "The parcel was sent on Monday.",
    ]
    baseline = random_baseline(encoder, sentences, pairs=200)
    assert all(0.05 < value < 0.6 for value in baseline)
    assert baseline == random_baseline(encoder, sentences, pairs=200)
    scaled = BERTScore(encoder, baseline=baseline)
    same = scaled.compute(predictions=sentences, references=sentences)
    assert same == pytest.approx(dict.fromkeys(NAMES, 1.0), abs=1e-5)
    firsts, seconds = zip(*((a, b) for a in sentences for b in sentences if a != b), strict=True)
    unlike = scaled.compute(predictions=list(firsts), references=list(seconds))
    assert all(abs(value) < 0.05 for value in unlike.values())  # the same 30 pairs, drawn 200 times for the baseline


def test_empty_texts_score_zero_and_take_nothing_from_others(encoder):
    for metric in (BERTScore(encoder), BERTScore(encoder, idf=True), MoverScore(encoder)):
        found = metric.each(predictions=["", "a bell", "", "a bell"], references=["a bell", "", "", "a bell"])
        for scores in found.values():
            assert scores == pytest.approx([0, 0, 0, 1], abs=1e-5)


@needs("ot", extra="compare")
def test_the_transport_equals_pots_exact_one():
    import ot

    rng = np.random.default_rng(0)
    for _ in range(30):
        n, m = rng.integers(1, 15, size=2)
        supply, demand = rng.dirichlet(np.ones(n)), rng.dirichlet(np.ones(m))
        distance = rng.random((n, m))
        assert transport_cost(supply, demand, distance) == pytest.approx(ot.emd2(supply, demand, distance), abs=1e-9)


@needs("ot", extra="compare")
def test_moverscore_equals_pot_over_the_same_vectors(encoder):
    import ot

    predictions, references = some_texts(15, False, seed=3)
    ours = MoverScore(encoder).each(predictions=predictions, references=references)["moverscore"]
    tokens = TokenVectors(encoder)
    for score, text, [reference] in zip(ours, predictions, references, strict=True):
        vectors = []
        for one in (text, reference):
            ids, found = tokens.read([one])[one]
            pieces = [encoder.tokenizer.convert_ids_to_tokens(i) for i in ids]
            left_out = {"[CLS]", "[SEP]", *".,;!'"}
            kept = [k for k, piece in enumerate(pieces) if piece not in left_out and piece[:2] != "##"]
            vectors.append(found[kept].double().numpy())
        masses = [np.full(len(part), 1 / len(part)) for part in vectors]
        cost = ot.emd2(*masses, ot.dist(*vectors, metric="euclidean"))
        assert score == pytest.approx(1 - cost, abs=1e-6)


def test_what_is_no_encoder_or_no_layer_is_refused(encoder):
    with pytest.raises(TypeError, match="An encoder is a SentenceTransformer"):
        BERTScore("all-MiniLM-L6-v2")
    with pytest.raises(ValueError, match="layers 1 to 6"):
        BERTScore(encoder, layer=7)
    with pytest.raises(ValueError, match="three numbers below 1"):
        BERTScore(encoder, baseline=(0.5, float("nan"), 0.5))
    with pytest.raises(ValueError, match="last layer only"):
        BERTScore(Encoder.from_pretrained(fetch("embedder")), layer=4)
    with pytest.raises(ValueError, match="two different ones"):
        random_baseline(encoder, ["a", "a"])
