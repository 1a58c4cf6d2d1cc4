"""The OpenAPI document: what FastAPI makes of the routes, with examples, and with the bodies routes read themselves."""

from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic.json_schema import models_json_schema

from api_gateway.examples import EXAMPLES
from api_gateway.guards import OF_BODIES
from api_gateway.scopes import describe_access
from samplemind_tasks.exports import ExportedSample
from samplemind_tasks.news import LibraryNews, SamplesNews, StoreNews
from samplemind_tasks.queries import SearchQuery

REFERENCE = "#/components/schemas/{model}"
READ_BY_ROUTES = (SearchQuery, ExportedSample, SamplesNews, LibraryNews, StoreNews)
"""Bodies FastAPI does not see, because their route takes or answers other content types too."""


def operation_id(route: APIRoute) -> str:
    """The function's name, so that generated clients read well."""
    return route.name


def complete_document(app: FastAPI) -> None:
    """Put an example beside every answer, and every schema among the components that something refers to."""
    plain = app.openapi

    def complete() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = plain()
            _add_examples(document)
            _describe_bodies(document)
            describe_access(document)
            _, schemas = models_json_schema([(model, "validation") for model in READ_BY_ROUTES], ref_template=REFERENCE)
            document["components"]["schemas"] = schemas["$defs"] | document["components"]["schemas"]
        return plain()

    app.openapi = complete  # type: ignore[method-assign]  # as FastAPI's manual extends the document


def _describe_bodies(document: dict[str, Any]) -> None:
    problem = {"application/json": {"schema": {"$ref": REFERENCE.format(model="Problem")}}}
    for item in document["paths"].values():
        for operation in item.values():
            for status, meaning in OF_BODIES.items() if "requestBody" in operation else ():
                operation["responses"].setdefault(str(status), {"description": meaning, "content": problem})


def _add_examples(document: dict[str, Any]) -> None:
    for item in document["paths"].values():
        for operation in item.values():
            example = EXAMPLES.get(operation["operationId"])
            if example is not None:
                done = next(answer for status, answer in operation["responses"].items() if status.startswith("2"))
                done["content"]["application/json"]["example"] = example.model_dump(mode="json")
