"""Several processes as one: started together, started again, ended together, never left behind."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from tests.livecommerce.command import Running, assert_ends, children_of, is_there

pytestmark = pytest.mark.process

LASTING = "import signal, sys; print('at work', flush=True); signal.pause()"
STUBBORN = "import signal; signal.signal(15, signal.SIG_IGN); " + LASTING
FAILING = "print('tried', flush=True); raise SystemExit(3)"
REFUSING = "raise SystemExit(78)"
FOLLOWING = "from livecommerce.supervisor import follow_parent; follow_parent(); " + LASTING
WITH_HELPER = (
    "import subprocess, sys; "
    "helper = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()']); "
    "print('helper', helper.pid, flush=True); " + LASTING
)


@contextmanager
def supervisor(grace_s: float = 5, **programs: str) -> Iterator[Running]:
    """A supervisor of one Python program each; `ready` is said as soon as it runs."""
    children = ", ".join(
        f"Child({name!r}, [sys.executable, '-c', {program!r}], waits={name == 'last'})"
        for name, program in programs.items()
    )
    lines = f"""
import asyncio, sys
from livecommerce.supervisor import Child, Supervisor

async def until_ready(): pass

async def main():
    return await Supervisor([{children}], until_ready=until_ready, first_pause_s=0.05,
        grace_s={grace_s}, on_ready=lambda: print("ready", flush=True)).run()

sys.exit(asyncio.run(main()))
"""
    with Running([sys.executable, "-c", lines]) as running:
        yield running
        if running.process.poll() is None:  # killed outright, it would leave its programs behind
            running.process.terminate()
            running.process.wait(10)


def test_lines_say_whose_they_are() -> None:
    with supervisor(web=LASTING, worker=LASTING) as running:
        said = {running.wait_for("at work").strip() for _ in range(2)}
    assert said == {"web | at work", "worker | at work"}


@pytest.mark.parametrize("signal_sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_and_the_code_is_0(signal_sent: signal.Signals) -> None:
    with supervisor(web=LASTING, worker=LASTING) as running:
        running.wait_for("at work")
        running.wait_for("at work")
        pids = children_of(running)
        running.process.send_signal(signal_sent)
        assert running.process.wait(10) == 0
    assert len(pids) == 2
    assert not any(is_there(pid) for pid in pids)


def test_a_child_that_fails_is_started_again_after_a_growing_pause() -> None:
    with supervisor(web=FAILING) as running:
        pauses = [running.wait_for("starts again in").split(" in ")[1] for _ in range(3)]
    assert pauses == ["0.05 s", "0.1 s", "0.2 s"]
    assert "ended with code 3" in running.lines[-1]


def test_a_child_that_is_killed_is_started_again() -> None:
    with supervisor(web=LASTING) as running:
        running.wait_for("at work")
        os.kill(children_of(running)[0], signal.SIGKILL)
        running.wait_for("ended with code -9")
        running.wait_for("at work")


def test_a_child_that_cannot_run_like_this_stops_all() -> None:
    with supervisor(web=REFUSING, worker=LASTING) as running:
        assert running.process.wait(10) == 78


def test_a_child_that_does_not_listen_is_killed() -> None:
    with supervisor(grace_s=0.3, web=STUBBORN) as running:
        running.wait_for("at work")
        pids = children_of(running)
        running.process.send_signal(signal.SIGTERM)
        running.wait_for("was killed")
        assert running.process.wait(10) == 0
    assert not is_there(pids[0])


def test_what_a_child_leaves_behind_ends_with_it() -> None:
    with supervisor(web=WITH_HELPER) as running:
        helper = int(running.wait_for("helper").split()[-1])
        running.wait_for("at work")
        os.kill(children_of(running)[0], signal.SIGKILL)
        running.wait_for("ended with code -9")
        assert_ends(helper)


def test_nothing_is_left_behind_when_the_supervisor_is_killed_outright() -> None:
    with supervisor(web=FOLLOWING, worker=FOLLOWING) as running:
        running.wait_for("at work")
        running.wait_for("at work")
        pids = children_of(running)
        running.process.kill()
        running.process.wait(5)
        for pid in pids:
            assert_ends(pid)


def test_without_following_a_child_would_be_left_behind() -> None:
    """The control of the test above: it is the child's following that ends it."""
    with supervisor(web=LASTING) as running:
        running.wait_for("at work")
        pid = children_of(running)[0]
        running.process.kill()
        running.process.wait(5)
        try:
            assert is_there(pid)
        finally:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def test_a_child_that_waits_is_started_once_the_others_are_ready() -> None:
    with supervisor(last=LASTING) as running:
        running.wait_for("ready")
        running.wait_for("at work")


def test_a_line_of_any_length_does_not_stop_the_log() -> None:
    with supervisor(
        web="print('x' * 3_000_000); print('short', flush=True); " + LASTING
    ) as running:
        running.wait_for(lambda line: line.endswith("| short"))
