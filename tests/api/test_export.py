"""Exports: what is in the file, that a spreadsheet runs none of it, that it is whole or breaks, and that it streams."""

import csv
import io
import json
import math
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
from arro3.io import read_parquet

from samplemind_tasks.exports import ExportedSample
from samplemind_tasks.features import Kind
from samplemind_tasks.library import export
from samplemind_tasks.library.export import MOST_AT_ONCE
from samplemind_tasks.settings import Settings

from .world import World, eventually

Serve = Callable[[Settings], AbstractContextManager[httpx.Client]]


def rows_of(answer: httpx.Response) -> list[dict[str, str]]:
    """A CSV export as a table."""
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.content.decode(), newline=""), strict=True))


def lines_of(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.content.splitlines()]


def table_of(answer: httpx.Response) -> Any:
    """A Parquet export as an Arrow table."""
    assert answer.status_code == 200, answer.text
    return read_parquet(io.BytesIO(answer.content)).read_all()


def cells(table: Any, column: str) -> list[Any]:
    return [value.as_py() for value in table[column]]


def test_csv_has_every_sample_once_in_the_order_of_arrival(world: World, client: httpx.Client) -> None:
    kick = world.sample("drums/kick.wav", kind=Kind.ONE_SHOT, tempo_bpm=None, loudness_lufs=-9.5)
    world.sample('loop, 124 "bpm".wav')
    world.sample("foreign.wav", user="eve")
    answer = client.get("/v1/export")
    first, second = rows_of(answer)
    assert answer.headers["Content-Type"].startswith("text/csv; charset=utf-8")
    assert answer.headers["Content-Disposition"] == (
        f'attachment; filename="samplemind-{datetime.now(UTC):%Y-%m-%d}.csv"'
    )
    assert (first["id"], first["name"], first["kind"]) == (kick, "kick.wav", "one-shot")
    assert first["paths"] == str(world.folder / "drums/kick.wav")
    assert (first["tempo_bpm"], first["loudness_lufs"]) == ("", "-9.5")  # a number, though it begins with a dash
    assert second["name"] == 'loop, 124 "bpm".wav'
    assert answer.content.count(b"\r\n") == 3


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@sum", "\t=1", "\r=1", "＝1", "'quoted"])
def test_no_cell_begins_like_a_formula(world: World, client: httpx.Client, start: str) -> None:
    [sample] = world.crowd(1, name=f'{start}";cmd|x.wav', tags=[f"{start}"])
    world.db.audio_files.update_one({"_id": sample}, {"$set": {"user.tags": ["-12dB"]}})
    [row] = rows_of(client.get("/v1/export"))
    assert row["name"] == f"'{start}\";cmd|x.wav"
    assert row["tags"] == f"'{start}; -12dB"


def test_the_filters_are_those_of_the_list(world: World, client: httpx.Client) -> None:
    world.crowd(40)
    world.sample("there/loop.wav", tempo_bpm=99.0)
    listed = client.get("/v1/samples", params={"kind": "one-shot", "tempo_min": 110}).json()["samples"]
    exported = rows_of(client.get("/v1/export", params={"kind": "one-shot", "tempo_min": 110}))
    assert [row["id"] for row in exported] == [row["id"] for row in reversed(listed)]
    assert len(exported) > 1
    folder = {"path": str(world.folder / "there"), "format": "jsonl"}
    assert [row["name"] for row in lines_of(client.get("/v1/export", params=folder))] == ["loop.wav"]
    file = {"path": str(world.folder / "there/loop.wav"), "format": "jsonl"}
    assert [row["name"] for row in lines_of(client.get("/v1/export", params=file))] == ["loop.wav"]
    assert rows_of(client.get("/v1/export", params={"path": str(world.folder / "her")})) == []


def test_a_collection_comes_in_its_own_order(world: World, client: httpx.Client) -> None:
    ids = world.crowd(10)
    made = client.post("/v1/collections", json={"name": "mine"}).json()["id"]
    chosen = [ids[7], ids[2], ids[9]]
    client.post(f"/v1/collections/{made}/samples", json={"add": chosen})
    answer = client.get("/v1/export", params={"collection": made, "format": "jsonl"})
    assert [row["id"] for row in lines_of(answer)] == chosen
    assert client.get("/v1/export", params={"collection": "0" * 24}).status_code == 404


