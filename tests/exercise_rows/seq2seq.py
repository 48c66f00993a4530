"""Answers to the exercises of 07b_seq2seq."""

from tests.exercise_rows import Row, Wrong


def f1(
    shared: str = "(Counter(words) & Counter(reference)).total()",
    of: str = "2 * shared / (len(words) + len(reference))",
) -> str:
    return f"""
def unigram_f1(words, reference):
    from collections import Counter
    shared = {shared}
    return {of} if shared else 0.0
"""


def targets(
    filler: str = "-100",
    read: str = "torch.cat((torch.full_like(labels[:, :1], pad_id), labels[:, :-1]), dim=1)",
    skipped: str = "read.masked_fill(read < 0, pad_id)",
    out: str = "labels, read",
) -> str:
    return f"""
def collate_targets(targets, pad_id):
    import torch
    longest = max(len(row) for row in targets)
    labels = torch.tensor([list(row) + [{filler}] * (longest - len(row)) for row in targets])
    read = {read}
    read = {skipped}
    return {out}
"""


def loss(body: str) -> str:
    return f"def label_loss(logits, labels):\n    import torch.nn.functional as F\n    {body}\n"


def told(
    cut: str = "re.findall(r'\\w+', part)",
    fact: str = "any(c.isdigit() for c in word) or (i > 0 and word[0].isupper())",
    keep: str = "word not in known",
) -> str:
    return f"""
def unsupported(summary, text):
    import re
    def cut(part):
        return {cut}
    known = set(cut(text))
    return [word for i, word in enumerate(cut(summary)) if ({fact}) and {keep}]
"""


def choose(body: str) -> str:
    return f"def choose_summary(candidates, text):\n    from helpers.trials.summaries import unsupported\n    {body}\n"


