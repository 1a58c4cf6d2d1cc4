"""Everything known about one sample, on one page."""

from rich.console import Group, RenderableType
from rich.text import Text

from samplemind_tasks.cli.show import NONE, count, facts, length, number, on_one_line, size, unsure
from samplemind_tasks.features import Features, Spread, note_name
from samplemind_tasks.schemas import PlaceView, Sample, SampleDetail, Tag

BAR = "━"
TAG_BAR_COLUMNS = 20
SHOWN_TAGS = 8
"""The strongest; --json has them all."""
SHOWN_PLACES = 10
LARGE = 100
WHOLE = 0.99
"""Measured over at least this part of its length is measured whole."""


def sample_sheet(detail: SampleDetail) -> RenderableType:
    """Name, music, sound, tags and places."""
    sample, features = detail.sample, detail.features
    head = Text.assemble(
        (on_one_line(sample.name), "bold"),
        f"  {sample.kind} · {length(sample.duration_s)} · ",
        (str(sample.state), "dim"),
    )
    parts: list[RenderableType] = [
        head,
        facts([("id", sample.id), *_called(sample), *_said(detail), *_music(features), *_sound(features)]),
    ]
    if detail.tags:
        best = sorted(detail.tags, key=lambda tag: -tag.score)[:SHOWN_TAGS]
        parts += [Text(f"\ntags, heard by {detail.model}", style="dim"), facts([_tag(tag) for tag in best])]
    if detail.heard_as:
        parts += [Text("\nheard as", style="dim"), facts([_tag(tag) for tag in detail.heard_as])]
    if detail.note:
        parts += [Text("\nnote", style="dim"), Text(detail.note)]
    parts += [Text("\nplaces", style="dim"), *[_place(place) for place in detail.places[:SHOWN_PLACES]]]
    if (more := len(detail.places) - SHOWN_PLACES) > 0:
        parts.append(Text(f"and {count(more)} more; --json has them all", style="dim"))
    parts += [Text(note, style="yellow") for note in features.notes]
    return Group(*parts)


def _called(sample: Sample) -> list[tuple[str, Text | str]]:
    """Its category, and who says so."""
    told = Text(NONE, style="dim")
    if sample.category is not None:
        told = unsure(str(sample.category), sample.category_confidence)
        source = {"person": " (you said so)", "taught": " (as you taught)"}.get(str(sample.category_source), "")
        told.append(source, style="dim")
    return [("category", told), *([("favourite", "yes")] if sample.favourite else [])]


def _said(detail: SampleDetail) -> list[tuple[str, Text | str]]:
    """What a person said, beside what was found in its place. What was measured is shown below as it was."""
    sample, found = detail.sample, detail.found
    rows: list[tuple[str, Text | str]] = []
    if detail.own_tags:
        rows.append(("your tags", ", ".join(detail.own_tags)))
    if detail.hidden_tags:
        rows.append(("hidden", ", ".join(detail.hidden_tags)))
    for field in ("name", "kind", "tempo_bpm", "key"):
        if field in sample.said:
            value, was = getattr(sample, field), getattr(found, field, None)
            told = Text(number(value) if isinstance(value, float) else str(value))
            was_told = number(was) if isinstance(was, float) else str(was or "nothing")
            rows.append((f"your {field.removesuffix('_bpm')}", told.append(f"  found: {was_told}", style="dim")))
    return rows


def _music(features: Features) -> list[tuple[str, Text | str]]:
    return [
        ("tempo", _tempo(features)),
        ("bars", _measured(features, "bars", "")),
        ("key", _key(features)),
        ("pitch", _pitch(features)),
        ("attack", _milliseconds(features, "attack_s")),
        ("decay", _milliseconds(features, "decay_s")),
        ("loudness", _measured(features, "loudness_lufs", "LUFS")),
        ("range", _measured(features, "loudness_range_lu", "LU")),
        ("true peak", _measured(features, "true_peak_dbtp", "dBTP")),
        ("onsets", str(features.onset_count)),
        ("sounds", " · ".join(word.name for word in features.words) or NONE),
        ("file says", " · ".join(f"{_told(row.value)} ({row.source})" for row in features.evidence) or NONE),
    ]


