"""JSON Schemas of the configuration files, for editors that check a file during editing.

An editor checks one file at a time and does not see what it extends. So a file that extends another, or
is meant to be extended, need not contain every key; `callserver check` checks the merged result.
"""

from typing import Any

from callserver.domain.document import Document


def schema(model: type[Document]) -> dict[str, Any]:
    """The schema of a model's files: complete ones, those that extend, and bases without a name."""
    complete = model.model_json_schema(by_alias=True)
    definitions = complete.pop("$defs", {})
    properties = {"extends": {"type": "string"}, **complete.pop("properties")}
    required = complete.pop("required", [])
    partial = {f"{name}.part": _optional(node) for name, node in definitions.items()}
    return {
        **complete,
        "properties": dict.fromkeys(properties, True),
        "if": {"required": ["name"], "not": {"required": ["extends"]}},
        "then": {"properties": properties, "required": required},
        "else": {"properties": _optional(properties)},
        "$defs": {**definitions, **partial},
    }


def _optional(node: Any) -> Any:
    """The same schema with nothing required, at every level."""
    if isinstance(node, list):
        return [_optional(item) for item in node]
    if not isinstance(node, dict):
        return node
    optional = {key: _optional(value) for key, value in node.items() if key != "required"}
    if "$ref" in optional:
        optional["$ref"] += ".part"
    return optional
