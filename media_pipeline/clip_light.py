"""Making what of a clip goes over a weak network (`services.clip_light`)."""

from __future__ import annotations

from pathlib import Path

from django.utils.translation import gettext as _

from media_pipeline import jobs, recipes_light
from media_pipeline.models import Asset, AssetState, Rendition
from media_pipeline.probe import OUR_FORMATS, probe
from media_pipeline.recipes import Size, fitted
from media_pipeline.renditions import size_of
from media_pipeline.services.clip_light import LIGHT, SOUND, THUMB, light_folder, publish_light
from media_pipeline.storage import storage
from media_pipeline.work import OutputWrong, Wanted, Work, checked, taken_away_if_lost

PICTURE_FILE, SOUND_FILE, THUMB_FILE = "light.mp4", "sound.m4a", "thumb.jpg"


def make_light(work: Work) -> None:
    """The small picture with sound, and the sound alone, of a clip that is ready."""
    clip = Asset.objects.get(public_id=work.lease.subject_id)
    if clip.state != AssetState.READY:
        jobs.finish(work.lease)  # taken back, or to be made anew: then it is asked for again
        return
    folder = light_folder(clip, work.lease)
    with work.folder() as outputs, storage().local_path(clip.download_key) as source:
        made = [
            _picture(clip, source, outputs / PICTURE_FILE, work),
            _sound(clip, outputs / PICTURE_FILE, outputs / SOUND_FILE, work),
            _thumb(clip, outputs / PICTURE_FILE, outputs / THUMB_FILE, work),
        ]
        for one in made:
            one.key = f"{folder}/{one.key}"
        jobs.heartbeat(work.lease, work.progress)
        with taken_away_if_lost(folder):
            storage().write_folder(folder, outputs)
            publish_light(work.lease, clip, made)
    for epoch in range(1, work.lease.epoch):
        storage().delete_folder(f"{folder.rpartition('-')[0]}-{epoch}")


def _picture(clip: Asset, source: Path, output: Path, work: Work) -> Rendition:
    found = probe(source, formats=OUR_FORMATS)
    size = recipes_light.light_size(size_of(found))
    args = recipes_light.light(source, size, recipes_light.light_fps(found.picture.fps), output)
    work.run(args, output_s=found.duration_s, until=0.9)
    seen = checked(output, Wanted("h264", size, found.duration_s, "aac"))
    rate = round(output.stat().st_size * 8 / seen.duration_s)
    if rate > recipes_light.MOST_BITS_PER_SECOND and seen.duration_s > 2:
        raise OutputWrong(_("The video did not turn out right."), f"light at {rate} bit/s")
    return Rendition(
        asset=clip,
        name=LIGHT,
        key=output.name,
        width=size.width,
        height=size.height,
        video_codec="h264",
        audio_codec="aac",
        bits_per_second=rate,
        duration_s=seen.duration_s,
    )


def _sound(clip: Asset, light: Path, output: Path, work: Work) -> Rendition:
    work.run(recipes_light.sound(light, output), output_s=clip.duration_s, until=0.95)
    return Rendition(
        asset=clip,
        name=SOUND,
        key=output.name,
        width=0,
        height=0,
        video_codec="",
        audio_codec="aac",
        bits_per_second=round(output.stat().st_size * 8 / clip.duration_s),
        duration_s=clip.duration_s,
    )


def _thumb(clip: Asset, light: Path, output: Path, work: Work) -> Rendition:
    size = fitted(Size(clip.width, clip.height), recipes_light.THUMB_LINES)
    work.run(recipes_light.thumb(light, size, output), output_s=0, until=0.97)
    return Rendition(
        asset=clip,
        name=THUMB,
        key=output.name,
        width=size.width,
        height=size.height,
        video_codec="mjpeg",
        bits_per_second=0,
        duration_s=0,
    )
