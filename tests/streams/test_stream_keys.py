"""Stream keys: the studio's page, and what media servers are answered about them."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

import pytest
import yaml
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from core.clock import now
from core.ids import new_id
from sellers.models import Member
from streams.models import EncoderStream, Show, ShowState, StreamKey
from streams.pulling import pulls
from streams.services import encoders, stream_keys
from streams.services.encoders import EncoderRefused
from tests.server import ROOT
from tests.world import World

SECRET = "between-us"
CONNECTION = "8b9f4f4e-8f5b-4b46-9c8a-2f3a1d1f0c11"


@pytest.fixture(autouse=True)
def set_up(settings: Settings) -> None:
    settings.ENCODERS = ["rtmp://shop.example/live", "srt://shop.example:8890"]


@pytest.fixture
def key(world: World) -> str:
    return stream_keys.make_key(world.farm, world.zhang, "Studio PC")


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def shown(page: Any) -> str:
    """The key that the page shows."""
    found = re.search(r'id="key-1">([^<]+)<', page.content.decode())
    assert found is not None
    return found[1]


class TestThePage:
    def test_a_key_is_shown_once_and_kept_as_a_digest(self, world: World) -> None:
        zhang = signed_in(world.zhang)
        form = {"label": "Studio PC", "form_key": "01a201fd-5817-7753-b588-2430fc56458c"}
        made = zhang.post(reverse("studio_encoders"), form)
        text = shown(made)
        assert f"streamid=publish:live/{text}" in made.content.decode()
        assert encoders.check(text)[1] == world.show
        later = zhang.get(reverse("studio_encoders")).content.decode()
        assert text not in later
        assert f"…{text[-4:]}" in later
        assert text not in str(StreamKey.objects.values().get())
        again = zhang.post(reverse("studio_encoders"), form)
        assert (again.status_code, StreamKey.objects.count()) == (302, 1)

    def test_a_rotated_and_a_revoked_key_are_void(self, world: World, key: str) -> None:
        zhang = signed_in(world.zhang)
        row = StreamKey.objects.get()
        fresh = shown(zhang.post(reverse("studio_encoder_rotate", args=[row.public_id])))
        assert reason_for(key) == "unknown"
        assert encoders.check(fresh)
        zhang.post(reverse("studio_encoder_revoke", args=[row.public_id]))
        assert reason_for(fresh) == "revoked"

    def test_nobody_else_changes_a_key(self, world: World, key: str) -> None:
        row = StreamKey.objects.get()
        for person in (world.gao, world.li, world.zhao):
            for name in ("studio_encoder_rotate", "studio_encoder_revoke"):
                answer = signed_in(person).post(reverse(name, args=[row.public_id]))
                assert answer.status_code == 404
        assert encoders.check(key)
        assert signed_in(world.li).get(reverse("studio_encoders")).status_code == 403

    def test_the_last_refusal_stands_with_the_key(self, world: World, key: str) -> None:
        Show.objects.update(state=ShowState.ENDED)
        assert reason_for(key) == "no_show"
        page = signed_in(world.zhang).get(reverse("studio_encoders")).content.decode()
        assert "Schedule one first" in page

    def test_without_a_media_server_it_says_whom_to_ask_and_what_to_set(
        self, world: World, settings: Settings
    ) -> None:
        settings.ENCODERS = []
        page = signed_in(world.zhang).get(reverse("studio_encoders")).content.decode()
        assert "Ask who runs it" in page
        manual = re.search(r"<code>LIVECOMMERCE_ENCODERS</code>.*<code>(.*?)</code>", page)
        assert manual
        assert "## OBS and other encoders" in (ROOT / manual[1]).read_text()


def reason_for(text: str) -> str:
    with pytest.raises(EncoderRefused) as refusal:
        encoders.check(text)
    return refusal.value.reason


class TestWhichShow:
    def test_the_one_that_is_on_before_the_nearest(self, world: World, key: str) -> None:
        near = Show.objects.create(
            seller=world.farm, host=world.zhang, title="Now", scheduled_at=now()
        )
        assert encoders.check(key)[1] == near
        Show.objects.filter(pk=world.show.pk).update(state=ShowState.LIVE, started_at=now())
        assert encoders.check(key)[1] == world.show

    def test_an_encoder_that_was_left_running_does_not_begin_the_next_show(
        self, world: World, key: str
    ) -> None:
        encoders.admit(key, name="1-first", protocol="rtmp")
        Show.objects.update(state=ShowState.ENDED)
        with pytest.raises(EncoderRefused):
            encoders.check_goes_on("1-first")
        hours = timedelta(hours=3)
        later = Show.objects.create(
            seller=world.farm, host=world.zhang, title="Later", scheduled_at=now() + hours
        )
        assert reason_for(key) == "show_ended"
        Show.objects.filter(pk=later.pk).update(scheduled_at=now())
        assert encoders.check(key)[1] == later

    def test_streams_of_long_ago_are_forgotten_unless_they_still_run(
        self, world: World, key: str
    ) -> None:
        keys = [key, *(stream_keys.make_key(world.farm, world.zhang, name) for name in "abc")]
        for number, one in enumerate(keys):
            encoders.admit(one, name=f"{number}", protocol="rtmp")
        old = now() - encoders.KEPT_FOR - timedelta(days=1)
        EncoderStream.objects.exclude(name="0").update(started_at=old)
        assert encoders.claim("1", new_id())
        encoders.end("2", "gone")
        assert encoders.sweep() == 1  # of "3" nobody has ever said that it ended
        EncoderStream.objects.filter(name="2").update(ended_at=old)
        assert encoders.sweep() == 1
        assert set(EncoderStream.objects.values_list("name", flat=True)) == {"0", "1"}

    def test_a_key_that_lay_unused_has_expired(self, key: str) -> None:
        StreamKey.objects.update(created_at=now() - stream_keys.UNUSED_FOR - timedelta(days=1))
        assert reason_for(key) == "expired"

    def test_who_left_the_shop_does_not_film_its_shows(self, world: World, key: str) -> None:
        Member.objects.filter(user=world.zhang).delete()
        assert reason_for(key) == "not_host"


def documented(key: str, **changes: object) -> dict[str, object]:
    """What MediaMTX 1.15.4 posts to its `authHTTPAddress` (06-authentication.md)."""
    asked = {"user": "", "password": "", "token": "", "ip": "203.0.113.7", "action": "publish"}
    asked |= {"path": f"live/{key}", "protocol": "rtmp", "id": CONNECTION, "query": ""}
    return {**asked, **changes}


class TestMediaMTX:
    @pytest.fixture(autouse=True)
    def with_secret(self, settings: Settings) -> None:
        settings.ENCODERS_SECRET = SECRET

    def ask(self, client: Client, secret: str = SECRET, **body: object) -> int:
        return client.post(
            f"/hooks/mediamtx/auth?secret={secret}",
            json.dumps(body),
            content_type="application/json",
            headers={"Host": "web:8000"},
        ).status_code

    def test_a_key_may_publish_and_only_we_may_read(self, client: Client, key: str) -> None:
        assert self.ask(client, **documented(key)) == 204
        assert self.ask(client, **documented(key, protocol="srt")) == 204
        for wrong in (key[::-1], "", f"{key}/x", f"../{key}"):
            assert self.ask(client, **documented(wrong)) == 403
        assert self.ask(client, **documented(key, action="read")) == 401
        ours = {"action": "read", "user": "livecommerce", "password": SECRET}
        assert self.ask(client, **documented(key, **ours)) == 204
        assert self.ask(client, **documented(key, action="playback")) == 401

    def test_what_makes_no_sense_is_a_fault_of_whoever_asks(self, client: Client, key: str) -> None:
        half = documented(key, action="read", password="\ud800")
        assert self.ask(client, **half) == 401
        assert self.ask(client, **documented("\ud800")) == 403
        url = f"/hooks/mediamtx/auth?secret={SECRET}"
        for deep in ("[" * 200_000, '{"a":' * 200_000):
            assert client.post(url, deep, content_type="application/json").status_code == 400

    def test_only_the_media_server_is_answered(
        self, client: Client, key: str, settings: Settings
    ) -> None:
        assert self.ask(client, secret="guessed", **documented(key)) == 404
        settings.ENCODERS_SECRET = ""
        assert self.ask(client, **documented(key)) == 204, "this machine"
        for proxied in ("HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP", "HTTP_FORWARDED"):
            client.defaults[proxied] = "203.0.113.7"
            assert self.ask(client, **documented(key)) == 404
            del client.defaults[proxied]

    def test_what_the_hook_tells_begins_and_ends_a_stream(
        self, client: Client, key: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """`runOnReady` and `runOnNotReady` of 20-hooks.md, and a kick by the control API."""
        fetched: list[tuple[str, str]] = []
        monkeypatch.setattr(pulls, "pull_from_thread", lambda *given: fetched.append(given))
        told = {"path": f"live/{key}", "source_type": "srtConn", "source_id": CONNECTION}
        hooks = f"/hooks/mediamtx/{{}}?secret={SECRET}"
        settings.ENCODERS_READ = "rtmp://encoders:1935/live"
        for _second in range(2):
            assert client.post(hooks.format("ready"), told).status_code == 204
        address = f"rtmp://encoders:1935/live/{key}?user=livecommerce&pass={SECRET}"
        assert fetched == [(CONNECTION, address)] * 2
        assert EncoderStream.objects.get().ended_at is None

        stream_keys.revoke(StreamKey.objects.get())
        with control_api() as api:
            settings.MEDIAMTX_API = api.address
            assert client.post(hooks.format("ready"), told).status_code == 403
        assert api.asked == [f"POST /v3/srtconns/kick/{CONNECTION}"]
        assert len(fetched) == 2

        assert client.post(hooks.format("gone"), told).status_code == 204
        assert EncoderStream.objects.get().reason == "revoked"

    def test_the_hooks_script_says_what_mediamtx_tells_it(self) -> None:
        config = yaml.safe_load((ROOT / "deploy/mediamtx.yml").read_text())
        assert config["pathDefaults"]["runOnNotReady"] == "sh /mediamtx-tell.sh gone"
        with control_api() as web:
            subprocess.run(
                ["sh", str(ROOT / "deploy/mediamtx-tell.sh"), "gone"],
                env={
                    "PATH": "/usr/bin:/bin",
                    "MTX_PATH": "live/abc",
                    "MTX_SOURCE_TYPE": "rtmpConn",
                    "MTX_SOURCE_ID": CONNECTION,
                    "LIVECOMMERCE_HOOKS": web.address,
                    "LIVECOMMERCE_ENCODERS_SECRET": SECRET,
                },
                check=True,
                timeout=20,
            )
        assert web.asked == [f"POST /hooks/mediamtx/gone?secret={SECRET}"]
        told = {"path": ["live/abc"], "source_type": ["rtmpConn"], "source_id": [CONNECTION]}
        assert parse_qs(web.bodies[0]) == told


class Listener:
    """Somebody who answers 200 and remembers."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.bodies: list[str] = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                listener.asked.append(f"POST {self.path}")
                length = int(self.headers.get("Content-Length") or 0)
                listener.bodies.append(self.rfile.read(length).decode())
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_told: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"


@contextmanager
def control_api() -> Iterator[Listener]:
    """Stands where MediaMTX's control API or our own hooks would be."""
    listener = Listener()
    thread = Thread(target=listener.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield listener
    finally:
        listener.server.shutdown()
        listener.server.server_close()
        thread.join()
