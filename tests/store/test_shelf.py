"""What a search holds in memory: read whole, kept fresh, and never wrong about what MongoDB has."""

import asyncio
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from api.world import World
from redis import Redis

from samplemind_tasks.aspects import DESCRIPTORS
from samplemind_tasks.categories import LEAVES
from samplemind_tasks.errors import IndexLost, StoreUnavailable
from samplemind_tasks.features import Spread, Word
from samplemind_tasks.library import shelves as held
from samplemind_tasks.library.shelf import Shelf, View
from samplemind_tasks.library.shelves import Shelves
from samplemind_tasks.queues import Queue
from samplemind_tasks.reindex import look_at_index, rebuild_stretch
from samplemind_tasks.settings import Settings
from samplemind_tasks.store.search import collection_name
from samplemind_tasks.store.shelf import CATEGORIES, NONE, Rows, ShelfReader, camelot_number
from samplemind_tasks.store.stores import Stores
from samplemind_tasks.store.vectors import Vectors


@pytest.fixture
def world(settings: Settings, tmp_path: Path) -> Iterator[World]:
    folder = tmp_path / "music"
    folder.mkdir()
    with World(settings, folder) as world:
        yield world


def views(settings: Settings, *users: str) -> list[View]:
    """The shelves of users as one gateway process sees them."""

    async def look() -> list[View]:
        shelves = Shelves(ShelfReader(settings), timeout_s=20.0)
        found = [await shelves.of(user) for user in users]
        await shelves.close()
        return found

    return asyncio.run(look())


def test_every_column_says_what_the_sample_is(world: World) -> None:
    world.sample(
        "drums/kick.wav", vector=[0.5, -1.0], tags={"drums": 0.8}, heard_as={"808 kick": 0.7, "sub": 0.2},
        words=[Word(name="dark", score=0.8)], tempo_bpm=None, key_camelot="8B", pitch_midi=33,
        centroid_hz=Spread(mean=400, deviation=1, p10=1, p50=1, p90=1), pcm_hash="00000000000000ff" * 2,
    )  # fmt: skip
    world.sample("new.wav")
    world.sample("hers.wav", user="ada", vector=[1.0])
    (view,) = views(world.settings, "local")
    kick, new = (view.shelf.names.index(name) for name in ("kick.wav", "new.wav"))
    assert len(view) == 2
    assert view["ready"].tolist() == [row == kick for row in range(2)]
    assert view["category"][[kick, new]].tolist() == [CATEGORIES["kick"], NONE]
    assert view["leaf_scores"][kick, list(LEAVES).index("808 kick")] == round(255 * 0.7)
    assert view["word_scores"][kick, DESCRIPTORS.index("dark")] == round(255 * 0.8)
    assert view["tag_scores"][kick].max() == round(255 * 0.8)
    assert view["timbre"][kick, :3].tolist() == [64, -127, 0]
    assert view["has_timbre"].tolist() == view["ready"].tolist()
    assert np.isnan(view["tempo_bpm"][kick])
    assert (view["key"][kick], view["brightness_hz"][kick], view["pitch_midi"][kick]) == (camelot_number("8B"), 400, 33)
    assert view["sound_hash"][kick] == 255
    assert view.shelf.paths[kick] == (str(world.folder / "drums/kick.wav"),)


def test_a_large_library_is_read_in_slices_and_each_sample_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held, "SLICE", 50)
    ids = world.crowd(230, state="ready")
    (view, again) = views(world.settings, "local", "local")
    assert view.shelf.ids == again.shelf.ids == ids
    assert view["number"].tolist() == list(range(1, 231))


def test_what_is_touched_comes_in_and_a_view_stays_as_long_as_it_was(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held, "FRESH_S", 0.0)
    monkeypatch.setattr(held, "PATIENCE_S", 20.0)
    first = world.sample("first.wav")

    async def look() -> tuple[View, View]:
        shelves = Shelves(ShelfReader(world.settings), timeout_s=20.0)
        before = await shelves.of("local")
        world.hear_again(first, {"rim": 0.9})
        world.sample("second.wav")
        after = await shelves.of("local")
        await shelves.close()
        return before, after

    before, after = asyncio.run(look())
    assert (len(before), len(after)) == (1, 2)
    assert after["ready"].tolist() == [True, False]
    assert after["category"][0] == CATEGORIES["rim"]


