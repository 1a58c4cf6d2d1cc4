"""Samples over HTTP."""

import httpx
import pytest

from samplemind_tasks.store.mongo import place_id
from samplemind_tasks.store.places import Places, PlaceState

from .world import World

UNKNOWN = "0" * 24


def _all(client: httpx.Client, **params: object) -> list[str]:
    """The names on every page."""
    names: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = client.get("/v1/samples", params={**params, **cursor}).json()
        names += [sample["name"] for sample in page["samples"]]
        if page["next"] is None:
            return names
        cursor = {"cursor": page["next"]}


def test_pages_hold_every_sample_once_while_others_arrive(client: httpx.Client, world: World) -> None:
    ids = world.crowd(130)
    world.db.audio_files.delete_many({"_id": {"$in": ids[40:60]}})  # holes in the numbers
    seen: list[str] = []
    cursor: dict[str, str] = {}
    arrived = 130
    while True:
        page = client.get("/v1/samples", params={"limit": 25, **cursor}).json()
        seen += [sample["id"] for sample in page["samples"]]
        world.crowd(3, first=arrived + 1)
        arrived += 3
        if page["next"] is None:
            break
        assert len(page["samples"]) == 25
        cursor = {"cursor": page["next"]}
    assert seen == [*reversed(ids[60:]), *reversed(ids[:40])]


def test_filter_finds_all_that_match_and_nothing_else(client: httpx.Client, world: World) -> None:
    world.crowd(700)
    shots = _all(client, kind="one-shot", limit=20)
    assert shots == [f"sound {number}.wav" for number in range(700, 0, -10)]
    slow = _all(client, tempo_min=100, tempo_max=100.5, limit=7)
    assert slow == [f"sound {number}.wav" for number in range(700, 0, -50)]
    assert _all(client, name="SOUND 69", kind="one-shot") == ["sound 690.wav"]
    assert _all(client, state="ready") == []
    assert _all(client, tag="drums") == []


def test_filters_by_key_tag_and_state(client: httpx.Client, world: World) -> None:
    world.sample("a.wav", vector=[1.0], tags={"drums": 0.9, "fast": 0.4}, key="C# minor", key_camelot="12A")
    world.sample("b.wav", key="Db minor", key_camelot="12A")
    world.sample("c.wav", key=None, key_camelot=None, key_confidence=None)
    assert _all(client, key="C# minor") == _all(client, key="Db minor") == _all(client, key="12a") == ["b.wav", "a.wav"]
    assert _all(client, tag=["drums", "fast"]) == ["a.wav"]
    assert _all(client, tag=["drums", "slow"]) == []
    assert _all(client, state="ready") == ["a.wav"]


def test_path_is_a_file_or_a_folder(client: httpx.Client, world: World) -> None:
    world.sample("kicks/deep.wav")
    world.sample("kicks/high.wav")
    world.sample("kicks too/other.wav")
    assert _all(client, path=str(world.folder / "kicks")) == ["high.wav", "deep.wav"]
    assert _all(client, path=str(world.folder / "kicks/deep.wav")) == ["deep.wav"]
    (world.folder / "link").symlink_to(world.folder / "kicks")
    assert _all(client, path=str(world.folder / "link")) == ["high.wav", "deep.wav"]
    assert _all(client, path="/nowhere") == []


def test_path_that_leads_nowhere_is_an_empty_page(client: httpx.Client, world: World) -> None:
    world.sample("kick.wav")
    (world.folder / "loop").symlink_to(world.folder / "loop")
    for path in (world.folder / "loop", world.folder / "loop" / "kick.wav", world.folder / ("x" * 300)):
        assert _all(client, path=str(path)) == []


def test_folder_shows_only_what_still_lives_there(client: httpx.Client, world: World) -> None:
    world.sample("kicks/deep.wav")
    world.sample("kicks/high.wav")
    gone = world.folder / "kicks/deep.wav"
    gone.unlink()
    place = place_id("local", str(world.folder), "kicks/deep.wav")
    for state in (PlaceState.MISSING, PlaceState.OFFLINE):
        Places(world.db).mark([place], state)
        assert _all(client, path=str(world.folder / "kicks")) == ["high.wav"]
        assert _all(client, path=str(gone)) == ["deep.wav"]
    Places(world.db).mark([place], PlaceState.PRESENT)
    assert _all(client, path=str(world.folder / "kicks")) == ["high.wav", "deep.wav"]


