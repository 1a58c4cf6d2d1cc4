"""Keys: made once, revoked for good, honoured everywhere, and asked for wherever others could reach."""

import asyncio
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

import httpx
import psutil
import pytest
import structlog
import uvicorn
from fastapi import FastAPI
from starlette.datastructures import Headers

from api_gateway import callers
from api_gateway.app import create_app
from api_gateway.callers import WRONG_KEYS_PER_MINUTE, sent_key
from api_gateway.guards import asks_for_key
from api_gateway.pace import Pace, neighbourhood
from api_gateway.routes import events
from samplemind_tasks.access import Scope, is_loopback
from samplemind_tasks.errors import SampleMindError
from samplemind_tasks.launch import NoKeys
from samplemind_tasks.launch.ready import require_a_key
from samplemind_tasks.library import keys
from samplemind_tasks.settings import Settings

from .keyed import bearing, make_key
from .world import World, eventually

Serve = Callable[[Settings], AbstractContextManager[httpx.Client]]


@pytest.fixture
def keyed(world: World) -> Settings:
    return world.settings.model_copy(update={"keys": "always"})


@pytest.fixture
def admin(serve: Serve, keyed: Settings) -> Iterator[httpx.Client]:
    """A client of a gateway that asks for keys, with an admin's."""
    key = make_key(keyed, "operator", Scope.ADMIN)
    with serve(keyed) as client:
        client.headers.update(bearing(key))
        yield client


# --------------------------------------------------------------------------------------------------- a key's own life


def test_a_key_is_shown_once_and_kept_as_a_hash(admin: httpx.Client, world: World) -> None:
    answer = admin.post("/v1/keys", json={"user": "ada", "scope": "read", "name": "laptop"})
    assert answer.status_code == 201
    made = answer.json()
    assert re.fullmatch(r"sm_[0-9a-f]{12}_[0-9a-f]{48}", made["key"])
    assert made["id"] == made["key"].split("_")[1]
    listed = admin.get("/v1/keys").json()["keys"]
    assert listed[0] == {name: value for name, value in made.items() if name != "key"}
    secret = made["key"].split("_")[2]
    assert secret not in admin.get("/v1/keys").text
    assert all(secret not in str(row) for name in world.db.list_collection_names() for row in world.db[name].find({}))


def test_a_revoked_key_opens_nothing_from_then_on(admin: httpx.Client, keyed: Settings) -> None:
    key = make_key(keyed)
    assert admin.get("/v1/samples", headers=bearing(key)).status_code == 200
    assert admin.delete(f"/v1/keys/{key.id}").status_code == 204
    answer = admin.get("/v1/samples", headers=bearing(key))
    assert (answer.status_code, answer.json()["code"]) == (401, "wrong_key")
    assert admin.delete(f"/v1/keys/{key.id}").status_code == 204
    assert next(row for row in admin.get("/v1/keys").json()["keys"] if row["id"] == key.id)["revoked_at"]
    assert admin.delete(f"/v1/keys/{'0' * 12}").json()["code"] == "key_not_found"


