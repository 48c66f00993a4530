"""What the learner has built: saved whole or not at all, and the course's version where it cannot be used."""

from __future__ import annotations

import json

import pytest

from helpers import mine
from helpers.mine import load, save


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Empty folders for the learner's parts and the course's."""
    monkeypatch.setenv("HANDS_ON_MINE", str(tmp_path / "yours"))
    monkeypatch.setattr(mine, "COURSES", tmp_path / "courses")
    return tmp_path


@pytest.fixture
def courses(elsewhere, monkeypatch):
    """The course has settings of its own."""
    with monkeypatch.context() as patch:
        patch.setenv("HANDS_ON_MINE", str(elsewhere / "courses"))
        save("settings", {"temperature": 0.0})


def test_content_comes_back_and_says_that_it_is_yours(courses, elsewhere):
    save("settings", {"temperature": 0.7}, origin="05_inference")
    part = load("settings")
    assert (part.content, part.origin) == ({"temperature": 0.7}, "yours")
    about = json.loads((elsewhere / "yours" / "settings" / "part.json").read_text())
    assert about["version"] == mine.VERSION and about["origin"] == "05_inference"


def test_a_folder_is_copied_with_its_subfolders(elsewhere):
    (elsewhere / "trained" / "deep").mkdir(parents=True)
    (elsewhere / "trained" / "deep" / "weights").write_bytes(b"\0\1")
    save("adapter", folder=elsewhere / "trained")
    assert (load("adapter").folder / "deep" / "weights").read_bytes() == b"\0\1" and load("adapter").content is None


def test_without_yours_the_courses_is_given(courses):
    part = load("settings")
    assert (part.content, part.origin) == ({"temperature": 0.0}, "the course's")


def test_a_save_that_fails_leaves_the_part_before_and_nothing_else(elsewhere):
    save("settings", {"temperature": 0.7})
    with pytest.raises(TypeError):
        save("settings", {"temperature": object()})
    assert load("settings").content == {"temperature": 0.7}
    assert [path.name for path in (elsewhere / "yours").iterdir()] == ["settings"]


def cut_off(folder):
    (folder / "content.json").write_text('{"temp')


def without_content(folder):
    (folder / "content.json").unlink()


def without_part(folder):
    (folder / "part.json").unlink()


def of_another_version(folder):
    about = json.loads((folder / "part.json").read_text())
    (folder / "part.json").write_text(json.dumps(about | {"version": 99}))


def of_another_part(folder):
    about = json.loads((folder / "part.json").read_text())
    (folder / "part.json").write_text(json.dumps(about | {"part": "prompt"}))


def no_object(folder):
    (folder / "part.json").write_text("[]")


@pytest.mark.parametrize(
    "damage", [cut_off, without_content, without_part, of_another_version, of_another_part, no_object]
)
def test_a_damaged_part_is_one_sentence_and_the_courses_is_used(courses, elsewhere, capsys, damage):
    save("settings", {"temperature": 0.7})
    damage(elsewhere / "yours" / "settings")
    assert load("settings").origin == "the course's"
    said = capsys.readouterr().out
    assert said.startswith("Your part in ") and "is not used" in said and said.count("\n") == 1


def test_what_nobody_has_saved_is_one_sentence():
    with pytest.raises(LookupError, match="There is no index yet, neither yours nor the course's"):
        load("index")


@pytest.mark.parametrize("name", ["setings", "../settings", ""])
def test_an_unknown_part_is_refused(name, elsewhere):
    for use in (load, lambda name: save(name, 1)):
        with pytest.raises(ValueError, match="A part is one of settings, client"):
            use(name)
    assert not list(elsewhere.iterdir())


def test_nothing_to_save_is_refused():
    with pytest.raises(ValueError, match="needs content, a folder, or both"):
        save("prompt")
