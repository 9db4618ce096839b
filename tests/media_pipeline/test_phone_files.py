"""Files as phones and browsers really write them, and what is made of each."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from PIL import Image

from core.ids import new_id
from media_pipeline import ffmpeg
from media_pipeline.colour import Colour
from media_pipeline.jobs import Lease
from media_pipeline.probe import Video
from media_pipeline.recipes import Part
from media_pipeline.renditions import Made, make_renditions
from media_pipeline.sound import Waveform, measured
from media_pipeline.sources import RATES, Source, _picture_refused, looked_at
from media_pipeline.work import Work

pytestmark = pytest.mark.ffmpeg

SECONDS = 5


def filmed(
    path: Path,
    size: str = "320x180",
    rate: float = 30,
    *,
    look: str = "",
    encoder: str = "-c:v libx264 -preset ultrafast -g 30 -pix_fmt yuv420p",
    sound: str = "sine=440:r=48000",
) -> Path:
    """A moving picture with a tone of five seconds."""
    picture = f"testsrc2=size={size}:rate={rate}{look}"
    args = ["-f", "lavfi", "-i", picture]
    args += ["-f", "lavfi", "-i", sound, "-c:a", "aac"] if sound else []
    ffmpeg.run([*args, "-t", str(SECONDS), *encoder.split(), str(path)], timeout_s=60)
    return path


def turned(path: Path, degrees: int, to: Path) -> Path:
    """The same file with a turn written beside its picture, as phones do."""
    ffmpeg.run(
        ["-display_rotation", str(degrees), "-i", str(path), "-c", "copy", str(to)], timeout_s=20
    )
    return to


def made_of(source: Source, folder: Path) -> list[Made]:
    folder.mkdir()
    return make_renditions(source, folder, Work(Lease(0, "try", new_id(), 1, 1)))


def pixels(path: Path, size: tuple[int, int], at_s: float = 0.0) -> bytes:
    """One frame as RGB, in this size."""
    wide, high = size[0] * 8, size[1] * 8
    args = ["-ss", str(at_s), "-i", str(path), "-frames:v", "1"]
    args += ["-vf", f"scale={wide}:{high},format=rgb24", "-f", "rawvideo", "pipe:1"]
    process = ffmpeg.spawn(ffmpeg.command(args), stderr=subprocess.DEVNULL)
    told, _none = process.communicate(timeout=20)
    frame = Image.frombytes("RGB", (wide, high), told)
    return frame.resize(size, Image.Resampling.BOX).tobytes()


def keys_of(media: Path) -> list[float]:
    """When keyframes are shown, in seconds."""
    source = looked_at(media)
    return [round(source.found.picture.start_s + key, 2) for key in source.packets.keys]


def shapes(made: list[Made]) -> list[tuple[int, int]]:
    return [(one.size.width, one.size.height) for one in made]


def test_a_phone_held_upright(tmp_path: Path) -> None:
    """The turn is written beside a lying picture: renditions stand, with the right end up."""
    lying = filmed(tmp_path / "lying.mp4", "640x360")
    source = looked_at(turned(lying, 90, tmp_path / "phone.mp4"))
    out = tmp_path / "out"
    made = made_of(source, out)
    assert shapes(made) == [(360, 640), (240, 426)]
    lying_frame = pixels(lying, (8, 4), 1)
    upright = pixels(out / "240p/video.m4s", (4, 8), 1)
    # What was at the left of the lying picture is at the bottom: a turn against the clock.
    assert far(column(lying_frame, 8, 0), row(upright, 4, 7)) < 20


def row(frame: bytes, width: int, at: int) -> list[int]:
    return list(frame[at * width * 3 : (at + 1) * width * 3])


def column(frame: bytes, width: int, at: int) -> list[int]:
    return [v for y in range(len(frame) // 3 // width) for v in frame[(y * width + at) * 3 :][:3]]


def far(one: list[int], other: list[int]) -> float:
    """The mean difference of two rows of colours."""
    assert len(one) == len(other) > 0
    return sum(abs(a - b) for a, b in zip(one, other, strict=True)) / len(one)


def test_uneven_frames_become_even_ones(tmp_path: Path) -> None:
    """A phone in the dark leaves frames out; what is made has as long a time in equal steps."""
    uneven = "-vf select='gt(mod(n\\,7)\\,2)+lt(mod(n\\,31)\\,9)' -fps_mode vfr -c:v libx264 -qp 5"
    source = looked_at(filmed(tmp_path / "dark.mp4", encoder=uneven))
    assert source.is_unsteady
    assert source.fps in RATES
    made = made_of(source, tmp_path / "out")
    media = looked_at(tmp_path / "out" / made[0].name / "video.m4s")
    assert media.packets.count == pytest.approx(SECONDS * source.fps, abs=2)
    assert not media.is_unsteady
    assert media.packets.longest_gap_s == pytest.approx(1 / source.fps, abs=0.001)


def test_keyframes_of_all_renditions_are_at_the_same_times(tmp_path: Path) -> None:
    source = looked_at(filmed(tmp_path / "a.mp4", rate=29.97))
    made = made_of(source, tmp_path / "out")
    first, second = (keys_of(tmp_path / "out" / one.name / "video.m4s") for one in made)
    assert first == second
    assert first == pytest.approx([0, 2, 4], abs=0.02)


def test_a_modest_film_for_the_web_is_copied(tmp_path: Path) -> None:
    film = filmed(tmp_path / "web.mp4", "640x360", encoder=f"{WEB} -crf 38")
    source = looked_at(film)
    [made] = made_of(source, tmp_path / "out")
    assert made.is_copy
    assert shapes([made]) == [(640, 360)]
    copied = tmp_path / "out" / made.name / "video.m4s"
    assert looked_at(copied).packets.count == source.packets.count
    assert pixels(copied, (32, 18), 2) == pixels(film, (32, 18), 2)


def test_a_richer_one_gets_a_lower_rendition_with_its_keyframes(tmp_path: Path) -> None:
    """The top is the film itself; the lower one can take over at each of its keyframes."""
    encoder = f"{WEB} -b:v 2M -force_key_frames 0,1.3,2.9,4.4"
    source = looked_at(filmed(tmp_path / "web.mp4", "1280x720", encoder=encoder))
    made = made_of(source, tmp_path / "out")
    assert [one.is_copy for one in made] == [True, False]
    assert shapes(made) == [(1280, 720), (640, 360)]
    top, lower = (keys_of(tmp_path / "out" / one.name / "video.m4s") for one in made)
    assert top == lower
    assert top == pytest.approx([0, 1.3, 2.9, 4.4], abs=0.05)
    lists = [(tmp_path / "out" / one.path).read_text().splitlines() for one in made]
    ends = [[line for line in one if line.startswith("#EXTINF")] for one in lists]
    assert ends[0] == ends[1]


WEB = "-c:v libx264 -preset veryfast -profile:v main -pix_fmt yuv420p -g 60"


@pytest.mark.parametrize(
    "encoder",
    [
        f"{WEB} -g 300",
        f"{WEB} -pix_fmt yuvj420p",
        f"{WEB} -qp 5",
        "-c:v libx264 -preset veryfast -profile:v high10 -pix_fmt yuv420p10le",
        "-c:v libvpx -deadline realtime -cpu-used 8 -f webm -c:a libopus",
    ],
)
def test_what_some_player_would_not_play_well_is_encoded(tmp_path: Path, encoder: str) -> None:
    source = looked_at(filmed(tmp_path / "a.mkv", encoder=encoder))
    made = made_of(source, tmp_path / "out")
    assert not any(one.is_copy for one in made)
    media = looked_at(tmp_path / "out" / made[0].name / "video.m4s").found.picture
    assert (media.codec, media.pixel_format, media.is_full_range) == ("h264", "yuv420p", False)
    assert media.colour == Colour("smpte170m", "bt709", "bt709")


HDR = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p10le -qp 4"
WHITE_PAPER = {"arib-std-b67": 0.75, "smpte2084": 0.58}


@pytest.mark.parametrize("transfer", ["arib-std-b67", "smpte2084"])
def test_hdr_is_mapped_to_what_screens_show(tmp_path: Path, transfer: str) -> None:
    """White paper is as bright as paper, black is black, and grey has no colour."""
    paper = (
        f",format=yuv420p10le,geq=lum='64+876*{WHITE_PAPER[transfer]}*gt(X\\,W/2)':cb=512:cr=512"
    )
    paper += f",setparams=color_trc={transfer}:color_primaries=bt2020:colorspace=bt2020nc:range=tv"
    folder = tmp_path / "it's [HDR], really: 果"
    folder.mkdir()
    film = filmed(folder / "hdr.mp4", look=paper, encoder=HDR)
    made = made_of(looked_at(film), folder / "out")
    frame = pixels(folder / "out" / made[0].name / "video.m4s", (2, 1), 1)
    black, white = list(frame[:3]), list(frame[3:])
    assert max(black) < 6
    assert white == pytest.approx([230] * 3, abs=8)
    assert not list((folder / "out").glob("*.cube"))


def test_dolby_vision_that_only_some_players_know_is_refused_with_the_reason() -> None:
    video = Video("hevc", 1920, 1080, 30, "yuv420p10le", "Main 10", 120, 0, dolby_profile=5)
    assert "Dolby Vision" in _picture_refused(video)
    assert _picture_refused(replace(video, dolby_profile=8)) == ""


@pytest.mark.parametrize(
    ("sound", "channels"), [("", 0), ("sine=440:r=44100", 1), ("aevalsrc=sin(t*2e3)|0", 2)]
)
def test_no_sound_one_channel_and_two(tmp_path: Path, sound: str, channels: int) -> None:
    source = looked_at(filmed(tmp_path / "a.mp4", sound=sound))
    out = tmp_path / "out"
    made = made_of(source, out)
    found = looked_at(out / made[0].name / "video.m4s").found
    assert bool(found.audio) == bool(sound)
    assert ("audio/audio.m3u8" in (out / "master.m3u8").read_text()) == bool(sound)
    if found.audio:
        assert (found.audio.channels, found.audio.sample_rate) == (channels, 48000)


@pytest.mark.parametrize(("volume", "gain"), [(-22, 20), (2, 0), (-80, 0), (14, -12)])
def test_what_is_too_quiet_is_made_louder_but_silence_is_not(
    tmp_path: Path, volume: int, gain: float
) -> None:
    quiet = f"sine=1000:r=48000,volume={volume}dB"
    source = looked_at(filmed(tmp_path / "quiet.mp4", sound=quiet))
    out = tmp_path / "out"
    made_of(source, out)
    before, after = (loudness(path, tmp_path) for path in (source.path, out / "audio/audio.m4s"))
    assert after - before == pytest.approx(gain, abs=1.2)


def loudness(path: Path, folder: Path) -> float:
    part = Part(path, 0.0, SECONDS, has_audio=True)
    return measured(part, folder, Work(Lease(0, "try", new_id(), 1, 1)), until=1).lufs


def test_the_waveform_is_high_where_it_is_loud(tmp_path: Path) -> None:
    sound = "aevalsrc=0.5*sin(440*2*PI*t)*gt(t\\,2):d=5"
    source = looked_at(filmed(tmp_path / "a.mp4", sound=sound))
    made_of(source, tmp_path / "out")
    wave = msgspec.json.decode((tmp_path / "out/waveform.json").read_bytes(), type=Waveform)
    assert len(wave.heights) == pytest.approx(SECONDS / wave.step_s, abs=2)
    assert max(wave.heights[:18]) < 10
    assert min(wave.heights[22:48]) > 60


def test_small_pictures_show_their_second(tmp_path: Path) -> None:
    """The picture named for a stretch of time is one of that stretch."""
    greys = ",geq=lum='16+40*floor(T)':cb=128:cr=128"
    source = looked_at(filmed(tmp_path / "a.mp4", look=greys))
    out = tmp_path / "out"
    made_of(source, out)
    text = (out / "storyboard.vtt").read_text()
    assert text.count("-->") == 3
    assert "00:00:04.000 --> 00:00:05.000\nsheet-001.jpg#xywh=320,0,160,90" in text
    frame = sheet_pixels(out / "sheet-001.jpg")
    shown = [frame[(5 * 0 + at) * 3] for at in range(3)]
    assert shown == pytest.approx([0, 93, 186], abs=8)


def sheet_pixels(path: Path) -> bytes:
    with Image.open(path) as image:
        return image.convert("RGB").resize((5, 5), Image.Resampling.BOX).tobytes()


def test_sound_and_picture_stay_together(tmp_path: Path) -> None:
    """A flash and a beep at the third second are still at the same time in what is made."""
    flash = ",geq=lum='16+200*between(T\\,3\\,3.2)':cb=128:cr=128"
    beep = "aevalsrc=0.5*sin(900*2*PI*t)*between(t\\,3\\,3.2):d=5"
    source = looked_at(filmed(tmp_path / "a.mp4", look=flash, sound=beep))
    out = tmp_path / "out"
    made = made_of(source, out)
    media = out / made[0].name / "video.m4s"
    assert pixels(media, (1, 1), 2.95)[0] < 30
    assert pixels(media, (1, 1), 3.05)[0] > 150
    wave = msgspec.json.decode((out / "waveform.json").read_bytes(), type=Waveform)
    loud = [at for at, height in enumerate(wave.heights) if height > 40]
    assert (loud[0], loud[-1]) == (30, pytest.approx(31, abs=1))
    part = Part(media, 0.0, SECONDS, has_audio=True)
    again = measured(part, tmp_path, Work(Lease(0, "try", new_id(), 1, 1)), until=1)
    first = next(at for at, peak in enumerate(again.peaks_db) if peak > -20)
    assert first == pytest.approx(30, abs=1)


def test_a_browsers_film_without_a_duration(tmp_path: Path) -> None:
    live = "-c:v libvpx -deadline realtime -cpu-used 8 -c:a libopus -f webm -live 1"
    source = looked_at(filmed(tmp_path / "browser.webm", encoder=live))
    assert source.found.duration_s == 0
    assert source.duration_s == pytest.approx(SECONDS, abs=0.1)
    made = made_of(source, tmp_path / "out")
    assert made[0].duration_s == pytest.approx(SECONDS, abs=0.1)


def test_pixels_that_are_not_square_become_so(tmp_path: Path) -> None:
    wide = "-vf setsar=4/3 -c:v libx264 -preset ultrafast"
    source = looked_at(filmed(tmp_path / "wide.mp4", "480x360", encoder=wide))
    made = made_of(source, tmp_path / "out")
    assert shapes(made)[0] == (640, 360)


def test_sixty_frames_become_thirty(tmp_path: Path) -> None:
    source = looked_at(filmed(tmp_path / "a.mp4", rate=59.94))
    assert source.fps == pytest.approx(29.97, abs=0.01)
