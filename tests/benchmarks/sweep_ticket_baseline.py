"""The cheap ways to read a ticket, ticket by ticket: how sure each is of each field and whether it is right, on dev,
test and the fresh split, fitted on the same families as the adapter "tickets". "characters" is TF-IDF with rules,
"vectors" logistic regression on the vectors of the embedder (not trained) with the same rules, its strength chosen on
dev, and "constant" says the commonest value. A classifier's confidence is its largest probability; a rule's is 1 / the
number of names or order numbers it finds (1 where it finds none). Nothing was chosen on test or fresh."""

from __future__ import annotations

NAME = "07_baseline"
CASES = [{"features": "characters"}, {"features": "vectors"}, {"features": "constant"}]
SPLITS = ("dev", "test", "fresh")
STRENGTHS = (1.0, 10.0, 100.0, 1000.0)  # scikit-learn's C for vectors; dev chooses


def run(case: dict) -> dict:
    from helpers.old.assistants.ticket_baseline import fit_baseline
    from helpers.old.velunda import load_tickets
    from helpers.old.velunda.tickets import MORE

    train, dev = [*load_tickets("train"), *load_tickets(MORE)], load_tickets("dev")
    if case["features"] != "vectors":
        fitted, chosen = fit_baseline(train, **case), {}
    else:
        tried = {strength: fit_baseline(train, **case, strength=strength) for strength in STRENGTHS}
        right = {strength: all_right(judged(fitted, dev)["right"]) for strength, fitted in tried.items()}
        best = max(STRENGTHS, key=lambda strength: (right[strength], -strength))
        fitted, chosen = tried[best], {"strength": best, "tried": {str(strength): n for strength, n in right.items()}}
    return chosen | {split: judged(fitted, load_tickets(split)) for split in SPLITS}


def judged(fitted, tickets: list) -> dict:
    """For each field, how sure it is of each ticket, and whether it is right."""
    from helpers.old.assistants.ticket_baseline import CLASSIFIED
    from helpers.old.velunda import FIELDS
    from helpers.velunda.company import order_numbers, products_named

    texts = [ticket["text"] for ticket in tickets]
    sure = {
        field: [round(float(p), 4) for p in fitted.classifiers[field].predict_proba(texts).max(1)]
        for field in CLASSIFIED
    }
    for field, candidates in (("product", products_named), ("order_number", order_numbers)):
        sure[field] = [round(1 / max(1, len(set(candidates(text)))), 4) for text in texts]
    labels = fitted.predict(texts)
    right = {
        field: "".join(str(int(said[field] == t["label"][field])) for said, t in zip(labels, tickets, strict=True))
        for field in FIELDS
    }
    return {"sure": {field: sure[field] for field in FIELDS}, "right": right}


def all_right(right: dict) -> int:
    """Tickets with all fields right."""
    return sum(set(marks) == {"1"} for marks in zip(*right.values(), strict=True))
