"""The OpenAPI document: what the routes say of themselves, with what the gate answers before any of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi.openapi.utils import get_openapi
from starlette.routing import BaseRoute

from console.api.problems import MEDIA_TYPE, Problem
from console.scopes import SCOPES

VERSION = "1.0"
ABOUT = """The acts of the console's pages for other programs of a street office. A token (`Authorization: Bearer
wenan_…`) is made by a supervisor on the page /tokens; each operation names the scope that it needs. Everything that is
done stands in the logs under the token's name. Names, numbers and homes are told only of elders who have agreed that
the street office knows of them."""
_READS = {401, 403, 422, 429, 503}
_ACTS = _READS | {400, 404, 408, 409, 413, 415}
_WORDS = {
    400: "the body is no JSON",
    401: "no token, or one that is revoked or has expired",
    403: "the token lacks the scope",
    404: "there is no such thing",
    408: "the body did not come in time",
    409: "somebody was faster, or it has changed since it was read",
    413: "too long, or without a length",
    415: "no application/json",
    422: "what is asked for is wrong, or can't be done",
    429: "too many requests; `Retry-After` says when again",
    503: "the database can't be used now",
}


def document(routes: Sequence[BaseRoute]) -> dict[str, Any]:
    made: dict[str, Any] = get_openapi(title="问安 Wen'an", version=VERSION, description=ABOUT, routes=routes)
    made["servers"] = [{"url": "/"}]
    components = made.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for ours in ("HTTPValidationError", "ValidationError"):
        schemas.pop(ours, None)
    schemas["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "wenan_…"}}
    for path, operations in made["paths"].items():
        for method, operation in operations.items():
            _complete(operation, method.upper(), path)
    return made


def _complete(operation: dict[str, Any], method: str, path: str) -> None:
    scope = str(SCOPES[f"{method} {path}"])
    operation["security"] = [{"token": []}]
    operation["x-scope"] = scope
    operation["description"] = " ".join(filter(None, (operation.get("description"), f"Scope: `{scope}`.")))
    statuses = _READS if method == "GET" else _ACTS
    statuses = statuses | {404} if "{" in path else statuses
    for status in sorted(statuses):
        operation["responses"][str(status)] = {
            "description": _WORDS[status],
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
