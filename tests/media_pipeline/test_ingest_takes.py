"""Takes without a server: what the encoder makes of a stream, also of one that is wrong."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import signal
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from media_pipeline import ffmpeg
from media_pipeline.ingest import entry, segmenter
from media_pipeline.ingest.boxes import Init
from media_pipeline.ingest.chunks import Chunk, ChunkFile, ChunkLine
from media_pipeline.ingest.errors import DiskFull, IngestRefused, PictureTooBig, Unreadable
from media_pipeline.ingest.grouping import Piece
from media_pipeline.ingest.layout import Shown
from media_pipeline.ingest.live_take import LiveTake
from media_pipeline.ingest.segmenter import Segmenter
from media_pipeline.ingest.source import recognise
from media_pipeline.ingest.zero import MediaZero
from media_pipeline.live.parts import Part
from media_pipeline.playlists import Segment, TakeSegments, replay_playlist
from tests.films import AAC, H264, VP8, draw
from tests.media_pipeline.test_ingest_chunks import no_file_above
from tests.realtime import until

NINE = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


class Watched:
    """What live viewers were given."""

    def __init__(self) -> None:
        self.init: Init | None = None
        self.parts: list[Part] = []

    def began(self, init: Init) -> None:
        assert self.init is None
        self.init = init

    def came(self, part: Part) -> bool:
        self.parts.append(part)
        return True

    def ended(self) -> None:
        pass


async def nobody_hears() -> None:
    pass


class Filming:
    """A take that runs in a folder."""

    def __init__(self, folder: Path) -> None:
        (folder / "segments").mkdir(parents=True, exist_ok=True)
        self.watched = Watched()
        self.take = LiveTake(
            folder / "segments", ChunkFile(folder / "chunks"), nobody_hears, picture=self.watched
        )
        self.running = asyncio.create_task(self.take.run())

    async def film(self, *pieces: bytes) -> None:
        for piece in pieces:
            number = self.take.next
            await self.take.append([Chunk(number, number * 100.0, piece)])

    async def end(self) -> IngestRefused | None:
        await self.take.close()
        async with asyncio.timeout(40):
            return await self.running


@pytest.fixture
def stream(recorder_film: Path) -> bytes:
    return recorder_film.read_bytes()


async def test_a_picture_that_comes_sooner_than_guessed_is_shown_and_one_twice_is_not(
    tmp_path: Path,
) -> None:
    """A part's end is a guess: cameras are not that even."""
    filming = Filming(tmp_path)
    pieces = [(0.0, 0.1), (0.12, 0.2), (0.1, 0.2), (0.2, 0.2), (0.231, 0.3)]
    for start_s, last_s in pieces:
        filming.take.show(Piece(b"", start_s, 0.133, is_key=True, last_s=last_s))
    assert [part.start_s for part in filming.watched.parts] == [0.0, 0.12, 0.231]
    await filming.end()


@pytest.mark.ffmpeg
async def test_viewers_get_parts_that_begin_where_the_one_before_ends(
    tmp_path: Path, stream: bytes
) -> None:
    filming = Filming(tmp_path)
    await filming.film(stream)
    assert await filming.end() is None
    watched = filming.watched
    assert watched.init is not None
    assert watched.init.mime == 'video/mp4; codecs="avc1.42C00D, mp4a.40.2"'
    parts = watched.parts
    assert [part.is_key for part in parts if part.start_s in {0, 1, 2, 3, 4, 5}] == [True] * 6
    for before, after in itertools.pairwise(parts):
        assert before.end_s == pytest.approx(after.start_s, abs=0.002)
    assert [segment.duration_s for segment in filming.take.segments] == pytest.approx(
        [1] * 6, abs=0.002
    )


@pytest.mark.ffmpeg
async def test_a_take_that_begins_late_in_its_stream_begins_at_zero(tmp_path: Path) -> None:
    late = [*H264, *AAC, "-output_ts_offset", "1000", "-live", "1", "-cluster_time_limit", "200"]
    film = draw(tmp_path / "late.mkv", *late, duration_s=2)
    filming = Filming(tmp_path)
    await filming.film(film.read_bytes())
    assert await filming.end() is None
    assert filming.watched.parts[0].start_s == pytest.approx(0, abs=0.03)
    assert filming.take.duration_s == pytest.approx(2, abs=0.05)


