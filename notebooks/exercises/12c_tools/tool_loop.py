"""The loop between a model and its tools: who reads what, in which order, and when does it end?"""

from openai.types.chat import ChatCompletionMessage

MINUTES, DOTS = 10, 3
PROVES = "each call runs once, its result goes back under its id, and a model that calls for ever is stopped"


def tool_loop(ask, run, question, most=5):
    messages = [{"role": "user", "content": question}]
    steps, results = [], {}
    while True:
        message = ask(messages)
        if not message.tool_calls:
            return message.content, steps
        messages.append(message)
        for call in message.tool_calls:
            if len(steps) == most:
                return None, steps
            key = call.function.name, call.function.arguments
            if key not in results:
                results[key] = run(*key)
            steps.append((*key, results[key]))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": results[key]})


HINTS = """
What does the model have to read the second time? It remembers nothing: the question, its own message with the calls,
    and then one result for each call.
Loop: ask; without `tool_calls` return. Else append the message itself, and for each call a result. Return
    `None, steps` before you would make one call too many.
A dict `results` from (name, arguments) to the result says which calls have run. The name is `call.function.name`, the
    result's message {"role": "tool", "tool_call_id": call.id, "content": result}.
"""
SLIPS = """
messages.append(message) => pass
    the model's own message is missing: a service refuses results that belong to no call.
"tool_call_id": call.id => "tool_call_id": message.tool_calls[0].id
    two calls of one message have got the same id: each result carries the id of its own call.
in message.tool_calls: => in message.tool_calls[:1]:
    a message may hold several calls, and each needs its result.
len(steps) == most => len(steps) > most
    that is one call too many: `most` calls may run.
if len(steps) == most: => if False:
    a model that calls for ever is never stopped: count the calls.
if key not in results: => if True:
    the same call has run twice: what sends money must not. Give its first result again.
key = call.function.name, call.function.arguments => key = (call.function.name,) * 2
    `run` takes the name and the arguments, and the same tool with other arguments is another call.
"role": "tool" => "role": "user"
    a result has the role "tool": otherwise the model takes it for something that the customer said.
steps.append((*key, results[key])) => steps.append(key)
    a step has three parts: name, arguments, result.
return None, steps => return message.content, steps
    after the last call that is allowed there is no answer: return None.
return message.content, steps => return message.content
    the steps belong to what is returned: (answer, steps).
"""


def drive(answer, turns, most):
    """What the loop returns, which calls ran, and what the model read at last, of a model that says these turns."""
    seen, ran = [], []

    def ask(messages):
        seen.append([each if isinstance(each, dict) else each.model_dump(exclude_none=True) for each in messages])
        if len(seen) > 20:
            raise RuntimeError("the model was asked 20 times, and there is no end")
        text, calls = turns[min(len(seen), len(turns)) - 1]
        made = [{"id": i, "type": "function", "function": {"name": n, "arguments": a}} for i, n, a in calls]
        return ChatCompletionMessage.model_validate({"role": "assistant", "content": text, "tool_calls": made or None})

    def run(name, arguments):
        ran.append((name, arguments))
        return f"result {len(ran)}"

    done = answer(ask, run, "What does it cost?", most)
    return {"returned": done, "ran": ran, "read": seen[-1]}


def shown(turns, most):
    told = "; ".join(
        text or " and ".join(f"{name}({arguments})" for _, name, arguments in calls) for text, calls in turns
    )
    return f"a loop of at most {most} calls over a model that says: {told}"


def cases(rng):
    number = int(rng.integers(10_000, 99_999))
    look, price = ("a", "order_info", f'{{"order": "VE-{number}"}}'), ("b", "shop_price", '{"product": "Shell"}')
    other, again = ("c", "shop_price", '{"product": "Perch"}'), ("d", "shop_price", '{"product": "Shell"}')
    done = ("It costs 89 euros.", [])
    return [
        ([("You are welcome.", [])], 5), ([(None, [price]), done], 5), ([(None, [look]), (None, [price]), done], 5),
        ([(None, [price, other]), done], 5), ([("One moment.", [price]), (None, [again]), done], 5),
        ([(None, [price]), (None, [other]), (None, [look])], 2), ([("One moment.", [price, other, look])], 2),
        ([(None, [price])], 3), ([(None, [look]), done], 1),
    ]  # fmt: skip
