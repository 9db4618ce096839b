"""A process that has the product in memory and forks what is to be killed: web processes above all.

    python -m tests.chaos.orders_nursery LOG [--hasty]

Importing the product takes seconds, of which five hundred kills would need an hour. A fork needs
milliseconds, and what it then runs is `livecommerce.serve`, with everything that starts in it.

Reads one JSON object a line: `{"do": "start", "role", "how", "failpoints", "broken"}` is answered
by `{"started": pid}`, and `{"do": "kill", "pid"}` is SIGKILL. A process that ended is told as
`{"ended": pid, "code"}`, where a signal is a negative code. When its standard input ends, so does
everything here. `--hasty` does not wait for the disk, which only a loss of power would tell.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import select
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import django

django.setup()

from django.db import connection  # noqa: E402
from django.urls import get_resolver  # noqa: E402

from core import failpoints  # noqa: E402
from tests.chaos import orders_roles  # noqa: E402
from tests.chaos.orders_broken import BROKEN  # noqa: E402

PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None)


def hurry() -> None:
    """Every connection from now on takes the system's word for what it has written."""
    options = connection.settings_dict["OPTIONS"]
    if connection.vendor == "sqlite":
        options["init_command"] += "PRAGMA synchronous=OFF;"
    else:
        options["options"] = "-c synchronous_commit=off"


def main(log: Path) -> None:
    heard, said = os.pipe()
    for end in (heard, said):
        os.set_blocking(end, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)  # only its wake-up is wanted
    signal.set_wakeup_fd(said)
    get_resolver().url_patterns  # noqa: B018 - which a web process reads at its first page
    gc.collect()
    gc.freeze()
    children: set[int] = set()
    waiting = b""
    while True:
        ready, _, _ = select.select([0, heard], [], [])
        if heard in ready:
            os.read(heard, 1024)
            _tell_ended(children)
        if 0 in ready:
            read = os.read(0, 65536)
            if not read:
                break
            *lines, waiting = (waiting + read).split(b"\n")
            for line in lines:
                _obey(json.loads(line), children, log)
    for pid in children:
        os.kill(pid, signal.SIGKILL)


def _obey(asked: dict[str, Any], children: set[int], log: Path) -> None:
    if asked["do"] == "start":
        children.add(_start(asked, log))
    elif asked["pid"] in children:  # not reaped yet: the number is still its own
        os.kill(asked["pid"], signal.SIGKILL)


def _tell(**what: Any) -> None:
    os.write(1, json.dumps(what).encode() + b"\n")


def _tell_ended(children: set[int]) -> None:
    with suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            children.discard(pid)
            _tell(ended=pid, code=os.waitstatus_to_exitcode(status))


def _start(asked: dict[str, Any], log: Path) -> int:
    pid = os.fork()
    if pid == 0:
        _become(asked, log)
    _tell(started=pid)
    return pid


def _become(asked: dict[str, Any], log: Path) -> None:
    """The child: from here on a process of its own, which never comes back."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    out = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, end in enumerate((nothing, out, out)):
        os.dup2(end, number)
    failpoints._points = failpoints.read(asked["failpoints"])
    code = 1
    try:
        if broken := BROKEN.get(asked["broken"]):
            broken.breaks()
        role: Callable[..., None] = orders_roles.ROLES[asked["role"]]
        role(**asked["how"])
        code = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
        raise
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    if "--hasty" in sys.argv:
        hurry()
    main(Path(sys.argv[1]))