@pytest.mark.ffmpeg
async def test_bytes_of_something_else_do_not_spoil_what_came_before(
    tmp_path: Path, stream: bytes
) -> None:
    half = len(stream) // 2
    filming = Filming(tmp_path)
    await filming.film(stream[:half], b"not of this film " * 2000, stream[half:])
    await filming.end()
    assert filming.take.duration_s > 2
    folder = tmp_path / "segments"
    assert len(Segmenter(folder).segments) == len(filming.take.segments)


@pytest.mark.ffmpeg
async def test_a_picture_that_is_too_big_is_refused(tmp_path: Path) -> None:
    big = ["-vf", "scale=7680:4320", "-frames:v", "2", *H264, "-live", "1"]
    film = draw(tmp_path / "big.mkv", *big, duration_s=1)
    filming = Filming(tmp_path)
    await filming.film(film.read_bytes())
    assert isinstance(await filming.end(), PictureTooBig)
    assert not filming.take.segments


@pytest.mark.ffmpeg
async def test_a_full_disk_stops_segments_and_chunks_and_keeps_what_is_there(
    tmp_path: Path, stream: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("media_pipeline.ingest.live_take.DISK_AGAIN_S", 0.01)
    filming = Filming(tmp_path)
    await filming.film(stream)
    with no_file_above(2000):
        with pytest.raises(DiskFull):
            await filming.film(b"more")
        assert isinstance(await filming.end(), DiskFull)
    assert not filming.take.segments
    shutil.rmtree(tmp_path / "segments")
    again = Filming(tmp_path)  # the disk has room again: what was acknowledged is still there
    assert await again.end() is None
    assert again.take.duration_s == pytest.approx(6, abs=0.1)


async def hangs_once_it_has_filmed(filming: Filming, stream: bytes) -> int:
    """Half the film, and an encoder that does nothing any more; its process."""
    await filming.film(stream[: len(stream) // 2])
    await until(lambda: len(filming.take.segments) > 0)
    assert filming.take.encoder is not None
    os.kill(filming.take.encoder.pid, signal.SIGSTOP)
    return filming.take.encoder.pid


@pytest.mark.ffmpeg
async def test_an_encoder_that_hangs_is_followed_by_another(
    tmp_path: Path, stream: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("media_pipeline.ingest.encoder.HUNG_S", 0.5)
    filming = Filming(tmp_path)
    hung = await hangs_once_it_has_filmed(filming, stream)
    await filming.film(stream[len(stream) // 2 :])
    # The camera goes on, and so does the picture.
    await until(lambda: filming.take.encoder is not None and filming.take.encoder.pid != hung)
    await until(lambda: filming.watched.parts[-1].end_s > 5)
    assert await filming.end() is None
    assert [at for at, _end in packets(whole_take(tmp_path))] == pytest.approx(
        [n / 30 for n in range(180)], abs=0.002
    )


@pytest.mark.ffmpeg
async def test_a_take_is_sealed_though_its_encoder_hangs(
    tmp_path: Path, stream: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("media_pipeline.ingest.encoder.HUNG_S", 0.5)
    filming = Filming(tmp_path)
    await hangs_once_it_has_filmed(filming, stream)
    async with asyncio.timeout(10):  # and not FINISH_S
        assert await filming.end() is None
    assert filming.take.duration_s > 2


class Clock:
    """Each look at it is some seconds after the one before."""

    def __init__(self, step_s: float) -> None:
        self.step_s, self.looks = step_s, 0

    def __call__(self) -> float:
        self.looks += 1
        return self.looks * self.step_s


@pytest.mark.ffmpeg
async def test_a_phone_that_loses_its_network_in_its_first_second_keeps_its_take(
    tmp_path: Path, stream: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(step_s=60)
    monkeypatch.setattr("media_pipeline.ingest.encoding.monotonic", clock)
    filming = Filming(tmp_path)
    for at in (0, 15_000, 30_000):
        seen = clock.looks
        await filming.film(stream[at : at + 15_000])
        await until(lambda seen=seen: clock.looks >= seen + 2)  # type: ignore[misc]
    assert not filming.take.segments, "so short was it there"
    await filming.film(stream[45_000:])
    assert await filming.end() is None
    assert filming.take.duration_s == pytest.approx(6, abs=0.1)


@pytest.mark.ffmpeg
async def test_a_camera_that_sends_on_without_a_picture_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(step_s=1)
    monkeypatch.setattr("media_pipeline.ingest.encoding.monotonic", clock)
    never = ["-vf", "trim=end=5,select=0", "-fps_mode", "vfr", *H264, *AAC, "-live", "1"]
    film = draw(tmp_path / "never.mkv", *never, duration_s=5).read_bytes()
    filming = Filming(tmp_path)
    for at in range(0, len(film), len(film) // 40):
        if not filming.running.done():
            await filming.film(film[at : at + len(film) // 40])
        await until(lambda seen=clock.looks: filming.running.done() or clock.looks > seen)  # type: ignore[misc]
    async with asyncio.timeout(10):
        assert isinstance(await filming.running, Unreadable)


@pytest.mark.parametrize("window", [4096, 256 * 1024])
@pytest.mark.parametrize("wanted_s", [0.0, 1.0, 3.5, 5.0])
def test_a_stream_is_entered_at_the_last_key_frame_before(
    tmp_path: Path,
    recorder_film: Path,
    monkeypatch: pytest.MonkeyPatch,
    window: int,
    wanted_s: float,
) -> None:
    monkeypatch.setattr(entry, "WINDOW", window)
    with ChunkFile(tmp_path) as chunks:
        chunks.append([Chunk(0, 0.0, recorder_film.read_bytes())], NINE)
        source = recognise(chunks.read(0, 4096))
        assert source is not None
        found = entry.entry_before(chunks, source, wanted_s)
        assert found.key_s == pytest.approx(int(wanted_s), abs=0.002)
        assert chunks.read(found.at, 4) == b"\x1f\x43\xb6\x75"


@pytest.mark.ffmpeg
def test_a_segment_that_a_power_failure_left_torn_is_made_again(
    tmp_path: Path, stream: bytes
) -> None:
    async def film_it() -> None:
        filming = Filming(tmp_path)
        await filming.film(stream)
        await filming.end()

    asyncio.run(film_it())
    whole = (tmp_path / "segments" / "00004.m4s").read_bytes()
    (tmp_path / "segments" / "00005.m4s").write_bytes(b"")
    (tmp_path / "segments" / "00004.m4s").write_bytes(whole[:1000])
    assert len(Segmenter(tmp_path / "segments").segments) == 4
    asyncio.run(film_it_again(tmp_path))
    assert [round(one.duration_s, 2) for one in Segmenter(tmp_path / "segments").segments] == [
        1.0
    ] * 6


async def film_it_again(folder: Path) -> None:
    assert await Filming(folder).end() is None


def test_key_frames_that_never_come_do_not_make_a_segment_endless(tmp_path: Path) -> None:
    made = Segmenter(tmp_path)
    for number in range(200):
        made.add(Piece(b"x", number * 0.1, 0.1, is_key=number == 0))
    made.finish()
    assert max(one.duration_s for one in made.segments) <= segmenter.LONGEST_S + 0.11
    assert [one.starts_with_key for one in made.segments] == [True, False, False, False]
    take = TakeSegments("a", NINE, tuple(made.segments))
    assert "INDEPENDENT" not in replay_playlist([take], ended=True)


class TestMediaZero:
    def test_the_least_delayed_chunk_tells_whatever_the_phones_clock_says(self) -> None:
        zero = MediaZero()
        for number, delay_s in enumerate([0.9, 0.4, 0.05, 0.7]):
            offset = timedelta(seconds=number * 0.1)
            zero.note_chunk(NINE + offset + timedelta(seconds=delay_s), offset)
        assert zero.at(0) == NINE + timedelta(seconds=0.05)

    def test_film_that_was_kept_through_an_outage_does_not_count_as_filmed_late(self) -> None:
        zero = MediaZero()
        for number in range(200):  # twenty seconds of film, sent within two
            arrived = NINE + timedelta(seconds=20 + number / 100)
            zero.note_chunk(arrived, timedelta(seconds=number * 0.1))
        late = zero.at(0)
        assert late is not None
        assert late - NINE < timedelta(seconds=2.2)

    def test_a_recorder_that_says_nonsense_is_held_to_its_stream(self) -> None:
        zero = MediaZero()
        zero.note_chunk(NINE, timedelta(seconds=20))
        zero.note_part(NINE + timedelta(seconds=0.1), end_s=0.1)
        assert zero.at(0) == NINE - timedelta(seconds=0.1)

    def test_a_clock_that_runs_fast_does_not_move_an_old_take(self) -> None:
        zero = MediaZero()
        for minute in range(600):
            offset = timedelta(minutes=minute)
            zero.note_chunk(NINE + offset * 0.9999, offset)
        found = zero.at(0)
        assert found is not None
        assert abs(found - NINE) < timedelta(seconds=0.1)

    def test_after_a_restart_the_chunks_on_disk_tell_it_again(self) -> None:
        lines = [ChunkLine(n, 1, n * 100.0, NINE + timedelta(seconds=n / 10)) for n in range(5)]
        zero = MediaZero(lines)
        zero.note_part(NINE + timedelta(seconds=30), end_s=0.5)
        assert zero.at(1.0) == NINE + timedelta(seconds=1)


def test_a_growing_replay_is_the_one_that_is_written_at_once(tmp_path: Path) -> None:
    shown, whole = Shown(tmp_path, []), []
    for number, lengths in enumerate([[1.0, 1.0], [1.0], [1.0, 3.2, 1.0]]):
        at = NINE + timedelta(minutes=number)
        segments = [Segment(f"{n:05d}.m4s", length) for n, length in enumerate(lengths)]
        for count in range(len(segments)):
            shown.show(TakeSegments(f"take{number}", at, tuple(segments[: count + 1])))
        whole.append(TakeSegments(f"take{number}", at, tuple(segments)))
        expected = replay_playlist(whole, ended=False)
        assert (tmp_path / "replay.m3u8").read_text() == expected


UNEVEN = ["-vf", r"select=not(between(mod(n\,15)\,6\,11)),setpts=PTS", "-fps_mode", "vfr"]
"""Every half a second the phone is too busy for a while, as phones are."""


def packets(film: Path) -> list[tuple[float, int]]:
    """When each picture is shown, in seconds, and the byte at which it ends in a Matroska file."""
    line = [ffmpeg.ffprobe_path(), "-v", "error", "-select_streams", "v:0", "-of", "csv=p=0"]
    line += ["-show_entries", "packet=pts_time,pos,size", str(film)]
    told = subprocess.run(line, capture_output=True, check=True, timeout=30, text=True).stdout
    rows = [row.strip(",").split(",") for row in told.split()]
    return [(float(at), int(pos) + int(size) + 4) for at, size, pos in rows]


def worst_psnr(one: Path, other: Path) -> float:
    """How much the pictures of two films differ at most, in dB; less than 30 is visible."""
    line = [ffmpeg.ffmpeg_path(), "-nostdin", "-hide_banner", "-i", str(one), "-i", str(other)]
    counted = "settb=1/30,setpts=N"  # one picture after the other, whatever their times
    line += ["-lavfi", f"[0:v]{counted}[a];[1:v]{counted}[b];[a][b]psnr", "-f", "null", "-"]
    told = subprocess.run(line, capture_output=True, check=True, timeout=30, text=True).stderr
    return float(told.split(" min:")[1].split()[0])


def after_a_gap(film: Path, share: float) -> int:
    """Where to cut so that the last picture came late, and the next one does not."""
    known = packets(film)
    late = [end for (before, _), (at, end) in itertools.pairwise(known) if at - before > 0.1]
    return late[round(share * len(late))]


@pytest.mark.ffmpeg
@pytest.mark.parametrize(("codecs", "share"), [(H264, 0.37), (H264, 0.55), (VP8, 0.45)])
async def test_a_take_that_was_finished_before_a_crash_goes_on_where_it_ended(
    tmp_path: Path, codecs: list[str], share: float
) -> None:
    live = ["-an", "-live", "1", "-cluster_time_limit", "200"]
    film = draw(tmp_path / "uneven.mkv", *codecs, *UNEVEN, *live, duration_s=4)
    stream = film.read_bytes()
    cut = after_a_gap(film, share)
    before = Filming(tmp_path)
    await before.film(stream[:cut])
    assert await before.end() is None
    after = Filming(tmp_path)  # the server was killed before the take's row was sealed
    await after.film(stream[cut:])
    assert await after.end() is None
    whole, wanted = whole_take(tmp_path), [at for at, _end in packets(film)]
    assert [at for at, _end in packets(whole)] == pytest.approx(wanted, abs=0.002)
    assert worst_psnr(whole, film) > 30
    assert await Filming(tmp_path).end() is None  # and once more, with nothing new
    assert whole_take(tmp_path).read_bytes() == whole.read_bytes()


def whole_take(folder: Path) -> Path:
    """The take as one file, as players put it together."""
    segments = folder / "segments"
    path = folder / f"whole-{len(list(segments.iterdir()))}.mp4"
    files = [segments / "init.mp4", *sorted(segments.glob("*.m4s"))]
    path.write_bytes(b"".join(file.read_bytes() for file in files))
    return path
