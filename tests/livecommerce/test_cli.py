"""The command `livecommerce`, run as people run it."""

from __future__ import annotations

import json
import signal
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from livecommerce.cli import main
from tests.livecommerce.command import (
    Running,
    assert_ends,
    children_of,
    command,
    environment,
    livecommerce,
    migrate,
)

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose database is up to date."""
    data = tmp_path_factory.mktemp("instance")
    migrate(data)
    return data


@pytest.fixture
def port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest.fixture
def taken() -> Iterator[str]:
    """A port on which somebody else listens."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield str(other.getsockname()[1])


def test_help_names_every_command(tmp_path: Path) -> None:
    data = tmp_path / "data"
    said = livecommerce("--help", data=data).stdout
    assert not data.exists(), "asking for help makes nothing"
    for name in ("demo", "up", "serve", "worker", "migrate", "check", "broadcast", "operator"):
        assert f"\n  {name} " in said
    assert "demo-actors" not in said


@pytest.mark.parametrize("name", sorted(main.commands))
def test_each_command_explains_itself(name: str) -> None:
    done = CliRunner().invoke(main, [name, "--help"])
    assert done.exit_code == 0
    assert len(done.output) > 100


@pytest.mark.parametrize("name", ["up", "check", "worker"])
def test_a_wrong_setting_is_refused_with_one_line(name: str, tmp_path: Path) -> None:
    done = livecommerce(name, data=tmp_path, LIVECOMMERCE_LANGUAGE="tlh")
    assert done.returncode == 78
    assert done.stderr == "Error: LIVECOMMERCE_LANGUAGE is 'tlh': use one of en, zh-hans.\n"


@pytest.mark.parametrize("name", ["up", "serve"])
def test_a_taken_port_is_refused_before_anything_starts(
    name: str, taken: str, tmp_path: Path
) -> None:
    done = livecommerce(name, "--port", taken, data=tmp_path)
    assert done.returncode == 78
    assert f"Cannot listen on 127.0.0.1 port {taken} (Address already in use)" in done.stderr
    assert f"PORT={int(taken) + 1}" in done.stderr
    assert not (tmp_path / "livecommerce.sqlite3").exists()


def test_check_finds_a_machine_that_is_well(migrated: Path) -> None:
    done = livecommerce("check", data=migrated)
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[0] for line in lines] == ["ok"] * 13


def test_check_says_what_to_do_about_what_is_not(tmp_path: Path) -> None:
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    done = livecommerce("check", data=tmp_path, LIVECOMMERCE_FFMPEG=str(program))
    assert done.returncode == 1
    assert "FAIL database" in done.stdout
    assert "-> Run: livecommerce migrate" in done.stdout
    assert "FAIL ffmpeg" in done.stdout


def test_check_names_a_database_that_is_away(tmp_path: Path, port: str) -> None:
    away = f"postgres://u:secret@127.0.0.1:{port}/shop"
    done = livecommerce("check", data=tmp_path, DATABASE_URL=away)
    assert done.returncode == 1
    assert "-> Start it, or correct DATABASE_URL." in done.stdout
    assert "secret" not in done.stdout + done.stderr


def test_an_operator_is_made_once_and_can_change_the_password(migrated: Path) -> None:
    for password in ("under-the-old-tree", "apples-in-october"):
        done = livecommerce("operator", "zhao", "--password-stdin", data=migrated, given=password)
        assert (done.returncode, done.stdout) == (0, "zhao is an operator and can sign in.\n")
    with sqlite3.connect(migrated / "livecommerce.sqlite3") as database:
        rows = database.execute(
            "select username, role, is_staff from accounts_user join accounts_rolegrant"
            " on user_id = accounts_user.id"
        ).fetchall()
    assert rows == [("zhao", "operator", 1)]


