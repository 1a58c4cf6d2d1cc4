"""The live worker's doors: hear a sound or read a text while somebody waits. Search never queues behind bulk work."""

from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from io import BytesIO
from typing import Any, TypedDict

import numpy as np
from celery.signals import worker_init
from numpy.typing import NDArray

from samplemind_tasks.audio.analyze import analyze
from samplemind_tasks.audio.decode import open_sound
from samplemind_tasks.audio.evidence import in_bytes
from samplemind_tasks.audio.listen import listen
from samplemind_tasks.errors import AudioError, SampleMindError
from samplemind_tasks.queues import app, settings
from samplemind_tasks.tasks.hearing import embedder, load_first, sentences
from samplemind_tasks.tasks.stage import stores
from samplemind_tasks.words.meaning import phrase_texts, relate

QUERY_SECONDS = 30.0
"""A query sound is heard over its first part of this length."""
DIGITS = 7
MOST_NAME_WORDS = 512
"""Of a library's names, compared with a text; what they mean is remembered."""

Floats = NDArray[np.float32]


class HeardSound(TypedDict, total=False):
    """What a query sound is: its vector, leaf probabilities and features; or why there is nothing."""

    vector: list[float]
    leaves: list[float] | None
    features: dict[str, object]
    code: str
    message: str


class ReadTexts(TypedDict, total=False):
    """A vector for each text; or why there is none."""

    vectors: list[list[float]]
    code: str
    message: str


@worker_init.connect
def _load_first(**_: Any) -> None:
    """The first query does not wait for the models."""
    load_first(in_bulk=False)
    if not settings.model_card.joint_text:
        _meanings(tuple(phrase_texts()))


@app.task(name="live.embed_sound", acks_late=False)
def embed_sound(token: str) -> HeardSound:
    """Hear and measure an uploaded sound, kept in the blob store under `queries/<token>` by who asks."""
    try:
        file = BytesIO(stores().blobs.get(f"queries/{token}"))
        with open_sound(
            file,
            name="query",
            max_bytes=settings.max_upload_bytes,
            max_duration_s=settings.max_duration_s,
            max_seconds=QUERY_SECONDS,
        ) as sound:
            listened = listen(sound, settings.model_card.front_ends)
        measured = analyze(listened, in_bytes(file), settings.tempo_range_bpm)
        heard = embedder().embed(listened.windows)
    except (AudioError, SampleMindError) as error:
        return {"code": error.code, "message": error.message}
    return {
        "vector": _told(heard.vector),
        "leaves": None if heard.leaves is None else _told(heard.leaves),
        "features": measured.features.model_dump(mode="json"),
    }


@app.task(name="live.embed_text", acks_late=False)
def embed_text(texts: list[str]) -> ReadTexts:
    """Read texts into the space of the sounds, where the model in use has both in one."""
    try:
        vectors = embedder().embed_texts(texts)
    except SampleMindError as error:
        return {"code": error.code, "message": error.message}
    return {"vectors": [_told(vector) for vector in vectors]}


@app.task(name="live.relate_text", acks_late=False)
def relate_text(texts: list[str], name_words: list[str]) -> dict[str, object]:
    """What words that nobody understood are near to: sounds, tags, and words of the library's names.

    texts : of words/meaning.py `asked_texts`
    """
    tags, words = settings.model_card.tags, name_words[:MOST_NAME_WORDS]
    try:
        related = relate(
            texts,
            sentences().embed(texts),
            _meanings(tuple(phrase_texts())),
            tags,
            _meanings(tuple(tags)),
            words,
            np.stack([_meaning(word) for word in words]) if words else None,
        )
    except SampleMindError as error:
        return {"code": error.code, "message": error.message}
    return {
        "sounds": [sound.model_dump() for sound in related.sounds],
        "tags": [asdict(tag) for tag in related.tags],
        "name_words": [asdict(word) for word in related.name_words],
    }


@cache
def _meanings(texts: tuple[str, ...]) -> Floats:
    """Vectors of texts that never change."""
    return sentences().embed(texts)


_known_words: dict[str, Floats] = {}
_MOST_KNOWN_WORDS = 50_000


def _meaning(word: str) -> Floats:
    """The vector of a word of some library's names."""
    if word not in _known_words:
        if len(_known_words) >= _MOST_KNOWN_WORDS:
            _known_words.clear()
        _known_words[word] = sentences().embed([word])[0]
    return _known_words[word]


def _told(vector: Sequence[float] | Floats) -> list[float]:
    return [round(float(value), DIGITS) for value in vector]
