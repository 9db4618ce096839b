"""Running `livecommerce` as people do: in a process of its own, on a folder of its own."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from time import monotonic
from types import ModuleType

from tests import template

ROOT = Path(__file__).resolve().parent.parent.parent
OUR_SETTINGS = ("LIVECOMMERCE_", "DATABASE_URL", "REDIS_URL", "PORT", "DJANGO_SETTINGS_MODULE")


def script(name: str) -> ModuleType:
    """One of the set-up's scripts, which are no package, as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / f"scripts/{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def environment(data: Path, **more: str) -> dict[str, str]:
    """This machine's environment without settings of ours, on the folder `data`."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(OUR_SETTINGS)}
    return {**plain, "LIVECOMMERCE_DATA": str(data), **more}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "livecommerce.cli", *arguments]


def livecommerce(
    *arguments: str, data: Path, given: str = "", **more: str
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        command(*arguments),
        env=environment(data, **more),
        cwd=ROOT,
        input=given,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def migrate(data: Path) -> None:
    """Put an empty database that is up to date into an empty folder."""
    template.copy("migrated", data, _migrate)


def _migrate(data: Path) -> None:
    done = livecommerce("migrate", data=data)
    assert done.returncode == 0, done.stderr


class Running:
    """A process that goes on, and the lines that it has said so far."""

    def __init__(
        self, arguments: list[str], env: dict[str, str] | None = None, cwd: Path = ROOT
    ) -> None:
        self.process = subprocess.Popen(
            arguments,
            env=env,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self._said: Queue[str] = Queue()
        Thread(target=self._listen, daemon=True).start()

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait(30)

    def _listen(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self._said.put(line.rstrip())

    def wait_for(self, wanted: Callable[[str], bool] | str, within_s: float = 60) -> str:
        """The next line that has the text, or for which `wanted` is true."""
        fits = (lambda line: wanted in line) if isinstance(wanted, str) else wanted
        deadline = monotonic() + within_s
        while (left := deadline - monotonic()) > 0:
            try:
                line = self._said.get(timeout=left)
            except Empty:
                break
            self.lines.append(line)
            if fits(line):
                return line
        raise AssertionError("it never said that; it said:\n" + "\n".join(self.lines))

    def rest(self) -> list[str]:
        """What it said after the last line that was waited for."""
        return list(self._said.queue)


def is_there(pid: int) -> bool:
    """Whether the process still runs; one that ended and waits to be collected does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in {"Z", "X"}


def assert_ends(pid: int, within_s: float = 5) -> None:
    deadline = monotonic() + within_s
    while is_there(pid):
        assert monotonic() < deadline, f"process {pid} is still there"
        os.sched_yield()


def children_of(running: Running) -> list[int]:
    path = f"/proc/{running.process.pid}/task/{running.process.pid}/children"
    return [int(pid) for pid in Path(path).read_text().split()]
