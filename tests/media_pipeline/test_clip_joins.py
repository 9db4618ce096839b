"""Clips of several parts, in other shapes, with passages blurred: looked at pixel by pixel."""

from __future__ import annotations

import math
import struct
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from media_pipeline import ffmpeg, jobs, recipes_clip, tasks
from media_pipeline.clip_cards import CardText
from media_pipeline.clip_wishes import Blur, Crop, Fit, Span, Wish, single, wish_of
from media_pipeline.models import Asset, AssetState, ClipCopy, Job, Recording, RecordingState
from media_pipeline.probe import probe
from media_pipeline.recipes import Size
from media_pipeline.services import clip_copies, clips, settling
from media_pipeline.services.clip_copies import MAKE_COPY
from media_pipeline.services.clips import MAKE_CLIP
from media_pipeline.storage import storage
from media_pipeline.work import Work
from tests.media_pipeline.footage import FPS, Footage, frame_numbers, recording_of
from tests.world import World

# A third red, a third green, a third blue; 256 x 144.
STRIPES = (
    f"color=red:size=86x144:rate={FPS}[r];color=lime:size=84x144:rate={FPS}[g];"
    f"color=blue:size=86x144:rate={FPS}[b];[r][g][b]hstack=3"
)
DETAILED = f"testsrc2=size=256x144:rate={FPS}"
# In the middle of every second the picture is white for one frame, and a tone is heard.
FLASHES = (
    f"color=black:size=256x144:rate={FPS},"
    "geq=lum='if(eq(mod(N\\,10)\\,5)\\,235\\,16)':cb=128:cr=128"
)
BEEPS = "aevalsrc='if(between(mod(t\\,1)\\,0.5\\,0.6)\\,sin(2764*t)\\,0)':s=48000"


def ask(world: World, recording: Recording, wish: Wish, title: str = "Grafting") -> Asset:
    return clips.join_clip(
        recording_id=recording.public_id,
        edition=recording.edition,
        wish=wish,
        title=title,
        actor=world.zhang,
    )


def made(world: World, recording: Recording, wish: Wish) -> Asset:
    clip = ask(world, recording, wish)
    lease = jobs.claim([MAKE_CLIP])
    assert lease
    tasks.make_clip(Work(lease))
    clip.refresh_from_db()
    assert clip.state == AssetState.READY
    return clip


def row(world: World) -> Recording:
    """A recording of which only the row matters."""
    return Recording.objects.create(
        show_id=world.show.public_id,
        is_public=True,
        state=RecordingState.READY,
        duration_s=600,
    )


def pictures(path: Path, size: tuple[int, int]) -> list[bytes]:
    """Each frame in RGB, three bytes a pixel."""
    args = ["-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"]
    pixels = _output(args)
    frame = size[0] * size[1] * 3
    return [pixels[at : at + frame] for at in range(0, len(pixels), frame)]


def samples(path: Path) -> tuple[int, ...]:
    """The sound in mono, 48000 numbers a second."""
    told = _output(["-i", str(path), "-vn", "-ac", "1", "-ar", "48000", "-f", "s16le", "pipe:1"])
    return struct.unpack(f"<{len(told) // 2}h", told)


def _output(args: list[str]) -> bytes:
    line = ffmpeg.command(args)
    process = ffmpeg.spawn(line, stderr=subprocess.DEVNULL)
    told, _none = process.communicate(timeout=30)
    return told


def colour_at(frame: bytes, size: tuple[int, int], x: float, y: float = 0.5) -> str:
    at = (int(y * (size[1] - 1)) * size[0] + int(x * (size[0] - 1))) * 3
    red, green, blue = frame[at : at + 3]
    strongest = max(red, green, blue)
    return {red: "red", green: "green", blue: "blue"}[strongest] if strongest > 100 else "dark"


def detail(frame: bytes) -> float:
    """How many of a hundred pixels are quite another than their neighbour."""
    reds = frame[::3]
    return 100 * sum(abs(a - b) > 40 for a, b in pairwise(reds)) / len(reds)


SIDES = st.integers(min_value=16, max_value=4096)


