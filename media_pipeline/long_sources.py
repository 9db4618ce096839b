"""Where the workers of a long film find it: in the storage, and a copy of that on each machine."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from media_pipeline import ffmpeg, jobs
from media_pipeline.models import Job, LongFilm
from media_pipeline.sources import Source
from media_pipeline.storage import storage, work_folder

LOOK_WITHIN_S = 30

_bringing = threading.Lock()


@dataclass(frozen=True, slots=True)
class Lent:
    """A film that other workers may help with: what it is, and its key, if it has one already."""

    source_id: str
    key: str = ""


def can_be_sought(source: Source, at_s: float, *, within_s: float) -> bool:
    """Whether a reader that wants the film from `at_s` on need not read much more than that.

    A fragmented file without an index is read from its beginning, whatever is wanted of it.
    """
    line = [ffmpeg.ffprobe_path(), "-hide_banner", "-loglevel", "error"]
    line += ["-protocol_whitelist", ffmpeg.PROTOCOLS, "-format_whitelist", ffmpeg.FORMATS]
    line += ["-select_streams", str(source.found.picture.index)]
    line += ["-read_intervals", f"{source.found.start_s + at_s:.6f}%+#1"]
    line += ["-show_entries", "packet=pts_time", "-print_format", "csv=p=0", str(source.path)]
    process = ffmpeg.spawn(line, stderr=subprocess.DEVNULL)
    try:
        told, _nothing = process.communicate(timeout=LOOK_WITHIN_S)
    except subprocess.TimeoutExpired:
        return False
    finally:
        ffmpeg.kill(process)
    try:
        lands_s = float(told.split(b",")[0].strip() or b"nan") - source.found.start_s
    except ValueError:
        return False
    return at_s - within_s <= lands_s <= at_s


def store(path: Path, key: str) -> None:
    """Store a local file, which stays where it is."""
    beside = path.with_name(f".lent-{path.name}")
    link(path, beside)
    storage().write_file(key, beside)


def bring(key: str, path: Path) -> None:
    """A stored file as one of ours, which may be deleted; raises `NoSuchFile`."""
    with storage().local_path(key) as found:
        link(found, path)


def link(path: Path, to: Path) -> None:
    """Another name for the file, or a copy where the disks are different ones."""
    try:
        os.link(path, to)
    except OSError as error:
        if error.errno not in {errno.EXDEV, errno.EPERM, errno.EMLINK}:
            raise
        shutil.copyfile(path, to)


@contextmanager
def local(film: LongFilm, folder: Path) -> Iterator[Path]:
    """The film as a file of this machine while it is needed; raises `NoSuchFile`.

    From a bucket it is brought once for all chunks that this machine encodes.
    """
    if storage().remote is None or storage().local.size(film.source_key) is not None:
        with storage().local_path(film.source_key) as path:
            yield path
        return
    mine = folder / f"film{Path(film.source_key).suffix}"
    copy = _copy(film) / mine.name
    with _bringing:  # one of several threads does, the others wait for it
        try:
            link(copy, mine)
        except FileNotFoundError:
            bring(film.source_key, mine)
            copy.parent.mkdir(exist_ok=True)
            new = copy.with_name(f"{os.getpid()}.new")
            link(mine, new)
            new.replace(copy)
    yield mine


def _copy(film: LongFilm) -> Path:
    return work_folder() / f"film-{film.public_id}"


def let_go(film: LongFilm, but: int = 0) -> None:
    """Delete this machine's copy unless chunks wait for somebody to encode them.

    Who is encoding has a name of its own for the file.
    """
    if not _copy(film).exists():
        return
    open_ones = Job.objects.filter(parent_id=film.job_id, state__in=jobs.OPEN)
    with _bringing:
        if not open_ones.exclude(pk=but).exists():
            shutil.rmtree(_copy(film), ignore_errors=True)
