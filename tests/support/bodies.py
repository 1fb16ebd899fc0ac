"""Makes a body that an operation's description takes, with one id in every place that takes an id."""

from __future__ import annotations

from typing import Any
from uuid import UUID

JSON = "application/json"
PLACES = {"provider": "quickbooks_online", "number": "1"}
TEXTS = {"date-time": "2026-03-01T00:00:00Z", "date": "2026-03-01", "uri": "https://hook.example/ours"}


def body_naming(document: dict[str, Any], operation: dict[str, Any], one: UUID) -> Any:
    """Return what the operation requires, and every field besides that takes an id, all of them this one; None without a body."""
    content = operation.get("requestBody", {}).get("content", {})
    return _value(document, content[JSON]["schema"], str(one)) if JSON in content else None


def place_naming(document: dict[str, Any], path: str, operation: dict[str, Any], one: UUID) -> str:
    """Return the path with this id, and otherwise with values that the description takes."""
    for each in operation.get("parameters", []):
        if each["in"] == "path":
            value = _value(document, each["schema"], str(one))
            path = path.replace(f"{{{each['name']}}}", PLACES.get(each["name"], str(value)))
    return path


def query_naming(document: dict[str, Any], operation: dict[str, Any], one: UUID) -> dict[str, str]:
    """Return the parameters that the operation requires, and those that take an id, all of them this one."""
    return {
        each["name"]: str(_value(document, each["schema"], str(one)))
        for each in operation.get("parameters", [])
        if each["in"] == "query" and (each.get("required") or _takes_ids(document, each["schema"], deep=2))
    }


def _value(document: dict[str, Any], schema: dict[str, Any], one: str) -> Any:
    schema = _resolved(document, schema)
    if "const" in schema or "enum" in schema:
        return schema["const"] if "const" in schema else schema["enum"][0]
    match schema.get("type"):
        case "object":
            required = set(schema.get("required", ()))
            fields = schema.get("properties", {})
            wanted = {
                name: each
                for name, each in fields.items()
                if name in required or _takes_ids(document, each, deep=4)
            }
            return {name: _value(document, each, one) for name, each in wanted.items()}
        case "array":
            return [_value(document, schema["items"], one)] if schema.get("items") else []
        case "string":
            return _text(schema, one)
        case "integer" | "number":
            return schema.get("minimum", schema.get("exclusiveMinimum", 0))
        case "boolean":
            return False
        case _:
            return None


def _text(schema: dict[str, Any], one: str) -> str:
    if schema.get("format") == "uuid":
        return one
    if schema.get("examples"):
        return str(schema["examples"][0])
    text = TEXTS.get(schema.get("format", ""), "03-300")
    return text.ljust(schema.get("minLength", 0), "x")


def _resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    while True:
        if "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        elif branches := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
            schema = next(
                (each for each in branches if _resolved(document, each).get("type") != "null"), branches[0]
            )
        else:
            return schema


def _takes_ids(document: dict[str, Any], schema: dict[str, Any], *, deep: int) -> bool:
    schema = _resolved(document, schema)
    if schema.get("format") == "uuid" or deep == 0:
        return schema.get("format") == "uuid"
    parts = [*schema.get("properties", {}).values(), *([schema["items"]] if schema.get("items") else [])]
    return any(_takes_ids(document, each, deep=deep - 1) for each in parts)
