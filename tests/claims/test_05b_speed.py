"""What 05b_speed and README.md say of speed, held against what was recorded and what the weights give."""

from __future__ import annotations

import base64
import statistics

import pytest

from helpers.models import fetch
from helpers.quantization import dequantize, quantize_groups, round_trip_error
from helpers.transformer import Encoder, Llama
from helpers.trials.ladder import RUNGS, recorded
from tests.tools.execute import same_pixels
from tests.tools.notebook import ROOT
from tests.tools.picture import main as copy_picture

PICTURE = ROOT / "notebooks/images/05b_ladder.png"


@pytest.fixture(scope="module")
def ladder() -> dict[str, dict]:
    return {run["case"]: run for run in recorded()["runs"]}


def test_every_rung_was_recorded_in_turns_with_the_library(ladder):
    assert set(RUNGS) <= set(ladder)
    for rung in RUNGS:
        rates = ladder[rung]["tokens_per_s"]
        assert len(rates["rung"]) == len(rates["library"]) >= (1 if rung == "no cache" else 5)
        pairs = [ours / theirs for ours, theirs in zip(rates["rung"], rates["library"], strict=True)]
        assert ladder[rung]["times"] == pytest.approx(statistics.median(pairs), abs=0.02)


def test_the_last_lines_say_what_was_recorded(ladder):
    times = {rung: ladder[rung]["times"] for rung in RUNGS}
    assert 1.8 <= times["fewer operations"] <= 2.2  # "about twice as fast with the same numbers"
    assert 6 <= times["int4"] <= 7  # "between six and seven times in 4 bits"
    assert 0.9 <= times["int4"] / times["llama.cpp"] <= 1.1  # "about what llama.cpp does"
    assert 2.7 <= times["int4 drafts"] < 3.1  # "float32's own words, recorded at nearly three times"
    assert times["prompt lookup"] > 2 * times["int4"]  # "far beyond where the text repeats itself"


def test_four_bits_are_free_only_for_weights_that_were_in_four_bits():
    """Shifted by 16, groups straddle those of the file; the embedder came in float32 and does not care."""

    def aligned(weight):
        return dequantize(*quantize_groups(weight))

    def shifted(weight):
        return dequantize(*quantize_groups(weight.roll(16, 1))).roll(-16, 1)

    chat, embedder = Llama.from_pretrained(fetch("chat")), Encoder.from_pretrained(fetch("embedder"))
    assert round_trip_error(chat, aligned, skip="head") < 0.005
    assert round_trip_error(chat, shifted, skip="head") > 0.05
    assert round_trip_error(embedder, aligned) == pytest.approx(0.08, abs=0.005)  # "8 % of the weights' size"
    assert round_trip_error(embedder, shifted) == pytest.approx(0.08, abs=0.005)


def test_the_ladder_in_the_readme_is_the_notebooks_own(tmp_path):
    copy = tmp_path / "copy.png"
    assert copy_picture(["05b_speed", "ladder", str(copy)]) == 0
    assert PICTURE.stat().st_size <= 80_000
    first, second = (base64.b64encode(path.read_bytes()).decode() for path in (PICTURE, copy))
    assert same_pixels(first, second), (
        "the picture is not that of the notebook: renew it with python -m tests.tools.picture 05b_speed ladder "
        "notebooks/images/05b_ladder.png"
    )
