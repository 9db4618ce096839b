"""A film in chunks has the frames of one that was made by one command, at the same times."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from media_pipeline import ffmpeg, jobs, long_films, worker
from media_pipeline.long_sources import Lent, can_be_sought
from media_pipeline.models import LongFilm
from media_pipeline.recipes_chunks import chunk_list, cuts_at, even_cuts
from media_pipeline.renditions import Made, make_renditions, plans_for
from media_pipeline.services.recordings import PROCESS_RECORDING
from media_pipeline.sources import Source, looked_at
from media_pipeline.work import Work
from tests.world import World

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.ffmpeg]

CHUNK_S = 2
# Both are encoded anew with a keyframe there; what is a frame early or late is far below.
SAME_DB = 31.0
H264 = "-c:v libx264 -preset superfast -bf 3 -g 12 -pix_fmt yuv420p"
UNEVEN = "select='not(between(mod(n,17),3,6))*gt(random(1),0.3)'"
TONE = "-f lavfi -i sine=440:r=48000 -c:a aac"


def drawn(path: Path, args: str, *, seconds: int = 12) -> Path:
    ffmpeg.run([*f"-f lavfi -i {args}".split(), "-t", str(seconds), str(path)], timeout_s=60)
    return path


def copied(path: Path, before: str, to: Path, after: str = "") -> Path:
    line = [*before.split(), "-i", str(path), *after.split(), "-c", "copy", str(to)]
    ffmpeg.run(line, timeout_s=20)
    return to


def of_30(folder: Path) -> Path:
    # Far above what we make of it, so that it is encoded.
    rate = "-b:v 6M -minrate 6M -maxrate 6M -bufsize 1M -nal-hrd cbr"
    return drawn(folder / "30.mp4", f"testsrc2=size=320x180:rate=30 {TONE} {H264} {rate}")


def of_2997_turned(folder: Path) -> Path:
    plain = drawn(folder / "lies.mp4", f"testsrc2=size=320x180:rate=30000/1001 {TONE} {H264}")
    return copied(plain, "-display_rotation 90", folder / "turned.mp4")


def of_uneven_frames(folder: Path) -> Path:
    vp8 = "-fps_mode vfr -c:v libvpx -deadline realtime -cpu-used 8 -g 5 -b:v 1M -live 1"
    return drawn(folder / "uneven.webm", f"testsrc2=size=320x180:rate=30,{UNEVEN} {vp8}")


def of_an_edit_list(folder: Path) -> Path:
    whole = f"testsrc2=size=320x180:rate=25,hue=s=0 {TONE} {H264} -b:v 6M"
    plain = drawn(folder / "whole.mp4", whole, seconds=15)
    return copied(plain, "-ss 1.3", folder / "cut.mp4")


def of_a_late_start_without_sound(folder: Path) -> Path:
    hevc = "-c:v libx265 -preset ultrafast -x265-params log-level=error:open-gop=1:keyint=10"
    plain = drawn(folder / "open.mkv", f"testsrc2=size=320x180:rate=25 {hevc}")
    return copied(plain, "", folder / "late.mkv", "-output_ts_offset 7.7")


def of_what_is_copied_with_sound_first(folder: Path) -> Path:
    rate = "-b:v 1500k -maxrate 1800k -bufsize 900k"
    args = f"testsrc2=size=1280x720:rate=30000/1001 {TONE} {H264} {rate}"
    plain = drawn(folder / "plain.mp4", args)
    second = f"-i {plain} -map 0:v -map 1:a"
    return copied(plain, "-itsoffset 0.05", folder / "copied.mp4", second)


FILMS = [
    of_30,
    of_2997_turned,
    of_uneven_frames,
    of_an_edit_list,
    of_a_late_start_without_sound,
    of_what_is_copied_with_sound_first,
]


@pytest.fixture(autouse=True)
def short_chunks(settings: Any, tmp_path: Path) -> None:
    settings.CHUNK_S = CHUNK_S
    settings.DATA_ROOT = tmp_path / "data"
    settings.DATA_ROOT.mkdir()


def parent_work(world: World) -> Work:
    """What a worker that makes a recording's renditions holds."""
    job = jobs.enqueue(PROCESS_RECORDING, world.show.public_id)
    lease = jobs.take(job)
    assert lease
    return Work(lease, run_part=worker._run_part)


def made(source: Source, folder: Path, work: Work, lent: Lent | None) -> list[Made]:
    folder.mkdir()
    return make_renditions(source, folder, work, lent)


