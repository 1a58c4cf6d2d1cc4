"""The live worker's door: hear one sound while somebody waits, so that search never queues behind bulk work."""

from collections.abc import Sequence
from io import BytesIO
from typing import TypedDict

from samplemind_tasks.audio.decode import open_sound
from samplemind_tasks.audio.listen import listen
from samplemind_tasks.errors import AudioError, SampleMindError
from samplemind_tasks.queues import app, settings
from samplemind_tasks.tasks.gpu import embedder
from samplemind_tasks.tasks.stage import stores

QUERY_SECONDS = 30.0
"""A query sound is heard over its first part of this length."""


class Answer(TypedDict, total=False):
    """A vector, or why there is none."""

    vector: Sequence[float]
    code: str
    message: str


@app.task(name="live.embed_sound", acks_late=False)
def embed_sound(token: str) -> Answer:
    """The vector of an uploaded sound, kept in the blob store under `queries/<token>` by who asks."""
    try:
        front_end = settings.model_card.front_end
        with open_sound(
            BytesIO(stores().blobs.get(f"queries/{token}")),
            name="query",
            max_bytes=settings.max_upload_bytes,
            max_duration_s=settings.max_duration_s,
            max_seconds=QUERY_SECONDS,
        ) as sound:
            windows = listen(sound, [front_end]).windows[front_end.name]
        heard = embedder().embed(windows)
    except (AudioError, SampleMindError) as error:
        return {"code": error.code, "message": error.message}
    return {"vector": [round(float(value), 7) for value in heard.vector]}
