"""Samples: the library's sounds."""

from dataclasses import replace
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from api_gateway.conditional import has_already
from api_gateway.dependencies import Cursor, FolderOrFile, InCollection, Limit, SampleId, TheLibrary, User
from api_gateway.problems import declared, problem_response
from api_gateway.ranges import Unsatisfiable, parse_range
from samplemind_tasks.categories import Category
from samplemind_tasks.curation import EditAnswer, SampleEdit
from samplemind_tasks.errors import BadRequest
from samplemind_tasks.features import Kind
from samplemind_tasks.keynames import read_key
from samplemind_tasks.library.samples import Sound
from samplemind_tasks.said import SampleChange
from samplemind_tasks.schemas import Peaks, Problem, Sample, SampleDetail, SamplePage, SampleState
from samplemind_tasks.store.pages import SampleFilter, known_words, span_of

router = APIRouter(tags=["samples"])

SOUND = {name: {"schema": {"type": "string", "format": "binary"}} for name in ("application/octet-stream", "audio/*")}
KEPT_BY_CLIENT = "private, max-age=3600"
Detail = Annotated[bool, Query(description="Up to 16,000 bins instead of at most 1000.")]
Bpm = Annotated[float | None, Query(gt=0, lt=1000, allow_inf_nan=False)]
Bound = Annotated[float | None, Query(allow_inf_nan=False)]


def measured_filter(
    duration_min: Annotated[Bound, Query(description="Seconds, at least.")] = None,
    duration_max: Annotated[Bound, Query(description="Seconds, at most.")] = None,
    loudness_min: Annotated[Bound, Query(description="LUFS, at least.")] = None,
    loudness_max: Annotated[Bound, Query(description="LUFS, at most.")] = None,
    brightness_min: Annotated[Bound, Query(description="Hz of the spectral centroid, at least.")] = None,
    brightness_max: Annotated[Bound, Query(description="Hz of the spectral centroid, at most.")] = None,
    word: Annotated[
        list[Annotated[str, Query(max_length=64)]],
        Query(max_length=16, description="All of these descriptors: bright, dark, punchy, ..."),
    ] = [],  # noqa: B006
) -> SampleFilter:
    """The part of a filter that is about what was measured."""
    _in_order("duration", duration_min, duration_max)
    _in_order("loudness", loudness_min, loudness_max)
    _in_order("brightness", brightness_min, brightness_max)
    return SampleFilter(
        duration_s=span_of(duration_min, duration_max),
        loudness_lufs=span_of(loudness_min, loudness_max),
        brightness_hz=span_of(brightness_min, brightness_max),
        words=known_words(word, "word"),
    )


def _in_order(name: str, least: float | None, most: float | None) -> None:
    if least is not None and most is not None and least > most:
        message = f"is more than {name}_max"
        raise BadRequest(f"{name}_min: {message}", detail={"fields": [{"field": f"{name}_min", "message": message}]})


def sample_filter(
    measured: Annotated[SampleFilter, Depends(measured_filter)],
    kind: Annotated[Kind | None, Query(description="What the sound is for.")] = None,
    key: Annotated[
        str | None, Query(max_length=16, description="Musical key, or its Camelot name.", examples=["A minor", "8A"])
    ] = None,
    key_compatible: Annotated[bool, Query(description="Keys that mix with it too.")] = False,
    tempo_min: Annotated[Bpm, Query(description="Beats per minute, at least.")] = None,
    tempo_max: Annotated[Bpm, Query(description="Beats per minute, at most.")] = None,
    tempo_octaves: Annotated[bool, Query(description="Half and double the tempo too.")] = False,
    tag: Annotated[list[Annotated[str, Query(max_length=64)]], Query(max_length=16, description="All of these.")] = [],  # noqa: B006
    name: Annotated[str | None, Query(max_length=255, description="Part of the name, in any case.")] = None,
    state: Annotated[SampleState | None, Query(description="`ready` samples are searchable.")] = None,
    category: Annotated[Category | None, Query(description="What it is called, by a person or the model.")] = None,
    favourite: Annotated[bool | None, Query(description="Only favourites, or none of them.")] = None,
) -> SampleFilter:
    """The filter a query asks for."""
    if key is not None and read_key(key) is None:
        message = 'write "A minor", Am, "F# major" or 8A'
        raise BadRequest(f"key: {message}", detail={"fields": [{"field": "key", "message": message}]})
    _in_order("tempo", tempo_min, tempo_max)
    return replace(
        measured, kind=kind, key=key, key_compatible=key_compatible, tempo_min_bpm=tempo_min, tempo_max_bpm=tempo_max,
        tempo_octaves=tempo_octaves, tags=tuple(tag), name=name or None, state=state, category=category,
        favourite=favourite,
    )  # fmt: skip