def packets(path: Path, stream: str) -> list[list[str]]:
    """Time, decoding time, duration and whether it is a key, of each packet."""
    line = [ffmpeg.ffprobe_path(), "-v", "error", "-select_streams", stream]
    line += ["-show_entries", "packet=pts,dts,duration,flags", "-of", "csv=p=0", str(path)]
    done = subprocess.run(line, capture_output=True, text=True, check=True, timeout=60)
    return [told.split(",")[:4] for told in done.stdout.splitlines()]


def likeness(one: Path, other: Path) -> list[float]:
    """PSNR of each frame with the same one; raises if either decodes with a complaint."""
    same = "[0:v]settb=1/25,setpts=N[a];[1:v]settb=1/25,setpts=N[b];[a][b]psnr=stats_file=-"
    line = [ffmpeg.ffmpeg_path(), "-v", "error", "-xerror", "-i", str(one), "-i", str(other)]
    line += ["-lavfi", same, "-fps_mode", "passthrough", "-enc_time_base:v", "1:25"]
    line += ["-f", "null", "-"]
    done = subprocess.run(line, capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr == ""
    told = (line.partition("psnr_avg:")[2].split() for line in done.stdout.splitlines())
    return [float(words[0]) for words in told if words]


@pytest.mark.parametrize("film", FILMS)
def test_no_frame_is_missing_twice_or_moved(film: Any, world: World, tmp_path: Path) -> None:
    source = looked_at(film(tmp_path))
    work = parent_work(world)
    joined = made(source, tmp_path / "joined", work, Lent("film"))
    whole = made(source, tmp_path / "whole", Work(work.lease), None)
    assert LongFilm.objects.get().chunks.count() in {6, 7}
    assert [(one.name, one.size, one.fps, one.is_copy) for one in joined] == [
        (one.name, one.size, one.fps, one.is_copy) for one in whole
    ]
    for one in joined:
        in_chunks, in_one = (tmp_path / name / one.path for name in ("joined", "whole"))
        assert packets(in_chunks, "v") == packets(in_one, "v"), one.name
        assert packets(in_chunks, "a") == packets(in_one, "a"), one.name
        seen = likeness(in_chunks, in_one)
        assert len(seen) == len(packets(in_one, "v"))
        assert min(seen) > SAME_DB, one.name


def test_a_film_that_is_a_frame_late_would_be_seen(tmp_path: Path) -> None:
    """The measure of the test above tells neighbours apart."""
    path = of_30(tmp_path)
    late = "trim=start_frame=1,setpts=PTS-STARTPTS"
    ffmpeg.run(["-i", str(path), "-vf", late, str(tmp_path / "late.mp4")], timeout_s=60)
    assert max(likeness(tmp_path / "late.mp4", path)[:-1]) < SAME_DB


def test_chunks_begin_where_keyframes_are_due_and_end_where_the_next_begins() -> None:
    cuts = even_cuts(601.3, 29.97, 60)
    assert len(cuts) == 10
    assert [cut.first for cut in cuts[1:]] == [cut.end for cut in cuts[:-1]]
    assert (cuts[0].first, cuts[-1].end) == (0, None)
    assert all(cut.keys[0] == 0 for cut in cuts), "each can be decoded without the one before"
    lasting = [(cut.end or 18021) - cut.first for cut in cuts]
    assert max(lasting) - min(lasting) <= 2 * 60, "two workers end at the same time"
    keys = tuple(at * 1.7 + 0.05 for at in range(200))
    beside = cuts_at(keys, 340.0, 60)
    assert [cut.start_s for cut in beside[1:]] == [cut.end_s for cut in beside[:-1]]
    assert {cut.start_s for cut in beside} <= set(keys)
    assert sum(len(cut.keys) for cut in beside) == len(keys)


def test_rounding_does_not_add_up_in_a_list_of_chunks() -> None:
    starts = [number * 60.06 + 0.0000004 for number in range(120)]
    lasting = [
        int(line[9:-2]) for line in chunk_list(["a"] * 120, starts).splitlines() if "us" in line
    ]
    assert sum(lasting) == round((starts[-1] - starts[0]) * 1_000_000)


def test_short_interlaced_and_unseekable_films_stay_one_command(
    tmp_path: Path, settings: Any
) -> None:
    source = looked_at(of_30(tmp_path))
    plans = plans_for(source)

    def count(one: Source = source) -> int:
        return len(long_films.orders(one, one.part(), plans))

    assert count() == 6
    assert can_be_sought(source, 9, within_s=1)
    assert not can_be_sought(source, 9, within_s=0.1), "the keyframe before is further away"
    few = drawn(tmp_path / "few.mp4", f"testsrc2=size=320x180:rate=30 {H264} -g 300 -b:v 6M")
    assert count(looked_at(few)) == 0, "half of it would be decoded for nothing"
    settings.CHUNK_S = 60.0
    assert count() == 0
    settings.CHUNK_S = 0.0
    assert count() == 0
