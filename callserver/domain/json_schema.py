"""JSON Schemas of the configuration files, for editors that check while one types.

An editor sees one file at a time: what a file extends it cannot see. So a file that extends another,
or is there to be extended, need not hold every key; `callserver check` knows the whole.
"""

from typing import Any

from callserver.domain.document import Document


def schema(model: type[Document]) -> dict[str, Any]:
    """The schema of a model's files: whole ones, those that extend, and bases without a name."""
    whole = model.model_json_schema(by_alias=True)
    kinds = whole.pop("$defs", {})
    properties = {"extends": {"type": "string"}, **whole.pop("properties")}
    required = whole.pop("required", [])
    part = {f"{name}.part": _loosened(kind) for name, kind in kinds.items()}
    return {
        **whole,
        "properties": dict.fromkeys(properties, True),
        "if": {"required": ["name"], "not": {"required": ["extends"]}},
        "then": {"properties": properties, "required": required},
        "else": {"properties": _loosened(properties)},
        "$defs": {**kinds, **part},
    }


def _loosened(node: Any) -> Any:
    """The same with nothing required, all the way down."""
    if isinstance(node, list):
        return [_loosened(one) for one in node]
    if not isinstance(node, dict):
        return node
    found = {key: _loosened(value) for key, value in node.items() if key != "required"}
    if "$ref" in found:
        found["$ref"] += ".part"
    return found
