"""Everyday questions about the handbook, answered by the chat model as it is: closed-book, and with the three passages
that the handbook's assistant finds in its prompt; greedy, at most 32 tokens. Nothing was chosen on these answers."""

from __future__ import annotations

NAME = "10_written"
CASES = [{"case": "written", "split": split, "passages": n} for n in (0, 3) for split in ("dev", "test")]
ROOM, BATCH = 32, 8


def run(case: dict) -> dict:
    """One row per question that the handbook answers: what was written, and whether it is right."""
    import torch

    from helpers.assistants import handbook_assistant
    from helpers.models import chat_model
    from helpers.old.metrics import contains_answer
    from helpers.old.trials.written_answers import READ, RULES, prompt_of
    from helpers.velunda import load_everyday

    questions = [question for question in load_everyday(case["split"]) if question.answerable]
    found = [handbook_assistant().passages(q.question) if case["passages"] else [] for q in questions]
    rules = READ if case["passages"] else RULES
    chats = [prompt_of(q.question, hits, rules) for q, hits in zip(questions, found, strict=True)]
    model, tokenizer = chat_model()
    tokenizer.padding_side = "left"
    texts: list[str] = []
    for start in range(0, len(chats), BATCH):
        batch = tokenizer.apply_chat_template(
            chats[start : start + BATCH],
            add_generation_prompt=True,
            padding=True,
            return_dict=True,
            return_tensors="pt",
        )
        with torch.inference_mode():
            ids = model.generate(**batch, max_new_tokens=ROOM, do_sample=False)
        texts += tokenizer.batch_decode(ids[:, batch["input_ids"].shape[1] :], skip_special_tokens=True)
    rows = [
        {"question": q.question, "reply": text.strip(), "right": contains_answer(text, q.accepted)}
        for q, text in zip(questions, texts, strict=True)
    ]
    return {"rows": rows}
