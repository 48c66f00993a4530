"""Right answers that are written differently."""

read_ending = """
```
def read_ending(response):
    if isinstance(response, str):
        return "no response", ""
    text, refusal, called = "", "", False
    for item in response.output or ():
        called = called or item.type == "function_call"
        if item.type != "message" or item.phase == "commentary":
            continue
        for part in item.content:
            if part.type == "refusal":
                refusal = f"{refusal} {part.refusal}".strip()
            elif part.type == "output_text":
                text += part.text
    if response.status == "failed":
        return f"failed {response.error.code if response.error else ''}".strip(), text
    if response.status not in ("completed", "incomplete"):
        return response.status, text
    if response.status == "incomplete":
        details = response.incomplete_details
        return ("filtered", text) if details and details.reason == "content_filter" else ("cut", text)
    if refusal:
        return "refused", refusal
    if called:
        return "tool", text
    return ("whole", text) if text.strip() else ("empty", text)
```
"""
run_call = """
```
def run_call(item, tools, customer):
    try:
        form, function = tools[item.name]
        given = form.model_validate_json(item.arguments)
        result = function(customer=customer, **given.model_dump())
    except KeyError:
        result = {"error": "choose one of " + " ".join(tools)}
    except ValidationError as error:
        result = {"error": error.errors()[0]["msg"]}
    return json.dumps(result)
```
"""
