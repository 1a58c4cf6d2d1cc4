"""Changes of the database: once, in order, whoever starts together; and a library that a newer version has opened."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from samplemind_tasks.settings import Settings
from samplemind_tasks.store import migrations
from samplemind_tasks.store.migrations import MIGRATIONS, migrate
from samplemind_tasks.store.mongo import connect


def test_gateways_that_start_together_note_each_migration_once(settings: Settings) -> None:
    fresh = settings.model_copy(update={"mongo_database": f"{settings.mongo_database}fresh"})
    with ThreadPoolExecutor(6) as gateways:
        ran = list(gateways.map(lambda _: migrate(connect(fresh)), range(6)))
    names = [name for _, name, _ in MIGRATIONS]
    assert Counter(name for each in ran for name in each) == Counter(names)
    database = connect(fresh)
    assert [row["name"] for row in database.migrations.find({}).sort("_id", 1)] == names
    unique = [index for index in database.audio_files.index_information().values() if index.get("unique")]
    assert [index["key"] for index in unique] == [[("user_id", 1), ("file_hash", 1)]]
    assert migrate(database) == []


def test_a_process_that_dies_in_a_migration_leaves_it_to_the_next(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = connect(settings)

    def dies(_: object) -> None:
        database.audio_files.update_many({}, {"$set": {"half": True}})
        raise KeyboardInterrupt

    whole = [*MIGRATIONS, (len(MIGRATIONS) + 1, "one more", dies)]
    monkeypatch.setattr(migrations, "MIGRATIONS", whole)
    with pytest.raises(KeyboardInterrupt):
        migrate(database)
    monkeypatch.setattr(migrations, "MIGRATIONS", [*MIGRATIONS[:-1], (whole[-1][0], "one more", lambda _: None)])
    assert migrate(database) == ["one more"]


def test_a_database_that_a_newer_version_has_migrated_is_opened_as_it_is(settings: Settings) -> None:
    database = connect(settings)
    database.migrations.insert_one({"_id": 10_000, "name": "of tomorrow", "applied_at": datetime.now(UTC)})
    assert migrate(database) == []
