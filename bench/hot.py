"""The load client's hot path in C (bench/crowd.c): compiled when it is new, and called."""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
import tempfile
from ctypes import POINTER, c_int, c_int32, c_int64, c_size_t, c_uint32, c_void_p
from functools import cache
from pathlib import Path

from bench.report import ROOT

SOURCE = ROOT / "bench/crowd.c"
BUILT = ROOT / "build/bench"
FLAGS = ["-O2", "-Wall", "-Wextra", "-D_GNU_SOURCE", "-shared", "-fPIC"]

CONNECTED, GREETED, MET, OWN, LOST = range(5)  # what Python is called for
NO_FRAME, FAILED = -1, -2
COMMANDS = 2**32 - 1  # the number of what is no socket: where the commands come from

Call = ctypes.CFUNCTYPE(c_int, c_int, c_uint32, c_int, c_void_p, c_size_t)


class NoCompiler(SystemExit):
    """There is no C compiler, or it fails: without the hot path nothing can be measured."""


class SocketState(ctypes.Structure):
    """What is known of one socket: `last`, up to where it was told, and how many `facts`."""

    _fields_ = (
        ("fd", c_int32),
        ("greeted", c_int32),
        ("last", c_int64),
        ("facts", c_int64),
        ("rest", c_void_p),
        ("size", c_size_t),
        ("room", c_size_t),
    )
    fd: int
    greeted: int
    last: int
    facts: int
    size: int


class Received(ctypes.Structure):
    """In one tick, how many sockets had a frame."""

    _fields_ = (("tick", c_int64), ("sockets", c_int64))
    tick: int
    sockets: int


class CrowdState(ctypes.Structure):
    """What is known of all sockets together. What follows `gaps` is known to C alone."""

    _fields_ = (
        ("sockets", POINTER(SocketState)),
        ("call", Call),
        ("epoll", c_int32),
        ("wants_own", c_int32),
        ("ns_per_tick", c_int64),
        ("heard_ns", c_int64),
        ("gaps", c_int64),
        ("frames", c_void_p),
        ("frame_count", c_size_t),
        ("frame_room", c_size_t),
        ("slots", c_void_p),
        ("slot_room", c_size_t),
    )


@cache
def library() -> ctypes.CDLL:
    """The functions of crowd.c, of the source as it is now. Raises `NoCompiler`."""
    found = ctypes.CDLL(str(built()))
    crowd = POINTER(CrowdState)
    for name, gives, *takes in (
        ("crowd_know", c_int, crowd, c_int64, c_int64, c_int64, POINTER(c_int64), c_size_t),
        ("crowd_received", c_size_t, crowd, c_int, POINTER(POINTER(Received))),
        ("crowd_forget", None, crowd),
        ("crowd_drop", None, POINTER(SocketState)),
        ("crowd_take", c_int, crowd, c_uint32, ctypes.c_char_p, c_size_t, c_int64),
        ("crowd_serve", c_int, crowd, c_int),
        ("crowd_heed", c_int, crowd, c_int, c_uint32, c_int, c_int),
    ):
        function = getattr(found, str(name))
        function.restype, function.argtypes = gives, takes
    return found


def built(compiler: str | None = None) -> Path:
    """The library, compiled if there is none yet of this source. Raises `NoCompiler`."""
    compiler = compiler or os.environ.get("CC", "cc")
    decides = SOURCE.read_bytes() + " ".join([compiler, *FLAGS]).encode()
    target = BUILT / f"crowd-{hashlib.sha256(decides).hexdigest()[:16]}.so"
    if not target.exists():
        compile_to(target, compiler)
    return target


def compile_to(target: Path, compiler: str) -> None:
    """Compile beside the target and move it there: several processes may do so at once."""
    if shutil.which(compiler) is None:
        raise NoCompiler(
            f"The load client needs a C compiler, and there is no {compiler!r} here. On Debian and "
            "Ubuntu: apt install gcc libc6-dev; another one is named by CC="
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        fresh = Path(folder) / target.name
        command = [compiler, *FLAGS, "-o", str(fresh), str(SOURCE)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NoCompiler(f"{' '.join(command)} failed:\n{done.stderr}")
        fresh.replace(target)