ROWS = [
    Row(
        "unigram_f1",
        wrong=[
            Wrong(f1(of="shared / len(words)"), "this is precision"),
            Wrong(f1(of="shared / len(reference)"), "this is recall"),
            Wrong(f1(of="shared / (len(words) + len(reference))"), "2 · shared"),
            Wrong(f1(shared="len(set(words) & set(reference))"), "a set forgets how often"),
            Wrong(f1(shared="sum(w in reference for w in words)"), "only as often as *both* lists have it"),
            Wrong(
                f1("len(set(words) & set(reference))", "shared / len(set(words) | set(reference))"), "Jaccard's measure"
            ),
            Wrong(
                f1(of="(shared / len(words) + shared / len(reference)) / 2"), "the plain mean of precision and recall"
            ),
            Wrong(f1(of="200 * shared / (len(words) + len(reference))"), "this is in percent"),
            Wrong(f1().replace("    return", "    score ="), "It returns None"),
        ],
        right=[
            f1(),
            """
def unigram_f1(words, reference):
    left, shared = list(reference), 0
    for word in words:
        if word in left:
            left.remove(word)
            shared += 1
    if shared == 0:
        return 0.0
    precision, recall = shared / len(words), shared / len(reference)
    return 2 * precision * recall / (precision + recall)
""",
        ],
    ),
    Row(
        "collate_targets",
        wrong=[
            Wrong(targets(filler="pad_id"), "so padding would be learned"),
            Wrong(targets(filler="0"), "which is a token"),
            Wrong(targets(read="labels.clone()"), "the very label it shall write"),
            Wrong(
                targets(read="torch.cat((labels[:, 1:], torch.full_like(labels[:, :1], pad_id)), dim=1)"),
                "First difference",
            ),
            Wrong(
                targets(read="torch.cat((torch.full_like(labels[:, :1], pad_id), labels), dim=1)"),
                "the last label has to go",
            ),
            Wrong(targets(read="torch.roll(labels, 1, dims=1)"), "come round to the first place"),
            Wrong(targets(skipped="read"), "−100 is still in what the decoder reads"),
            Wrong(targets(skipped="read.clamp(min=0)"), "reads `pad_id`, not 0"),
            Wrong(targets(read="torch.nn.functional.pad(labels[:, :-1], (1, 0))"), "the start is fixed as 0"),
            Wrong(
                targets(filler="pad_id").replace("    read = ", "    labels[labels == pad_id] = -100\n    read = ", 1),
                "you mask by the id of padding",
            ),
            Wrong(targets(skipped="read.masked_fill(labels < 0, pad_id)"), "what counts is the label *before*"),
            Wrong(targets(out="read, labels"), "the labels come first"),
            Wrong(targets(out="labels"), "return two tensors"),
        ],
        right=[
            targets(),
            """
def collate_targets(targets, pad_id):
    import torch
    from torch.nn.utils.rnn import pad_sequence
    labels = pad_sequence([torch.tensor(row) for row in targets], batch_first=True, padding_value=-100)
    read = labels.roll(1, dims=1)
    read[:, 0] = pad_id
    read[read == -100] = pad_id
    return labels, read
""",
        ],
    ),
    Row(
        "label_loss",
        wrong=[
            Wrong(
                loss("return F.cross_entropy(logits.transpose(1, 2), labels.clamp(0), reduction='sum')"),
                "padding is counted",
            ),
            Wrong(loss("return F.cross_entropy(logits.flatten(0, 1), labels.flatten())"), "this is the mean"),
            Wrong(
                loss("return F.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), reduction='sum')"),
                "shifted already",
            ),
            Wrong(
                loss(
                    "return F.cross_entropy(logits.flatten(0, 1), labels.flatten().clamp(0), ignore_index=0, "
                    "reduction='sum')"
                ),
                "0 is a label like others",
            ),
            Wrong(
                loss("return F.cross_entropy(logits.softmax(-1).flatten(0, 1), labels.flatten(), reduction='sum')"),
                "takes logits",
            ),
            Wrong(
                loss("return F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction='sum').detach()"),
                "no gradient reaches them",
            ),
            Wrong(loss("return F.cross_entropy(logits.mT, labels, reduction='sum').item()"), "yours is a float"),
            Wrong(loss("return F.nll_loss(-logits.log_softmax(-1).mT, labels, reduction='sum')"), "the sign"),
            Wrong(loss("return F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction='none')"), "shape"),
            Wrong(loss("return F.cross_entropy(logits, labels, reduction='sum')"), "It stops with an error"),
        ],
        right=[
            loss("return F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction='sum')"),
            loss("kept = labels != -100\n    return F.cross_entropy(logits[kept], labels[kept], reduction='sum')"),
            loss(
                "log_p = logits.log_softmax(-1).gather(-1, labels.clamp(min=0)[..., None])[..., 0]\n"
                "    return -(log_p * (labels >= 0)).sum()"
            ),
        ],
    ),
    Row(
        "unsupported",
        wrong=[
            Wrong(told(keep="word not in text"), "compare whole words"),
            Wrong(told(keep="word not in text.split()"), "Expected 0 items"),
            Wrong(told(keep="word.lower() not in {w.lower() for w in known}"), "the spelling has to be the same"),
            Wrong(told(fact="any(c.isdigit() for c in word) or word[0].isupper()"), "the first word always has"),
            Wrong(
                told(fact="i > 0 and (any(c.isdigit() for c in word) or word[0].isupper())"),
                "left out even where it holds a digit",
            ),
            Wrong(
                told(fact="any(c.isdigit() for c in word) or (word != cut(summary)[0] and word[0].isupper())"),
                "only the first itself is",
            ),
            Wrong(told(fact="any(c.isdigit() for c in word) or (i > 0 and word.istitle())"), "BMS and McKay"),
            Wrong(told(cut="re.findall(r'[A-Za-z0-9]+', part)"), "letters such as ë and ü"),
            Wrong(told(fact="word[0].isdigit() or (i > 0 and word[0].isupper())"), "holds a digit too"),
            Wrong(
                told().replace("return [word for", "return sorted(word for").replace("not in known]", "not in known)"),
                "the order is lost",
            ),
            Wrong(told(fact="i > 0 and word[0].isupper()"), "numbers are left out"),
            Wrong(told(fact="any(c.isdigit() for c in word)"), "names are left out"),
            Wrong(told(keep="word in known"), "these *are* in the text"),
            Wrong(told(cut="part.split()"), "cut with"),
            Wrong(told(fact="word.isdigit() or (i > 0 and word[0].isupper())"), "holds a digit too"),
        ],
        right=[
            told(),
            r"""
def unsupported(summary, text):
    import re
    found = []
    for match in re.finditer(r"\w+", summary):
        word = match.group()
        first = not re.search(r"\w", summary[: match.start()])
        named = word[0] != word[0].lower() and not first
        if (named or re.search(r"\d", word)) and not re.search(rf"\b{re.escape(word)}\b", text):
            found.append(word)
    return found
""",
        ],
    ),
    Row(
        "choose_summary",
        wrong=[
            Wrong(
                choose(
                    "return min(range(len(candidates)), key=lambda i: len(unsupported(candidates[i], text)), "
                    "default=None)"
                ),
                "still lies",
            ),
            Wrong(
                choose(
                    "clean = [i for i, c in enumerate(candidates) if not unsupported(c, text)]\n"
                    "    return clean[0] if clean else 0"
                ),
                "give None, not the first",
            ),
            Wrong(
                choose("return 0 if candidates and not unsupported(candidates[0], text) else None"),
                "you look at the first one only",
            ),
            Wrong(
                choose("return next((c for c in candidates if not unsupported(c, text)), None)"),
                "The kind of the result is wrong",
            ),
            Wrong(
                choose(
                    "clean = [i for i, c in enumerate(candidates) if not unsupported(c, text)]\n"
                    "    return clean[-1] if clean else None"
                ),
                "this is the last one",
            ),
            Wrong(
                choose("return next((i for i, c in enumerate(candidates) if unsupported(c, text)), None)"),
                "this is the first *with* a fault",
            ),
            Wrong(
                choose("return next((i for i, c in enumerate(candidates) if not unsupported(c, text)), -1)"),
                "where all lie, give None",
            ),
            Wrong(
                choose("return next((i for i, c in enumerate(candidates, 1) if not unsupported(c, text)), None)"),
                "numbers begin with 0",
            ),
            Wrong(
                choose("return next((i for i, c in enumerate(candidates) if not unsupported(c, text)), 0) or None"),
                "`or` takes 0 for nothing",
            ),
            Wrong(
                choose("return next((i for i, c in enumerate(candidates) if not unsupported(text, c)), None)"),
                "it is the other way",
            ),
        ],
        right=[
            choose(
                "for i, summary in enumerate(candidates):\n"
                "        if unsupported(summary, text) == []:\n            return i\n    return None"
            ),
            choose(
                "clean = [not unsupported(summary, text) for summary in candidates]\n"
                "    return clean.index(True) if any(clean) else None"
            ),
        ],
    ),
]
