"""The decision table: complete, dated, and honest about what was run."""

from __future__ import annotations

import dataclasses
import datetime
import json

import pytest

from helpers.files.safe_files import DataUnavailable
from helpers.old.serving.choices import FILE, choices_table, load_options


def test_every_row_is_complete_dated_and_has_a_source():
    options = load_options()
    assert len({option.name for option in options}) == len(options) >= 8
    for option in options:
        texts = [value for value in dataclasses.astuple(option) if isinstance(value, str)]
        assert all(text.strip() and not text.endswith(".") for text in texts), option.name
        assert datetime.date(2026, 1, 1) <= option.date
        assert option.source.startswith(("https://", "helpers/"))


def test_what_serves_beyond_one_machine_is_in_the_table():
    names = " ".join(option.name for option in load_options())
    for product in ("vLLM", "SGLang", "Ray Serve", "Kubernetes", "Triton", "TensorRT-LLM", "ONNX Runtime"):
        assert product in names


def test_the_table_says_of_each_row_whether_it_was_run():
    table, options = choices_table(), load_options()
    assert table.count("<tr>") == len(options) + 1
    assert all(f"{option.checked}, {option.date}" in table for option in options)


def test_a_table_of_a_few_holds_them_in_their_order_and_refuses_others():
    table = choices_table(["a hosted API", "vLLM"])
    assert table.count("<tr>") == 3 and 0 < table.index("a hosted API") < table.index(">vLLM<")
    with pytest.raises(ValueError, match="No option is called 'vllm'"):
        choices_table(["vllm"])


@pytest.mark.parametrize("damage", [{}, {"options": [{"name": "x"}]}, {"options": None}])
def test_a_damaged_file_is_refused_in_a_sentence(tmp_path, damage):
    path = tmp_path / "options.json"
    path.write_text(json.dumps(damage), encoding="utf-8")
    with pytest.raises(DataUnavailable, match="is damaged"):
        load_options(path)


def test_a_row_that_was_neither_run_nor_read_is_refused(tmp_path):
    rows = json.loads(FILE.read_text(encoding="utf-8"))
    rows["options"][0]["checked"] = "heard of"
    path = tmp_path / "options.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    with pytest.raises(DataUnavailable):
        load_options(path)
