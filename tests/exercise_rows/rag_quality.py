"""Answers to the exercises of 10b_rag_quality."""

from tests.exercise_rows import Row, Wrong


def recall(body: str) -> str:
    return f"def recall_at_k(ranked, relevant, k):\n    return {body}\n"


def gain(
    worth: str = "1 / math.log2(rank + 1)",
    ideal: str = "min(k, len(relevant))",
    ranked: str = "ranked[:k]",
    test: str = "item in relevant and item not in seen",
    out: str = "got / best",
    start: str = "1",
) -> str:
    return f"""
def ndcg_at_k(ranked, relevant, k=10):
    import math
    got, seen = 0.0, set()
    for rank, item in enumerate({ranked}, start={start}):
        if {test}:
            seen.add(item)
            got += {worth}
    best = sum({worth} for rank in range({start}, {ideal} + {start}))
    return {out}
"""


def fit(
    room: str = "budget - question - reply",
    test: str = "length <= room",
    order: str = "enumerate(lengths)",
    less: str = "room -= length",
    otherwise: str = "continue",
    out: str = "taken",
    check: str = "raise ValueError('question and reply need more than the budget')",
) -> str:
    return f"""
def fit_passages(lengths, budget, question, reply):
    room = {room}
    if room < 0:
        {check}
    taken = []
    for number, length in {order}:
        if {test}:
            taken.append(number)
            {less}
        else:
            {otherwise}
    return {out}
"""


def threshold(
    given: str = "sure >= limit",
    keeps: str = "given.count(False) / len(given) <= max_risk",
    limits: str = "confidences",
    otherwise: str = "continue",
    out: str = "min(kept, default=float('inf'))",
) -> str:
    return f"""
def threshold_on_dev(confidences, correct, max_risk):
    kept = []
    for limit in {limits}:
        given = [right for sure, right in zip(confidences, correct) if {given}]
        if given and {keeps}:
            kept.append(limit)
        else:
            {otherwise}
    return {out}
"""


def leak(
    corpus: str = "documents.items()",
    needed: str = "questions",
    split: str = "question['split'] == split",
    chosen: str = "recall('dev', power)",
    out: str = "best, recall('test', best)",
    length: str = "len(text)",
    take: str = "max(powers, key=lambda power: {chosen})",
    before: str = "pass",
) -> str:
    return f"""
def find_the_leak(questions, documents, powers, k):
    def recall(split, power):
        needed = {{question["document"] for question in {needed}}}
        found = []
        for question in questions:
            if {split}:
                asked = set(question["words"])
                scores = {{name: len(asked & set(text)) / {length} ** power for name, text in {corpus}}}
                found.append(question["document"] in sorted(scores, key=scores.get, reverse=True)[:k])
        return sum(found) / len(found)
    best = {take.format(chosen=chosen)}
    return {out}
"""


NEEDED = "[(name, text) for name, text in documents.items() if name in needed]"


def first(
    key: str = "sum(after) - sum(before)",
    kept: str = "paired_bootstrap(after, before).low > 0",
    order: str = "sorted(gains, key=gains.get, reverse=True)",
) -> str:
    return f"""
def first_failures(kind, now, repaired):
    from helpers.stats import paired_bootstrap
    gains = {{}}
    for name in dict.fromkeys(kind):
        before = [score for own, score in zip(kind, now) if own == name]
        after = [score for own, score in zip(kind, repaired) if own == name]
        if {kept}:
            gains[name] = {key}
    return {order}
"""