def _tempo(features: Features) -> Text:
    told = _measured(features, "tempo_bpm", "bpm", features.tempo_confidence, features.tempo_second_bpm)
    if features.tempo_bpm and features.tempo_source != "sound":
        heard = f", heard {number(features.tempo_heard_bpm)}" if features.tempo_heard_bpm else ""
        told.append(f"  by its {features.tempo_source}{heard}", style="dim")
    return told


def _pitch(features: Features) -> Text:
    if features.pitch_midi is None or features.pitch_cents is None:
        return _missing(features, "pitch_midi")
    told = unsure(note_name(features.pitch_midi), features.pitch_confidence)
    return told.append(f"  {features.pitch_cents:+.0f} cents", style="dim")


def _milliseconds(features: Features, field: str) -> Text:
    seconds: float | None = getattr(features, field)
    return _missing(features, field) if seconds is None else Text(f"{1000 * seconds:.0f} ms")


def _told(value: float | str) -> str:
    return value if isinstance(value, str) else number(value)


def _sound(features: Features) -> list[tuple[str, Text | str]]:
    form = [
        f"{features.container} {features.codec}",
        f"{number(features.rate_hz / 1000)} kHz",
        f"{features.bit_depth} bit" if features.bit_depth else "",
        f"{features.channels} channel{'' if features.channels == 1 else 's'}",
        f"first {length(features.measured_s)} measured" if features.measured_s < features.duration_s * WHOLE else "",
    ]
    return [
        ("centroid", _spread(features.centroid_hz, "Hz")),
        ("bandwidth", _spread(features.bandwidth_hz, "Hz")),
        ("rolloff", _spread(features.rolloff_hz, "Hz")),
        ("flatness", _spread(features.flatness, "")),
        ("format", " · ".join(filter(None, form))),
    ]


def _measured(
    features: Features, field: str, unit: str, confidence: float | None = None, second: float | None = None
) -> Text:
    """A value with its unit and its runner-up, or why there is none."""
    value: float | None = getattr(features, field)
    if value is None:
        return _missing(features, field)
    told = unsure(f"{number(value)} {unit}".rstrip(), confidence)
    if second is not None:
        told.append(f"  or {number(second)}", style="dim")
    return told


def _key(features: Features) -> Text:
    if features.key is None:
        return _missing(features, "key")
    told = unsure(features.key, features.key_confidence)
    told.append(f"  {features.key_camelot or ''}", style="dim")
    if features.key_second:
        told.append(f"  or {features.key_second}", style="dim")
    return told


def _missing(features: Features, field: str) -> Text:
    reason = features.reasons.get(field)
    return Text(f"{NONE} {reason.replace('_', ' ') if reason else ''}".rstrip(), style="dim")


def _spread(spread: Spread | None, unit: str) -> Text:
    if spread is None:
        return Text(NONE, style="dim")
    told = Text(f"{_significant(spread.mean)} {unit}".rstrip())
    told.append(f"  ± {_significant(spread.deviation)}", style="dim")
    return told


def _significant(value: float) -> str:
    """601 and 0.00031: hertz and ratios are read alike."""
    return f"{value:.0f}" if abs(value) >= LARGE else f"{value:.2g}"


def _tag(tag: Tag) -> tuple[str, Text | str]:
    bar = Text(BAR * max(1, round(tag.score * TAG_BAR_COLUMNS)), style="cyan")
    return tag.name, bar.append(f" {tag.score:.2f}", style="dim")


def _place(place: PlaceView) -> Text:
    where = on_one_line(place.path) if place.path else f"upload {place.upload}"
    state = "" if place.state == "present" else f"  {place.state}"
    return Text.assemble(where, (f"  {size(place.size_bytes)}", "dim"), (state, "yellow"), overflow="fold")
