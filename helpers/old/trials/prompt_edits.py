"""What the prompt optimizer tries in notebook 12: eleven edits of a prompt that sorts messages, several of them charms.

    found = optimize(START, EDITS, measure)           # measure(template): was each message of dev sorted right?

The messages are those of `data/tasks/classification`, each label is one word, and the one that a message makes most
probable is taken (`answer: how: scored`).
"""

from __future__ import annotations

from helpers.old.prompting.optimizer import last_line, reply_begins, system
from helpers.old.prompting.templates import parse

LABELS = ("library", "workshop", "clinic", "kitchen", "garden", "sports")
START = parse(
    """---
name: desks
version: 0.1.0
purpose: Sort a message to a community house by the desk that has to act on it.
variables:
  message: {type: user text}
model: any
answer: {how: scored, labels: {LABELS}}
examples:
  - given: {message: "My kettle does not heat any more, can somebody look at it?"}
    reply: workshop
  - given: {message: "Whom do I ask about the ache in my knee?"}
    reply: clinic
---
[user]
{{ message }}

[assistant]
Desk:
""".replace("{LABELS}", "{" + ", ".join(f"{label}: ' {label}'" for label in LABELS) + "}")
)
EDITS = {
    "say the task": system("You sort messages to a community house by desk."),
    "list the desks": system(f"You sort messages to the desks of a house: {', '.join(LABELS)}."),
    "ask behind the message": last_line("Which desk has to act on this?"),
    "say what decides": last_line("What is wanted decides, not what is named."),
    "an expert": system("You are a world-class expert in sorting messages."),
    "a deep breath": last_line("Take a deep breath and think carefully."),
    "much depends on it": last_line("This is very important to my career."),
    "a tip": last_line("You get 200 dollars for the right answer."),
    "please": last_line("Please."),
    "begin with the answer": reply_begins("The answer is the"),
    "begin with a sentence": reply_begins("This message goes to the"),
}
