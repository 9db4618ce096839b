"""What others do with a film, with the same ffmpeg: the peers of `make bench-pipeline`."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bench.processes import BenchError
from core.ids import new_id
from media_pipeline import ffmpeg, recipes, recipes_hls, sound, storyboard
from media_pipeline.jobs import Lease
from media_pipeline.recipes import RenditionPlan
from media_pipeline.recipes_hls import MEDIA, SOUND_MEDIA
from media_pipeline.renditions import (
    POSTER,
    POSTER_AT_S,
    POSTER_SIDE,
    SOUND,
    make_poster,
    make_renditions,
    plans_for,
)
from media_pipeline.sources import Source, looked_at
from media_pipeline.work import Work

# MediaCMS, settings.py: kilobits a second by the rung's lines, up to 30 frames a second.
MEDIACMS_KBPS = {240: 300, 360: 500, 480: 1000, 720: 2500, 1080: 4500}
# PeerTube, ffmpeg-default-transcoding-profile.ts: bits for each pixel of each frame.
PEERTUBE_BITS = {240: 0.2, 360: 0.15, 480: 0.12, 720: 0.11, 1080: 0.08}
HLSFIELD_KBPS = {240: (300, 64), 360: (800, 96), 720: (2500, 128), 1080: (4500, 160)}
HLSFIELD_WITHIN_S = 7200

Do = Callable[[Source, Path], None]


def ours(source: Source, out: Path) -> None:
    """The pipeline as a worker runs it, its looks at the source and at what it made included."""
    work = Work(Lease(0, "bench", new_id(), 1, 1))
    again = looked_at(source.path)
    make_renditions(again, out, work)
    make_poster(again.path, again.found, out, work)


def bare(source: Source, out: Path) -> None:
    """The same work by hand: a probe, loudness, sound, one decode for all, sheets and a poster."""
    part, plans = source.part(), plans_for(source)
    told = out / sound.TOLD
    _check([ffmpeg.ffprobe_path(), "-v", "error", "-show_streams", str(source.path)])
    _ffmpeg(sound.measuring(part, told))
    with told.open() as lines:
        loud = sound.loudness_in(lines)
    for name in (SOUND, *(plan.name for plan in plans)):
        (out / name).mkdir()
    _ffmpeg(recipes_hls.soundtrack(part, out / SOUND, gain_db=loud.gain_db, peak_db=loud.peak_db))
    heard = out / SOUND / SOUND_MEDIA
    _ffmpeg(recipes_hls.renditions(part, source.look, plans, out, sound=heard))
    step_s, size = storyboard.step_for(source.duration_s), storyboard.small(plans[-1].size)
    _ffmpeg(recipes_hls.small_pictures(out / plans[-1].name / MEDIA, step_s, size, out))
    fitted = recipes.fitted(source.size, POSTER_SIDE)
    _ffmpeg(recipes.poster(source.path, POSTER_AT_S, fitted, out / POSTER))


def mediacms(source: Source, out: Path) -> None:
    """A process for each rung: x264 medium at crf 23, capped, keyframes each four seconds."""
    for plan in plans_for(source):
        rate = f"{MEDIACMS_KBPS[_lines(plan)] * 1.5:.0f}k"
        keys = [
            "-x264-params",
            f"keyint={plan.fps * 8:.0f}:keyint_min={plan.fps * 4:.0f}",
            "-force_key_frames",
            "expr:gte(t,n_forced*4)",
        ]
        quality = ["-preset", "medium", "-crf", "23", "-maxrate", rate, "-bufsize", rate]
        _rung(source, plan, [*quality, *keys, "-b:a", "128k"], out)


def peertube(source: Source, out: Path) -> None:
    """A process for each rung: x264 veryfast, capped by pixels, keyframes each two seconds."""
    for plan in plans_for(source):
        pixels = plan.size.width * plan.size.height
        rate = round(pixels * plan.fps * PEERTUBE_BITS[_lines(plan)])
        quality = ["-preset", "veryfast", "-maxrate", str(rate), "-bufsize", str(rate * 2)]
        _rung(source, plan, [*quality, "-g", f"{plan.fps * 2:.0f}", "-b:a", "128k"], out)


def hlsfield(source: Source, out: Path) -> None:
    """django-hlsfield's own code, with its own rates for our rungs."""
    # It reads the settings when it is imported.
    from hlsfield import defaults, utils

    defaults.FFMPEG, defaults.FFPROBE = ffmpeg.ffmpeg_path(), ffmpeg.ffprobe_path()
    defaults.FFMPEG_TIMEOUT = HLSFIELD_WITHIN_S
    ladder = [
        {"height": plan.size.height, "v_bitrate": kbps[0], "a_bitrate": kbps[1]}
        for plan in plans_for(source)
        for kbps in [HLSFIELD_KBPS[_lines(plan)]]
    ]
    utils.transcode_hls_variants(source.path, out, ladder)


SYSTEMS: Mapping[str, Do] = {
    "ours": ours,
    "bare": bare,
    "mediacms": mediacms,
    "peertube": peertube,
    "hlsfield": hlsfield,
}


def films_in(system: str, out: Path) -> list[Path]:
    """The renditions that a system made, the best first."""
    patterns = {"ours": "*p/video.m4s", "bare": "*p/video.m4s", "hlsfield": "*/*.m3u8"}
    found = out.glob(patterns.get(system, "*.mp4"))
    return sorted(found, key=lambda path: -_size(path))


def _size(film: Path) -> int:
    return sum(path.stat().st_size for path in beside(film))


def beside(film: Path) -> list[Path]:
    """The files of a rendition: itself, or the segments beside a playlist."""
    return sorted(film.parent.glob("*.ts")) if film.suffix == ".m3u8" else [film]


def _lines(plan: RenditionPlan) -> int:
    return min(plan.size.width, plan.size.height)


def _rung(source: Source, plan: RenditionPlan, options: Sequence[str], out: Path) -> None:
    scale = f"scale={plan.size.width}:{plan.size.height}"
    line = ["-i", str(source.path), "-vf", scale, "-r", f"{plan.fps:g}", "-c:v", "libx264"]
    line += ["-pix_fmt", "yuv420p", *options, "-c:a", "aac", "-ac", "2"]
    _ffmpeg([*line, "-movflags", "+faststart", str(out / f"{plan.name}.mp4")])


def _ffmpeg(args: Sequence[str]) -> None:
    _check([ffmpeg.ffmpeg_path(), "-nostdin", "-v", "error", "-y", *args])


def _check(line: Sequence[str]) -> None:
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchError(f"{Path(line[0]).name} failed: {done.stderr[-800:]}")
