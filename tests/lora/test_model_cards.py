"""What the course ships as adapters: each has a record and the card that the record gives; and each planted defect."""

from __future__ import annotations

import json

import pytest
from huggingface_hub import metadata_load

from helpers import adapters
from helpers.adapters import BASE, read_adapter
from helpers.lora import add_lora_
from helpers.old.lora import save_adapter
from helpers.old.metrics import Score
from tests.lora.test_layers import stirred
from tests.tools.model_cards import entry, install, problems, score_row
from tests.training.test_collation_and_losses import small_llama

TOLD = {
    "summary": "Reads a ticket: five fields, as JSON.",
    "data": ["Tickets of 3 families.", "No ticket of test."],
    "recipe": {"steps": 320, "learning rate": 2e-3},
    "limits": ["It knows the products of 2026."],
}
RECORD = {
    "what": "a trial",
    "command": "python -m tests.benchmarks.sweeps 07_sft",
    "date": "2026-11-25",
    "machine": "Linux x86_64, 2 CPU cores, no GPU used",
    "python": "3.11.7",
    "versions": {"torch": "2.13.0"},
    "seconds": 99.0,
}


def test_every_adapter_of_the_course_has_its_record_and_its_card():
    assert problems() == []


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """A trained adapter in build, its record in results, and nothing shipped yet."""
    monkeypatch.setattr(adapters, "ADAPTERS", tmp_path / "data" / "adapters")
    (tmp_path / "results").mkdir()
    trained(tmp_path)
    return tmp_path


def trained(bench, **options):
    """Save an adapter, and record it."""
    save_adapter(stirred(add_lora_(small_llama(), 4, 8)), bench / "build" / "tickets", **{"base": BASE} | options)
    scores = [score_row("all five fields, test", Score({(2, 2): 48, (1, 2): 14, (0, 2): 19}))]
    told = entry(bench / "build" / "tickets", scores=scores, **TOLD)
    record(bench, [{"case": {}, "seconds": 1560.4, "adapter": told}, {"case": {}, "seconds": 1.0}])


def record(bench, runs):
    (bench / "results" / "07_sft.json").write_text(json.dumps(RECORD | {"runs": runs}), encoding="utf-8")


def found(bench) -> list[str]:
    return problems(bench / "results")


def test_an_adapter_is_shipped_with_a_card_of_its_record(bench):
    assert adapters.shipped() == [] == found(bench)
    folder = install(bench / "build" / "tickets", bench / "results")
    assert adapters.shipped() == ["tickets"] and found(bench) == []
    text = (folder / "README.md").read_text(encoding="utf-8")
    for said in (
        "| all five fields, test | **68 %** | ",  # 110 of 162
        " | 162 |",
        "| rank | 4 |",
        "| learning rate | 0.002 |",
        "* No ticket of test.",
        "* It knows the products of 2026.",
        "    python -m tests.benchmarks.sweeps 07_sft\n",
        "1,560 seconds",
        'chat_model(adapter="tickets")',
        f"base_sha256: {read_adapter(folder).checksum}\n",
    ):
        assert said in text, said
    card = metadata_load(folder / "README.md")
    assert (card["license"], card["base_model"], card["summary"]) == ("apache-2.0", BASE, TOLD["summary"])


def test_what_is_shipped_can_be_replaced(bench):
    install(bench / "build" / "tickets", bench / "results")
    before = read_adapter("tickets")
    trained(bench, base="another")
    install(bench / "build" / "tickets", bench / "results")
    assert (before.base, read_adapter("tickets").base) == (BASE, "another") and found(bench) == []


def test_scores_belong_to_one_file(bench):
    save_adapter(stirred(add_lora_(small_llama(), 4, 8), seed=2), bench / "build" / "tickets", base=BASE)
    with pytest.raises(ValueError, match="are another file's"):
        install(bench / "build" / "tickets", bench / "results")
    record(bench, [])
    with pytest.raises(ValueError, match="No record in data/results"):
        install(bench / "build" / "tickets", bench / "results")
