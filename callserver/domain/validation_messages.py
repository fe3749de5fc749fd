"""What is wrong with a value in a configuration file, as a sentence that says what would be right."""

import difflib
from collections.abc import Iterable
from typing import Any

from callserver.domain.document import Document

_RIGHT = {
    "tuple_type": "a list, like [a, b]",
    "model_type": "a block of keys",
    "dict_type": "a block of keys",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number, like 3.0",
    "string_type": "a text; put it in quotes",
    "date_type": "a date, like 2026-11-23",
    "date_parsing": "a date, like 2026-11-23",
    "date_from_datetime_parsing": "a date, like 2026-11-23",
    "date_from_datetime_inexact": "a date, like 2026-11-23",
}
"""Pydantic's kinds of error, as what would be right."""


def sentence(error: Any, model: type[Document]) -> str:
    """A validation error as a sentence that says what would be right."""
    loc = error["loc"]
    match error["type"]:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            known = _fields_at(model, loc[:-1])
            close = difflib.get_close_matches(str(loc[-1]), known, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"known keys: {', '.join(known)}"
            return f"is not a known key; {hint}"
        case "value_error":
            return str(error["ctx"]["error"])
        case "enum" | "literal_error":
            return f"{error['input']!r} is none of {error['ctx']['expected']}"
        case "too_short":
            return "should hold at least one"
        case kind if kind in _RIGHT:
            return f"should be {_RIGHT[kind]}, not {error['input']!r}"
        case _:
            return f"{error['msg'][0].lower()}{error['msg'][1:]}, not {error['input']!r}"


def _fields_at(model: type[Document], loc: Iterable[Any]) -> list[str]:
    """The keys that may stand at a place of a model."""
    schema = model.model_json_schema(by_alias=True)
    here: Any = schema
    for part in loc:
        here = _resolved(here, schema)
        if isinstance(part, int):
            here = here.get("items", {})
        else:
            here = here.get("properties", {}).get(part) or here.get("additionalProperties", {})
        if not isinstance(here, dict):
            return []
    return sorted(_resolved(here, schema).get("properties", {}))


def _resolved(node: Any, schema: Any) -> Any:
    if "$ref" in node:
        return schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
    for option in node.get("anyOf", ()):
        if "$ref" in option:
            return _resolved(option, schema)
    return node
