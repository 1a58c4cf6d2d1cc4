"""What a person says: it goes before what machines found, is never overwritten, and is nobody else's."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from samplemind_tasks.features import Word
from samplemind_tasks.store.samples import Arrival, Samples

from .world import World, eventually, features

GONE = "0" * 24


def change(client: httpx.Client, sample: str, **said: object) -> dict[str, Any]:
    answer = client.patch(f"/v1/samples/{sample}", json=said)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def names(client: httpx.Client, **query: Any) -> list[str]:
    answer = client.get("/v1/samples", params=query)
    assert answer.status_code == 200, answer.text
    return [row["name"] for row in answer.json()["samples"]]


def searched(client: httpx.Client, **query: Any) -> list[str]:
    answer = client.post("/v1/search", json=query)
    assert answer.status_code == 200, answer.text
    return [hit["sample"]["name"] for hit in answer.json()["hits"]]


def test_what_is_said_goes_before_what_was_found_and_null_takes_it_back(client: httpx.Client, world: World) -> None:
    sample = world.sample("a.wav", vector=[1.0], heard_as={"808 kick": 0.9})
    shown = change(client, sample, name="Big one", kind="one-shot", category="snare", tempo_bpm=87, key="Cm")
    assert (shown["name"], shown["kind"], shown["category"]) == ("Big one", "one-shot", "snare")
    assert (shown["tempo_bpm"], shown["key"], shown["key_camelot"]) == (87.0, "C minor", "5A")
    assert (shown["tempo_confidence"], shown["key_confidence"], shown["category_source"]) == (None, None, "person")
    assert set(shown["said"]) == {"name", "kind", "category", "tempo_bpm", "key"}

    detail = client.get(f"/v1/samples/{sample}").json()
    found = detail["found"]
    assert (found["name"], found["tempo_bpm"], found["category"]) == ("a.wav", 124.0, "kick")
    back = change(client, sample, name=None, kind=None, category=None, tempo_bpm=None, key=None)
    assert (back["name"], back["tempo_bpm"], back["category"], back["said"]) == ("a.wav", 124.0, "kick", [])


def test_lists_and_searches_filter_by_what_was_said(client: httpx.Client, world: World) -> None:
    sample = world.sample("a.wav", vector=[1.0])
    world.sample("b.wav", vector=[0.0, 1.0])
    change(client, sample, tempo_bpm=87, key="Cm", category="pad", tags=["dusty"], favourite=True)
    for query in (
        {"tempo_min": 86, "tempo_max": 88}, {"tempo_min": 173, "tempo_max": 175, "tempo_octaves": True},
        {"key": "5A"}, {"key": "Gm", "key_compatible": True}, {"category": "pad"}, {"tag": "dusty"},
        {"favourite": True},
    ):  # fmt: skip
        assert names(client, **query) == ["a.wav"], query
    assert names(client, tempo_min=123, tempo_max=125) == ["b.wav"]
    for filters in (
        {"tempo_bpm": {"least": 86, "most": 88}}, {"key": "C minor"}, {"category": ["pad"]}, {"tags": ["dusty"]},
        {"favourite": True},
    ):  # fmt: skip
        assert eventually(lambda wanted=filters: searched(client, filters=wanted) == ["a.wav"]), filters


def test_lists_edits_and_searches_narrow_by_the_same_numbers(client: httpx.Client, world: World) -> None:
    spread = {"mean": 4_000.0, "deviation": 1.0, "p10": 1.0, "p50": 1.0, "p90": 1.0}
    bright = {"words": [{"name": "bright", "score": 0.9}, {"name": "soft", "score": 0.2}], "centroid_hz": spread}
    world.sample("a.wav", vector=[1.0], duration_s=0.5, loudness_lufs=-20.0, **bright)
    world.sample("b.wav", vector=[0.0, 1.0])
    for listed, searched_for in (
        ({"duration_max": 1}, {"duration_s": {"most": 1}}),
        ({"loudness_min": -21, "loudness_max": -19.5}, {"loudness_lufs": {"least": -21, "most": -19.5}}),
        ({"brightness_min": 3_000}, {"brightness_hz": {"least": 3_000}}),
        ({"word": ["bright"]}, {"words": ["bright"]}),
    ):
        assert names(client, **listed) == ["a.wav"], listed
        edited = client.post("/v1/samples/edit", json={"where": listed, "add_tags": ["x"], "preview": True}).json()
        assert edited["changed"] == 1, listed
        assert eventually(lambda wanted=searched_for: searched(client, filters=wanted) == ["a.wav"]), searched_for
    assert names(client, word=["bright", "soft"]) == names(client, brightness_min=3_000, duration_min=1) == []
    [shown] = client.get("/v1/samples?word=bright").json()["samples"]
    assert (shown["words"], shown["brightness_hz"]) == (["bright"], 4_000.0)
    wrong = client.post("/v1/samples/edit", json={"where": {"word": ["orange"]}, "add_tags": ["x"]})
    assert (wrong.status_code, wrong.json()["detail"]["fields"][0]["field"]) == (422, "where.word")


def test_own_words_are_met_by_a_search(client: httpx.Client, world: World) -> None:
    sample = world.sample("a.wav", vector=[1.0])
    world.sample("b.wav", vector=[0.0, 1.0])
    change(client, sample, name="Zebra crossing", tags=["marmalade"], note="from the attic tapes")
    for word in ("zebra", "marmalade", "attic"):
        assert eventually(lambda wanted=word: searched(client, text=wanted) == ["Zebra crossing"]), word


def test_a_tag_of_ones_own_goes_before_what_its_word_is_to_others(client: httpx.Client, world: World) -> None:
    mine = world.sample("mine.wav", vector=[1.0], heard_as={"808 kick": 0.88})
    world.sample("hiss.wav", vector=[0.0, 1.0], heard_as={"crash": 0.9}, words=[Word(name="noisy", score=1.0)])
    world.sample("other.wav", vector=[0.9, 0.1], heard_as={"808 kick": 0.9})
    assert searched(client, text="dusty")[0] == "hiss.wav"  # to the vocabulary, dusty is noisy
    change(client, mine, tags=["dusty", "my-thing"])
    assert eventually(lambda: searched(client, text="dusty")[0] == "mine.wav")
    assert searched(client, text="dusty kick")[0] == "mine.wav"
    assert searched(client, text="my-thing") == ["mine.wav"]
    assert searched(client, text="kick, not dusty")[0] == "other.wav"
    change(client, mine, tags=["clap", "odd"])
    assert eventually(lambda: searched(client, text="odd") == ["mine.wav"])
    for text in ("kick but not clap", "kick, not odd"):
        assert searched(client, text=text)[0] == "other.wav", text
    change(client, mine, tags=["dusty"])
    assert eventually(lambda: searched(client, text="dusty")[0] == "mine.wav")
    told = client.post("/v1/search", json={"text": "dusty"}).json()
    assert {"what": "tag", "value": "dusty", "words": "dusty"} in told["understood"]
    assert "tags" in told["hits"][0]["mode"]


def test_a_new_measurement_and_a_new_hearing_leave_it(client: httpx.Client, world: World) -> None:
    sample = world.sample("a.wav", vector=[1.0], heard_as={"808 kick": 0.9})
    change(client, sample, tempo_bpm=87, category="pad", tags=["dusty"], name="Mine")
    row = world.db.audio_files.find_one({"_id": sample})
    assert row
    again = {row["file_hash"]: features(tempo_bpm=140.0)}
    Samples(world.db).arrive("local", [Arrival(row["file_hash"], "a.wav", row["size_bytes"])], again, "1")
    world.hear_again(sample, {"closed hat": 0.95})
    shown = client.get(f"/v1/samples/{sample}").json()["sample"]
    assert (shown["tempo_bpm"], shown["category"], shown["name"]) == (87.0, "pad", "Mine")
    assert "dusty" in shown["tags"]
    assert change(client, sample, tempo_bpm=None)["tempo_bpm"] == 140.0


def test_many_are_edited_by_id_and_by_what_they_are(client: httpx.Client, world: World) -> None:
    ids = [world.sample(f"{number}.wav", vector=[1.0, number]) for number in range(4)]
    edit = {"ids": [*ids[:2], GONE], "change": {"category": "pad"}, "add_tags": ["x"]}
    answer = client.post("/v1/samples/edit", json=edit).json()
    assert (answer["changed"], answer["unknown"]) == (2, [GONE])
    where = {"where": {"category": "pad"}, "add_tags": ["y"], "remove_tags": ["x"]}
    assert client.post("/v1/samples/edit", json={**where, "preview": True}).json()["changed"] == 2
    assert names(client, tag="y") == []
    assert client.post("/v1/samples/edit", json=where).json()["changed"] == 2
    assert names(client, tag="y") == ["1.wav", "0.wav"]
    assert names(client, tag="x") == []
    both = {"ids": ids, "change": {"favourite": True}, "add_tags": ["z"], "remove_tags": ["y"]}
    assert client.post("/v1/samples/edit", json=both).json()["changed"] == 4
    assert (len(names(client, tag="z", favourite=True)), names(client, tag="y")) == (4, [])


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("edit", {"ids": [GONE] * 1_001, "add_tags": ["x"]}, "ids"),
        ("edit", {"ids": [GONE]}, "body"),
        ("edit", {"add_tags": ["x"]}, "body"),
        ("edit", {"where": {}, "add_tags": ["x"]}, "where"),
        ("edit", {"where": {"tempo_octaves": True, "key_compatible": True}, "add_tags": ["x"]}, "where"),
        ("edit", {"where": {"name": "", "tag": []}, "add_tags": ["x"]}, "where"),
        ("edit", {"ids": [GONE], "add_tags": ["x"], "remove_tags": ["x"]}, "body"),
        (GONE, {"tempo_bpm": 0}, "tempo_bpm"),
        (GONE, {"key": "H major"}, "key"),
        (GONE, {"colour": "red"}, "colour"),
        (GONE, {"tags": ["x" * 65]}, "tags.0"),
        (GONE, {"name": "a\x1b[2Jb"}, "name"),
        (GONE, {"note": "\ud800"}, "note"),
        (GONE, {"tempo_bpm": True}, "tempo_bpm"),
    ],
)
def test_what_makes_no_sense_names_its_field(client: httpx.Client, path: str, body: Any, field: str) -> None:
    method = "POST" if path == "edit" else "PATCH"
    headers = {"Content-Type": "application/json"}
    answer = client.request(method, f"/v1/samples/{path}", content=json.dumps(body), headers=headers)
    assert answer.status_code == 422, answer.text
    assert answer.json()["detail"]["fields"][0]["field"] == field


def test_changes_at_the_same_time_all_stay(client: httpx.Client, world: World) -> None:
    sample = world.sample("a.wav", vector=[1.0])
    said = [{"tempo_bpm": 87}, {"key": "Cm"}, {"category": "pad"}, {"note": "mine"}, {"name": "A"}]
    edits = [{"ids": [sample], "add_tags": [f"tag {number}"]} for number in range(10)]
    with ThreadPoolExecutor(8) as threads:
        changes = [threads.submit(client.patch, f"/v1/samples/{sample}", json=each) for each in said]
        changes += [threads.submit(client.post, "/v1/samples/edit", json=each) for each in edits]
    assert {each.result().status_code for each in changes} == {200}
    shown = client.get(f"/v1/samples/{sample}").json()
    assert set(shown["sample"]["said"]) == {"tempo_bpm", "key", "category", "note", "name", "tags"}
    assert set(shown["own_tags"]) == {f"tag {number}" for number in range(10)}


def test_a_heard_tag_that_is_wrong_stays_hidden(client: httpx.Client, world: World) -> None:
    tag = world.settings.model_card.tags[0]
    sample = world.sample("a.wav", vector=[1.0], tags={tag: 0.9})
    world.sample("b.wav", vector=[0.0, 1.0], tags={tag: 0.9})
    assert client.post("/v1/samples/edit", json={"ids": [sample], "remove_tags": [tag]}).json()["changed"] == 1
    world.hear_again(sample, {"808 kick": 0.9})
    world.db.audio_files.update_one({"_id": sample}, {"$set": {"tags": [tag]}})
    assert names(client, tag=tag) == ["b.wav"]
    assert eventually(lambda: searched(client, filters={"tags": [tag]}) == ["b.wav"])
    detail = client.get(f"/v1/samples/{sample}").json()
    assert (detail["hidden_tags"], detail["sample"]["tags"], detail["found"]["tags"]) == ([tag], [], [tag])
    client.post("/v1/samples/edit", json={"ids": [sample], "add_tags": [tag]})
    assert names(client, tag=tag) == ["b.wav", "a.wav"]


def test_a_sample_without_room_for_more_tags_is_told_and_left(client: httpx.Client, world: World) -> None:
    full, empty = world.sample("full.wav"), world.sample("empty.wav")
    change(client, full, tags=[f"tag {number}" for number in range(64)])
    answer = client.post("/v1/samples/edit", json={"ids": [full, empty], "add_tags": ["one more"]}).json()
    assert (answer["changed"], answer["full"]) == (1, [full])
    assert names(client, tag="one more") == ["empty.wav"]


def test_a_name_of_ones_own_has_no_extension_and_changes_no_file(client: httpx.Client, world: World) -> None:
    sample = world.sample("a.wav", vector=[1.0])
    world.sample("b.wav", vector=[0.0, 1.0])
    change(client, sample, name="Vol. 2 marmalade")
    assert eventually(lambda: searched(client, text="marmalade") == ["Vol. 2 marmalade"])
    change(client, sample, tags=["dusty"], name="Crate no.5 zebra")
    assert eventually(lambda: searched(client, text="zebra") == ["Crate no.5 zebra"])
    sound = client.get(f"/v1/samples/{sample}/audio")
    assert sound.headers["Content-Type"] == "audio/wav"
    assert sound.headers["Content-Disposition"].endswith("a.wav")


def test_another_users_sample_is_not_there(client: httpx.Client, world: World) -> None:
    theirs = world.sample("theirs.wav", user="bea", vector=[1.0])
    assert client.patch(f"/v1/samples/{theirs}", json={"favourite": True}).status_code == 404
    answer = client.post("/v1/samples/edit", json={"ids": [theirs], "add_tags": ["x"]}).json()
    assert (answer["changed"], answer["unknown"]) == (0, [theirs])
    row = world.db.audio_files.find_one({"_id": theirs})
    assert row
    assert row["user"] == {}
