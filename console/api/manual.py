"""The OpenAPI document as the page /api shows it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Part:
    """A parameter, or a field of a body or an answer."""

    name: str
    kind: str
    needed: bool
    about: str


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    summary: str
    about: str
    scope: str
    parameters: tuple[Part, ...]
    body: str  # the name of its schema; "" for none
    answer: str

    @property
    def anchor(self) -> str:
        return f"{self.method}-{self.path.strip('/').replace('/', '-').replace('{', '').replace('}', '')}"


@dataclass(frozen=True)
class Shape:
    """A schema, with its fields or the words that it may be."""

    name: str
    about: str
    fields: tuple[Part, ...]
    words: tuple[str, ...]


@dataclass(frozen=True)
class Manual:
    about: str
    subjects: Mapping[str, tuple[Operation, ...]]
    shapes: tuple[Shape, ...]


def manual(document: Mapping[str, Any]) -> Manual:
    subjects: dict[str, list[Operation]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            subjects.setdefault(operation["tags"][0], []).append(_operation(path, method, operation))
    shapes = tuple(_shape(name, schema) for name, schema in document["components"]["schemas"].items())
    return Manual(document["info"]["description"], {tag: tuple(found) for tag, found in subjects.items()}, shapes)


def _operation(path: str, method: str, operation: _Schema) -> Operation:
    return Operation(
        method=method.upper(),
        path=path,
        summary=operation.get("summary", ""),
        about=operation.get("description", ""),
        scope=operation["x-scope"],
        parameters=tuple(_parameter(each) for each in operation.get("parameters", ())),
        body=_content(operation.get("requestBody", {})),
        answer=_content(operation["responses"]["200"]),
    )


def _parameter(one: _Schema) -> Part:
    where = {"query": "?", "path": "", "header": ":"}[one["in"]]
    name = f"{one['name']}{where}" if where == ":" else f"{where}{one['name']}"
    return Part(name, kind(one["schema"]), bool(one.get("required")), one.get("description", ""))


def _content(described: _Schema) -> str:
    for media_type, content in described.get("content", {}).items():
        return kind(content.get("schema", {})) if "json" in media_type else media_type
    return ""


def _shape(name: str, schema: _Schema) -> Shape:
    needed = set(schema.get("required", ()))
    fields = tuple(
        Part(field, kind(of), field in needed, of.get("description", ""))
        for field, of in schema.get("properties", {}).items()
    )
    return Shape(name, schema.get("description", ""), fields, tuple(map(str, schema.get("enum", ()))))


def kind(schema: _Schema) -> str:
    """In a few words: "string", "Case[]", "integer or null"."""
    return " or ".join(dict.fromkeys(_kinds(schema)))


def _kinds(schema: _Schema) -> Iterator[str]:
    if "$ref" in schema:
        yield str(schema["$ref"]).rpartition("/")[2]
    elif schema.get("type") == "array":
        yield f"{kind(schema.get('items', {}))}[]"
    elif "anyOf" in schema:
        for each in schema["anyOf"]:
            yield from _kinds(each)
    elif "enum" in schema:
        yield " | ".join(map(str, schema["enum"]))
    else:
        yield str(schema.get("format") or schema.get("type") or "anything")