def test_what_a_clock_far_behind_wrote_is_found_though_nobody_waits_for_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held, "FRESH_S", 0.0)
    monkeypatch.setattr(held, "WIDE_EVERY_S", 0.05)
    first = world.sample("first.wav")

    async def look() -> None:
        shelves = Shelves(ShelfReader(world.settings), timeout_s=20.0)
        await shelves.of("local")
        late = {"touched": datetime.now(UTC) - timedelta(seconds=40), "user.favourite": True}
        world.db.audio_files.update_one({"_id": first}, {"$set": late})
        async with asyncio.timeout(20):
            while not (await shelves.of("local"))["favourite"][0]:
                pass
        await shelves.close()

    asyncio.run(look())


def test_a_whole_library_written_anew_is_taken_over_in_pieces_and_none_is_missed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held, "FRESH_S", 0.0)
    monkeypatch.setattr(held, "PATIENCE_S", 20.0)
    monkeypatch.setattr(held, "FEW", 30)
    monkeypatch.setattr(held, "MANY", 60)
    pieces: list[int] = []

    class Counting(ShelfReader):
        def touched(self, user_id: str, since: datetime, until: datetime | None = None) -> Rows:
            rows = super().touched(user_id, since, until)
            pieces.append(len(rows.ids))
            return rows

    first = world.sample("first.wav")
    begin = datetime.now(UTC)

    async def look() -> View:
        shelves = Shelves(Counting(world.settings), timeout_s=20.0)
        await shelves.of("local")
        for second in range(10):  # the last ones by a clock that is ahead
            world.crowd(40, first=2 + 40 * second, touched=begin + timedelta(seconds=second / 3 - 1))
        world.db.audio_files.update_one({"_id": first}, {"$set": {"touched": begin - timedelta(seconds=1)}})
        view = await shelves.of("local")
        await shelves.close()
        return view

    assert len(asyncio.run(look())) == 401
    assert max(pieces) < 250


def test_what_is_written_while_a_wide_look_rests_is_not_read_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held, "WIDE_EVERY_S", 0.05)
    monkeypatch.setattr(held, "REFRESHED_EVERY_S", 60.0)
    world.sample("first.wav")
    ends: list[int] = []
    looked = threading.Event()

    class Busy(ShelfReader):
        is_looked_at = False

        def touched(self, user_id: str, since: datetime, until: datetime | None = None) -> Rows:
            rows = super().touched(user_id, since, until)
            if self.is_looked_at and until is None:
                ends.append(len(rows.ids))
                looked.set()
            elif self.is_looked_at and world.db.counters.find_one({"value": {"$lt": 100}}):
                world.crowd(300, first=2, touched=datetime.now(UTC))
            return rows

    async def look() -> None:
        reader = Busy(world.settings)
        shelves = Shelves(reader, timeout_s=20.0)
        await shelves.of("local")
        reader.is_looked_at = True
        assert await asyncio.to_thread(looked.wait, 20)
        await shelves.close()

    asyncio.run(look())
    assert ends[0] == 0


def test_a_library_that_takes_long_to_read_is_told(world: World) -> None:
    world.crowd(3000, state="ready")

    async def look() -> None:
        shelves = Shelves(ShelfReader(world.settings), timeout_s=0.0)
        with pytest.raises(IndexLost) as told:
            await shelves.of("local")
        assert (told.value.code, told.value.status, told.value.retry) == ("index_loading", 503, True)
        await shelves.close()

    asyncio.run(look())


def test_a_database_that_is_away_is_told_and_asked_again(world: World) -> None:
    away = world.settings.model_copy(update={"mongo_url": "mongodb://127.0.0.1:9/", "request_timeout_s": 0.3})

    async def look() -> None:
        shelves = Shelves(ShelfReader(away), timeout_s=5.0)
        for _ in range(2):
            with pytest.raises(StoreUnavailable):
                await shelves.of("local")
        await shelves.close()

    asyncio.run(look())


