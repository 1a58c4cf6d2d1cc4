"""Nobody reaches what is another's: every route is asked, and this fails until it is told how to ask a new one."""

import json
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from api_gateway.app import create_app
from samplemind_tasks.access import Scope
from samplemind_tasks.errors import FailureCode
from samplemind_tasks.schemas import Failure
from samplemind_tasks.settings import Settings
from samplemind_tasks.store.failures import Failures

from .keyed import bearing, make_key
from .world import World

Serve = Callable[[Settings], AbstractContextManager[httpx.Client]]

SECRET = "adas-secret"
"""In the name of whatever is ada's."""

# What a route is asked with. {sample_id} and the like stand for ids of ada's; a body is JSON where it is no text.
ASKED: dict[str, dict[str, Any]] = {
    "submit_job": {"json": {"uploads": ["{upload_id}"]}},
    "retry_failures": {"json": {"places": ["{place_id}"]}},
    "upload_sound": {"params": {"name": "bob.wav"}, "content": b"the sound of bob"},
    "change_sample": {"json": {"favourite": True}},
    "edit_samples": {"json": {"ids": ["{sample_id}"], "change": {"favourite": True}}},
    "reprocess_samples": {"json": {"stage": "analyze", "which": "all", "ids": ["{sample_id}"]}},
    "search": {"json": {"like": ["{sample_id}"]}},
    "create_collection": {"json": {"name": "of {sample_id}", "samples": ["{sample_id}"]}},
    "rename_collection": {"json": {"name": "mine now"}},
    "change_members": {"json": {"add": ["{sample_id}"]}},
    "save_search": {"json": {"name": "like {sample_id}", "query": {"like": ["{sample_id}"]}}},
    "change_search": {"json": {"name": "mine now"}},
    "teach": {"json": {"path": "{folder}/nothing here"}},
    "list_samples": {"params": {"path": "{folder}", "collection": "{collection_id}"}},
    "export_samples": {"params": {"path": "{folder}", "collection": "{collection_id}"}},
    "look_up": {"params": {"text": SECRET}},
}
OF_NOBODY = {
    "get_live": "says nothing",
    "get_ready": "the machine's, not a library's",
    "get_metrics": "the machine's, not a library's",
    "list_queues": "the machine's, not a library's",
    "pause_queue": "for admins only",
    "resume_queue": "for admins only",
    "create_key": "for admins only",
    "list_keys": "for admins only",
    "revoke_key": "for admins only",
}
FOR_ADMINS = {operation for operation, why in OF_NOBODY.items() if why == "for admins only"}
READ_BY_POST = {"search"}
"""Unsafe by their method, and still only looked with."""
FOR_ALL = {"/v1/health/live", "/", "/docs", "/openapi.json"}
HIDDEN = {("GET", "/"), ("GET", "/docs"), ("GET", "/openapi.json"), ("HEAD", "/v1/samples/{sample_id}/audio")}
"""Routes that the OpenAPI document leaves out."""
STREAMS = {"all_events"}
NAMES_NOTHING = {
    "after", "category", "code", "cursor", "detail", "favourite", "features", "format", "key", "key_compatible", "kind",
    "brightness_max", "brightness_min", "duration_max", "duration_min", "loudness_max", "loudness_min", "word",
    "limit", "name", "query", "state", "tag", "tempo_max", "tempo_min", "tempo_octaves", "vectors",
}  # fmt: skip
"""Query parameters that cannot name what is somebody's."""


@dataclass(frozen=True)
class Operation:
    """One route, as a client sees it."""

    method: str
    path: str
    name: str
    has_body: bool = False
    parameters: frozenset[str] = frozenset()

    @property
    def is_unsafe(self) -> bool:
        return self.method not in ("GET", "HEAD") and self.name not in READ_BY_POST


