"""The API's OpenAPI document, generated from the endpoints."""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from callserver.console.endpoint import Access, Endpoint
from callserver.console.problems import Problem
from callserver.domain.role import Action

_REFS = "#/components/schemas/{model}"
_DESCRIPTIONS = {
    HTTPStatus.UNAUTHORIZED: "nobody is signed in",
    HTTPStatus.FORBIDDEN: "not allowed",
    HTTPStatus.NOT_FOUND: "not found",
    HTTPStatus.CONFLICT: "not possible now; the gate's reasons where it refused",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "the body is too large",
    HTTPStatus.UNPROCESSABLE_ENTITY: "the request is invalid; names the fields",
    HTTPStatus.TOO_MANY_REQUESTS: "too many requests; see Retry-After",
}

_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "the same key and body again, within a day: nothing new is made",
    "schema": {"type": "string"},
}


def document(endpoints: Sequence[Endpoint], version: str) -> dict[str, Any]:
    """The document (OpenAPI 3.1)."""
    models: set[type[BaseModel]] = {Problem}
    for endpoint in endpoints:
        models.update(model for model in (endpoint.body, endpoint.answer) if model is not None)
    ordered = sorted(models, key=lambda model: model.__name__)
    modes: list[Any] = [
        (
            model,
            "validation"
            if any(endpoint.body is model for endpoint in endpoints)
            else "serialization",
        )
        for model in ordered
    ]
    refs, schemas = models_json_schema(modes, ref_template=_REFS)
    named: dict[Any, Any] = {model: ref for (model, _), ref in refs.items()}
    paths: dict[str, Any] = {}
    for endpoint in endpoints:
        paths.setdefault(f"/api/v1{endpoint.path}", {})[endpoint.method.lower()] = _operation(
            endpoint, named
        )
    return {
        "openapi": "3.1.0",
        "info": {"title": "callserver", "version": version},
        "paths": paths,
        "components": {
            "schemas": schemas.get("$defs", {}),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "session"},
            },
        },
        "security": [{"token": []}, {"session": []}],
    }


def _operation(endpoint: Endpoint, named: dict[Any, Any]) -> dict[str, Any]:
    name = re.sub(r"\W+", "_", f"{endpoint.method.lower()}{endpoint.path}").strip("_")
    operation: dict[str, Any] = {"operationId": name, "summary": endpoint.summary}
    if isinstance(endpoint.needs, Action):
        operation["description"] = f"Needs `{endpoint.needs.value}`."
    if endpoint.needs is Access.OPEN:
        operation["security"] = []
    parameters: list[dict[str, Any]] = [
        {"name": part, "in": "path", "required": True, "schema": _schema(kind)}
        for part, kind in endpoint.in_path.items()
    ]
    if endpoint.query is not None:
        parameters += _in_query(endpoint.query)
    if endpoint.makes:
        parameters.append(_KEY)
    if parameters:
        operation["parameters"] = parameters
    if endpoint.body is not None:
        content = {"application/json": {"schema": named[endpoint.body]}}
        operation["requestBody"] = {"required": True, "content": content}
    answer: dict[str, Any] = {"description": "done"}
    if endpoint.answer is not None:
        answer["content"] = {"application/json": {"schema": named[endpoint.answer]}}
    problem = {"application/problem+json": {"schema": named[Problem]}}
    operation["responses"] = {"200": answer} | {
        str(status.value): {"description": description, "content": problem}
        for status, description in _DESCRIPTIONS.items()
    }
    return operation


def _schema(kind: type) -> dict[str, Any]:
    if kind is int:
        return {"type": "integer", "minimum": 0}
    return {"type": "string", "minLength": 1}


def _in_query(model: type[BaseModel]) -> list[dict[str, Any]]:
    schema = model.model_json_schema()
    required = schema.get("required", [])
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "schema": _inlined(property_schema, schema),
        }
        for name, property_schema in schema["properties"].items()
    ]


def _inlined(node: Any, schema: dict[str, Any]) -> Any:
    """A query's schema without references: parameters are not part of the components."""
    if isinstance(node, dict):
        if "$ref" in node:
            return _inlined(schema["$defs"][node["$ref"].rsplit("/", 1)[1]], schema)
        return {key: _inlined(value, schema) for key, value in node.items()}
    return [_inlined(item, schema) for item in node] if isinstance(node, list) else node
