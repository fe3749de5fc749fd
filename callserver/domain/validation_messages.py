"""Turns pydantic's validation errors into sentences that say what would be right."""

import difflib
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel

from callserver.texts import InvalidInput, Sentence

_KINDS = {
    "tuple_type": "list",
    "list_type": "list",
    "model_type": "block",
    "model_attributes_type": "block",
    "dict_type": "block",
    "bool_type": "bool",
    "bool_parsing": "bool",
    "int_type": "int",
    "int_parsing": "int",
    "int_from_float": "int",
    "float_type": "float",
    "float_parsing": "float",
    "string_type": "text",
    "date_type": "date",
    "date_parsing": "date",
    "date_from_datetime_parsing": "date",
    "date_from_datetime_inexact": "date",
    "string_pattern_mismatch": "form",
    "json_invalid": "json",
}
"""Pydantic's kinds of error -> the key of the sentence that says what would be right."""

_LIMITS = {
    "greater_than_equal": ("at_least", "ge"),
    "less_than_equal": ("at_most", "le"),
    "greater_than": ("more_than", "gt"),
    "less_than": ("less_than", "lt"),
}
_SIZES = {
    "string_too_short": ("characters_least", "min_length"),
    "string_too_long": ("characters_most", "max_length"),
    "too_long": ("items_most", "max_length"),
}


def sentence(error: Any, model: type[BaseModel] | None = None) -> Sentence:
    """A validation error as a sentence that says what would be right."""
    kind, context = error["type"], error.get("ctx", {})
    value = repr(error["input"]) if "input" in error else "…"
    match kind:
        case "missing":
            return InvalidInput("missing").sentence
        case "extra_forbidden":
            if model is None:
                return InvalidInput("extra_key").sentence
            known = _fields_at(model, error["loc"][:-1])
            close = difflib.get_close_matches(str(error["loc"][-1]), known, 1)
            if close:
                return InvalidInput("close_key", close=repr(close[0])).sentence
            return InvalidInput("unknown_key", known=", ".join(known)).sentence
        case "value_error" if isinstance(context["error"], InvalidInput):
            return context["error"].sentence
        case "enum" | "literal_error":
            expected = context["expected"].replace(" or ", ", ")
            return InvalidInput("choice", value=value, expected=expected).sentence
        case "too_short":
            return InvalidInput("at_least_one").sentence
        case _ if kind in _LIMITS:
            key, limit = _LIMITS[kind]
            return InvalidInput(key, limit=context[limit], value=value).sentence
        case _ if kind in _SIZES:
            key, limit = _SIZES[kind]
            return InvalidInput(key, limit=context[limit]).sentence
        case _:
            return InvalidInput(_KINDS.get(kind, "value"), value=value).sentence


def _fields_at(model: type[BaseModel], loc: Iterable[Any]) -> list[str]:
    """The keys that are allowed at a place in a model."""
    schema = model.model_json_schema(by_alias=True)
    node: Any = schema
    for part in loc:
        node = _resolved(node, schema)
        if isinstance(part, int):
            node = node.get("items", {})
        else:
            node = node.get("properties", {}).get(part) or node.get("additionalProperties", {})
        if not isinstance(node, dict):
            return []
    return sorted(_resolved(node, schema).get("properties", {}))


def _resolved(node: Any, schema: Any) -> Any:
    if "$ref" in node:
        return schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
    for option in node.get("anyOf", ()):
        if "$ref" in option:
            return _resolved(option, schema)
    return node
