"""Pictures of a server: what they show is what they are given, and their alternative texts say it."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pytest
from matplotlib.colors import to_rgba

from helpers.files import RESULTS, read_json
from helpers.old.serving import board, curves_of, draw_curves, draw_pages
from helpers.plots.figures import RULE


def test_a_board_shows_what_people_write_and_runs_none_of_it():
    shown = board([("Is 3 < 4?", "<script>alert(1)</script>"), ("b", "")]).data
    assert "Is 3 &lt; 4?" in shown and "<script>" not in shown and shown.count("<b>") == 2


@pytest.fixture
def pages():
    fig = draw_pages({"A": [0, 3], "B": []}, {"A": 6, "B": 0}, n_pages=5, size=4, title="A lies in two pieces")
    yield fig
    plt.close(fig)


def test_each_slot_is_drawn_as_used_empty_or_free(pages):
    [ax] = pages.axes
    looks = [bar.get_facecolor() for bar in ax.patches]
    assert len(looks) == 20
    used, empty, free = looks[0], looks[14], to_rgba(RULE)
    assert looks[:4] == [used] * 4 and looks[12:14] == [used] * 2 and looks[14:16] == [empty] * 2
    assert used[:3] == empty[:3] and empty[3] < used[3] == 1 and looks[4:12] + looks[16:] == [free] * 12


def test_pages_are_labeled_with_their_text_and_the_positions_that_lie_there(pages):
    [ax] = pages.axes
    assert [text.get_text() for text in ax.texts] == ["A\n0 to 3", "free", "free", "A\n4 to 5", "free"]
    assert pages.alt == "A strip of 5 pages: page 0 A, page 1 free, page 2 free, page 3 A, page 4 free."


def test_curves_are_read_from_recorded_runs():
    runs = read_json(RESULTS / "18_peers.json")["runs"]
    curves = curves_of([*runs, {"case": {"server": "absent", "clients": 1}, "left_out": "not installed"}])
    assert set(curves) == {run["case"]["server"] for run in runs} and set(curves["ours"]) == {1, 4, 8, 16, 32}
    [run] = [run for run in runs if run["case"] == {"server": "vLLM", "clients": 8}]
    assert curves["vLLM"][8] == (run["tokens_per_s"], run["end_to_end_s"]["p50"])


def test_every_server_has_its_line_and_every_number_of_clients_its_point():
    curves = {"ours": {1: (18, 1.8), 4: (40, 3.1), 16: (82, 5.9)}, "other": {1: (80, 0.4), 16: (82, 6.2)}}
    fig = draw_curves(curves, (67, 7.5), title="Both are as fast", ylabel="seconds")
    [ax] = fig.axes
    *lines, star = ax.get_lines()
    assert [list(zip(*line.get_data(), strict=True)) for line in lines] == [
        list(each.values()) for each in curves.values()
    ]
    assert star.get_data() == ([67], [7.5])
    assert {"ours, 1 client", "4", "16", "other", "yours, now"} == {text.get_text() for text in ax.texts}
    assert "ours from 18 tokens per second and 1.8 s to 82 and 5.9 s; other from 80" in fig.alt
    for text in ax.texts:
        assert ax.get_ylim()[0] < text.xy[1] < ax.get_ylim()[1] and text.xy[0] < ax.get_xlim()[1]
    plt.close(fig)
