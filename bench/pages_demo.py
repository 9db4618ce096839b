"""The demo as a benchmark has it: in a folder of its own, until its films are made."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench.processes import ROOT, BenchError, free_port, temporary_folder

READY_WITHIN_S = 900
QUIET_WITHIN_S = 900
# What is left of the first start's work ends within this; the show goes on.
CALM_LOAD_JOBS = "from media_pipeline.models import Job; print(Job.objects.filter(%s).count())"
UNFINISHED = "state__in=('queued', 'running')"


def chromium_path() -> str:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        raise BenchError("Chromium is needed (on Debian: apt-get install chromium)")
    return found


@dataclass(frozen=True, slots=True)
class Demo:
    """Where it answers."""

    url: str

    def session(self, who: str) -> str:
        """The session of one of its people, by the click that signs in."""
        with httpx.Client(base_url=self.url, follow_redirects=True, timeout=30) as client:
            self._post(client, f"/demo/sign-in/{who}/")
            if "sessionid" not in client.cookies:
                raise BenchError(f"nobody can sign in as {who} here: is it a demo?")
            return str(client.cookies["sessionid"])

    def _post(self, client: httpx.Client, path: str) -> None:
        token = re.search(r'csrf-token" content="([^"]+)"', client.get("/").text)
        if token is None:
            raise BenchError("the front page has no token")
        data = {"csrfmiddlewaretoken": token[1]}
        client.post(path, data=data, headers={"Referer": self.url})

    def cookies(self, who: str) -> dict[str, str]:
        return {"sessionid": self.session(who)}

    def page(self, path: str, who: str = "") -> str:
        cookies = self.cookies(who) if who else {}
        return httpx.get(self.url + path, cookies=cookies, follow_redirects=True, timeout=30).text

    def room(self) -> str:
        """The path of the show that is on. It is another one every ten minutes."""
        deadline = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < deadline:
            found = re.search(r'class="live-card" href="([^"]+)"', self.page("/"))
            if found:
                return found[1]
            time.sleep(1)
        raise BenchError("no show is on")

    def lesson(self) -> str:
        """The path of the course's first lesson."""
        course = self._first(r'href="(/learn/[0-9a-f-]{36}/)"', "/learn/courses/", "/learn/", "/")
        with httpx.Client(base_url=self.url, follow_redirects=True, timeout=30) as client:
            client.cookies.set("sessionid", self.session("wang"), domain="localhost.local")
            self._post(client, f"{course}enrol/")
        return self._first(rf'href="({course}[0-9a-f-]{{36}}/)[?"]', course)

    def _first(self, pattern: str, *paths: str) -> str:
        for path in paths:
            if found := re.search(pattern, self.page(path, "wang")):
                return found[1]
        raise BenchError(f"no page of {paths} has {pattern}")

    def warm_up(self) -> None:
        """Let the server read and compress what it sends: the first visitor's wait is another."""
        for path in ("/", "/learn/", self.room(), self.lesson()):
            page = self.page(path, "wang")
            for address in re.findall(r'(?:src|href)="(/(?:static|jsi18n)/[^"#]+)', page):
                httpx.get(self.url + address.replace("&amp;", "&"), timeout=30)


@contextmanager
def demo() -> Iterator[Demo]:
    """A demo of its own, whose films are made, stopped at the end."""
    with temporary_folder() as folder:
        port, log = free_port(), folder / "demo.log"
        environment = {**os.environ, "LIVECOMMERCE_DATA": str(folder / "demo")}
        environment.pop("DATABASE_URL", None)
        environment.pop("REDIS_URL", None)
        command = [sys.executable, "-m", "livecommerce.cli", "demo", "--port", str(port)]
        with log.open("wb") as said:
            process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=said, stderr=subprocess.STDOUT
            )
        try:
            place = Demo(f"http://localhost:{port}")
            _wait_until_ready(place, process, log)
            _wait_until_quiet(environment)
            yield place
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=60)


def _wait_until_ready(place: Demo, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while "livecommerce is ready" not in log.read_text(errors="replace"):
        if process.poll() is not None or time.monotonic() > deadline:
            raise BenchError(f"the demo did not start:\n{log.read_text()[-3000:]}")
        time.sleep(0.5)
    place.room()


def _wait_until_quiet(environment: dict[str, str]) -> None:
    """Until the worker has made the course's films: they would be measured along."""
    code = "import django; django.setup(); " + CALM_LOAD_JOBS % UNFINISHED
    settings = {**environment, "DJANGO_SETTINGS_MODULE": "livecommerce.settings"}
    settings["LIVECOMMERCE_MODE"] = "demo"
    deadline = time.monotonic() + QUIET_WITHIN_S
    while time.monotonic() < deadline:
        told = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env=settings,
            capture_output=True,
            text=True,
            check=False,
        )
        if told.returncode:
            raise BenchError(f"the demo's jobs cannot be read:\n{told.stderr[-1500:]}")
        if json.loads(told.stdout.splitlines()[-1]) == 0:
            return
        time.sleep(2)
    raise BenchError(f"the demo's films were not made within {QUIET_WITHIN_S} s")
