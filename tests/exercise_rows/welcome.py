"""Answers to the exercises of 00_welcome."""

from tests.exercise_rows import Row, Wrong


def per_weight(body: str) -> str:
    return f"""
def weights_bytes(n_parameters, dtype):
    bits = {{"fp32": 32, "bf16": 16, "fp16": 16, "int8": 8, "int4": 4}}
    if dtype not in bits:
        raise ValueError(f"unknown dtype {{dtype}}; use one of {{', '.join(bits)}}")
    {body}
"""


def by_table(table: str) -> str:
    return f"""
def weights_bytes(n_parameters, dtype):
    sizes = {table}
    return n_parameters * sizes[dtype]
"""


def speed(last: str, guard: str = "seconds <= 0 or total_tokens < prompt_tokens") -> str:
    return f"""
def generation_speed(prompt_tokens, total_tokens, seconds):
    if {guard}:
        raise ValueError("impossible")
    {last}
"""


BYTES = '{"fp32": 32, "bf16": 16, "fp16": 16, "int8": 8, "int4": 4}'


def fits(rest: str, headroom: str = "1.2 * ", size: str = "billions * bits[dtype] / 8") -> str:
    return f"""
def largest_that_fits(budget_gb, candidates):
    bits = {BYTES}
    fitting = []
    for name, billions, dtype in candidates:
        size = {size}
        if {headroom}size <= budget_gb:
            fitting.append((billions, -size, name))
    {rest}
"""


