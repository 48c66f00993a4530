"""TF-IDF with rules, ticket by ticket: how sure it is of each field and whether it is right, on dev, test and the fresh
split, fitted on the same families as the adapter "tickets". A classifier's confidence is its largest probability; a
rule's is 1 / the number of names or order numbers it finds (1 where it finds none). Nothing was chosen on test or
fresh."""

from __future__ import annotations

NAME = "07_baseline"
CASES = [{"features": "characters"}]
SPLITS = ("dev", "test", "fresh")


def run(case: dict) -> dict:
    from helpers.trials.ticket_baseline import CLASSIFIED, fit_baseline
    from helpers.velunda import FIELDS, load_tickets
    from helpers.velunda.company import order_numbers, products_named
    from helpers.velunda.tickets import MORE

    fitted, found = fit_baseline([*load_tickets("train"), *load_tickets(MORE)], **case), {}
    for split in SPLITS:
        tickets = load_tickets(split)
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
        found[split] = {"sure": {field: sure[field] for field in FIELDS}, "right": right}
    return found