def test_a_key_revoked_elsewhere_is_believed_for_some_seconds_only(
    admin: httpx.Client, keyed: Settings, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = make_key(keyed)
    monkeypatch.setattr(keys, "BELIEVED_S", 0.3)
    assert admin.get("/v1/samples", headers=bearing(key)).status_code == 200
    world.db.keys.update_one({"_id": key.id}, {"$set": {"revoked_at": datetime.now(UTC)}})
    assert eventually(lambda: admin.get("/v1/samples", headers=bearing(key)).status_code == 401, within_s=3)


def test_all_that_is_wrong_with_a_key_looks_the_same(admin: httpx.Client, keyed: Settings, world: World) -> None:
    right, revoked, expired = (make_key(keyed) for _ in range(3))
    admin.delete(f"/v1/keys/{revoked.id}")
    past = datetime.now(UTC) - timedelta(days=1)
    world.db.keys.update_one({"_id": expired.id}, {"$set": {"expires_at": past}})
    another_secret = f"sm_{right.id}_{'0' * 48}"
    wrong = [revoked.key, expired.key, another_secret, f"sm_{'0' * 12}_{'0' * 48}", right.key.upper(), "x" * 5000]
    answers = [admin.get("/v1/samples", headers=bearing(key)) for key in wrong]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    assert len({answer.headers["WWW-Authenticate"] for answer in answers}) == 1
    assert admin.get("/v1/samples", headers=bearing(right)).status_code == 200


def test_an_open_stream_ends_with_its_key(
    admin: httpx.Client, keyed: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callers, "BELIEVED_S", 0.1)
    monkeypatch.setattr(events, "PING_S", 0.2)
    key = make_key(keyed)
    with admin.stream("GET", "/v1/events", headers=bearing(key), timeout=10) as answer:
        pieces = answer.iter_text()
        assert "event" in next(pieces) + next(pieces)
        admin.delete(f"/v1/keys/{key.id}")
        with pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"):
            read_for(pieces, 10)


def read_for(pieces: Iterator[str], most_s: float) -> None:
    """Read to the end, which must come in time."""
    deadline = time.monotonic() + most_s
    for _ in pieces:
        assert time.monotonic() < deadline, "it goes on"


def test_an_expired_key_is_refused_at_that_moment(admin: httpx.Client, keyed: Settings) -> None:
    key = make_key(keyed, expires_at=datetime.now(UTC) + timedelta(seconds=1.5))
    assert admin.get("/v1/samples", headers=bearing(key)).status_code == 200
    assert eventually(lambda: admin.get("/v1/samples", headers=bearing(key)).status_code == 401, within_s=3)
    past = {"user": "ada", "name": "x", "expires_at": "2020-01-01T00:00:00Z"}
    answer = admin.post("/v1/keys", json=past)
    assert (answer.status_code, answer.json()["detail"]["fields"][0]["field"]) == (422, "expires_at")


def test_last_use_is_noted_once_a_minute(admin: httpx.Client, keyed: Settings, world: World) -> None:
    key = make_key(keyed)

    def used() -> datetime | None:
        row = world.db.keys.find_one({"_id": key.id})
        assert row is not None
        found: datetime | None = row["last_used_at"]
        return found

    assert used() is None
    admin.get("/v1/samples", headers=bearing(key))
    assert eventually(lambda: used() is not None)
    world.db.keys.update_one({"_id": key.id}, {"$set": {"last_used_at": datetime.now(UTC) - timedelta(minutes=2)}})
    earlier = used()
    for _ in range(3):
        admin.get("/v1/samples", headers=bearing(key))
    assert used() == earlier  # it is believed, so nobody looked


@pytest.mark.parametrize("user", ["", "Ada", "-ada", "ada ", "a/b", "a" * 33, "ada\n", "..", "$ne"])
def test_a_user_has_a_plain_name(admin: httpx.Client, user: str) -> None:
    answer = admin.post("/v1/keys", json={"user": user, "name": "x"})
    assert (answer.status_code, answer.json()["detail"]["fields"][0]["field"]) == (422, "user")


def test_keys_are_bounded_and_those_that_ended_are_forgotten(
    admin: httpx.Client, keyed: Settings, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, recent = make_key(keyed), make_key(keyed)
    for key, days in ((old, 91), (recent, 1)):
        ended = datetime.now(UTC) - timedelta(days=days)
        world.db.keys.update_one({"_id": key.id}, {"$set": {"revoked_at": ended}})
    monkeypatch.setattr(keys, "MOST_KEYS", 2)
    assert admin.post("/v1/keys", json={"user": "ada", "name": "second"}).status_code == 201
    answer = admin.post("/v1/keys", json={"user": "ada", "name": "third"})
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_keys")
    listed = {row["id"] for row in admin.get("/v1/keys").json()["keys"]}
    assert recent.id in listed
    assert old.id not in listed


# ---------------------------------------------------------------------------------------------------- when it is asked


def test_on_loopback_nobody_needs_a_key_but_one_that_is_sent_counts(serve: Serve, world: World) -> None:
    of_local = world.sample("hers.wav")
    world.sample("his.wav", user="ada")
    key = make_key(world.settings, "ada", Scope.READ)
    with serve(world.settings) as client:
        assert [row["id"] for row in client.get("/v1/samples").json()["samples"]] == [of_local]
        assert [row["name"] for row in client.get("/v1/samples", headers=bearing(key)).json()["samples"]] == ["his.wav"]
        assert client.get("/v1/samples", headers={"X-API-Key": key.key}).json()["samples"][0]["name"] == "his.wav"
        assert client.post("/v1/reindex", headers=bearing(key)).status_code == 403
        assert client.get("/v1/samples", headers=bearing(key.key[:-1] + "x")).json()["code"] == "wrong_key"
        basic = client.get("/v1/samples", headers={"Authorization": "Basic YWRhOmFkYQ=="})
        assert (basic.status_code, basic.json()["code"]) == (401, "no_key")
        assert "no other scheme is read" in basic.json()["message"]
        for empty in ({"Authorization": "Bearer"}, {"X-API-Key": ""}):
            unset = client.get("/v1/samples", headers=empty)  # a script's variable that nobody set
            assert (unset.status_code, unset.json()["code"]) == (401, "no_key")
        assert client.post("/v1/keys", json={"user": "local", "name": "phone"}).status_code == 201


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
def test_what_a_proxy_hands_on_is_not_of_this_machine(client: httpx.Client, header: str) -> None:
    answer = client.get("/v1/samples", headers={header: "127.0.0.1"})
    assert (answer.status_code, answer.json()["code"]) == (401, "no_key")


def _address_of_this_machine() -> str | None:
    rows = (row for found in psutil.net_if_addrs().values() for row in found if row.family == socket.AF_INET)
    return next((row.address for row in rows if not is_loopback(row.address)), None)


def test_a_server_bound_to_all_addresses_behind_our_back_is_not_open(world: World) -> None:
    address = _address_of_this_machine()
    if address is None:
        pytest.skip("this machine has no address but loopback")
    assert not world.settings.asks_for_keys
    server = uvicorn.Server(uvicorn.Config(create_app(world.settings), log_level="warning"))
    with socket.create_server(("0.0.0.0", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            assert eventually(lambda: server.started, 30)
            url = f"http://{address}:{listening.getsockname()[1]}"
            for headers in ({}, {"Host": "localhost"}, {"Host": "127.0.0.1"}, {"X-Forwarded-For": "127.0.0.1"}):
                assert httpx.get(f"{url}/v1/samples", headers=headers, trust_env=False).status_code == 401
            assert httpx.get(f"{url}/v1/health/live", trust_env=False).status_code == 204
        finally:
            server.should_exit = True
            thread.join(10)


@pytest.mark.parametrize(
    "header",
    ["Forwarded", "Via", "X-Real-IP", "X-Forwarded-For", "X-Forwarded-Proto", "CF-Connecting-IP", "True-Client-IP"],
)
def test_what_came_through_a_proxy_needs_a_key(client: httpx.Client, header: str) -> None:
    assert client.get("/v1/samples", headers={header: "127.0.0.1"}).json()["code"] == "no_key"


@pytest.mark.parametrize(
    ("host", "server", "is_asked"),
    [
        ("127.0.0.1", ("127.0.0.1", 80), False),
        ("localhost", ("::1", 80), False),
        ("127.0.0.1", ("192.168.1.4", 80), True),
        ("127.0.0.1", ("/run/gateway.sock", None), True),
        ("127.0.0.1", None, True),
        ("0.0.0.0", ("127.0.0.1", 80), True),
        ("::", ("::1", 80), True),
        ("192.168.1.4", ("192.168.1.4", 80), True),
        ("my-host", ("127.0.0.1", 80), True),
    ],
)
def test_configuration_and_socket_decide_never_the_client(
    host: str, server: tuple[str, int | None] | None, is_asked: bool
) -> None:
    scope = {"type": "http", "server": server, "headers": [(b"host", b"localhost")]}
    assert asks_for_key(scope, Settings(host=host)) is is_asked


def test_a_gateway_others_can_reach_does_not_start_without_a_key(serve: Serve, world: World) -> None:
    public = world.settings.model_copy(update={"host": "0.0.0.0"})
    app = create_app(public)
    with pytest.raises(SampleMindError, match="samplemind keys create") as refused:
        with_lifespan(app)
    assert refused.value.code == "no_keys"
    with pytest.raises(NoKeys, match="samplemind keys create"):
        require_a_key(public)
    key = make_key(public)
    require_a_key(public)
    with serve(public) as client:
        assert client.get("/v1/samples").status_code == 401
        assert client.get("/v1/samples", headers=bearing(key)).status_code == 200
    world.db.keys.update_one({"_id": key.id}, {"$set": {"revoked_at": datetime.now(UTC)}})
    with pytest.raises(NoKeys):
        require_a_key(public)


def with_lifespan(app: FastAPI) -> None:
    """Start and stop an application, as a server does."""

    async def run() -> None:
        async with app.router.lifespan_context(app):
            pass

    asyncio.run(run())


def test_keys_are_503_while_mongodb_is_away(serve: Serve, keyed: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    away = keyed.model_copy(update={"mongo_url": f"mongodb://127.0.0.1:{port}/", "request_timeout_s": 0.5})
    with serve(away) as client:
        answer = client.get("/v1/samples", headers=bearing(f"sm_{'0' * 12}_{'0' * 48}"))
        assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
        assert client.get("/v1/samples").status_code == 401


# ---------------------------------------------------------------------------------------------------------- how often


def test_who_asks_too_often_is_told_when_to_come_back(serve: Serve, keyed: Settings) -> None:
    ada, bob = make_key(keyed), make_key(keyed, "bob")
    with serve(keyed.model_copy(update={"requests_per_s": 2.0, "requests_burst": 3})) as client:
        answers = [client.get("/v1/stats", headers=bearing(ada)) for _ in range(8)]
        refused = [answer for answer in answers if answer.status_code == 429]
        assert refused
        assert {answer.json()["code"] for answer in refused} == {"too_many_requests"}
        assert client.get("/v1/stats", headers=bearing(bob)).status_code == 200
        time.sleep(int(refused[-1].headers["Retry-After"]))
        assert client.get("/v1/stats", headers=bearing(ada)).status_code == 200


def test_guessing_is_bounded_and_locks_nobody_out(serve: Serve, keyed: Settings) -> None:
    key = make_key(keyed)
    with serve(keyed) as client:
        assert client.get("/v1/stats", headers=bearing(key)).status_code == 200
        guesses = [bearing(f"sm_{key.id}_{number:048x}") for number in range(WRONG_KEYS_PER_MINUTE + 5)]
        statuses = [client.get("/v1/stats", headers=guess).status_code for guess in guesses]
        assert statuses.count(401) == WRONG_KEYS_PER_MINUTE + statuses[WRONG_KEYS_PER_MINUTE:].count(401)
        assert statuses[-1] == 429
        assert client.get("/v1/stats", headers=bearing(key)).status_code == 200


def test_pace_gives_back_what_time_brings(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    pace = Pace(per_s=10, burst=5)
    assert [pace.take("a") for _ in range(5)] == [0.0] * 5
    assert pace.take("a") == pytest.approx(0.1)
    assert pace.take("b") == 0
    now += 0.25
    assert [pace.take("a") > 0 for _ in range(3)] == [False, False, True]
    now += 3600
    assert [pace.take("a") for _ in range(5)] == [0.0] * 5
    assert not any(Pace(per_s=0, burst=1).take("a") for _ in range(100))


def test_an_address_is_counted_with_its_neighbours() -> None:
    assert neighbourhood("2001:db8::1") == neighbourhood("2001:db8::ffff:2")
    assert neighbourhood("2001:db8::1") != neighbourhood("2001:db8:0:1::1")
    assert neighbourhood("192.0.2.1") != neighbourhood("192.0.2.2")


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ({}, ""),
        ({"authorization": "Bearer abc"}, "abc"),
        ({"authorization": "bearer  abc "}, "abc"),
        ({"authorization": "Bearer "}, ""),
        ({"x-api-key": "abc"}, "abc"),
        ({"authorization": "Bearer abc", "x-api-key": "def"}, "abc"),
    ],
)
def test_where_a_key_is_looked_for(headers: dict[str, str], key: str) -> None:
    assert sent_key(Headers(headers)) == key


# ------------------------------------------------------------------------------------------------ browsers and the log


def test_pages_of_other_sites_are_refused_where_no_key_is_needed(client: httpx.Client) -> None:
    assert client.get("/v1/samples", headers={"Sec-Fetch-Site": "cross-site"}).json()["code"] == "wrong_origin"
    assert client.get("/docs", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200
    assert client.get("/v1/samples", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200


def test_other_sites_may_not_ask_unless_the_settings_name_them(serve: Serve, keyed: Settings) -> None:
    key, page = make_key(keyed), {"Origin": "https://music.example"}
    asked = {**page, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
    with serve(keyed) as client:
        assert "access-control-allow-origin" not in client.get("/v1/samples", headers={**page, **bearing(key)}).headers
        assert not client.options("/v1/samples", headers=asked).is_success
    with serve(keyed.model_copy(update={"allowed_origins": ("https://music.example",)})) as client:
        assert client.options("/v1/samples", headers=asked).headers["access-control-allow-origin"] == page["Origin"]
        answer = client.get("/v1/samples", headers={**page, **bearing(key)})
        assert answer.headers["access-control-allow-origin"] == page["Origin"]
        other = client.get("/v1/samples", headers={"Origin": "https://evil.example", **bearing(key)})
        assert "access-control-allow-origin" not in other.headers


@pytest.mark.parametrize("path", ["/v1/samples", "/docs", "/v1/nothing", "/openapi.json"])
def test_answers_tell_browsers_to_be_careful(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] in ("no-store", "private, no-cache")  # the second with an ETag
    assert headers["Referrer-Policy"] == "no-referrer"


def test_every_change_is_in_the_log_and_no_secret(admin: httpx.Client, keyed: Settings, world: World) -> None:
    sample = world.sample("kick.wav", user="ada")
    key = make_key(keyed)
    with structlog.testing.capture_logs() as lines:
        admin.patch(f"/v1/samples/{sample}", json={"favourite": True}, headers=bearing(key))
        admin.patch(f"/v1/samples/{'0' * 24}", json={"favourite": True}, headers=bearing(key))
        admin.get("/v1/samples", headers=bearing(key))
        made = admin.post("/v1/keys", json={"user": "ada", "name": "x"}).json()
        admin.get("/v1/samples", headers=bearing(key.key[:-4] + "0000"))
    told = [line for line in lines if line["event"] == "change_asked"]
    assert [(line["user"], line["operation"], line["status"]) for line in told] == [
        ("ada", "change_sample", 200), ("ada", "change_sample", 404), ("operator", "create_key", 201),
    ]  # fmt: skip
    assert (told[0]["key"], told[0]["method"], told[0]["ids"]) == (key.id, "PATCH", {"sample_id": sample})
    assert any(line["event"] == "key_refused" for line in lines)
    for secret in (key.key, made["key"]):
        assert secret.split("_")[2] not in str(lines)
