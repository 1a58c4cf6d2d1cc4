"""What a caller may do: each route needs a scope, which follows from its method where the route does not say it."""

from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import Request

from api_gateway.guards import OPEN_PATHS, SAFE_METHODS
from samplemind_tasks.access import Caller, Scope
from samplemind_tasks.errors import Forbidden

Route = TypeVar("Route", bound=Callable[..., Any])

SCHEMES = {
    "key": {"type": "http", "scheme": "bearer", "description": "A key: `Authorization: Bearer sm_...`."},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The same, for simple clients."},
}
OF_CALLERS = {
    401: "No key, or one that is wrong, revoked or expired.",
    403: "The key's scope does not reach so far.",
    429: "Too many requests; `Retry-After` says when to ask again.",
}

_said: dict[str, Scope] = {}


def needs(scope: Scope) -> Callable[[Route], Route]:
    """Say which scope a route needs, where its method alone tells wrong: `@needs(Scope.ADMIN)` below `@router.post`."""

    def note(route: Route) -> Route:
        _said[route.__name__] = scope
        return route

    return note


def needed_scope(operation: str, method: str) -> Scope:
    """The scope that a route needs, by its operation id."""
    return _said.get(operation, Scope.READ if method in SAFE_METHODS else Scope.WRITE)


async def authorised(request: Request) -> None:
    """Refuse a caller whose key does not reach so far."""
    caller: Caller | None = request.state.caller
    needed = needed_scope(request.scope["route"].name, request.method)
    if caller is not None and not caller.scope.covers(needed):
        message = f"this key's scope is {caller.scope}, and this needs {needed}"
        raise Forbidden(message, code="missing_scope", detail={"scope": caller.scope.value, "needed": needed.value})


def describe_access(document: dict[str, Any]) -> None:
    """Say in the OpenAPI document which key each operation needs, and how one without it is answered."""
    document["components"]["securitySchemes"] = SCHEMES
    problem = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if path in OPEN_PATHS:
                continue
            scope = needed_scope(operation["operationId"], method.upper())
            operation["security"] = [{scheme: [scope.value]} for scheme in SCHEMES]
            operation["description"] = f"{operation.get('description', '')}\n\nNeeds the scope `{scope}`.".lstrip()
            for status, meaning in OF_CALLERS.items():
                operation["responses"].setdefault(str(status), {"description": meaning, "content": problem})
            operation["responses"] = dict(sorted(operation["responses"].items()))
