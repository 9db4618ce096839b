"""What `livecommerce check` looks at before people do: each finding is one line with its remedy."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseError
from django.db import connection

from courses.badges import keys as badge_keys
from courses.badges.models import SigningKey
from livecommerce import disk, environment
from livecommerce.health import redis_problem, waiting_migrations
from livecommerce.lan.certificates import Unusable
from livecommerce.lan.pages import kept as certificate_kept
from livecommerce.version import newer_problem
from media_pipeline.captions import speech
from media_pipeline.ffmpeg import ffmpeg_path, ffprobe_path
from orders.services.refunds import failed_refunds

# Read by the media server's script and by tests' processes, not by us.
FOR_OTHERS = {"LIVECOMMERCE_HOOKS", "LIVECOMMERCE_FAILPOINTS"}
CODECS = ("libx264", "aac", "libopus")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: what was found, and if it is not well, what to do."""

    name: str
    found: str
    remedy: str = ""

    @property
    def is_well(self) -> bool:
        return not self.remedy

    def __str__(self) -> str:
        line = f"{'ok  ' if self.is_well else 'FAIL'} {self.name:<12} {self.found}"
        return line if self.is_well else f"{line}\n     {'':<12} -> {self.remedy}"


def check_all() -> list[Finding]:
    return [check() for check in CHECKS]


def check_names() -> Finding:
    """A name that is no setting is one that was misspelt: it would do nothing, and say nothing."""
    ours = {name for name in os.environ if name.startswith("LIVECOMMERCE_")}
    strange = sorted(ours - environment.ASKED - FOR_OTHERS)
    if not strange:
        return Finding("names", "every LIVECOMMERCE_ name is a setting")
    meant = [get_close_matches(name, environment.ASKED, 1) for name in strange]
    told = [
        f"{one}, or was {like[0]} meant?" if like else one
        for one, like in zip(strange, meant, strict=True)
    ]
    return Finding("names", f"no settings: {'; '.join(told)}", "Correct or remove them.")


def check_version() -> Finding:
    if problem := newer_problem():
        return Finding("version", problem, "Install that version, or name another folder.")
    return Finding("version", "the data is of this version, or of one before it")


def check_data() -> Finding:
    folder: Path = settings.DATA_ROOT
    try:
        with tempfile.NamedTemporaryFile(dir=folder):
            return Finding("data folder", str(folder))
    except OSError as error:
        remedy = "Make it writable for this user, or name another one with LIVECOMMERCE_DATA."
        return Finding("data folder", f"{folder}: {error.strerror}", remedy)


def check_https() -> Finding:
    """On a local network this machine gives its own certificate."""
    if not settings.LAN:
        return Finding("HTTPS", "none of its own: LIVECOMMERCE_LAN is 0")
    try:
        found = certificate_kept()
    except Unusable as error:
        return Finding("HTTPS", "not on the local network", str(error))
    return Finding("HTTPS", f"on the local network, with {found.server}")


def check_space() -> Finding:
    found = f"{disk.left()} free"
    if not disk.is_low():
        return Finding("disk space", found)
    return Finding(
        "disk space", found, "Recordings need room: free some, or move LIVECOMMERCE_DATA."
    )


def check_database() -> Finding:
    engine = settings.DATABASES["default"]["ENGINE"].rsplit(".", 1)[1]
    try:
        waiting = waiting_migrations()
    except DatabaseError as error:
        first_line = str(error).strip().splitlines()[0]
        return Finding("database", f"{engine}: {first_line}", "Start it, or correct DATABASE_URL.")
    finally:
        connection.close()
    if waiting:
        found = f"{engine}: {waiting} migrations are not applied"
        return Finding("database", found, "Run: livecommerce migrate")
    return Finding("database", f"{engine}, migrated")


def check_redis() -> Finding:
    if not settings.REDIS_URL:
        return Finding("Redis", "none: one web process keeps the rooms itself")
    if problem := redis_problem(in_full=True):
        return Finding("Redis", problem, "Start it, or correct REDIS_URL.")
    return Finding("Redis", "answers: any number of web processes may share the rooms")


def check_ffmpeg() -> Finding:
    remedy = (
        "Install livecommerce's own packages again, or name a full ffmpeg: LIVECOMMERCE_FFMPEG."
    )
    try:
        programs = [ffmpeg_path(), ffprobe_path()]
        for program in programs:
            run(program, "-version")
        encoders = run(programs[0], "-hide_banner", "-encoders")
    except (ImproperlyConfigured, OSError, subprocess.SubprocessError) as error:
        return Finding("ffmpeg", str(error), remedy)
    if missing := [codec for codec in CODECS if f" {codec} " not in encoders]:
        return Finding("ffmpeg", f"{programs[0]} lacks {', '.join(missing)}", remedy)
    return Finding("ffmpeg", f"{programs[0]} with {', '.join(CODECS)}")


def check_speech() -> Finding:
    if not settings.SPEECH_MODEL:
        return Finding("captions", "written by people: LIVECOMMERCE_SPEECH_MODEL names no model")
    if trouble := speech.problem():
        return Finding("captions", settings.SPEECH_MODEL, trouble)
    return Finding("captions", f"what is said is written down by {settings.SPEECH_MODEL}")


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    return done.stdout


def check_player() -> Finding:
    if finders.find("vendor/hls.mjs"):
        return Finding("hls.js", "in place")
    remedy = "Run `make run` once: it fetches the file. Safari plays without it, others do not."
    return Finding("hls.js", "vendor/hls.mjs is not among the static files", remedy)


def check_payments() -> Finding:
    if not settings.STRIPE_SECRET_KEY:
        return Finding("payments", "in cash only: STRIPE_SECRET_KEY is not set")
    told = "tells by webhook" if settings.STRIPE_WEBHOOK_SECRET else "is asked once a minute"
    try:
        failed = failed_refunds()
    except DatabaseError:
        return Finding("payments", f"Stripe, which {told}")  # the database has its own line
    finally:
        connection.close()
    if failed:
        found = f"{failed} refunds could not be paid back"
        return Finding("payments", found, "Look at them under /admin/orders/refund/?state=failed")
    return Finding("payments", f"Stripe, which {told}")


def check_badges() -> Finding:
    """Whether certificates can be signed here; to check them needs no private key."""
    try:
        believed = list(SigningKey.objects.filter(withdrawn_at=None))
    except DatabaseError:
        return Finding("certificates", "not looked at: the database does not answer")
    finally:
        connection.close()
    if not believed:
        return Finding("certificates", "the key is made when the first is signed")
    if any(badge_keys.is_here(one) for one in believed):
        return Finding("certificates", f"can be signed; keys in {settings.BADGE_KEYS}")
    return Finding(
        "certificates",
        f"none of {len(believed)} keys is in {settings.BADGE_KEYS}",
        "Put the folder back from a backup, or make a key: livecommerce badges-key --new",
    )


CHECKS: Sequence[Callable[[], Finding]] = (
    check_names,
    check_version,
    check_data,
    check_https,
    check_space,
    check_database,
    check_redis,
    check_ffmpeg,
    check_speech,
    check_player,
    check_payments,
    check_badges,
)