ROWS = [
    Row(
        "weights_bytes",
        wrong=[
            Wrong(per_weight("return n_parameters * bits[dtype]"), "these are bits"),
            Wrong(by_table('{"fp32": 4, "bf16": 4, "fp16": 2, "int8": 1, "int4": 0.5}'), "yours is a float"),
            Wrong(
                by_table('{"fp32": 4, "bf16": 4, "fp16": 4, "int8": 1, "int4": 1}'),
                "The result is wrong for `weights_bytes(",
            ),
            Wrong(
                by_table('{"fp32": 4, "bf16": 2, "fp16": 2, "int8": 1, "int4": 1}'), "two 4-bit weights share one byte"
            ),
            Wrong(per_weight("return n_parameters * bits[dtype] / 8"), "dividing with `/` gives a float"),
            Wrong(per_weight("return n_parameters * bits[dtype] // 8"), "you round down"),
            Wrong(per_weight("return round(n_parameters * bits[dtype] / 8)"), "always round up"),
            Wrong(
                per_weight("return n_parameters // 2 + 1 if dtype == 'int4' else n_parameters * bits[dtype] // 8"),
                "only an odd one needs a byte more",
            ),
            Wrong(
                per_weight("return -(-n_parameters * bits[dtype] // 8)").replace(
                    "f\"unknown dtype {dtype}; use one of {', '.join(bits)}\"", "'unknown dtype'"
                ),
                "should name 'fp7'; yours is 'unknown dtype'",
            ),
            Wrong(per_weight("return n_parameters * (bits[dtype] // 8)"), "multiply before dividing"),
            Wrong(per_weight("return -(-n_parameters * bits[dtype] // 8) // 1000"), "off by a thousand"),
            Wrong(
                per_weight('bits["bf16"] = 32\n    return -(-n_parameters * bits[dtype] // 8)'),
                "you count 4 bytes for bf16",
            ),
            Wrong(
                per_weight('bits["bf16"] = bits["fp16"] = 32\n    return -(-n_parameters * bits[dtype] // 8)'),
                "you count 4 bytes for the 16-bit formats",
            ),
            Wrong(
                "def weights_bytes(n_parameters, dtype):\n    return (n_parameters * {**"
                + BYTES
                + "}.get(dtype, 32) + 7) // 8",
                "should raise ValueError, because no dtype is called fp7; it returns 40",
            ),
            Wrong("def weights_bytes(n_parameters):\n    return n_parameters * 2", "must take (n_parameters, dtype)"),
            Wrong("def weights_bytes(n_parameters, dtype):\n    print(n_parameters * 4)", "Did you forget `return`?"),
        ],
        right=[
            per_weight("return (n_parameters * bits[dtype] + 7) // 8"),
            per_weight("import math\n    return math.ceil(n_parameters * bits[dtype] / 8)"),
        ],
    ),
    Row(
        "cosine_similarity",
        wrong=[
            Wrong("def cosine_similarity(a, b):\n    return a @ b.T", "this is the plain dot product"),
            Wrong("def cosine_similarity(a, b):\n    return 2 * a @ b.T", "The largest of yours is "),
            Wrong(
                "def cosine_similarity(a, b):\n    from torch.nn.functional import normalize as n\n"
                "    return n(a, dim=0) @ n(b, dim=0).T",
                "you normalize columns",
            ),
            Wrong(
                "def cosine_similarity(a, b):\n    return a @ b / (a.norm() * b.norm())",
                "It stops with an error when called as",
            ),
            Wrong(
                "def cosine_similarity(a, b):\n    return a @ b.T / (a.norm() * b.norm())",
                "one length for the whole matrix",
            ),
            Wrong("def cosine_similarity(a, b):\n    return a * b", "It stops with an error when called as"),
            Wrong(
                "def cosine_similarity(a, b):\n    from torch.nn.functional import normalize as n\n"
                "    return n(b, dim=1) @ n(a, dim=1).T",
                "rows and columns are swapped",
            ),
            Wrong(
                "def cosine_similarity(a, b):\n    return (a @ b.T) / (a.norm(dim=1)[:, None] * b.norm(dim=1))",
                "0 / 0 is NaN",
            ),
            Wrong(
                "def cosine_similarity(a, b):\n    from torch.nn.functional import normalize as n\n"
                "    return n(a, dim=1) @ b.T",
                "only `a` is normalized",
            ),
            Wrong(
                "def cosine_similarity(a, b):\n    from torch.nn.functional import normalize as n\n"
                "    return n(a, dim=1).double() @ n(b, dim=1).double().T",
                "Expected float32, yours is float64",
            ),
            Wrong(
                "def cosine_similarity(a, b):\n    from torch.nn.functional import normalize as n\n"
                "    return (n(a, dim=1) @ n(b, dim=1).T).unsqueeze(0)",
                "Expected shape (2, 3), yours is (1, 2, 3)",
            ),
            Wrong(
                "def cosine_similarity(a, b):\n    a /= a.norm(dim=1, keepdim=True).clamp(min=1e-9)\n"
                "    b /= b.norm(dim=1, keepdim=True).clamp(min=1e-9)\n    return a @ b.T",
                "It changes its input `a`",
            ),
        ],
        right=[
            "def cosine_similarity(a, b):\n    from torch.nn.functional import normalize as n\n"
            "    return n(a, dim=-1) @ n(b, dim=-1).T",
            "def cosine_similarity(a, b):\n    import torch\n"
            "    return torch.nn.functional.cosine_similarity(a[:, None, :], b[None, :, :], dim=-1)",
            "def cosine_similarity(a, b):\n    import torch\n"
            "    cos = lambda x, y: x @ y / (x.norm() * y.norm()).clamp(min=1e-12)\n"
            "    return torch.stack([torch.stack([cos(x, y) for y in b]) for x in a])",
        ],
    ),
    Row(
        "generation_speed",
        wrong=[
            Wrong(speed("return (total_tokens + prompt_tokens) / seconds"), "the prompt is counted twice"),
            Wrong(speed("return total_tokens / seconds"), "the prompt is still counted"),
            Wrong(speed("return prompt_tokens / seconds"), "this is the speed of the prompt"),
            Wrong(speed("n = total_tokens - prompt_tokens\n    return seconds / n if n else 0.0"), "upside down"),
            Wrong(speed("return seconds / (total_tokens - prompt_tokens)"), "upside down"),
            Wrong(speed("return total_tokens - prompt_tokens / seconds"), "put the subtraction in brackets"),
            Wrong(speed("return (total_tokens - prompt_tokens) // seconds"), "`//` drops the fraction"),
            Wrong(speed("return (prompt_tokens - total_tokens) / seconds"), "the wrong way round"),
            Wrong(speed("return total_tokens - prompt_tokens"), "divide by the seconds too"),
            Wrong(
                speed("return (total_tokens - prompt_tokens) / seconds", "seconds < 0 or total_tokens < prompt_tokens"),
                "should raise ValueError, because no time has passed; it raises ZeroDivisionError",
            ),
        ],
        right=[
            speed("return (total_tokens - prompt_tokens) / seconds"),
            speed(
                "return total_tokens / seconds - prompt_tokens / seconds",
                "not (seconds > 0 and total_tokens >= prompt_tokens)",
            ),
        ],
    ),
    Row(
        "largest_that_fits",
        wrong=[
            Wrong(fits("return max(fitting)[2] if fitting else None", headroom=""), "the 20 % headroom is missing"),
            Wrong(fits("return fitting[0][2] if fitting else None"), "you take the first that fits"),
            Wrong(fits("return min(fitting, key=lambda f: f[1])[2] if fitting else None"), "you compare bytes"),
            Wrong(
                fits("return sorted(fitting, key=lambda f: f[0])[-1][2] if fitting else None"),
                "the one with fewer bytes should win",
            ),
            Wrong(fits("return max(f[2] for f in fitting) if fitting else None"), "tuples are compared from the left"),
            Wrong(
                fits("return max(fitting)[2] if fitting else None").replace("<= budget_gb", "< budget_gb"),
                "`<=`, not `<`",
            ),
            Wrong(fits("return max(fitting)[2] if fitting else None", headroom="1.25 * "), "add 20 % to the weights"),
            Wrong(
                fits("return max(fitting)[2] if fitting else None").replace("<= budget_gb", "<= budget_gb * 1.0737"),
                "not in GiB",
            ),
            Wrong(fits("return max(fitting)[2]"), "return None where nothing fits"),
            Wrong(fits("return sorted(fitting)[-1][2]"), "return None where nothing fits"),
            Wrong(
                fits("return max(fitting, key=lambda f: f[0])[2] if fitting else None"),
                "the one with fewer bytes should win",
            ),
            Wrong(
                fits("return max(fitting)[2] if fitting else None", size="billions * 2"),
                "you count 2 bytes for every dtype",
            ),
            Wrong(fits("return max(fitting) if fitting else None"), "Expected a str"),
            Wrong(fits("return max(fitting)[2] if fitting else ''"), "Expected None, yours is ''"),
        ],
        right=[
            fits("return max(fitting)[2] if fitting else None"),
            """
def largest_that_fits(budget_gb, candidates):
    size = {"fp32": 4.0, "bf16": 2.0, "fp16": 2.0, "int8": 1.0, "int4": 0.5}
    best = None
    for candidate in candidates:
        name, billions, dtype = candidate
        if billions * size[dtype] * 1.2 > budget_gb:
            continue
        if best is None or billions > best[1] or (billions == best[1] and size[dtype] < size[best[2]]):
            best = candidate
    return best[0] if best else None
""",
        ],
    ),
]
