"""`docker-compose.yml`: valid, and its commands of ours really run.

The images around it cannot be run by tests; that a container engine would accept the file is
checked by the Compose schema.
"""

from __future__ import annotations

import json
import re
import signal
import socket
from importlib import resources
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
import yaml

from tests.livecommerce.command import ROOT, Running, command, environment, livecommerce
from tests.livecommerce.test_config import names_read

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("migrate", "web", "worker")


def test_it_follows_the_compose_specification() -> None:
    folder = resources.files("check_jsonschema.builtin_schemas.vendor")
    schema = json.loads(folder.joinpath("compose-spec.json").read_text())
    jsonschema.validate(COMPOSE, schema)


def test_a_misspelt_key_would_be_found() -> None:
    folder = resources.files("check_jsonschema.builtin_schemas.vendor")
    schema = json.loads(folder.joinpath("compose-spec.json").read_text())
    wrong = {"services": {"web": {"image": "x", "comand": ["livecommerce"]}}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, schema)


def test_what_a_service_waits_for_exists_and_can_tell() -> None:
    for name, service in SERVICES.items():
        for other, wait in service.get("depends_on", {}).items():
            assert other in SERVICES, name
            if wait["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[other], f"{name} waits for the health of {other}"


def test_volumes_are_declared_and_files_are_there() -> None:
    mounts = [mount for service in SERVICES.values() for mount in service.get("volumes", [])]
    for source in (mount.split(":")[0] for mount in mounts):
        exists = (
            (ROOT / source).exists() if source.startswith(".") else source in COMPOSE["volumes"]
        )
        assert exists, source


def test_it_sets_only_what_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LIVECOMMERCE_DATA", str(tmp_path))
    for name in OURS:
        assert set(SERVICES[name]["environment"]) <= names_read(monkeypatch)


def test_the_example_names_exactly_what_the_file_asks_for() -> None:
    asked = re.findall(r"\$\{([A-Z0-9_]+)", (ROOT / "docker-compose.yml").read_text())
    example = (ROOT / ".env.example").read_text()
    assert set(re.findall(r"^(?:# )?([A-Z0-9_]+)=", example, re.MULTILINE)) == set(asked)


def test_what_not_every_shop_needs_is_behind_a_profile() -> None:
    behind = {name for name, service in SERVICES.items() if service.get("profiles")}
    assert behind == {"objects", "encoders"}


@pytest.mark.process
def test_its_commands_run(tmp_path: Path) -> None:
    """migrate, then web and worker beside each other, each by its own line of the file."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    there = {"0.0.0.0": "127.0.0.1", "8000": port}
    lines = {name: [there.get(word, word) for word in SERVICES[name]["command"]] for name in OURS}
    assert all(line.pop(0) == "livecommerce" for line in lines.values())

    done = livecommerce(*lines["migrate"], data=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    with start(lines["web"], tmp_path) as web, start(lines["worker"], tmp_path) as worker:
        web.wait_for("served by uvicorn")
        assert httpx.get(f"http://127.0.0.1:{port}/readyz").json() == {"ready": True, "missing": []}
        worker.wait_for("worker is ready")
        for one in (web, worker):
            one.process.send_signal(signal.SIGTERM)
        assert (web.process.wait(15), worker.process.wait(15)) == (0, 0)


def start(arguments: list[str], data: Path) -> Running:
    return Running(command(*arguments), environment(data))
