"""`notebooks/at_work/extract.py` at a scripted server: rules, retries, doubtful rows, resuming, and bad input."""

import importlib, json, os, subprocess, sys, threading  # noqa: E401, I001
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pandas as pd
import pytest

from tests.tools.notebook import ROOT

sys.path.insert(0, str(ROOT / "notebooks" / "at_work"))
extract = importlib.import_module("extract")

SCHEMA = """from __future__ import annotations
from decimal import Decimal; from typing import Literal
from pydantic import BaseModel, Field
class Parcel(BaseModel):
    code: str = Field(pattern=r"^P-\\d{3}$", json_schema_extra={"rule": "code"})
    weight: Decimal | None = None
    kind: Literal["letter", "box"]
    stops: list[Stop] = []
class Stop(BaseModel): city: str = Field(json_schema_extra={"rule": "ends_with"})
def ends_with(value, text): return text.endswith(value)
class Small(BaseModel): kind: Literal["letter", "box"]; fragile: bool
class Endless(BaseModel): next: Endless | None
class Empty(BaseModel): pass
class Odd(BaseModel): name: str = Field(json_schema_extra={"rule": "no_such"})
"""
ROWS = [("p101, a box of 1,200 g to Oslo", "P-101", 1200, "box"), ("P 102: letter", "P-102", "", "letter"),
        ("box P-103, 4 g", "P-103", 4, "box"), ("letter P-104", "P-104", "", "letter")]  # fmt: skip

def said(code, weight, kind, *cities) -> str:
    return json.dumps({"code": code, "weight": weight or None, "kind": kind, "stops": [{"city": c} for c in cities]})

@pytest.fixture
def server():
    class Handler(BaseHTTPRequestHandler):  # answers by server.reply(body): a text, or the number of an error
        def do_POST(self):
            made.asked.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            reply = made.reply(made.asked[-1])
            usage = {"prompt_tokens": 30, "completion_tokens": 10, "total_tokens": 40}
            body = {"choices": [{"message": {"role": "assistant", "content": reply}}], "usage": usage}
            self.send_response(reply if isinstance(reply, int) else 200)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())
        log_message = print
    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.asked, made.model = [], f"m@http://127.0.0.1:{made.server_port}"
    made.reply = lambda body: next(said(*row) for text, *row in ROWS if text in body["messages"][0]["content"])
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()

@pytest.fixture
def run(monkeypatch, tmp_path, server):
    def run(*words) -> int:
        words = ["parcels.csv", "--schema", "schema.py:Parcel", "--model", server.model, "--out", "out", *words]
        monkeypatch.setattr(sys, "argv", ["extract.py", *words])
        return extract.main()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "schema.py").write_text(SCHEMA, "utf-8")
    pd.DataFrame(ROWS, columns=["text", "code", "weight", "kind"]).to_csv("parcels.csv", index=False)
    return run

def test_the_selftest_passes_without_the_course(tmp_path):
    how = {"cwd": tmp_path, "env": {**os.environ, "PYTHONPATH": ""}, "capture_output": True, "text": True}
    done = subprocess.run([sys.executable, "-X", "importtime", extract.__file__, "--selftest"], **how)
    assert done.returncode == 0 and "has passed" in done.stdout and "| helpers" not in done.stderr

WRITINGS = [  # a rule, a value, texts in which it stands, and texts in which it does not
    ("number", 1200, ["1,200 €", "1.200", "1 200", "1200.00", "1200."], ["12000", "1,200.5", "11,200", "-1200"]),
    ("number", -5.5, ["at -5.50 C"], ["10-5.5", "5.5"]),
    ("date", "2026-12-03", ["3.12.2026", "12/3/26", "3rd of December, 2026", "Dec. 3, 2026"], ["3.2.2026"]),
    ("text", "O'Neil  Ltd", ["for O’NEIL\nLtd."], ["O'Neil Ltda"]),
    ("text", "東京", ["私は東京にいる"], ["京都"]),
    ("code", "VE-482", ["ve 4-82!"], ["VE-4821", "AVE-482"]),
]

@pytest.mark.parametrize(("rule", "value", "yes", "no"), WRITINGS)
def test_a_value_stands_in_a_text_in_other_writings_only(rule, value, yes, no):
    assert [extract.RULES[rule](value, text) for text in yes + no] == [True] * len(yes) + [False] * len(no)

