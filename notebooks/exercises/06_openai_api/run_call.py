"""A model asks for a function to be run: what happens before it runs, and what does the model get to read?"""

import json
from types import SimpleNamespace

from pydantic import BaseModel, ValidationError

MINUTES, DOTS = 7, 2
PROVES = "only a known tool runs, with arguments of the right form, for the customer who is logged in; the rest is told"


def run_call(item, tools, customer):
    if item.name not in tools:
        return json.dumps({"error": f"there is no tool {item.name}, only {', '.join(tools)}"})
    form, function = tools[item.name]
    try:
        arguments = form.model_validate_json(item.arguments).model_dump()
    except ValidationError as error:
        return json.dumps({"error": str(error)})
    return json.dumps(function(customer, **arguments))


HINTS = """
Three questions before anything runs: is there such a tool, is the text JSON of the right form, and who is asking?
`form.model_validate_json(text)` reads the text and checks it, or raises pydantic's `ValidationError`; `.model_dump()`
    makes a dict of what it has read.
Return at once where the name is not in `tools`; put only the check into `try`, and turn its error into text with
    `str(error)`; then call `function(customer, **arguments)`. Every result goes through `json.dumps`.
"""
SLIPS = """
```
    if item.name not in tools:
        return json.dumps({"error": f"there is no tool {item.name}, only {', '.join(tools)}"})
=>
```
    the model may ask for a tool that does not exist: tell it so, with the names of those that do.
, only {', '.join(tools)} =>
    the error should name the tools that there are, so that the model can choose one.
form.model_validate_json(item.arguments).model_dump() => json.loads(item.arguments)
    JSON is not yet of the right form: check it with `form.model_validate_json`.
(item.arguments).model_dump() => (item.arguments) and json.loads(item.arguments)
    pass on the validated arguments: the form fills in defaults, here the quantity.
form.model_validate_json(item.arguments) => form.model_validate(item.arguments)
    the arguments are a text, which `model_validate_json` reads; `model_validate` takes a dict.
except ValidationError as error => except json.JSONDecodeError as error
    wrong arguments end your program: pydantic raises a ValidationError, also where the text is no JSON.
json.dumps(function(customer, **arguments)) => function(customer, **arguments)
    the model reads text: put the function's result through `json.dumps`.
json.dumps(function(customer, **arguments)) => str(function(customer, **arguments))
    `str` of a dict is no JSON, because it has single quotes: use `json.dumps`.
function(customer, **arguments) => function(**arguments)
    the function needs to know who is asking: pass `customer` first.
function(customer, **arguments) => function(customer, arguments)
    the arguments have names: pass them with `**arguments`.
return json.dumps({"error": str(error)}) => return json.dumps({})
    the model learns nothing from this: say under "error" what is wrong.
tools[item.name] => list(tools.values())[0]
    this runs the first tool, whatever the model asked for.
"""
REFUSED = """
return json.dumps(function => json.dumps(function
    yours is a str, namely 'no text, but None'
"""


class OrderInfo(BaseModel, extra="forbid"):
    order: str


class Price(BaseModel, extra="forbid"):
    product: str
    quantity: int = 1


def drive(answer, name, arguments):
    """The parsed result (of an error: whether it names the tools, or says what is wrong), and which functions ran."""
    ran = []

    def order_info(customer, order):
        ran.append(("order_info", customer, order))
        return {"status": "delivered"} if order == "VE-42049" else {"error": "not yours"}

    def price(customer, product, quantity):
        ran.append(("price", customer, product, quantity))
        return {"product": "Kite", "euros": 2790 * quantity}

    tools = {"price": (Price, price), "order_info": (OrderInfo, order_info)}
    text = answer(SimpleNamespace(name=name, arguments=arguments), tools, "C-224355")
    if not isinstance(text, str):
        return f"no text, but {text!r}", ran
    result = json.loads(text)
    if "error" in result and not ran:
        told = str(result["error"])
        result = {"an error that": "names the tools" if all(tool in told for tool in tools) else "says what is wrong"}
    return result, ran


def shown(name, arguments):
    return f"run_call of {name}({arguments}), then json.loads"


def cases(rng):
    order = json.dumps({"order": "VE-42049"})
    return [
        ("order_info", order), ("price", '{"product": "Kite"}'), ("price", '{"product": "Kite", "quantity": 3}'),
        ("cancel_everything", "{}"), ("order_info", '{"order": 17}'), ("order_info", '{"order": "VE-'),
        ("order_info", '{"order": "VE-42049", "customer": "C-000001"}'), ("order_info", "{}"), ("order_info", "null"),
        ("price", '{"product": "Kite", "quantity": "many"}'), ("order_info", '{"order": "VE-34140"}'),
        ("OrderInfo", order),
    ]  # fmt: skip
