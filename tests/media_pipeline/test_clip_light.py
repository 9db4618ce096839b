"""What of a clip goes over a weak network: how large it is, and that it goes with the clip."""

from __future__ import annotations

from pathlib import Path

import pytest

from media_pipeline import jobs, tasks
from media_pipeline.clip_wishes import single
from media_pipeline.jobs import Lease, LeaseLost
from media_pipeline.models import Asset, Job, JobState
from media_pipeline.services import clip_light, consents
from media_pipeline.services.clip_light import LIGHT, SOUND, THUMB, key_of
from media_pipeline.services.clips import MAKE_LIGHT
from media_pipeline.storage import storage
from media_pipeline.work import Work
from tests.media_pipeline.footage import FPS, Footage, recording_of
from tests.media_pipeline.test_clip_joins import made
from tests.world import World

pytestmark = pytest.mark.ffmpeg
# Noise is the worst that a camera can send: no encoder can make it small by itself.
RESTLESS = f"testsrc2=size=720x1280:rate={FPS},noise=alls=60:allf=t"


def claimed() -> Lease:
    lease = jobs.claim([MAKE_LIGHT])
    assert lease
    return lease


@pytest.fixture
def clip(world: World) -> Asset:
    recording = recording_of(world.show, Footage(720, 1280, seconds=8, picture=RESTLESS))
    return made(world, recording, single(0, 8))


def boxes(path: Path) -> list[tuple[str, int]]:
    """The top of an MP4: what comes in which order, and how large."""
    data, at, found = path.read_bytes(), 0, []
    while at < len(data):
        size = int.from_bytes(data[at : at + 4])
        found.append((data[at + 4 : at + 8].decode(), size))
        at += size
    return found


def test_a_clip_has_a_small_picture_and_its_sound_alone(clip: Asset) -> None:
    tasks.TASKS[MAKE_LIGHT].run(Work(claimed()))
    light, sound = (clip.renditions.get(name=name) for name in (LIGHT, SOUND))
    assert light.bits_per_second <= 250_000
    assert (light.width, light.height) == (288, 512)
    with storage().local_path(light.key) as path:
        kinds = [kind for kind, _size in boxes(path)]
        assert kinds.index("moov") < kinds.index("mdat")
        assert dict(boxes(path))["moov"] < 6_000
    with storage().local_path(key_of(clip, THUMB)) as path:
        assert path.stat().st_size < 10_000
    with storage().local_path(sound.key) as path:
        assert b"avc1" not in path.read_bytes()
        assert sound.bits_per_second < 50_000


def test_it_goes_with_the_clip_that_is_taken_back(world: World, clip: Asset) -> None:
    tasks.TASKS[MAKE_LIGHT].run(Work(claimed()))
    key = key_of(clip, LIGHT)
    consents.give(clip, actor=world.zhang, version=consents.VERSION, language="en")
    consents.withdraw(clip, actor=world.zhang)
    assert not clip.renditions.exists()
    consents.delete_withdrawn(clip.public_id)
    assert storage().size(key) is None


def test_what_is_made_while_the_clip_is_taken_back_is_of_no_use(world: World, clip: Asset) -> None:
    consents.give(clip, actor=world.zhang, version=consents.VERSION, language="en")
    work = Work(claimed())
    before = Asset.objects.get(pk=clip.pk)
    consents.withdraw(clip, actor=world.zhang)
    with pytest.raises(LeaseLost):
        clip_light.publish_light(work.lease, before, [])
    assert not clip.renditions.exists()


def test_clips_of_before_are_given_theirs_once(clip: Asset) -> None:
    Job.objects.filter(kind=MAKE_LIGHT).delete()
    assert clip_light.make_missing() == 1
    assert clip_light.make_missing() == 0
    assert Job.objects.get(kind=MAKE_LIGHT).state == JobState.QUEUED