@given(SIDES, SIDES, st.sampled_from([0.25, 0.7, 1.0]), st.sampled_from(["crop", "blur"]))
def test_an_upright_clip_is_even_and_never_larger_than_its_source(
    width: int, height: int, factor: float, fit: Fit
) -> None:
    wish = Wish((Span(0, 1),), fit=fit, crop=Crop(size=factor))
    size = recipes_clip.framing(wish, Size(width, height)).size
    assert size.width % 2 == size.height % 2 == 0
    assert size.width <= 540
    assert size.height <= 960
    assert abs(size.width - size.height * 9 / 16) <= 2
    if fit == "crop":
        assert size.width <= max(2, width * factor)
        assert size.height <= max(2, height * factor)


@pytest.mark.parametrize(
    ("source", "upright"),
    [
        (Size(1280, 720), Size(404, 720)),
        (Size(1080, 1920), Size(540, 960)),
        (Size(540, 960), Size(540, 960)),
        (Size(640, 360), Size(202, 360)),
        (Size(360, 640), Size(360, 640)),
    ],
)
def test_sizes_of_upright_clips(source: Size, upright: Size) -> None:
    assert recipes_clip.framing(single(0, 1), source).size == upright


@pytest.mark.ffmpeg
def test_parts_are_joined_in_their_order_to_the_frame(world: World) -> None:
    recording = recording_of(world.show, Footage(seconds=6), Footage(seconds=3))
    parts = (Span(4.0, 4.6), Span(0.3, 1.2), Span(5.8, 6.4))
    clip = made(world, recording, Wish(parts))
    with storage().local_path(clip.download_key) as path:
        shown, found = frame_numbers(path), probe(path)
    over_the_seam = [58, 59, 0, 1, 2, 3]
    assert shown == [*range(40, 46), *range(3, 12), *over_the_seam]
    assert found.duration_s == pytest.approx(2.1, abs=1 / FPS)
    assert clip.duration_s == pytest.approx(2.1, abs=1 / FPS)


@pytest.mark.ffmpeg
def test_sound_stays_with_the_picture_over_many_joins(world: World) -> None:
    recording = recording_of(world.show, Footage(seconds=12, picture=FLASHES, heard=BEEPS))
    # Nothing begins or ends on a frame: what each join is off would add up.
    parts = tuple(Span(second + 0.13, second + 0.97) for second in range(11, -1, -1))
    clip = made(world, recording, Wish(parts))
    with storage().local_path(clip.download_key) as path:
        frames = pictures(path, (clip.width, clip.height))
        heard = samples(path)
    flashes = [number / FPS for number, frame in enumerate(frames) if frame[0] > 128]
    loud = [at / 48000 for at, value in enumerate(heard) if abs(value) > 3000]
    beeps = [b for a, b in pairwise([-1.0, *loud]) if b - a > 0.3]
    assert len(flashes) == len(beeps) == 12
    assert max(abs(f - b) for f, b in zip(flashes, beeps, strict=True)) < 0.75 / FPS
    assert len(heard) / 48000 == pytest.approx(len(frames) / FPS, abs=0.03)


@pytest.mark.ffmpeg
def test_nothing_clicks_where_parts_meet(world: World) -> None:
    recording = recording_of(world.show, Footage(seconds=4))
    wish = Wish((Span(2.013, 3.007), Span(0.101, 1.333)))
    clip = made(world, recording, wish)
    with storage().local_path(clip.download_key) as path:
        heard = samples(path)
    join = round(wish.joins()[0] * FPS) / FPS
    near = heard[round((join - 0.002) * 48000) : round((join + 0.002) * 48000)]
    assert max(map(abs, heard)) > 2000
    assert max(map(abs, near)) < max(map(abs, heard)) / 3


@pytest.mark.ffmpeg
@pytest.mark.parametrize(
    ("wish", "size", "colours"),
    [
        (Wish((Span(0, 1),)), (80, 144), ["green"] * 3),
        (Wish((Span(0, 1),), crop=Crop(x=0)), (80, 144), ["red"] * 3),
        (Wish((Span(0, 1),), crop=Crop(x=1)), (80, 144), ["blue"] * 3),
        (Wish((Span(0, 1),), crop=Crop(x=0.3, size=0.5)), (40, 72), ["red", "red", "green"]),
        (Wish((Span(0, 1),), shape="square"), (144, 144), ["red", "green", "blue"]),
        (Wish((Span(0, 1),), shape="original"), (256, 144), ["red", "green", "blue"]),
        (Wish((Span(0, 1),), fit="blur"), (256, 454), ["red", "green", "blue"]),
    ],
    ids=["middle", "left", "right", "small window", "square", "as filmed", "padded"],
)
def test_the_window_shows_what_was_chosen(
    world: World, wish: Wish, size: tuple[int, int], colours: list[str]
) -> None:
    recording = recording_of(world.show, Footage(seconds=1, picture=STRIPES))
    clip = made(world, recording, wish)
    with storage().local_path(clip.download_key) as path:
        frames = pictures(path, size)
    assert (clip.width, clip.height, len(frames)) == (*size, FPS)
    places = (0.02, 0.3, 0.98) if wish.crop.size < 1 else (0.05, 0.5, 0.95)
    assert [colour_at(frames[5], size, x) for x in places] == colours