def test_shelves_unused_for_longest_go_first(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for user in ("ada", "ben", "local"):
        world.sample(f"{user}.wav", user=user)
    monkeypatch.setattr(held, "MOST_BYTES", 0)

    async def look() -> list[str]:
        shelves = Shelves(ShelfReader(world.settings), timeout_s=20.0)
        for user in ("ada", "ben", "local"):
            await shelves.of(user)
        kept = list(shelves._held)
        await shelves.close()
        return kept

    assert asyncio.run(look()) == ["local"]


def test_an_old_model_serves_until_the_new_one_has_heard_most(world: World) -> None:
    for number in range(10):
        world.sample(f"{number}.wav", vector=[1.0, number / 10])
    old = world.settings.model_card.collection
    shelf = _shelf_of(world)
    assert shelf.view(old).model == old
    for heard_anew, serving in ((4, old), (6, "ears-next")):
        world.db.audio_files.update_many({"number": {"$lte": heard_anew}}, {"$set": {"heard.by": "ears-next"}})
        view = _shelf_of(world).view("ears-next")
        assert view.model == serving
        assert view["has_timbre"].sum() == (10 - heard_anew if serving == old else heard_anew)


def _shelf_of(world: World) -> Shelf:
    return views(world.settings, "local")[0].shelf


# ---------------------------------------------------------------------------------------------------- the index itself


def test_users_and_models_have_collections_of_their_own() -> None:
    names = {collection_name(model, user) for model in ("ears-1", "ears-2") for user in ("local", "ada@b.c", "ada b c")}
    assert len(names) == 6
    assert all(name.replace(".", "").replace("-", "").replace("_", "").isalnum() for name in names)


def test_a_rebuilt_index_has_the_same_neighbours(world: World, held: Stores) -> None:
    dice = np.random.default_rng(3)
    for number in range(30):
        world.sample(f"{number}.wav", vector=dice.standard_normal(8).tolist())
    asked = np.zeros((30, world.settings.model_card.vector_size), np.float32)
    asked[:, :8] = dice.standard_normal((30, 8))
    collection = collection_name(world.settings.model_card.collection, "local")
    before = _neighbours(held, collection, asked)
    assert len(set(chain.from_iterable(before))) > 15
    held.vectors.drop(collection)
    assert held.vectors.count(collection) == 0
    look_at_index(held)
    assert {of: at.written for of, at in held.rebuilds.under_way().items()} == {
        (world.settings.model_card.collection, "local"): 0
    }
    assert len(world.queued(Queue.CONTROL.value)) == 1
    while rebuild_stretch(held, world.settings.model_card.collection, "local"):
        pass
    assert held.rebuilds.under_way() == {}
    assert _neighbours(held, collection, asked) == before


def test_an_index_that_was_lost_while_it_was_written_is_written_anew(world: World, held: Stores) -> None:
    ids = [world.sample(f"{number}.wav", vector=[1.0, number]) for number in range(5)]
    model = world.settings.model_card.collection
    collection = collection_name(model, "local")
    look_at_index(held)
    assert held.rebuilds.under_way() == {}
    held.vectors.drop(collection)
    held.vectors.upsert(collection, ids[:1], np.ones((1, world.settings.model_card.vector_size), np.float32))
    _look_again(held)
    assert list(held.rebuilds.under_way()) == [(model, "local")]
    while rebuild_stretch(held, model, "local"):
        pass
    assert held.vectors.count(collection) == 5
    _look_again(held)
    assert held.rebuilds.under_way() == {}


def test_a_collection_of_an_older_model_goes_when_ours_holds_as_much(world: World, held: Stores) -> None:
    ids = [world.sample(f"{number}.wav", vector=[1.0, number]) for number in range(3)]
    size = world.settings.model_card.vector_size
    old, hers = collection_name("ears-0", "local"), collection_name("ears-0", "ada")
    for name in (old, hers):
        held.vectors.upsert(name, ids, np.ones((3, size), np.float32))
    look_at_index(held)
    assert old not in held.vectors.collections()
    assert hers in held.vectors.collections()


def _look_again(held: Stores) -> None:
    """As after the pause between two looks."""
    with Redis.from_url(held.settings.cache_url) as redis:
        assert redis.delete("due:look-at-index")
    look_at_index(held)


def _neighbours(held: Stores, collection: str, vectors: Vectors) -> list[list[str]]:
    return held.vectors._collection(collection).query(query_embeddings=[*vectors], n_results=5)["ids"]