def test_invalid_replies_are_asked_again_and_what_the_text_does_not_say_is_doubtful(run, server, capsys, tmp_path):
    two = ["No.", "{", said("P-102", 7, "letter", "Rome")]
    replies = [said("P-101", 1200, "box", "Oslo"), *two, "no", "no", "no", said("P-104", 0, "letter")]
    server.reply = lambda body: replies[len(server.asked) - 1]
    assert run() == 1 and len(server.asked) == 8  # patterns win, on four rows
    assert "Invalid JSON" in server.asked[2]["messages"][2]["content"] and len(server.asked[3]["messages"]) == 3
    assert server.asked[0]["response_format"]["json_schema"]["strict"] and "ends_with" not in str(server.asked[0])
    assert list(pd.read_csv("out/rows.csv")["extracted.code"]) == ["P-101", "P-104"]
    why = pd.read_csv("out/doubtful.csv")["doubtful"]
    assert 'weight: "7" does' in why[0] and 'stops[0].city: "Rome" does' in why[0] and "reply: Invalid JSON" in why[1]
    report = json.loads((tmp_path / "out/report.json").read_text("utf-8"))
    assert report["right"]["baseline"]["code"] == 2 and report["right"]["model"]["code"] == 3 and report["passed"] == 2
    assert capsys.readouterr().out.startswith("Baseline, code: 2 of 4 right (its pattern)")
    assert run() == 1 and len(server.asked) == 8  # all is in the journal

def test_a_killed_run_goes_on(run, server, capsys, tmp_path):
    whole, server.reply = server.reply, lambda body: whole(body) if len(server.asked) < 3 else 401
    assert run() == 2 and "correct address, name or key" in capsys.readouterr().err
    with open(tmp_path / "out" / "journal.jsonl", "a") as journal:
        journal.write('\n["half a li')
    server.reply = whole
    run()
    assert len(server.asked) == 5 and len(pd.read_csv("out/rows.csv")) == 4

def test_each_back_end_is_constrained_in_its_way(run, server, capsys):
    for way, key in (("vllm", "structured_outputs"), ("llamacpp", "json_schema"), ("none", "messages")):
        assert run("--constrain", way, "--dry-run", "--price", "1000,0") == 0 and key in server.asked[-1]
    assert "response_format" not in server.asked[-1] and "0.12 dollars" in capsys.readouterr().out
    whole, server.reply = server.reply, lambda body: 400 if "response_format" in body else whole(body)
    run()
    assert len(server.asked) == 3 + 5 and "refuses response_format" in capsys.readouterr().err

def test_a_local_model_is_held_to_the_schema(run, tmp_path):
    pytest.importorskip("llguidance", reason="the masks of llguidance")
    from tests.at_work.test_finetune import model
    folder = model.__wrapped__(extract.argparse.Namespace(mktemp=lambda name: tmp_path / name))
    assert run("--model", str(folder), "--schema", "schema.py:Small", "--set", '{"max_tokens": 40}') == 1
    assert set(pd.concat(map(pd.read_csv, ["out/rows.csv", "out/doubtful.csv"]))["fragile"]) <= {True, False}

BAD = {  # a file that is written, its text, words of the command, and what is said
    "recursion": ("", "", ["--schema", "schema.py:Endless"], "recursive: Endless"),
    "no fields": ("", "", ["--schema", "schema.py:Empty"], "has no fields"),
    "no such rule": ("", "", ["--schema", "schema.py:Odd"], "The rule no_such"),
    "no schema": ("", "", ["--schema", "gone.py:Parcel"], "gone.py:Parcel is no FILE.py:MODEL"),
    "a schema that raises": ("schema.py", "1 / 0", [], "ZeroDivisionError"),
    "a missing column": ("", "", ["--text", "body"], "no column body"),
    "an empty file": ("parcels.csv", "", [], "is no CSV"),
    "not UTF-8": ("parcels.csv", "text\nM\udcfcller", [], "is no CSV in UTF-8"),
    "a huge row": ("parcels.csv", f"text\n{'a' * 60_000}", [], "Row 1 has no text, or more than 50,000"),
    "nobody there": ("", "", ["--model", "m@http://127.0.0.1:9"], "does not answer"),
    "no model": ("", "", ["--model", "gone/x", "--constrain", "none"], "gone/x cannot be loaded"),
    "others' folder": ("", "", ["--out", "."], "holds other files"),
}

@pytest.mark.parametrize("name", BAD)
def test_bad_input_gets_a_sentence_and_nothing_is_written(name, run, tmp_path, capsys):
    file, text, words, sentence = BAD[name]
    if file:
        (tmp_path / file).write_bytes(text.encode("utf-8", "surrogateescape"))
    assert run(*words) == 2
    assert sentence in capsys.readouterr().err and not (tmp_path / "out").exists()