@router.get("/samples", summary="List samples", responses=declared(404))
async def list_samples(
    library: TheLibrary,
    user: User,
    wanted: Annotated[SampleFilter, Depends(sample_filter)],
    path: FolderOrFile = None,
    collection: InCollection = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> SamplePage:
    """The newest first. Filters add up. A page may be short while `next` leads on."""
    return await library.samples.page(user, wanted, path, limit, cursor, collection)


@router.post("/samples/edit", summary="Say the same of many samples", responses=declared(404))
async def edit_samples(edit: SampleEdit, library: TheLibrary, user: User) -> EditAnswer:
    """Change up to 1,000 samples by id, or all that a filter meets. `preview` only counts.

    A filter that meets many is worked off for a few seconds; ask again with `next` as the `cursor` until it is null.
    """
    return await library.edits.edit(user, edit)


@router.get("/samples/{sample_id}", summary="Everything about a sample", responses=declared(404))
async def get_sample(sample_id: SampleId, library: TheLibrary, user: User) -> SampleDetail:
    """What was measured, what the model heard, and where the sample lives."""
    return await library.samples.detail(user, sample_id)


@router.patch("/samples/{sample_id}", summary="Say what a sample is", responses=declared(404))
async def change_sample(sample_id: SampleId, change: SampleChange, library: TheLibrary, user: User) -> Sample:
    """Say its name, kind, category, tempo, key, tags, a note, a favourite. Nothing found goes over it; null undoes."""
    return await library.samples.change(user, sample_id, change)


@router.head("/samples/{sample_id}/audio", include_in_schema=False)
@router.get(
    "/samples/{sample_id}/audio",
    summary="Hear a sample",
    response_class=StreamingResponse,
    responses=declared(404, 416)
    | {
        200: {"description": "The whole file.", "content": SOUND},
        206: {"description": "The range asked for.", "content": SOUND},
        304: {"description": "The client has it already."},
    },
)
async def get_audio(
    request: Request,
    sample_id: SampleId,
    library: TheLibrary,
    user: User,
    range_: Annotated[str | None, Header(alias="Range", description="One range of bytes.")] = None,
    if_range: Annotated[str | None, Header(alias="If-Range", description="The ETag the range belongs to.")] = None,
    if_none_match: Annotated[str | None, Header(alias="If-None-Match", description="The ETag already there.")] = None,
) -> Response:
    """The sample's own bytes, unchanged, whole or in part."""
    sound = await library.samples.sound(user, sample_id)
    etag = f'"{sound.file_hash}"'
    headers = _sound_headers(sound, etag)
    if has_already(if_none_match, etag):
        sound.close()
        return Response(status_code=304, headers=headers)
    if request.method == "HEAD":
        sound.close()
        headers["Content-Length"] = str(sound.size_bytes)
        return Response(headers=headers, media_type=sound.media_type)
    try:
        part = parse_range(range_ if if_range in (None, etag) else None, sound.size_bytes)
    except Unsatisfiable:
        sound.close()
        problem = Problem(code="range_not_satisfiable", message=f"the file has {sound.size_bytes:,} bytes")
        return problem_response(416, problem, {"Content-Range": f"bytes */{sound.size_bytes}"})
    if part is None:
        headers["Content-Length"] = str(sound.size_bytes)
        pieces = sound.pieces(0, sound.size_bytes)
        return StreamingResponse(pieces, headers=headers, media_type=sound.media_type)
    headers["Content-Length"] = str(part.end - part.start)
    headers["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{sound.size_bytes}"
    pieces = sound.pieces(part.start, part.end)
    return StreamingResponse(pieces, status_code=206, headers=headers, media_type=sound.media_type)


def _sound_headers(sound: Sound, etag: str) -> dict[str, str]:
    return {
        "Accept-Ranges": "bytes",
        "ETag": etag,
        "Cache-Control": KEPT_BY_CLIENT,
        "Content-Disposition": f"inline; filename*=UTF-8''{quote(sound.name, safe='', errors='replace')}",
        "X-Content-Type-Options": "nosniff",
    }


@router.get("/samples/{sample_id}/peaks", summary="Draw a sample", responses=declared(404))
async def get_peaks(
    sample_id: SampleId, response: Response, library: TheLibrary, user: User, detail: Detail = False
) -> Peaks:
    """The waveform as the lowest and highest value of each bin."""
    response.headers["Cache-Control"] = KEPT_BY_CLIENT  # the same bytes look the same
    return await library.samples.peaks(user, sample_id, detail=detail)


@router.delete("/samples/{sample_id}", status_code=204, summary="Delete a sample", responses=declared(404))
async def delete_sample(sample_id: SampleId, library: TheLibrary, user: User) -> None:
    """Take a sample out of the library. Its file is not touched, and a rescan does not bring it back."""
    await library.samples.delete(user, sample_id)
