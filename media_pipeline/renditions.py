"""Making the files: one function per kind of output, each checked before anybody sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from django.utils.translation import gettext as _

from media_pipeline import long_films, recipes, recipes_hls, sound, storyboard
from media_pipeline.colour import write_table
from media_pipeline.long_sources import Lent
from media_pipeline.models import LongFilm
from media_pipeline.probe import OUR_FORMATS, Audio, Probe, probe
from media_pipeline.recipes import Part, RenditionPlan, Size, Variant
from media_pipeline.recipes_hls import MEDIA, PLAYLIST, SOUND_MEDIA, SOUND_PLAYLIST
from media_pipeline.sound import Loudness
from media_pipeline.sources import Source
from media_pipeline.work import OutputWrong, Wanted, Work, checked

DOWNLOAD, MASTER, POSTER, CLIP = "recording.mp4", "master.m3u8", "poster.jpg", "clip.mp4"
SOUND = "audio"
# In a playlist (RFC 6381): the only kind of AAC that the recipes make.
AAC_LC = "mp4a.40.2"
POSTER_SIDE = 720
# Not the first moment, when the host is still putting the phone down.
POSTER_AT_S = 3.0


@dataclass(frozen=True, slots=True)
class Made:
    """A finished form of an asset, with its path relative to the asset's folder."""

    name: str
    path: str
    size: Size
    fps: float
    codecs: str
    peak_bits_per_second: int
    average_bits_per_second: int
    duration_s: float
    is_copy: bool = False


# What a phone on the edge of a village's network still plays: below it one rendition is enough.
MODEST_BITS_PER_SECOND = 1_000_000


def size_of(found: Probe) -> Size:
    return Size(found.picture.width, found.picture.height)


def make_download(parts: Sequence[tuple[Part, Probe]], folder: Path, work: Work) -> Probe:
    """`recording.mp4`: the take's own streams, or several takes encoded on one timeline."""
    duration_s = sum(part.duration_s for part, _found in parts)
    (first, found), output = parts[0], folder / DOWNLOAD
    size = Size(recipes.even(found.picture.width), recipes.even(found.picture.height))
    if len(parts) == 1:
        args = recipes.remux(first, output)
    else:
        fps = recipes.usual_fps(found.picture.fps)
        args = recipes.whole([part for part, _found in parts], size, fps, output)
    work.run(args, output_s=duration_s, until=0.05 if len(parts) == 1 else 0.4)
    return checked(output, Wanted("h264", size, duration_s, "aac"))


def plans_for(source: Source) -> list[RenditionPlan]:
    """The ladder: never above the source, and with the source itself on top where it allows."""
    if not source.may_be_copied:
        return recipes.ladder(source.size, source.fps)
    short = min(source.size.width, source.size.height)
    top = RenditionPlan(f"{short}p", source.size, source.packets.fps, is_copy=True)
    if source.packets.bits_per_second <= MODEST_BITS_PER_SECOND:
        return [top]
    lower = recipes.ladder(source.size, source.fps)
    return [
        top,
        *(plan for plan in lower if min(plan.size.width, plan.size.height) <= short * 0.75),
    ]


def make_renditions(
    source: Source, folder: Path, work: Work, lent: Lent | None = None
) -> list[Made]:
    """Everything that is watched by HLS, and when all of it is right the master playlist.

    In `folder`: a folder for each rendition, the sound alone, the waveform, and small pictures to
    seek by. Progress goes from where it is to 0.96. Other workers help with a long film that is
    `lent` to them.
    """
    plans = plans_for(source)
    spent = (0.96 - work.progress) / 20
    heard = _make(source, plans, folder, work, lent, sound_until=work.progress + 2 * spent)
    made = [_made_rendition(folder, plan, source, heard) for plan in plans]
    lowest = min(made, key=lambda one: one.size.width)
    media = folder / lowest.name / MEDIA
    storyboard.make_storyboard(media, lowest.size, source.duration_s, folder, work, until=0.96)
    variants = [_variant(one) for one in made]
    alone = _sound_variant(folder, source) if heard else []
    (folder / MASTER).write_text(recipes.master_playlist(variants + alone))
    return made


def make_best(source: Source, folder: Path, work: Work, lent: Lent | None = None) -> Path:
    """The folder of the best rendition alone: what an uploaded film is kept as, if not as it is."""
    plan = plans_for(source)[0]
    heard = _make(source, [plan], folder, work, lent, sound_until=0.1)
    _made_rendition(folder, plan, source, heard)
    return folder / plan.name


def _make(
    source: Source,
    plans: Sequence[RenditionPlan],
    folder: Path,
    work: Work,
    lent: Lent | None,
    *,
    sound_until: float,
) -> Path | None:
    """The renditions' folders; the sound that is in them, `None` where there is none."""
    film = long_films.begin(source, _timed(source), plans, work, lent)
    for plan in plans:
        (folder / plan.name).mkdir()
    if film is None:
        heard = _make_sound(source, folder, work, until=sound_until)
        _encode(source, plans, folder, heard, work)
        return heard
    heard = _sound_of(film, source, folder, work, until=sound_until)
    long_films.gather(film, work, until=0.92)
    long_films.join(film, _timed(source), plans, folder, work, sound=heard, until=0.94)
    return heard


