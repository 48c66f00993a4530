"""What the lesson concludes, over its own variables."""

import json

from helpers.files.paths import DATA

assert flip == 24 and ahead == [layer >= flip for layer in places], "the exchange works from one layer on"
assert min(curves["Paris"][: places.index(flip)]) > 0.7 > 0.01 > max(curves["Paris"][places.index(flip) :])
assert max(curves["Paris, random"]) < 0.01, "random numbers destroy the answer after every layer"
assert [p > 0.3 for p in curves["Rome, over “France”"]] == [layer < flip for layer in places], "it stands there before"
assert theirs == ours and ["Paris", "Istanbul", "Nova"] == [
    tokenizer.decode(best.indices[0]).strip() for best in best_three.values()
]
assert parts["mlp"] > n_parameters / 2 and n_parameters == model.num_parameters()
assert all(
    (abs(embedding - shape["vocab_size"] * shape["hidden_size"] / 1e9) < 6e-4)
    and bool(head) != shape["tie_word_embeddings"]
    and abs(layers + embedding + head - shape["parameters"]) < 0.02 * shape["parameters"] + 0.01
    for name, (layers, embedding, head) in MODELS.items()
    for shape in [json.loads((DATA / "model_shapes.json").read_text())["models"][f"Qwen/{name}"]]
), "the table's models have the shapes that their makers state"
assert round(MACHINES["RTX 4060, 8 GB"][1] / sizes("Qwen3-8B")[1]) == 56
assert all(words in answer(QUESTION) for words in ("16 years", "statutes.pdf"))
assert all(answer(question).startswith("I found no passage") for question in QUESTIONS[-3:])