ROWS = [
    Row(
        "recall_at_k",
        wrong=[
            Wrong(recall("len(set(ranked[:k]) & relevant) / k"), "this is precision"),
            Wrong(recall("len(set(ranked[:k]) & relevant) / max(1, len(ranked[:k]))"), "how many were looked at"),
            Wrong(recall("len(set(ranked[:k]) & relevant) / min(k, len(relevant))"), "whatever k is"),
            Wrong(recall("len(set(ranked) & relevant) / len(relevant)"), "the cut at k is missing"),
            Wrong(recall("len(set(ranked[: k - 1]) & relevant) / len(relevant)"), "the first k − 1"),
            Wrong(recall("len(set(ranked[: k + 1]) & relevant) / len(relevant)"), "one place too many"),
            Wrong(recall("sum(item in relevant for item in ranked[:k]) / len(relevant)"), "is still one passage"),
            Wrong(recall("float(any(item in relevant for item in ranked[:k]))"), "whether any was found"),
            Wrong(recall("any(item in relevant for item in ranked[:k])"), "Expected a float, yours is a bool"),
            Wrong(recall("len(set(ranked[:k]) & relevant)"), "give their share"),
            Wrong(recall("len(set(ranked[:k]) & relevant) // len(relevant)"), "whether all were found"),
            Wrong(recall("sum(ranked.index(item) < k for item in relevant) / len(relevant)"), "It stops with an error"),
        ],
        right=[
            recall("len(set(ranked[:k]) & relevant) / len(relevant)"),
            recall("sum(item in ranked[:k] for item in relevant) / len(relevant)"),
            recall("1 - len(relevant - set(ranked[:k])) / len(relevant)"),
        ],
    ),
    Row(
        "ndcg_at_k",
        wrong=[
            Wrong(gain(out="got"), "this is the gain itself"),
            Wrong(gain(out="got / len(relevant)"), "takes ranks into account, too"),
            Wrong(gain(ideal="len(relevant)"), "only k places can be filled"),
            Wrong(gain(ideal="k"), "only as many places are filled as there are relevant ones"),
            Wrong(gain(ideal="len(seen)", out="got / best if best else 0.0"), "what was missed belongs there"),
            Wrong(
                gain(ideal="min(k, len(relevant), len(ranked))", out="got / best if best else 0.0"),
                "however few passages yours found",
            ),
            Wrong(gain(test="item in relevant"), "worth nothing"),
            Wrong(gain(ranked="ranked"), "the cut at k is missing"),
            Wrong(gain(worth="1 / rank"), "not 1 / rank"),
            Wrong(gain(worth="1"), "every rank is worth the same"),
            Wrong(gain(worth="1 / math.log2(rank)"), "count ranks from 1, and add 1"),
            Wrong(gain(start="0"), "count ranks from 1, and add 1"),
            Wrong(gain(worth="1 / math.log2(rank + 2)"), "with ranks from 1 it is log2(rank + 1)"),
            Wrong(gain(worth="math.log2(rank + 1)"), "1 *over* the logarithm"),
        ],
        right=[
            gain(),
            gain(worth="1 / math.log(rank + 1)"),
            """
def ndcg_at_k(ranked, relevant, k=10):
    import numpy as np
    worth = 1 / np.log2(np.arange(k) + 2)
    unique = [item if item not in ranked[:i] else None for i, item in enumerate(ranked[:k])]
    hits = np.array([item in relevant for item in unique], dtype=float)
    return float((hits * worth[: len(hits)]).sum() / worth[: len(relevant)].sum())
""",
        ],
    ),
    Row(
        "fit_passages",
        wrong=[
            Wrong(fit(otherwise="break"), "you stop at the first that does not fit"),
            Wrong(fit(room="budget - question"), "no room is kept for the reply"),
            Wrong(fit(room="budget - reply"), "the question's tokens are not counted"),
            Wrong(fit(room="budget"), "neither question nor reply is counted"),
            Wrong(fit(test="length < room"), "fits: `<=`"),
            Wrong(fit(less="pass"), "the room does not get smaller"),
            Wrong(fit(test="room > 0"), "the prompt is too long"),
            Wrong(fit(order="sorted(enumerate(lengths), key=lambda pair: pair[1])"), "short ones first"),
            Wrong(
                fit(order="sorted(enumerate(lengths), key=lambda pair: pair[1])", out="sorted(taken)"),
                "short ones first",
            ),
            Wrong(fit(order="reversed(list(enumerate(lengths)))"), "you begin with the worst"),
            Wrong(fit(out="[lengths[i] for i in taken]"), "not their lengths"),
            Wrong(fit(out="len(taken)"), "Expected a list"),
            Wrong(fit(order="enumerate(lengths, start=1)"), "numbers begin with 0"),
            Wrong(fit(check="return []"), "should raise ValueError, because question and reply alone"),
            Wrong(fit(check="raise AssertionError('no room')"), "it raises AssertionError"),
        ],
        right=[
            fit(),
            """
def fit_passages(lengths, budget, question, reply):
    if question + reply > budget:
        raise ValueError(f"{question} + {reply} > {budget}")
    used, numbers = question + reply, []
    for i in range(len(lengths)):
        if used + lengths[i] > budget:
            continue
        used += lengths[i]
        numbers += [i]
    return numbers
""",
        ],
    ),
    Row(
        "threshold_on_dev",
        wrong=[
            Wrong(
                threshold(limits="sorted(confidences, reverse=True)", otherwise="break"),
                "a lower threshold may keep it again",
            ),
            Wrong(threshold(given="sure > limit"), "whose confidence *is* the threshold"),
            Wrong(threshold(keeps="given.count(False) / len(given) < max_risk"), "a risk of exactly `max_risk`"),
            Wrong(threshold(out="max(kept, default=float('inf'))"), "take the lowest"),
            Wrong(threshold(keeps="given.count(False) / len(correct) <= max_risk"), "of the answers *given*"),
            Wrong(threshold(keeps="given.count(True) / len(given) <= max_risk"), "you count right answers"),
            Wrong(threshold(keeps="given.count(True) / len(given) >= max_risk"), "you ask for a share of right ones"),
            Wrong(threshold(out="min(kept, default=0.0)"), "0 answers all"),
            Wrong(threshold(out="min(kept, default=1.0)"), "a score may be above 1"),
            Wrong(threshold(out="min(kept)"), "It stops with an error"),
            Wrong(threshold(out="min(kept, default=None)"), "It returns None for"),
            Wrong(threshold(limits="[n / 100 for n in range(101)]"), "are the confidences themselves"),
            Wrong(
                """
def threshold_on_dev(confidences, correct, max_risk):
    wrong, best = 0, float("inf")
    for n, (sure, right) in enumerate(sorted(zip(confidences, correct), key=lambda pair: -pair[0]), start=1):
        wrong += not right
        if wrong <= max_risk * n:
            best = sure
    return best
""",
                "you part them in the middle",
            ),
            Wrong(
                """
def threshold_on_dev(confidences, correct, max_risk):
    wrong, best = 0, float("inf")
    for n, (sure, right) in enumerate(zip(confidences, correct), start=1):
        wrong += not right
        if wrong <= max_risk * n:
            best = sure
    return best
""",
                "do not come in order of confidence",
            ),
        ],
        right=[
            threshold(),
            """
def threshold_on_dev(confidences, correct, max_risk):
    import numpy as np
    sure, wrong = np.array(confidences), ~np.array(correct)
    for limit in np.unique(sure):
        if wrong[sure >= limit].mean() <= max_risk:
            return limit
    return np.inf
""",
        ],
    ),
    Row(
        "find_the_leak",
        wrong=[
            Wrong(leak(corpus=NEEDED), "only documents that answer one of these questions are searched, still"),
            Wrong(leak(corpus=NEEDED, needed="[q for q in questions if q['split'] == split]"), "the leak is larger"),
            Wrong(leak(chosen="recall('test', power)"), "a leak of its own"),
            Wrong(leak(corpus=NEEDED, chosen="recall('test', power)"), "it was right to choose on dev"),
            Wrong(leak(chosen="recall('dev', power) + recall('test', power)"), "a leak of its own"),
            Wrong(leak(out="best, recall('dev', best)"), "this is the recall on dev"),
            Wrong(leak(corpus=NEEDED, out="best, recall('dev', best)"), "it was right to measure on test"),
            Wrong(leak(split="True"), "dev and test are mixed"),
            Wrong(leak(take="max(reversed(powers), key=lambda power: {chosen})"), "of equal powers the first"),
            Wrong(leak(length="len(set(text))"), "length counts all words"),
            Wrong(leak(out="recall('test', best)"), "Expected a tuple"),
        ],
        right=[
            leak(),
            leak(corpus="[(name, documents[name]) for name in documents]"),
            """
def find_the_leak(questions, documents, powers, k):
    def found(question, power):
        words = set(question["words"])
        ranked = sorted(documents, key=lambda name: -len(words.intersection(documents[name])) /
                        len(documents[name]) ** power)
        return question["document"] in ranked[:k]
    dev, test = ([q for q in questions if q["split"] == split] for split in ("dev", "test"))
    counts = [sum(found(q, power) for q in dev) for power in powers]
    best = powers[counts.index(max(counts))]
    return best, sum(found(q, best) for q in test) / len(test)
""",
        ],
    ),
    Row(
        "first_failures",
        wrong=[
            Wrong(first(key="(sum(after) - sum(before)) / len(after)"), "sum the gains up"),
            Wrong(first(key="paired_bootstrap(after, before).difference"), "sum the gains up"),
            Wrong(first(key="paired_bootstrap(after, before).low"), "not which comes first"),
            Wrong(first(kept="True"), "is not left out"),
            Wrong(first(kept="sum(after) > sum(before)"), "may be luck"),
            Wrong(first(kept="paired_bootstrap(after, before).high > 0"), "`low` decides"),
            Wrong(first(kept="paired_bootstrap(after, before).low >= 0"), "`low` has to be above 0"),
            Wrong(first(kept="paired_bootstrap(repaired, now).low > 0"), "each kind is tested by its own questions"),
            Wrong(first(kept="paired_bootstrap(before, after).low > 0"), "repaired comes first"),
            Wrong(first(key="sum(score < 1 for score in before)"), "the repair does not mend gain nothing"),
            Wrong(first(key="-sum(before) / len(before)"), "the worst kind is not the one"),
            Wrong(first(key="sum(1 - score for score in before)"), "is not what the repair mends"),
            Wrong(first(key="len(before)"), "the most frequent kind"),
            Wrong(first(key="sum(after)"), "not the score afterwards"),
            Wrong(first(key="sum(max(0, a - b) for a, b in zip(after, before))"), "that the repair harms count, too"),
            Wrong(first(order="sorted(gains, key=gains.get)"), "the smallest gain comes first"),
            Wrong(first(order="list(gains)"), "the kinds are not sorted"),
            Wrong(first(order="sorted(gains.items(), key=lambda pair: -pair[1])"), "Expected a str"),
        ],
        right=[
            first(),
            """
def first_failures(kind, now, repaired):
    import numpy as np
    from helpers.stats import paired_bootstrap
    kinds, now, repaired = np.array(kind), np.array(now), np.array(repaired)
    found = []
    for name in dict.fromkeys(kind):
        own = kinds == name
        if paired_bootstrap(repaired[own], now[own]).low > 0:
            found.append((-(repaired - now)[own].sum() / len(kind), name))
    return [name for _, name in sorted(found, key=lambda pair: pair[0])]
""",
        ],
    ),
]