def _sound_of(
    film: LongFilm, source: Source, folder: Path, work: Work, *, until: float
) -> Path | None:
    """As `_make_sound`, which an earlier attempt may have done."""
    if long_films.sound_again(film, folder):
        work.progress = until
        return folder / SOUND / SOUND_MEDIA
    heard = _make_sound(source, folder, work, until=until)
    if heard:
        files = [folder / sound.WAVE_FILE, *(folder / SOUND).iterdir()]
        long_films.keep_sound(film, files, folder, work)
    return heard


def _encode(
    source: Source, plans: Sequence[RenditionPlan], folder: Path, heard: Path | None, work: Work
) -> None:
    is_beside_copy = plans[0].is_copy
    table = write_table(source.look.hdr, folder) if source.look.hdr else None
    args = recipes_hls.renditions(
        _timed(source),
        source.look,
        plans,
        folder,
        sound=heard,
        table=table,
        keys=_key_times(source) if is_beside_copy else (),
    )
    work.run(args, output_s=source.duration_s, until=0.94)
    if table:
        table.unlink()


def _timed(source: Source) -> Part:
    """From the first picture on; a copied one keeps the time that its file gives it."""
    return source.part(start_s=0.0) if source.may_be_copied else source.part()


def _key_times(source: Source) -> list[float]:
    return [source.lead_s + key_s for key_s in source.packets.keys]


def _make_sound(source: Source, folder: Path, work: Work, *, until: float) -> Path | None:
    """The sound alone, as loud as everything here; `None` where there is none."""
    audio = source.found.audio
    if audio is None:
        work.progress = until
        return None
    (folder / SOUND).mkdir()
    part = _timed(source)
    middle = (work.progress + until) / 2
    loudness = sound.measured(part, folder, work, until=middle)
    (folder / sound.TOLD).unlink()
    (folder / sound.WAVE_FILE).write_bytes(msgspec.json.encode(sound.waveform(loudness)))
    args = recipes_hls.soundtrack(
        part,
        folder / SOUND,
        gain_db=loudness.gain_db,
        peak_db=loudness.peak_db,
        is_copy=source.may_be_copied and _may_be_copied(audio, loudness),
    )
    work.run(args, output_s=part.duration_s, until=until)
    return folder / SOUND / SOUND_MEDIA


def _may_be_copied(audio: Audio, loudness: Loudness) -> bool:
    return audio.is_simple and not loudness.gain_db


def make_poster(source: Path, found: Probe, folder: Path, work: Work) -> Path:
    """`poster.jpg`: a typical frame, 720 pixels on its short side at most."""
    size, output = recipes.fitted(size_of(found), POSTER_SIDE), folder / POSTER
    at_s = min(POSTER_AT_S, found.duration_s / 3)
    work.run(recipes.poster(source, at_s, size, output), output_s=1, until=0.98)
    checked(output, Wanted("mjpeg", size))
    return output


def segment_rates(playlist: str) -> list[int]:
    """Bits per second of each segment of a byte-range playlist."""
    rates: list[int] = []
    duration_s = 0.0
    for line in playlist.splitlines():
        if line.startswith("#EXTINF:"):
            duration_s = float(line.removeprefix("#EXTINF:").partition(",")[0])
        elif line.startswith("#EXT-X-BYTERANGE:") and duration_s > 0:
            size = int(line.removeprefix("#EXT-X-BYTERANGE:").partition("@")[0])
            rates.append(round(size * 8 / duration_s))
    return rates


def _made_rendition(folder: Path, plan: RenditionPlan, source: Source, heard: Path | None) -> Made:
    playlist, media = folder / plan.name / PLAYLIST, folder / plan.name / MEDIA
    audio_codec = "aac" if heard else None
    seen = checked(playlist, Wanted("h264", plan.size, source.duration_s, audio_codec))
    average = round(media.stat().st_size * 8 / seen.duration_s)
    return Made(
        name=plan.name,
        path=f"{plan.name}/{PLAYLIST}",
        size=plan.size,
        fps=plan.fps,
        codecs=_codecs(seen),
        peak_bits_per_second=max(average, *segment_rates(playlist.read_text())),
        average_bits_per_second=average,
        duration_s=seen.duration_s,
        is_copy=plan.is_copy,
    )


def _sound_variant(folder: Path, source: Source) -> list[Variant]:
    """For players that take the sound alone where a line carries no picture."""
    playlist, media = folder / SOUND / SOUND_PLAYLIST, folder / SOUND / SOUND_MEDIA
    seen = probe(playlist, formats=OUR_FORMATS)
    if seen.audio is None or seen.audio.codec != "aac":
        raise OutputWrong(_("The video did not turn out right."), f"{playlist.name}: no sound")
    average = round(media.stat().st_size * 8 / source.duration_s)
    return [
        Variant(
            uri=f"{SOUND}/{SOUND_PLAYLIST}",
            size=None,
            fps=0.0,
            codecs=AAC_LC,
            peak_bits_per_second=max(average, *segment_rates(playlist.read_text())),
            average_bits_per_second=average,
        )
    ]


def _variant(made: Made) -> Variant:
    return Variant(
        uri=made.path,
        size=made.size,
        fps=made.fps,
        codecs=made.codecs,
        peak_bits_per_second=made.peak_bits_per_second,
        average_bits_per_second=made.average_bits_per_second,
    )


def _codecs(seen: Probe) -> str:
    picture = seen.picture.codec_string
    return f"{picture},{AAC_LC}" if seen.audio else picture