def test_json_lines_are_samples_with_all_that_was_found(world: World, client: httpx.Client) -> None:
    world.sample("heard.wav", vector=[0.6, 0.8], onset_times_s=[0.0, 0.5])
    world.sample("not heard.wav")
    plain = lines_of(client.get("/v1/export?format=jsonl"))
    assert "features" not in plain[0]
    assert "vector" not in plain[0]
    listed = client.get("/v1/samples").json()["samples"]
    assert plain == list(reversed(listed))
    heard, waiting = lines_of(client.get("/v1/export?format=jsonl&features=true&vectors=true"))
    told = ExportedSample.model_validate(heard)
    assert told.features is not None
    assert told.features.onset_times_s == [0.0, 0.5]
    assert heard["vector"][:3] == pytest.approx([0.6, 0.8, 0.0])
    assert len(heard["vector"]) == world.settings.model_card.vector_size
    assert heard["model"] == world.settings.model_card.collection
    assert (waiting["vector"], waiting["model"]) == (None, None)
    assert waiting["features"]["kind"] == "loop"


def test_parquet_has_typed_columns_and_vectors_of_one_size(world: World, client: httpx.Client) -> None:
    world.sample("heard é.wav", vector=[0.6, 0.8], tags={"techno": 0.9, "loud": 0.8}, tempo_bpm=None)
    world.sample("not heard.wav")
    answer = client.get("/v1/export?format=parquet&features=true&vectors=true")
    assert answer.headers["Content-Type"] == "application/vnd.apache.parquet"
    table = table_of(answer)
    assert "FixedSizeList(256 x Float32)" in str(table.schema.field("vector").type)
    assert cells(table, "name") == ["heard é.wav", "not heard.wav"]
    assert cells(table, "tags")[0] == ["techno", "loud"]
    assert cells(table, "tempo_bpm") == [None, 124.0]
    assert cells(table, "measured_rate_hz") == [44100.0, 44100.0]
    assert cells(table, "favourite") == [False, False]
    assert cells(table, "created_at")[0].tzinfo is not None
    heard, waiting = cells(table, "vector")
    assert np.array(heard, np.float32)[:2] == pytest.approx([0.6, 0.8])
    assert waiting is None


def test_parquet_of_nothing_is_a_table_without_rows(client: httpx.Client) -> None:
    table = table_of(client.get("/v1/export?format=parquet&vectors=true"))
    assert table.num_rows == 0
    assert "vector" in table.column_names
    assert rows_of(client.get("/v1/export")) == []
    assert client.get("/v1/export").content.startswith(b"id,file_hash,name,")
    assert client.get("/v1/export?format=jsonl").content == b""


@pytest.mark.parametrize("format_", ["csv", "jsonl", "parquet"])
def test_what_is_deleted_or_arrives_meanwhile_neither_breaks_nor_doubles_it(
    world: World, client: httpx.Client, format_: str
) -> None:
    ids = world.crowd(1_200)
    with client.stream("GET", f"/v1/export?format={format_}") as answer:
        pieces: Iterator[bytes] = answer.iter_bytes(1_000)
        whole = next(pieces)
        world.db.audio_files.delete_many({"_id": {"$in": ids[-50:]}})
        world.crowd(10, first=1_201)
        whole += b"".join(pieces)
    body = httpx.Response(200, content=whole)
    found = {
        "csv": lambda: [row["id"] for row in rows_of(body)],
        "jsonl": lambda: [row["id"] for row in lines_of(body)],
        "parquet": lambda: cells(table_of(body), "id"),
    }[format_]()
    assert found[:1_150] == ids[:1_150]
    assert set(found) <= set(ids)
    assert len(found) == len(set(found))


