"""A cross-encoder of a few hundred bytes whose scores can be worked out by hand: the sum of the text's token ids.

ONNX files are protocol buffers. Three nodes are written here byte by byte, so that no test needs a package for them:

    input_ids * token_type_ids  ->  sum over the tokens  ->  logits, one float per pair
"""

from __future__ import annotations

from pathlib import Path

IDS = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "a": 10, "b": 20, "c": 30}
INT64, FLOAT = 7, 1  # element types, as ONNX numbers them


def write_cross_encoder(folder: Path) -> Path:
    """Write model.onnx and tokenizer.json to `folder`, which is returned."""
    (folder / "model.onnx").write_bytes(model_bytes())
    tokenizer().save(str(folder / "tokenizer.json"))
    return folder


def tokenizer():
    """Words between spaces, in BERT's frame; padded to 64 tokens, as some files ask for, and nobody wants here."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    made = Tokenizer(models.WordLevel(IDS, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    frame = {"single": "[CLS] $A [SEP]", "pair": "[CLS] $A [SEP] $B:1 [SEP]:1"}
    made.post_processor = processors.TemplateProcessing(
        **frame, special_tokens=[(name, IDS[name]) for name in ("[CLS]", "[SEP]")]
    )
    made.enable_padding(length=64)
    return made


def model_bytes() -> bytes:
    nodes = [
        _node("Mul", ["input_ids", "token_type_ids"], ["ids"]),
        # type 7: a list of integers; type 2: one
        _node("ReduceSum", ["ids"], ["sum"], _text(1, "axes") + _int(8, 1) + _int(20, 7)),
        _node("Cast", ["sum"], ["logits"], _text(1, "to") + _int(3, FLOAT) + _int(20, 2)),
    ]
    inputs = [_value(name, INT64, ["B", "T"]) for name in ("input_ids", "attention_mask", "token_type_ids")]
    graph = b"".join(_field(1, node) for node in nodes) + _text(2, "tiny")
    graph += b"".join(_field(11, value) for value in inputs) + _field(12, _value("logits", FLOAT, ["B", "one"]))
    return _int(1, 6) + _field(7, graph) + _field(8, _text(1, "") + _int(2, 11))  # format 6, operators of version 11


def _node(operator: str, inputs: list[str], outputs: list[str], *attributes: bytes) -> bytes:
    names = b"".join(_text(1, name) for name in inputs) + b"".join(_text(2, name) for name in outputs)
    return names + _text(4, operator) + b"".join(_field(5, attribute) for attribute in attributes)


def _value(name: str, element: int, shape: list[str]) -> bytes:
    dimensions = b"".join(_field(1, _text(2, axis)) for axis in shape)
    return _text(1, name) + _field(2, _field(1, _int(1, element) + _field(2, dimensions)))


def _int(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _text(field: int, value: str) -> bytes:
    return _field(field, value.encode())


def _field(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])
