"""A JSON schema as an expression: the JSON texts that it describes, as `json.dumps` would write them.

    schema = {
        "type": "object",
        "properties": {"order": {"type": "string", "pattern": "^VE-[0-9]{5}$"}, "parts": {"type": "integer"}},
        "required": ["order"],
    }
    schema_node(schema)                        # matches {"order":"VE-48213"} and {"order":"VE-48213","parts":2}

| type | keywords |
|---|---|
| object | `properties`, written in their order, `required`, `additionalProperties`: false (also where it is not said) |
| array | `items`, `minItems`, `maxItems` |
| string | `minLength`, `maxLength`, `pattern`, `format`: date, uuid or ipv4 |
| integer, number | `minimum`, `maximum`, `exclusiveMinimum`, `exclusiveMaximum` |
| boolean, null, a list of types | |
| any | `enum`, `const`, `anyOf`, `$ref` to `#/$defs/…`; titles, descriptions and other remarks are passed over |

A schema without limits would let a model write for ever, so `Limits` are set where it says nothing. There is no free
whitespace: `separators` are written, nothing else. A text that is written is always valid; some valid texts are never
written (1e3 for 1000, properties in another order, \\u0041 for A).

What it does not do: recursion, other keywords (`oneOf`, `uniqueItems`, `multipleOf`, …). Each is named, with its place.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from helpers.old.generation.regular import (
    EMPTY,
    LAST,
    GrammarError,
    Node,
    Ranges,
    alt,
    between,
    both,
    has_text,
    literal,
    parse,
    parse_search,
    repeat,
    seq,
    utf8,
    without,
)


@dataclass(frozen=True)
class Limits:
    """What holds where a schema says nothing: characters of a string, items of an array, digits of an integer, of a
    number before and behind the point (together at most 15, which a float tells apart), and levels of nesting.

    characters, items: None for any number of them; then only the tokens that a reply may have set an end.
    """

    characters: int | None = 64
    items: int | None = 8
    digits: int = 15
    before_point: int = 9
    behind_point: int = 6
    depth: int = 6


REMARKS = {"title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly"}
REMARKS |= {"$comment", "$schema", "$id", "$defs", "definitions"}
BOUNDS = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
KEYWORDS = {
    "object": {"properties", "required", "additionalProperties"},
    "array": {"items", "minItems", "maxItems"},
    "string": {"minLength", "maxLength", "pattern", "format"},
    "integer": BOUNDS,
    "number": BOUNDS,
    "boolean": set(),
    "null": set(),
}
LONG, SHORT, YEAR = "(0[13578]|1[02])", "(0[469]|11)", "[0-9]{4}"
LEAP = "([0-9]{2}(0[48]|[2468][048]|[13579][26])|(0[48]|[2468][048]|[13579][26])00)"
DAYS = f"({LONG}-(0[1-9]|[12][0-9]|3[01])|{SHORT}-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))"
FORMATS = {
    "date": f"([1-9][0-9]{{3}}|0[1-9][0-9]{{2}}|00[1-9][0-9]|000[1-9])-{DAYS}|{LEAP}-02-29",
    "uuid": "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "ipv4": r"((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)",
}


def schema_node(schema: Any, limits: Limits | None = None, separators: tuple[str, str] = (",", ":")) -> Node:
    """The expression of all texts that a schema allows. separators: between items, and between key and value.

    Raises GrammarError for a keyword that is not supported, a schema that no text can satisfy, and recursion.
    """
    return _Writer(schema, limits or Limits(), separators).node(schema, "$", 0, ())


# Characters of a string ----------------------------------------------------------------------------------------------

SHORT_ESCAPES = {8: "b", 9: "t", 10: "n", 12: "f", 13: "r", 34: '"', 92: "\\"}
ANY = [(0, LAST)]
TEXT = without(ANY, [(0, 8), (11, 31), (127, 159)])  # what free strings hold: no control characters but \n and \t


def json_character(ranges: Ranges) -> Node:
    """One character of these ranges as a JSON string holds it: quotes, backslashes and controls are escaped."""
    escaped = [point for point in (*range(32), 34, 92) if any(low <= point <= high for low, high in ranges)]
    written = [SHORT_ESCAPES.get(point, f"u{point:04x}") for point in escaped]
    plain = without(ranges, [(0, 31), (34, 34), (92, 92)])
    return alt(utf8(plain), *(literal("\\" + text) for text in written))


# Schemas -------------------------------------------------------------------------------------------------------------


class _Writer:
    """Turns a schema into an expression, part by part. path: where a part stands, for errors."""

    def __init__(self, root: Any, limits: Limits, separators: tuple[str, str]) -> None:
        self.root, self.limits, self.separators = root, limits, separators
        self.comma, self.colon = map(literal, separators)

    def node(self, schema: Any, path: str, depth: int, refs: tuple[str, ...]) -> Node:
        """depth: levels of objects and arrays around it; refs: those that are being followed."""
        if not isinstance(schema, Mapping):
            raise GrammarError(f"At {path}: a schema is an object that says which values are allowed, not {schema!r}.")
        if depth > self.limits.depth:
            raise GrammarError(f"At {path}: more than {self.limits.depth} levels of objects and arrays.")
        for keyword, write in (("$ref", self.ref), ("anyOf", self.any_of)):
            if keyword in schema:
                self.only(schema, {keyword}, path)
                return write(schema[keyword], path, depth, refs)
        types = self.types(schema, path)
        if "enum" in schema or "const" in schema:
            return self.values(schema, types, path)
        if not types:
            self.only(schema, BOUNDS, path)
            raise GrammarError(f"At {path}: the keyword 'type' is missing, so any value would do.")
        self.only(schema, {"type"}.union(*(KEYWORDS[name] for name in types)), path)
        return alt(*(self.of_type(name, schema, path, depth, refs) for name in types))

    def only(self, schema: Mapping[str, Any], known: set[str], path: str) -> None:
        """Raises GrammarError for a keyword that would be passed over."""
        for keyword in schema:
            if keyword not in known | REMARKS:
                known_at_all = {"enum", "const", "anyOf", "$ref"}.union(*KEYWORDS.values())
                beside = f" beside {', '.join(sorted(set(schema) & known))}" if keyword in known_at_all else ""
                raise GrammarError(f"At {path}: the keyword {keyword!r} is not supported{beside}.")

    def types(self, schema: Mapping[str, Any], path: str) -> list[str]:
        """The named types; where none is, the one that the keywords belong to."""
        named = schema.get("type", [])
        found = [named] if isinstance(named, str) else list(named)
        if not found:
            found = [name for name in ("object", "array", "string") if KEYWORDS[name] & set(schema)][:1]
        if wrong := [name for name in found if name not in KEYWORDS]:
            raise GrammarError(f"At {path}: there is no type {wrong[0]!r}.")
        return found

    def ref(self, name: Any, path: str, depth: int, refs: tuple[str, ...]) -> Node:
        _, _, key = str(name).rpartition("/")
        place = str(name).removesuffix(f"/{key}")
        found = self.root.get(place[2:], {}).get(key) if place in ("#/$defs", "#/definitions") else None
        if found is None:
            raise GrammarError(f"At {path}: $ref {name!r} leads nowhere; it names one of #/$defs/….")
        if name in refs:
            raise GrammarError(f"At {path}: $ref {name!r} leads back to itself, and recursion is not supported.")
        return self.node(found, path, depth, (*refs, name))

    def any_of(self, schemas: Sequence[Any], path: str, depth: int, refs: tuple[str, ...]) -> Node:
        parts = [self.node(part, f"{path}.anyOf[{n}]", depth, refs) for n, part in enumerate(schemas)]
        return self.possible(alt(*parts), path, "anyOf names no schema")

    def values(self, schema: Mapping[str, Any], types: list[str], path: str) -> Node:
        """The texts of `enum` and `const`."""
        self.only(schema, {"enum", "const", "type"}, path)
        found = list(schema["enum"]) if "enum" in schema else [schema["const"]]
        if "const" in schema:
            found = [value for value in found if _same(value, schema["const"])]
        found = [value for value in found if not types or any(_is_type(value, name) for name in types)]
        try:
            texts = [json.dumps(v, ensure_ascii=False, separators=self.separators, allow_nan=False) for v in found]
        except (TypeError, ValueError) as error:
            raise GrammarError(f"At {path}: a value of enum or const is no JSON: {error}.") from error
        return self.possible(alt(*map(literal, texts)), path, "enum and const leave no value of this type")

    def possible(self, node: Node, path: str, otherwise: str) -> Node:
        """Raises GrammarError where no text matches."""
        if not has_text(node):
            raise GrammarError(f"At {path}: no value is possible: {otherwise}.")
        return node

    def of_type(self, name: str, schema: Mapping[str, Any], path: str, depth: int, refs: tuple[str, ...]) -> Node:
        if name == "object":
            return self.object(schema, path, depth + 1, refs)
        if name == "array":
            return self.array(schema, path, depth + 1, refs)
        if name == "string":
            return self.string(schema, path)
        if name in ("integer", "number"):
            return self.number(schema, path, name)
        return alt(literal("true"), literal("false")) if name == "boolean" else literal("null")

    def object(self, schema: Mapping[str, Any], path: str, depth: int, refs: tuple[str, ...]) -> Node:
        """Properties in their order: each with a comma before it, but for the first that is written."""
        properties, required = schema.get("properties", {}), schema.get("required", [])
        if schema.get("additionalProperties", False) is not False:
            raise GrammarError(f"At {path}: additionalProperties is not supported, except as false.")
        if unknown := [name for name in required if name not in properties]:
            raise GrammarError(f"At {path}: the property {unknown[0]!r} is required, but not among properties.")
        first = behind = EMPTY  # what may follow if nothing, or something, has been written
        for name, part in reversed(properties.items()):
            key = literal(json.dumps(name, ensure_ascii=False))
            pair = seq(key, self.colon, self.node(part, f"{path}.{name}", depth, refs))
            left_out = name not in required
            first = alt(seq(pair, behind), *([first] if left_out else []))
            behind = alt(seq(self.comma, pair, behind), *([behind] if left_out else []))
        return seq(literal("{"), first, literal("}"))

    def array(self, schema: Mapping[str, Any], path: str, depth: int, refs: tuple[str, ...]) -> Node:
        if "items" not in schema:
            raise GrammarError(f"At {path}: an array needs the keyword 'items', which says what it holds.")
        low, high = self.counts(schema, "minItems", "maxItems", self.limits.items, path)
        if high == 0:
            return literal("[]")
        item = self.node(schema["items"], f"{path}[]", depth, refs)
        more = None if high is None else high - 1
        some = seq(item, repeat(seq(self.comma, item), max(low - 1, 0), more))
        return seq(literal("["), some if low else alt(EMPTY, some), literal("]"))

    def counts(
        self, schema: Mapping[str, Any], least: str, most: str, limit: int | None, path: str
    ) -> tuple[int, int | None]:
        for keyword in (least, most):
            if keyword in schema and (not _is_type(schema[keyword], "integer") or schema[keyword] < 0):
                raise GrammarError(f"At {path}: {keyword} is a count, not {schema[keyword]!r}.")
        low = int(schema.get(least, 0))
        if most not in schema:
            return low, None if limit is None else max(low, limit)
        if low > schema[most]:
            raise GrammarError(f"At {path}: no value is possible: {least} {low} is above {most} {schema[most]}.")
        return low, int(schema[most])

    def string(self, schema: Mapping[str, Any], path: str) -> Node:
        low, high = self.counts(schema, "minLength", "maxLength", self.limits.characters, path)
        limited = {"minLength", "maxLength"} & set(schema)
        inside = []
        if "format" in schema:
            if schema["format"] not in FORMATS:
                raise GrammarError(f"At {path}: the format {schema['format']!r} is not supported.")
            inside.append(parse(FORMATS[schema["format"]], json_character))
        if "pattern" in schema:
            try:
                inside.append(parse_search(schema["pattern"], json_character, json_character(TEXT)))
            except GrammarError as error:
                raise GrammarError(f"At {path}: {error}") from error
        if not inside:
            inside = [repeat(json_character(TEXT), low, high)]
        elif limited or "pattern" in schema:
            inside.append(repeat(json_character(ANY), low, high))
        node = inside[0]
        for other in inside[1:]:
            node = both(node, other)
        self.possible(
            node,
            path,
            f"no string of {low} to {'any number of' if high is None else high} characters fits the pattern or format",
        )
        return seq(literal('"'), node, literal('"'))

    def number(self, schema: Mapping[str, Any], path: str, name: str) -> Node:
        """Numbers between bounds, with 0 to `behind` digits behind the point, none for integers."""
        behind = 0 if name == "integer" else self.limits.behind_point
        before = self.limits.digits if name == "integer" else self.limits.before_point
        largest = (10 ** (before + behind) - 1) * Decimal(10) ** -behind
        low, high, step = -largest, largest, Decimal(10) ** -behind
        for keyword, sign in (("minimum", 0), ("exclusiveMinimum", 1), ("maximum", 0), ("exclusiveMaximum", -1)):
            if keyword not in schema:
                continue
            if not _is_type(schema[keyword], "number"):
                raise GrammarError(f"At {path}: {keyword} is a number, not {schema[keyword]!r}.")
            bound = Decimal(str(schema[keyword]))
            up = keyword.endswith("inimum")
            edge = bound.quantize(step, ROUND_CEILING if up else ROUND_FLOOR) if abs(bound) <= largest else bound
            edge += sign * step if edge == bound else 0
            low, high = (max(low, edge), high) if up else (low, min(high, edge))
        found = [_decimals(low, high, places) for places in range(behind + 1)]
        reason = f"the bounds leave no {name} of at most {before} digits"
        return self.possible(alt(*found), path, reason + (f", and {behind} behind the point" if behind else ""))


def _decimals(low: Decimal, high: Decimal, places: int) -> Node:
    """Numbers from low to high with this many digits behind the point: as whole numbers, then the point is set."""
    unit = Decimal(10) ** places
    first, last = int((low * unit).to_integral_value(ROUND_CEILING)), int((high * unit).to_integral_value(ROUND_FLOOR))
    above = _whole(max(first, 0), last, places)
    below = _whole(max(-last, 1), -first, places)
    return alt(above, seq(literal("-"), below))


def _whole(first: int, last: int, places: int) -> Node:
    """Whole numbers from first to last, at least 0, in digits, with a point before the last `places`."""
    parts = []
    for length in range(places + 1, len(str(max(last, 0))) + places + 1):
        a = max(first, 10 ** (length - 1) if length > places + 1 else 0)  # a 0 before the point stands there alone
        b = min(last, 10**length - 1)
        if a <= b:
            edges = (str(a).zfill(length), str(b).zfill(length), "0" * length, "9" * length)
            point = [f"{edge[: length - places]}.{edge[length - places :]}" if places else edge for edge in edges]
            parts.append(between(*(edge.encode() for edge in point)))
    return alt(*parts)


def _is_type(value: Any, name: str) -> bool:
    """Whether a value belongs to a type; true and false are no numbers, 1.0 is an integer."""
    if name in ("integer", "number"):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and (name == "number" or value == int(value))
    kinds = {"object": Mapping, "array": list | tuple, "string": str, "boolean": bool, "null": type(None)}
    return isinstance(value, kinds[name])


def _same(a: Any, b: Any) -> bool:
    return json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)