@pytest.mark.ffmpeg
def test_a_padded_picture_is_whole_and_has_itself_behind_it(world: World) -> None:
    recording = recording_of(world.show, Footage(seconds=1, picture=STRIPES))
    clip = made(world, recording, Wish((Span(0, 1),), fit="blur"))
    size = (clip.width, clip.height)
    with storage().local_path(clip.download_key) as path:
        frame = pictures(path, size)[5]
    # Above the picture is its middle, larger: no bars, and no sharp edge of a stripe.
    assert colour_at(frame, size, 0.5, 0.1) == "green"
    assert colour_at(frame, size, 0.05, 0.5) == "red"


@pytest.mark.ffmpeg
def test_a_blurred_passage_shows_nothing_and_a_muted_one_is_silent(world: World) -> None:
    recording = recording_of(world.show, Footage(seconds=8, picture=DETAILED))
    wish = Wish((Span(5, 8), Span(0, 2)), blurs=(Blur(6, 7), Blur(1, 1.5, True)))
    clip = made(world, recording, wish)
    with storage().local_path(clip.download_key) as path:
        frames = pictures(path, (clip.width, clip.height))
        heard = samples(path)
    sharp = detail(frames[0])
    hidden = [number for number, frame in enumerate(frames) if detail(frame) < sharp / 2]
    # Seconds 1 to 2 and 4 to 4.5 of the clip, and a frame on each side.
    assert hidden == [*range(9, 22), *range(39, 47)]
    assert max(map(abs, heard[48000 * 41 // 10 : 48000 * 44 // 10])) < 50
    assert max(map(abs, heard[48000 * 11 // 10 : 48000 * 19 // 10])) > 2000


@pytest.mark.ffmpeg
def test_a_copy_has_its_cards_in_the_picture_and_the_clip_has_not(world: World) -> None:
    recording = recording_of(world.show, Footage(640, 360, seconds=4))
    clip = made(world, recording, single(0, 4))
    cards = [
        CardText("title", 0, 2, "怎样挑选花牛苹果 🍎 How to pick"),
        CardText("product", 2, 4, "Huaniu apples <b>5 kg</b>", "¥39.90"),
    ]
    copy = clip_copies.ask_for_copy(clip, cards, actor=world.zhang)
    assert clip_copies.ask_for_copy(clip, cards, actor=world.zhang) == copy
    lease = jobs.claim([MAKE_COPY])
    assert lease
    tasks.TASKS[MAKE_COPY].run(Work(lease))
    copy.refresh_from_db()
    size = (clip.width, clip.height)
    with storage().local_path(copy.key) as path:
        burnt = pictures(path, size)
    with storage().local_path(clip.download_key) as path:
        clean = pictures(path, size)
    half = len(clean[0]) // 2
    assert len(burnt) == len(clean) == 4 * FPS
    for number, (with_cards, without) in enumerate(zip(burnt, clean, strict=True)):
        top, bottom = detail(with_cards[:half]), detail(with_cards[half:])
        assert (top > 1, bottom > 1) == (number < 2 * FPS, number >= 2 * FPS)
        assert detail(without) < 0.5
    assert copy.key.startswith(f"private/clips/{clip.public_id}/")


def test_where_a_moment_of_the_recording_is_in_the_clip() -> None:
    wish = Wish((Span(10, 15), Span(2, 4)))
    assert [wish.place(at) for at in (10, 14.5, 15, 2, 3, 4, 9)] == [0, 4.5, None, 5, 6, None, None]
    assert wish.pieces(3, 12) == [Span(0, 2), Span(6, 7)]  # one in each, nothing across the cut
    assert wish.joins() == [5]


def test_what_lies_behind_a_removed_passage_comes_earlier() -> None:
    wish = Wish((Span(20, 25), Span(1, 2)), blurs=(Blur(21, 22, True), Blur(6, 9)))
    left = wish.without([(5, 10)])
    assert left == Wish((Span(15, 20), Span(1, 2)), blurs=(Blur(16, 17, True),))
    assert wish.without([(1.5, 1.6)]) is None


NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        (Wish(()), "parts"),
        (Wish(tuple(Span(n, n + 0.5) for n in range(21))), "parts"),
        (Wish((Span(0, 100), Span(100, 190))), "parts"),
        (Wish((Span(0, 0.3), Span(1, 1.3))), "parts"),
        (Wish((Span(0, 5), Span(4, 9))), "parts.1.start_s"),
        (Wish((Span(0, 5), Span(20, 22), Span(1, 2))), "parts.2.start_s"),
        (Wish((Span(0, 5), Span(-1, 3))), "parts.1.start_s"),
        (Wish((Span(0, 5), Span(NAN, 9))), "parts.1.start_s"),
        (Wish((Span(0, 5), Span(6, INF))), "parts.1.end_s"),
        (Wish((Span(0, 5), Span(9, 6))), "parts.1.end_s"),
        (Wish((Span(0, 5), Span(595, 601))), "parts.1.end_s"),
        (Wish((Span(0, 5),), crop=Crop(x=1.01)), "crop.x"),
        (Wish((Span(0, 5),), crop=Crop(y=-0.01)), "crop.y"),
        (Wish((Span(0, 5),), crop=Crop(x=NAN)), "crop.x"),
        (Wish((Span(0, 5),), crop=Crop(size=0.2)), "crop.size"),
        (Wish((Span(0, 5),), crop=Crop(size=1.5)), "crop.size"),
        (Wish((Span(0, 5),), shape="round"), "shape"),  # type: ignore[arg-type]
        (Wish((Span(0, 5),), fit="stretch"), "shape"),  # type: ignore[arg-type]
        (Wish((Span(0, 5),), blurs=(Blur(3, 2),)), "blurs.0.start_s"),
        (Wish((Span(0, 5),), blurs=(Blur(0, 1), Blur(NAN, 2))), "blurs.1.start_s"),
        (Wish((Span(0, 5),), blurs=(Blur(-1, 2),)), "blurs.0.start_s"),
        (Wish((Span(0, 5),), blurs=(Blur(590, 700),)), "blurs.0.start_s"),
        (Wish((Span(0, 5),), blurs=(Blur(0, 1),) * 21), "blurs"),
    ],
)
def test_a_wish_that_cannot_be_had_is_refused_with_the_field(
    world: World, wish: Wish, field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        ask(world, row(world), wish)
    assert refused.value.field == field
    assert not Asset.objects.exists()
    assert not Job.objects.exists()


def test_parts_that_touch_do_not_overlap_and_the_same_wish_is_the_same_clip(world: World) -> None:
    recording = row(world)
    wish = Wish((Span(5, 9.5), Span(9.5, 12)), crop=Crop(x=0.2), blurs=(Blur(6, 7),))
    first = ask(world, recording, wish)
    assert (first.start_s, first.end_s, wish_of(first)) == (5, 12, wish)
    assert ask(world, recording, wish) == first
    assert ask(world, recording, Wish((Span(5, 9.5), Span(9.5, 12)))) != first


@pytest.mark.ffmpeg
def test_removing_a_passage_takes_a_joined_clip_that_shows_it_and_moves_the_others(
    world: World,
) -> None:
    recording = recording_of(world.show, Footage(seconds=8))
    shows_it = made(world, recording, Wish((Span(0, 1), Span(3, 5))))
    around_it = made(world, recording, Wish((Span(6.5, 8), Span(0, 1))))
    clip_copies.ask_for_copy(shows_it, [], actor=world.zhang)
    passage = settling.remove_passage(
        passage_id=recording.public_id,
        recording_id=recording.public_id,
        edition=recording.edition,
        start_s=4.2,
        end_s=4.4,
        actor=world.zhang,
    )
    for clip in (shows_it, around_it):
        clip.refresh_from_db()
    gone_s = passage.removed_s
    assert (shows_it.state, around_it.state) == (AssetState.FAILED, AssetState.READY)
    assert storage().keys(f"private/clips/{shows_it.public_id}") == []
    assert not ClipCopy.objects.exists()
    first = wish_of(around_it).parts[0]
    assert first.start_s == pytest.approx(6.5 - gone_s)
    assert wish_of(around_it).parts[1] == Span(0, 1)
