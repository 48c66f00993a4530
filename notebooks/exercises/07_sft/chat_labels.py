"""Labels of a chat: which of its tokens should the model learn to write?"""

MINUTES, DOTS = 7, 2
PROVES = "what the assistant writes is learned, in every turn and with its end, and nothing else"


def chat_labels(render, messages):
    ids = render(messages)
    labels = [-100] * len(ids)
    for k, message in enumerate(messages):
        if message["role"] == "assistant":
            start = len(render(messages[:k], open=True))
            end = len(render(messages[: k + 1]))
            labels[start:end] = ids[start:end]
    return ids, labels


HINTS = """
Where in `ids` does an answer begin, and where does it end? You can find out by rendering less than the whole chat.
Render the messages before an answer, up to where the assistant is to write: the length is where the answer begins.
    Render them with the answer: the length is where it ends.
Begin with −100 everywhere. For each message of the assistant, copy that piece of `ids` into the labels, end token
    included. A chat may hold several answers.
"""
SLIPS = """
render(messages[:k], open=True) => render(messages[:k])
    the header before the answer is learned, too, but the template writes it: render with `open=True`.
messages[: k + 1] => messages[:k]
    nothing is learned: the piece ends before it begins. Render up to the answer and with it.
labels[start:end] = ids[start:end] => labels[start:end] = [i if i != 2 else -100 for i in ids[start:end]]
    the token that ends the answer is not learned, so the model would never stop.
end = len(render(messages[: k + 1])) => end = len(render(messages[: k + 1])) - 2
    the token that ends the answer is not learned, so the model would never stop.
message["role"] == "assistant" => message["role"] != "system"
    the user's words are learned; only the assistant's should be.
message["role"] == "assistant" => message["role"] == "user"
    the user's words are learned; only the assistant's should be.
message["role"] == "assistant" => k == len(messages) - 1
    you learn the last message, whoever wrote it: learn every answer of the assistant.
message["role"] == "assistant" => message["role"] == "assistant" and messages[:k] and -100 == max(labels)
    only the first answer is learned: each is.
labels = [-100] * len(ids) => labels = list(ids)
    everything is learned: begin with −100 everywhere.
labels = [-100] * len(ids) => labels = [0] * len(ids)
    0 is a token like any other; what is not learned gets −100.
labels[start:end] = ids[start:end] => labels[start - 1 : end - 1] = ids[start:end]
    the labels stand one place too early: each stands at its own token, and the loss shifts them later.
ids = render(messages) => ids = render(messages, open=True)
    the ids go on after the chat: render the messages as they are.
return ids, labels => return labels, ids
    the ids come first, then the labels.
```
def chat_labels(render, messages):
    ids, labels = [], []
    for message in messages:
        piece = render([message])
        ids += piece
        labels += piece if message["role"] == "assistant" else [-100] * len(piece)
    return ids, labels
```
    a message that is rendered alone gets the template's opening again: render the chat from its beginning.
"""
REFUSED = """
return ids, labels => return labels
    First difference
"""
END, NEW_LINE, START = 2, 7, 1  # as in the course's model: the token that ends a turn, and a line break after it
ROLES = {"system": [11], "user": [12], "assistant": [13, 14]}


def drive(answer, messages, line_break):
    """ids and labels, with a template of tokens that are easy to read; some templates write no line break."""
    after = [NEW_LINE] if line_break else []

    def render(messages, open=False):
        ids = []
        if messages and messages[0]["role"] != "system":
            ids += [START, *ROLES["system"], *after, 99, END, *after]  # a system prompt that nobody asked for
        for message in messages:
            ids += [START, *ROLES[message["role"]], *after, *map(int, message["content"].split()), END, *after]
        return ids + ([START, *ROLES["assistant"], *after] if open else [])

    result = answer(render, [dict(message) for message in messages])
    ids, labels = result if isinstance(result, tuple) and len(result) == 2 else (result, None)
    return {"ids": ids, "labels": labels}


def shown(messages, line_break):
    return f"chat_labels(render, {messages})"


def cases(rng):
    def chat(*roles):
        return [
            {"role": r, "content": " ".join(map(str, rng.integers(20, 90, size=rng.integers(1, 5))))} for r in roles
        ]

    ask = ("user", "assistant")
    chats = [chat("system", *ask), chat(*ask), chat("system", *ask, *ask), chat(*ask, *ask, *ask)]
    chats += [chat("system", *ask, "user"), chat("user")]  # the last turn has no answer yet
    return [(chat, line_break) for chat in chats for line_break in (True, False)]