def test_name_that_is_no_text_is_found_as_it_is_shown(client: httpx.Client, world: World) -> None:
    sample = world.sample("kicks/d\udcff\udcfep.wav")
    world.sample("kicks/other.wav")
    (place,) = client.get(f"/v1/samples/{sample}").json()["places"]
    assert place["path"] == str(world.folder / "kicks/d\ufffd\ufffdp.wav")
    found = client.get("/v1/samples", params={"path": place["path"]}).json()
    assert ([row["id"] for row in found["samples"]], found["next"]) == ([sample], None)
    world.sample("k\udcff/one.wav")
    assert _all(client, path=str(world.folder / "k\ufffd")) == ["one.wav"]


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 201}, "limit"),
        ({"kind": "noise"}, "kind"),
        ({"key": "H flat"}, "key"),
        ({"tempo_min": "fast"}, "tempo_min"),
        ({"tempo_max": "nan"}, "tempo_max"),
        ({"tempo_min": "nan"}, "tempo_min"),
        ({"tempo_min": "inf"}, "tempo_min"),
        ({"tempo_max": "-inf"}, "tempo_max"),
        ({"duration_min": "nan"}, "duration_min"),
        ({"duration_min": 2, "duration_max": 1}, "duration_min"),
        ({"word": "orange"}, "word"),
        ({"bpm": "120-130"}, "bpm"),
        ({"kind": ["loop", "track"]}, "kind"),
        ({"limit": [1, 2]}, "limit"),
        ({"state": "waiting"}, "state"),
        ({"cursor": "abc"}, "cursor"),
        ({"cursor": "WyJqb2JzIiwxXQ"}, "cursor"),
        ({"path": ""}, "path"),
        ({"path": "\0"}, "path"),
        ({"path": "kicks"}, "path"),
    ],
)
def test_bad_filter_names_the_field(client: httpx.Client, params: dict[str, object], field: str) -> None:
    answer = client.get("/v1/samples", params=params)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert answer.json()["detail"]["fields"][0]["field"] == field


def test_detail_has_features_tags_and_places(client: httpx.Client, world: World) -> None:
    sample = world.sample("kick.wav", vector=[1.0], tags={"drums": 0.9}, reasons={"key": "atonal"}, key=None)
    detail = client.get(f"/v1/samples/{sample}").json()
    assert detail["sample"]["state"] == "ready"
    assert detail["features"]["reasons"] == {"key": "atonal"}
    assert detail["tags"] == [{"name": "drums", "score": 0.9}]
    assert detail["model"] == world.settings.model_card.collection
    assert [place["path"] for place in detail["places"]] == [str(world.folder / "kick.wav")]
    unheard = client.get(f"/v1/samples/{world.sample('snare.wav')}").json()
    assert (unheard["sample"]["state"], unheard["model"], unheard["tags"]) == ("analyzed", None, [])


def test_peaks(client: httpx.Client, world: World) -> None:
    url = f"/v1/samples/{world.sample('kick.wav')}/peaks"
    assert client.get(url).json() == {"bins": 2, "minimum": [-100, -50], "maximum": [90, 60]}
    assert client.get(url, params={"detail": True}).json()["maximum"] == [90, 60, 90, 60]


def test_unknown_and_foreign_samples_are_the_same_404(client: httpx.Client, world: World) -> None:
    foreign = world.sample("hers.wav", user="ada", vector=[1.0])
    for sample in (UNKNOWN, foreign):
        for method, path in [("GET", ""), ("GET", "/audio"), ("GET", "/peaks"), ("GET", "/similar"), ("DELETE", "")]:
            answer = client.request(method, f"/v1/samples/{sample}{path}")
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path
    assert world.db.audio_files.count_documents({"_id": foreign}) == 1
    assert client.get("/v1/samples/..%2f..%2fetc").status_code in (404, 422)