@dataclass
class Stock:
    """Ids of ada's, and for each one that nobody has."""

    of_ada: dict[str, str]
    of_nobody: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.of_nobody = {
            name: secrets.token_hex(len(value) // 2) if re.fullmatch("[0-9a-f]+", value) else value
            for name, value in self.of_ada.items()
        }


def operations() -> list[Operation]:
    """Every route there is; those that OpenAPI does not show are listed by hand, and compared."""
    app = create_app(Settings())
    found = [
        Operation(
            method.upper(),
            path,
            told["operationId"],
            "requestBody" in told,
            frozenset(row["name"] for row in told.get("parameters", []) if row["in"] == "query"),
        )
        for path, item in app.openapi()["paths"].items()
        for method, told in item.items()
    ]
    routes = [
        route
        for each in app.routes
        for route in (each.effective_route_contexts() if hasattr(each, "effective_route_contexts") else [each])
    ]
    there = {(method, route.path_format) for route in routes for method in route.methods or ()}
    there -= {("HEAD", path) for method, path in there if method == "GET"} - HIDDEN  # the framework's own
    assert {(each.method, each.path) for each in found} | HIDDEN == there
    return [*found, Operation("HEAD", "/v1/samples/{sample_id}/audio", "head_audio")]


OPERATIONS = operations()


def filled(value: Any, ids: dict[str, str]) -> Any:
    """A request with its placeholders replaced."""
    if isinstance(value, str):
        return re.sub(r"\{(\w+)\}", lambda found: ids[found[1]], value)
    if isinstance(value, dict):
        return {name: filled(part, ids) for name, part in value.items()}
    return [filled(part, ids) for part in value] if isinstance(value, list) else value


def ask(client: httpx.Client, operation: Operation, ids: dict[str, str]) -> tuple[int, str]:
    """Status and text of an answer; of a stream, its beginning."""
    request = dict(ASKED.get(operation.name, {}))
    if "params" in request:  # a filter is asked of every list that has it
        request["params"] = {name: value for name, value in request["params"].items() if name in operation.parameters}
    request = filled(request, ids)
    with client.stream(operation.method, filled(operation.path, ids), **request) as answer:
        if operation.name in STREAMS and answer.is_success:
            return answer.status_code, next(answer.iter_text())
        return answer.status_code, answer.read().decode(errors="replace")


@pytest.fixture
def keyed(world: World) -> Settings:
    """Settings of a gateway that asks everybody for a key."""
    return world.settings.model_copy(update={"keys": "always"})


@pytest.fixture
def gateway(serve: Serve, keyed: Settings) -> Iterator[httpx.Client]:
    make_key(keyed, "operator", Scope.ADMIN)  # without any key it would not start
    with serve(keyed) as client:
        yield client


@pytest.fixture
def stock(world: World, gateway: httpx.Client, keyed: Settings) -> Stock:
    """One of everything that can belong to somebody, of ada's, made through the doors where there are some."""
    sample = world.sample(f"{SECRET}.wav", user="ada", vector=[1.0], tags={SECRET: 0.9})
    job = world.job(user="ada", path=f"/{SECRET}")
    place = "a" * 24
    failure = Failure(place=place, path=f"/{SECRET}/broken.wav", code=FailureCode.EMPTY, message="no audio in it")
    Failures(world.db).record(job, "ada", "chunk", [failure])
    ada = bearing(make_key(keyed, "ada"))

    def made(path: str, **request: Any) -> str:
        answer = gateway.post(path, headers=ada, **request)
        assert answer.is_success, answer.text
        return str(answer.json()["id"])

    return Stock(
        {
            "sample_id": sample,
            "job_id": job,
            "place_id": place,
            "upload_id": made("/v1/uploads", params={"name": f"{SECRET}.wav"}, content=b"the upload of ada"),
            "collection_id": made("/v1/collections", json={"name": SECRET, "samples": [sample]}),
            "search_id": made("/v1/searches", json={"name": SECRET, "query": {"text": SECRET, "like": [sample]}}),
            "queue": "cpu",
            "key_id": make_key(keyed, "ada").id,
            "folder": str(world.folder),
        }
    )


def of_ada(world: World) -> dict[str, list[str]]:
    """Every document that is hers, as text. Keys tell when they were last used."""
    names = set(world.db.list_collection_names()) - {"keys"}
    rows = {name: [str(row) for row in world.db[name].find({})] for name in names}
    return {name: sorted(row for row in found if "'ada'" in row or SECRET in row) for name, found in rows.items()}


def test_nothing_of_another_user_is_seen_or_changed(
    world: World, gateway: httpx.Client, keyed: Settings, stock: Stock
) -> None:
    before = of_ada(world)
    assert {"audio_files", "places", "jobs", "failures"} <= {name for name, rows in before.items() if rows}
    gateway.headers.update(bearing(make_key(keyed, "bob")))
    known = set(stock.of_ada)
    for operation in OPERATIONS:
        if operation.name in OF_NOBODY:
            continue
        about = set(re.findall(r"\{(\w+)\}", operation.path + json.dumps(ASKED.get(operation.name, {}), default=str)))
        assert about <= known, f"{operation}: make one of ada's in stock()"
        request = ASKED.get(operation.name, {})
        assert request.keys() - {"params"} or not operation.has_body, f"{operation}: say in ASKED what its body is"
        new = operation.parameters - NAMES_NOTHING - request.get("params", {}).keys()
        assert not new, f"{operation}: say in ASKED what {sorted(new)} may be, or that they name nothing of anybody's"
        status, text = ask(gateway, operation, stock.of_ada)
        other_status, other_text = ask(gateway, operation, stock.of_nobody)
        assert status < 500, f"{operation}: {text}"
        assert status != 422 or "there is no" in text, f"{operation} does not understand what it is asked: {text}"
        assert SECRET not in text, f"{operation} shows what is ada's: {text}"
        if about - {"folder"}:
            for name in about:
                text = text.replace(stock.of_ada[name], name)
                other_text = other_text.replace(stock.of_nobody[name], name)
            assert status == other_status, f"{operation} tells which ids there are"
            assert status < 400 or text == other_text, f"{operation} tells which ids there are"  # what is made is new
        if "{" in operation.path:
            assert status == 404, f"{operation} answers {status}: {text}"
    assert of_ada(world) == before


def test_the_owner_is_let_in_where_others_are_not(gateway: httpx.Client, keyed: Settings, stock: Stock) -> None:
    gateway.headers.update(bearing(make_key(keyed, "ada")))
    for path in ("/v1/samples/{sample_id}", "/v1/jobs/{job_id}", "/v1/samples/{sample_id}/audio", "/v1/samples"):
        assert gateway.get(filled(path, stock.of_ada)).status_code == 200
    assert gateway.post("/v1/jobs", json=filled({"uploads": ["{upload_id}"]}, stock.of_ada)).status_code == 202


@pytest.mark.parametrize("sent", [{}, bearing(f"sm_{'0' * 12}_{'0' * 48}"), bearing("nonsense"), {"X-API-Key": "x"}])
def test_without_a_right_key_every_door_is_shut(gateway: httpx.Client, stock: Stock, sent: dict[str, str]) -> None:
    gateway.headers.update(sent)
    answers = set()
    for operation in OPERATIONS:
        path = filled(operation.path, stock.of_ada)
        answer = gateway.request(operation.method, path)
        if operation.path in FOR_ALL:
            assert answer.is_success, operation
        elif answer.status_code != 429:  # too many wrong ones
            assert answer.status_code == 401, operation
            assert answer.headers["WWW-Authenticate"].startswith("Bearer"), operation
            answers.add(answer.text)
    assert len(answers - {""}) == 1  # HEAD has no body
    assert gateway.get("/v1/no/such/route").status_code in (401, 429)
    assert SECRET not in gateway.get("/docs").text


def test_a_key_reaches_as_far_as_its_scope(gateway: httpx.Client, keyed: Settings, stock: Stock) -> None:
    reads, writes = (bearing(make_key(keyed, "bob", scope)) for scope in (Scope.READ, Scope.WRITE))
    for operation in OPERATIONS:
        path = filled(operation.path, stock.of_nobody)
        if operation.is_unsafe or operation.name in FOR_ADMINS:
            answer = gateway.request(operation.method, path, headers=reads)
            assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope"), operation
        if operation.name in FOR_ADMINS:
            answer = gateway.request(operation.method, path, headers=writes)
            assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope"), operation
    for operation in OPERATIONS:
        if not operation.is_unsafe and operation.name not in FOR_ADMINS | STREAMS:
            answer = gateway.request(operation.method, filled(operation.path, stock.of_nobody), headers=reads)
            assert answer.status_code != 403, operation


def test_the_document_says_what_each_operation_needs(gateway: httpx.Client) -> None:
    document = gateway.get("/openapi.json").json()
    assert set(document["components"]["securitySchemes"]) == {"key", "header"}
    for path, item in document["paths"].items():
        for method, told in item.items():
            if path in FOR_ALL:
                assert "security" not in told
                continue
            operation = Operation(method.upper(), path, told["operationId"])
            needed = "admin" if operation.name in FOR_ADMINS else "write" if operation.is_unsafe else "read"
            assert told["security"] == [{"key": [needed]}, {"header": [needed]}], operation
            assert {"401", "403", "429"} <= set(told["responses"]), operation
