from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_pipeline import recipes, recipes_hls
from media_pipeline.recipes import Look, Part, Size, Variant

SIDES = st.integers(min_value=16, max_value=4096)
APPLES = Part(Path("apples.mp4"), 1.5, 2.0, has_audio=True)
PEARS = Part(Path("pears.mp4"), 0.0, 3.0, has_audio=False)


def options(args: list[str]) -> dict[str, str]:
    """Each option with the value it had last."""
    return {name: value for name, value in itertools.pairwise(args) if name[0] == "-"}


@pytest.mark.parametrize(
    ("source", "sizes"),
    [
        (Size(1920, 1080), [Size(1280, 720), Size(640, 360)]),
        (Size(1080, 1920), [Size(720, 1280), Size(360, 640)]),
        (Size(540, 960), [Size(540, 960), Size(360, 640)]),
        (Size(640, 360), [Size(640, 360), Size(426, 240)]),
        (Size(320, 240), [Size(320, 240), Size(214, 160)]),
        (Size(176, 144), [Size(176, 144), Size(88, 72)]),
    ],
)
def test_the_ladder(source: Size, sizes: list[Size]) -> None:
    assert [plan.size for plan in recipes.ladder(source, 30)] == sizes


@given(SIDES, SIDES)
def test_no_rung_is_above_the_source_and_no_two_are_alike(width: int, height: int) -> None:
    plans = recipes.ladder(Size(width, height), 30)
    assert len({plan.name for plan in plans}) == len(plans) >= 2
    for plan in plans:
        assert plan.size.width % 2 == plan.size.height % 2 == 0
        assert plan.size.width <= width + 1
        assert plan.size.height <= height + 1


@pytest.mark.parametrize(
    ("told", "used"),
    [(15, 15), (29.97, 29.97), (30.3, 30.3), (60, 30), (50, 25), (240, 30), (1000, 30), (0, 30)],
)
def test_frame_rates(told: float, used: float) -> None:
    assert recipes.usual_fps(told) == used


def test_renditions_decode_once_and_split() -> None:
    plans = recipes.ladder(Size(1280, 720), 25)
    args = recipes_hls.renditions(APPLES, Look(), plans, Path("out"), sound=Path("a.m4s"))
    assert [args[at + 1] for at, arg in enumerate(args) if arg == "-i"] == ["apples.mp4", "a.m4s"]
    graph = args[args.index("-filter_complex") + 1]
    assert "split=2" in graph
    assert [args[at + 1] for at, arg in enumerate(args) if arg == "-c:a"] == ["copy", "copy"]
    assert "scale=640:360" in graph
    assert args.count("-f") == 2
    assert [arg for arg in args if arg.endswith("video.m3u8")] == [
        "out/720p/video.m3u8",
        "out/360p/video.m3u8",
    ]


def test_key_frames_of_renditions_are_aligned_every_two_seconds() -> None:
    plans = recipes.ladder(Size(1280, 720), 25)
    args = recipes_hls.renditions(APPLES, Look(), plans, Path("out"), sound=None)
    used = options(args)
    assert used["-g"] == "50"
    assert used["-sc_threshold"] == "0"
    assert used["-force_key_frames"] == "expr:gte(t,n_forced*2)"
    assert args.count("expr:gte(t,n_forced*2)") == 2


def test_quality_is_capped_by_size() -> None:
    plans = recipes.ladder(Size(1280, 720), 25)
    args = recipes_hls.renditions(APPLES, Look(), plans, Path("out"), sound=None)
    caps = [args[at + 1] for at, arg in enumerate(args) if arg == "-maxrate"]
    assert caps == ["2304000", "576000"]
    assert args.count("veryfast") == 2


def test_one_take_is_copied() -> None:
    used = options(recipes.remux(APPLES, Path("out.mp4")))
    assert (used["-c:v"], used["-c:a"], used["-movflags"]) == ("copy", "copy", "+faststart")


def test_one_silent_take_keeps_its_picture_and_gets_silence() -> None:
    args = recipes.remux(PEARS, Path("out.mp4"))
    used = options(args)
    assert (used["-c:v"], used["-c:a"]) == ("copy", "aac")
    assert "anullsrc=r=48000:cl=mono" in args


def test_takes_are_joined_in_order_with_silence_where_there_is_no_sound() -> None:
    args = recipes.whole([APPLES, PEARS], Size(640, 360), 25, Path("out.mp4"))
    inputs = [args[at + 1] for at, arg in enumerate(args) if arg == "-i"]
    assert set(inputs) == {"apples.mp4", "pears.mp4", "anullsrc=r=48000:cl=stereo"}
    graph = args[args.index("-filter_complex") + 1]
    assert graph.count("pad=640:360") == 2
    assert "concat=a=1:n=2:v=1" in graph


def test_takes_of_one_channel_stay_so_unless_another_has_two() -> None:
    alone = replace(APPLES, path=Path("alone.mp4"), is_mono=True)
    for parts, channels in [([alone, PEARS], "1"), ([alone, APPLES], "2"), ([PEARS], "1")]:
        args = recipes.whole(parts, Size(640, 360), 25, Path("out.mp4"))
        assert options(args)["-ac"] == channels
        graph = args[args.index("-filter_complex") + 1]
        other = {"1": "channel_layouts=stereo", "2": "channel_layouts=mono"}[channels]
        assert other not in graph


def test_the_master_playlist() -> None:
    variant = Variant("r/3/360p/video.m3u8", Size(640, 360), 25, "avc1.4D401E,mp4a.40.2", 900, 700)
    assert recipes.master_playlist([variant]) == (
        "#EXTM3U\n"
        "#EXT-X-VERSION:7\n"
        "#EXT-X-INDEPENDENT-SEGMENTS\n"
        "#EXT-X-STREAM-INF:BANDWIDTH=900,AVERAGE-BANDWIDTH=700,RESOLUTION=640x360,"
        'CODECS="avc1.4D401E,mp4a.40.2",FRAME-RATE=25.000\n'
        "r/3/360p/video.m3u8\n"
    )


@pytest.mark.parametrize(
    ("gain_db", "peak_db", "is_limited"),
    [(6.0, -9.0, False), (6.0, -5.0, True), (-6.0, 0.0, False)],
)
def test_sound_is_limited_only_where_its_gain_would_crack(
    tmp_path: Path, gain_db: float, peak_db: float, is_limited: bool
) -> None:
    args = recipes_hls.soundtrack(
        Part(Path("a.mp4"), 0.0, 5.0, has_audio=True), tmp_path, gain_db=gain_db, peak_db=peak_db
    )
    assert any("alimiter" in one for one in args) == is_limited