class Wire:
    """A way to a server that is cut once so many more bytes have come from there."""

    def __init__(self, url: str) -> None:
        self.left = math.inf
        parts = urlsplit(url)
        self._to = (parts.hostname or "", parts.port or 27017)
        self._listening = socket.create_server(("127.0.0.1", 0))
        near = f"127.0.0.1:{self._listening.getsockname()[1]}"
        # else the server says where it is, and the client goes there
        self.url = url.replace(f"{self._to[0]}:{self._to[1]}", near) + "&directConnection=true"
        self._ends: list[socket.socket] = []
        self._near: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def _cut(self) -> None:
        for end in (self._listening, *self._ends):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, far = self._listening.accept()[0], socket.create_connection(self._to)
                self._ends += [near, far]
                self._near.add(near)
                for from_, to in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=(from_, to), daemon=True).start()

    def _pass_on(self, from_: socket.socket, to: socket.socket) -> None:
        with suppress(OSError):
            while data := from_.recv(65_536):
                to.sendall(data)
                if to in self._near:
                    self.left -= len(data)
                    if self.left < 0:
                        self._cut()


@pytest.mark.parametrize("format_", ["csv", "jsonl", "parquet"])
def test_an_export_whose_database_goes_away_breaks_off_and_does_not_end(
    world: World, serve: Serve, format_: str
) -> None:
    world.crowd(3_000, tags=["x" * 1_000])
    wire = Wire(world.settings.mongo_url)
    behind_it = world.settings.model_copy(update={"mongo_url": wire.url, "request_timeout_s": 1.0})
    with serve(behind_it) as client:
        assert client.get("/v1/duplicates").status_code == 200  # what a start reads has been read
        wire.left = 1_500_000
        with client.stream("GET", f"/v1/export?format={format_}") as answer:
            assert answer.status_code == 200
            with pytest.raises(httpx.RemoteProtocolError):
                answer.read()


def test_an_export_nobody_reads_any_more_ends_and_makes_room(world: World, client: httpx.Client) -> None:
    world.crowd(3_000, tags=["x" * 5_000])
    for _ in range(12):
        with client.stream("GET", "/v1/export?format=parquet") as answer:
            next(answer.iter_raw())
    assert len(rows_of(client.get("/v1/export", params={"kind": "one-shot"}))) == 300


def test_more_exports_at_once_than_the_gateway_takes_are_asked_to_wait(world: World, client: httpx.Client) -> None:
    world.crowd(3_000, tags=["x" * 10_000])
    with ExitStack() as open_ones:
        answers = [
            open_ones.enter_context(client.stream("GET", "/v1/export?format=jsonl")) for _ in range(MOST_AT_ONCE)
        ]
        begun = [answer.iter_raw() for answer in answers]
        assert all(map(next, begun))
        full = client.get("/v1/export")
        assert (full.status_code, full.json()["code"]) == (503, "busy")
        assert full.headers["Retry-After"]
        assert client.get("/v1/samples?limit=1").status_code == 200
    assert eventually(lambda: client.get("/v1/export?name=nothing").status_code == 200)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("format=xml", "format"),
        ("format=csv&vectors=true", "vectors"),
        ("kind=bongo", "kind"),
        ("path=relative", "path"),
        ("features=perhaps", "features"),
        ("limit=5", "limit"),
    ],
)
def test_a_wish_that_makes_no_sense_is_refused_before_anything_is_written(
    client: httpx.Client, query: str, field: str
) -> None:
    answer = client.get(f"/v1/export?{query}")
    assert answer.status_code == 422
    assert answer.json()["detail"]["fields"][0]["field"] == field


def test_parquet_that_is_not_installed_is_said(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "PARQUET_PACKAGE", "a_package_nobody_has")
    answer = client.get("/v1/export?format=parquet")
    assert (answer.status_code, answer.json()["code"]) == (501, "not_installed")
    assert client.get("/v1/export").status_code == 200


def test_a_database_that_is_away_is_said_before_the_file_begins(world: World, serve: Serve) -> None:
    away = world.settings.model_copy(update={"mongo_url": "mongodb://127.0.0.1:1/", "request_timeout_s": 0.5})
    with serve(away) as client:
        answer = client.get("/v1/export")
    assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