@pytest.mark.parametrize(
    ("asked", "status", "start", "end"),
    [
        (None, 200, 0, None),
        ("bytes=0-0", 206, 0, 1),
        ("bytes=10-99", 206, 10, 100),
        ("bytes=100-", 206, 100, None),
        ("bytes=-5", 206, -5, None),
        ("bytes=5-99999999", 206, 5, None),
        ("bytes=0-1,5-6", 200, 0, None),
        ("bytes=9-5", 200, 0, None),
        ("lines=1-2", 200, 0, None),
    ],
)
def test_audio_ranges(
    client: httpx.Client, world: World, asked: str | None, status: int, start: int, end: int | None
) -> None:
    sample = world.sample("Schläge „hart“ 01.wav")
    whole = (world.folder / "Schläge „hart“ 01.wav").read_bytes()
    answer = client.get(f"/v1/samples/{sample}/audio", headers={"Range": asked} if asked else {})
    assert (answer.status_code, answer.content) == (status, whole[start:end])
    assert answer.headers["Content-Type"] == "audio/wav"
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Content-Disposition"].startswith("inline; filename*=UTF-8''Schl%C3%A4ge%20")
    if status == 206:
        first = start % len(whole)
        assert answer.headers["Content-Range"] == f"bytes {first}-{first + len(answer.content) - 1}/{len(whole)}"


def test_range_behind_the_end_and_conditions(client: httpx.Client, world: World) -> None:
    url = f"/v1/samples/{world.sample('kick.wav')}/audio"
    size = (world.folder / "kick.wav").stat().st_size
    behind = client.get(url, headers={"Range": f"bytes={size}-"})
    assert (behind.status_code, behind.headers["Content-Range"]) == (416, f"bytes */{size}")
    assert behind.json()["code"] == "range_not_satisfiable"
    etag = client.get(url).headers["ETag"]
    for told in (etag, f"W/{etag}", f'"older", {etag}', "*"):
        assert client.get(url, headers={"If-None-Match": told}).status_code == 304, told
    assert client.get(url, headers={"If-None-Match": '"older"'}).status_code == 200
    assert client.get(url, headers={"Range": "bytes=0-3", "If-Range": '"older"'}).status_code == 200


def test_head_of_audio_says_what_get_would(client: httpx.Client, world: World) -> None:
    url = f"/v1/samples/{world.sample('kick.wav')}/audio"
    whole = client.get(url)
    head = client.head(url, headers={"Range": "bytes=0-3"})  # a range is for GET alone
    assert (head.status_code, head.content) == (200, b"")
    names = ("Content-Length", "Content-Type", "ETag", "Accept-Ranges", "Content-Disposition", "Cache-Control")
    assert {name: head.headers[name] for name in names} == {name: whole.headers[name] for name in names}
    assert client.head(url, headers={"If-None-Match": whole.headers["ETag"]}).status_code == 304
    assert client.head(f"/v1/samples/{UNKNOWN}/audio").status_code == 404


def test_audio_comes_only_from_regular_files_below_the_roots(client: httpx.Client, world: World) -> None:
    outside = world.settings.data_dir / "secret.wav"
    sample = world.sample("kick.wav")
    path, url = world.folder / "kick.wav", f"/v1/samples/{sample}/audio"
    outside.write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(outside)
    assert client.get(url).json()["code"] == "audio_gone"
    path.unlink()
    path.write_bytes(b"other")
    assert client.get(url).json()["code"] == "audio_gone"
    world.sample("copies/kick 2.wav")
    path.write_bytes(outside.read_bytes())
    assert client.get(url).content == outside.read_bytes()
    (place,) = Places(world.db).between("local", str(world.folder), "", "kick.wav")[-1:]
    Places(world.db).mark([place.id], PlaceState.OFFLINE)
    assert client.get(url).status_code == 404


def test_deleted_sample_stays_away_but_what_was_found_stays(client: httpx.Client, world: World) -> None:
    kick = world.sample("kick.wav", vector=[1.0, 0.1])
    other = world.sample("other.wav", vector=[1.0])
    assert client.delete(f"/v1/samples/{kick}").status_code == 204
    assert client.delete(f"/v1/samples/{kick}").status_code == 404
    assert client.get("/v1/samples").json()["samples"][0]["id"] == other
    assert client.get(f"/v1/samples/{other}/similar").json()["hits"] == []
    removed = {place.path: place.removed for place in Places(world.db).between("local", str(world.folder), "", "~")}
    assert removed == {str(world.folder / "kick.wav"): True, str(world.folder / "other.wav"): False}
    assert world.db.analyses.count_documents({}) == 4
