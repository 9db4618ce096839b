from __future__ import annotations

import subprocess
import sys
import time

import pytest
import redis

from tests.redis_server import NEVER_AGAIN, redis_server
from tests.server import ROOT


def test_what_was_saved_is_there_again_after_a_kill() -> None:
    with redis_server() as server:
        with server.client() as client:
            client.set("apples", 1)
            server.save()
            client.set("apples", 2)
        server.kill()
        server.start()
        with server.client() as client:
            assert client.get("apples") == b"1"


def test_an_append_only_file_loses_nothing() -> None:
    with redis_server("aof") as server:
        with server.client() as client:
            client.set("apples", 1)
        server.kill()
        server.start()
        with server.client() as client:
            assert client.get("apples") == b"1"


def test_it_can_be_replaced_by_an_empty_one_at_the_same_address() -> None:
    with redis_server("aof") as server:
        with server.client() as client:
            client.set("apples", 1)
        server.kill()
        server.start_empty()
        with server.client() as client:
            assert client.get("apples") is None


def test_a_replica_can_fall_behind_and_take_over() -> None:
    with redis_server() as first, redis_server() as second:
        with first.client() as client:
            client.set("apples", 1)
            second.replica_of(first)
            second.pause_replication()
            client.set("apples", 2)
        second.promote()
        with second.client() as client:
            assert client.get("apples") == b"1"
            client.set("apples", 3)


def test_nothing_of_it_is_left() -> None:
    with redis_server() as server:
        folder, client = server.folder, server.client()
    assert not folder.exists()
    with pytest.raises(redis.ConnectionError):
        client.ping()


ASKED = """
import sys
from tests.redis_server import NEVER_AGAIN, redis_server
with redis_server() as server:
    print(server.port, flush=True)
    sys.stdin.read()
"""


def test_it_ends_with_a_test_process_that_is_killed() -> None:
    tests = subprocess.Popen(
        [sys.executable, "-c", ASKED], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert tests.stdout is not None
    client = redis.Redis(port=int(tests.stdout.readline()), retry=NEVER_AGAIN)
    assert client.ping()
    tests.kill()
    tests.communicate()
    give_up_at = time.monotonic() + 10
    while answers(client):
        assert time.monotonic() < give_up_at, "it is still there"


def answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False