@pytest.mark.parametrize(
    ("name", "password", "reason"),
    [
        ("zhao", "short", "too short"),
        ("zhao", "password1", "too common"),
        ("no name", "x" * 12, ""),
    ],
)
def test_an_operator_who_cannot_be_is_refused(
    name: str, password: str, reason: str, tmp_path: Path
) -> None:
    migrate(tmp_path)
    done = livecommerce("operator", name, "--password-stdin", data=tmp_path, given=password)
    assert done.returncode == 1
    assert reason in done.stderr
    with sqlite3.connect(tmp_path / "livecommerce.sqlite3") as database:
        assert database.execute("select count(*) from accounts_user").fetchone() == (0,)


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
def test_a_web_process_answers_alone_and_stops_gracefully(
    server: str, migrated: Path, port: str
) -> None:
    serve = command("serve", "--server", server, "--port", port)
    with Running(serve, environment(migrated)) as web:
        web.wait_for(f"served by {server}")
        url = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=url) as client:  # an idle connection is open at the stop
            assert client.get("/healthz").text == "alive\n"
            assert client.get("/readyz").json() == {"ready": True, "missing": []}
            assert "livecommerce_outbox_waiting 0.0" in client.get("/metrics").text
            forwarded = client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.7"})
            assert forwarded.status_code == httpx.codes.NOT_FOUND

            second = livecommerce("serve", data=migrated, PORT="1" + port[1:])
            assert second.returncode == 78
            assert "another web process uses" in second.stderr

            web.process.send_signal(signal.SIGTERM)
            assert web.process.wait(10) == 0


@pytest.mark.parametrize("name", ["serve", "worker"])
def test_a_database_that_is_not_migrated_is_named_in_one_line(name: str, tmp_path: Path) -> None:
    done = livecommerce(name, data=tmp_path)
    assert done.returncode == 1, "starting it again may help: somebody may migrate meanwhile"
    assert done.stderr.startswith("Error: Not ready: ")
    assert "migrations are not applied. Run: livecommerce check" in done.stderr


def test_readiness_says_what_is_missing(tmp_path: Path, port: str) -> None:
    migrate(tmp_path)
    with Running(command("serve", "--port", port), environment(tmp_path)) as web:
        web.wait_for("served by")
        with sqlite3.connect(tmp_path / "livecommerce.sqlite3") as database:
            database.execute(
                "delete from django_migrations where app = 'courses' and name like '0006%'"
            )
        answer = httpx.get(f"http://127.0.0.1:{port}/readyz")
        assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
        assert answer.json() == {"ready": False, "missing": ["1 migrations are not applied"]}


def test_metrics_are_for_who_has_the_token(migrated: Path, port: str) -> None:
    env = environment(migrated, LIVECOMMERCE_METRICS_TOKEN="figures")
    with Running(command("serve", "--port", port), env) as web:
        web.wait_for("served by")
        url = f"http://127.0.0.1:{port}/metrics"
        wrong = {"Authorization": "Bearer figure"}
        assert httpx.get(url).status_code == httpx.codes.NOT_FOUND
        assert httpx.get(url, headers=wrong).status_code == httpx.codes.NOT_FOUND
        right = {"Authorization": "Bearer figures"}
        assert httpx.get(url, headers=right).status_code == httpx.codes.OK


def test_up_serves_says_where_and_how_to_go_on_and_leaves_nothing(
    tmp_path: Path, port: str
) -> None:
    with Running(command("up", "--port", port), environment(tmp_path)) as instance:
        instance.wait_for(f"ready: http://localhost:{port}", within_s=60)
        instance.wait_for("livecommerce operator NAME")
        assert json.loads(httpx.get(f"http://127.0.0.1:{port}/readyz").text)["ready"]
        instance.process.send_signal(signal.SIGINT)
        assert instance.process.wait(10) == 0
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", int(port)))


def test_up_that_is_killed_outright_leaves_nothing_running(tmp_path: Path, port: str) -> None:
    with Running(command("up", "--port", port), environment(tmp_path)) as instance:
        instance.wait_for("ready: ", within_s=60)
        pids = children_of(instance)
        instance.process.kill()
        instance.process.wait(5)
        for pid in pids:
            assert_ends(pid, within_s=10)
    assert len(pids) == 2


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (["--show", "apples"], 1, "is not a show's id"),
        (["--show", "0195a1c2-0000-7000-8000-000000000000"], 1, "has no show"),
        ([], 2, "Missing option '--show'"),
    ],
)
def test_a_broadcast_that_cannot_be_says_why(
    arguments: list[str], code: int, reason: str, migrated: Path, tmp_path: Path
) -> None:
    film = tmp_path / "film.mp4"
    film.touch()
    done = livecommerce("broadcast", str(film), *arguments, data=migrated)
    assert done.returncode == code
    assert reason in done.stderr


def test_a_broadcast_to_a_server_that_is_not_there_says_so(
    migrated: Path, tmp_path: Path, port: str
) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(b"not a film")
    show = "0195a1c2-0000-7000-8000-000000000000"
    done = livecommerce("broadcast", str(film), "--show", show, "--key", "k", data=migrated)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr
