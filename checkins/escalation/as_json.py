"""Frozen values to JSON and back, strictly; what is wrong is named by its place."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Mapping
from functools import cache
from typing import Any, TypeVar, cast

from pydantic import ConfigDict, TypeAdapter, ValidationError

STRICT = ConfigDict(extra="forbid", strict=True)

_T = TypeVar("_T")


def dump(value: object) -> dict[str, Any]:
    """Only what JSON knows; moments as ISO 8601 in UTC."""
    kind: Any = type(value)
    return cast("dict[str, Any]", _adapter(kind).dump_python(value, mode="json"))


def load(kind: Callable[..., _T], value: Mapping[str, Any], what: str) -> _T:
    """ValueError "WHAT: unreached.steps.0.calls: input should be …": unknown entries and wrong types, too."""
    try:
        return cast("_T", _adapter(kind).validate_json(json.dumps(value)))
    except ValidationError as fault:
        raise ValueError(_sentence(what, fault)) from None


@cache
def _adapter(kind: Hashable) -> TypeAdapter[Any]:
    return TypeAdapter(cast("Any", kind))


def _sentence(what: str, fault: ValidationError) -> str:
    first = fault.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "unexpected_keyword_argument":
        return f"{what}: unknown entry {where!r}"
    cause = str(first.get("ctx", {}).get("error", first["msg"]))
    return f"{what}: {where}: {cause}" if where else f"{what}: {cause}"
