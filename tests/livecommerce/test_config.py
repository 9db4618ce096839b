"""Settings: defaults that work, wrong ones refused with what to write instead."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from livecommerce import config, environment
from livecommerce.config import SettingsError


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """None of our settings but the folder."""
    for name in names_read(monkeypatch):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LIVECOMMERCE_DATA", str(tmp_path))
    return tmp_path


def names_read(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Every name that `read` asks the environment for."""
    asked: set[str] = set()

    class Spy(dict[str, str]):
        def get(self, name: str, default: Any = None) -> Any:
            asked.add(name)
            return super().get(name, default)

    with monkeypatch.context() as patch:
        patch.setattr(environment, "ENVIRONMENT", Spy(os.environ))
        config.read()
    return asked


def test_every_setting_has_a_default_that_works(tmp_path: Path) -> None:
    found = config.read()
    assert (found.mode, found.host, found.port, found.server) == ("up", "127.0.0.1", 8000, "daphne")
    assert found.database["NAME"] == tmp_path / "livecommerce.sqlite3"


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("LIVECOMMERCE_MODE", "production", "use one of demo, up, test"),
        ("LIVECOMMERCE_SERVER", "gunicorn", "use one of daphne, uvicorn"),
        ("LIVECOMMERCE_LANGUAGE", "tlh", "use one of en, zh-hans"),
        ("LIVECOMMERCE_LOG_LEVEL", "loud", "use one of DEBUG"),
        ("LIVECOMMERCE_DEBUG", "maybe", "use 1 or 0"),
        ("LIVECOMMERCE_BEHIND_HTTPS", "on?", "use 1 or 0"),
        ("LIVECOMMERCE_TIME_ZONE", "Lixian", "use a name like Asia/Shanghai"),
        ("LIVECOMMERCE_TIME_ZONE", "../../etc/passwd", "use a name like Asia/Shanghai"),
        ("LIVECOMMERCE_ORIGINS", "shop.example", "write https://shop.example"),
        ("LIVECOMMERCE_FFMPEG", "/nowhere/ffmpeg", "name the path of ffmpeg"),
        ("LIVECOMMERCE_SPEECH_MODEL", "/nowhere/model", "name one, or none"),
        ("PORT", "http", "use a number from 1 to 65535"),
        ("PORT", "0", "use a number from 1 to 65535"),
        ("PORT", "70000", "use a number from 1 to 65535"),
        ("LIVECOMMERCE_CHAT_LINES_PER_S", "1001", "use a whole number from 0 to 1000"),
        ("LIVECOMMERCE_CHAT_LINES_PER_S", "2.5", "use a whole number from 0 to 1000"),
        ("LIVECOMMERCE_CHAT_EVERY_S", "nan", "use a number from 0 to 600"),
        ("LIVECOMMERCE_CHAT_EVERY_S", "-1", "use a number from 0 to 600"),
        ("LIVECOMMERCE_SIGN_UP", "friends", "use 1 or 0"),
        ("LIVECOMMERCE_CARRIER", "pigeon", "use one of database, celery"),
        ("LIVECOMMERCE_CARRIER", "celery", "set REDIS_URL"),
        ("LIVECOMMERCE_CELERY_BROKER", "sqs://queue", "begins with redis://"),
        ("LIVECOMMERCE_JOBS_AT_ONCE", "half", "use a whole number from 0 to 64"),
        ("LIVECOMMERCE_CALLING_CODE", "China", "a country's calling code, as 86"),
        ("LIVECOMMERCE_SMS_URL", "sms.example", "begins with http://"),
        ("LIVECOMMERCE_SMS_BODY", "hello", "write {phone}, and {text} or {code}"),
        ("LIVECOMMERCE_SMS_AUTHORIZATION", "Bearer a\nsecret: b", "in one line"),
        ("LIVECOMMERCE_SMS_TIMEOUT_S", "90", "use a number from 0 to 60"),
        ("LIVECOMMERCE_LAN", "wifi", "use 1 or 0"),
        ("LIVECOMMERCE_HTTPS_PORT", "443s", "use a number from 1 to 65535"),
        ("LIVECOMMERCE_HOST", "http://0.0.0.0:8000", "the port has a setting of its own"),
        ("LIVECOMMERCE_HOSTS", "https://shop.example", "without https://"),
        ("LIVECOMMERCE_HOSTS", "shop.example:8000", "without https://"),
        ("LIVECOMMERCE_ORIGINS", "https://shop.example/", "end it after the name"),
        ("LIVECOMMERCE_TRUSTED_PROXIES", "10.0.0.1/24", "networks as 10.0.0.0/24"),
        ("LIVECOMMERCE_TRUSTED_PROXIES", "caddy", "write addresses"),
        ("LIVECOMMERCE_NAME", "x" * 61, "up to 60 letters"),
        ("LIVECOMMERCE_CURRENCY", "yuan", "use a code of ISO 4217"),
        ("LIVECOMMERCE_ENCODERS", "shop.example/live", "begins with rtmp://"),
        ("LIVECOMMERCE_LONGEST_SHOW_H", "169", "use a number from 0 to 168"),
        ("LIVECOMMERCE_LIVE_RENDITIONS", "all", "use one of auto, source"),
        ("STRIPE_WEBHOOK_SECRET", "sk_secret", "begins with whsec_"),
        ("STRIPE_SECRET_KEY", "pk_secret", "begins with sk_ or rk_"),
        ("STRIPE_API_BASE", "localhost", "begins with http://"),
        ("STRIPE_PAYMENT_METHODS", "Card!", "use names like card"),
        ("S3_BUCKET", "My films", "use 3 to 63 small letters"),
        ("S3_ENDPOINT_URL", "seaweedfs:8333", "begins with http://"),
        ("REDIS_URL", "localhost:6379", "use redis://HOST:6379/0"),
        ("DATABASE_URL", "localhost", "names no database"),
        ("DATABASE_URL", "mysql://u:secret@db/shop", "names no database"),
        ("DATABASE_URL", "sqlite://:memory:", "names no database"),
        ("DATABASE_URL", "postgres://u:secret@db:port/shop", "names no database"),
    ],
)
def test_wrong_settings_are_refused_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, remedy: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as refusal:
        config.read()
    assert name in str(refusal.value)
    assert remedy in str(refusal.value)
    assert "secret" not in str(refusal.value)


def test_all_are_told_at_once_and_nothing_is_touched(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wrong = {
        "LIVECOMMERCE_MODE": "production",
        "LIVECOMMERCE_SERVER": "gunicorn",
        "LIVECOMMERCE_LANGUAGE": "tlh",
        "LIVECOMMERCE_TIME_ZONE": "Lixian",
        "LIVECOMMERCE_CURRENCY": "yuan",
        "LIVECOMMERCE_NAME": "x" * 100,
        "LIVECOMMERCE_HOSTS": "https://shop.example",
        "LIVECOMMERCE_ORIGINS": "shop.example",
        "LIVECOMMERCE_BEHIND_HTTPS": "on?",
        "LIVECOMMERCE_TRUSTED_PROXIES": "caddy",
        "LIVECOMMERCE_ENCODERS": "shop.example",
        "LIVECOMMERCE_CHAT_EVERY_S": "-1",
        "LIVECOMMERCE_FFMPEG": "/nowhere/ffmpeg",
        "PORT": "http",
        "REDIS_URL": "localhost",
        "DATABASE_URL": "mysql://u:secret@db/shop",
        "STRIPE_SECRET_KEY": "pk_secret",
    }
    folder = tmp_path / "new"
    monkeypatch.setenv("LIVECOMMERCE_DATA", str(folder))
    for name, value in wrong.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as refusal:
        config.read()
    lines = refusal.value.lines
    assert sorted(line.split()[0] for line in lines) == sorted(wrong)
    assert not folder.exists()


def test_both_ways_to_https_are_one_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVECOMMERCE_LAN", "1")
    monkeypatch.setenv("LIVECOMMERCE_BEHIND_HTTPS", "1")
    monkeypatch.setenv("LIVECOMMERCE_HTTPS_PORT", "8000")
    with pytest.raises(SettingsError) as refusal:
        config.read()
    assert [line.split()[0] for line in refusal.value.lines] == [
        "LIVECOMMERCE_HTTPS_PORT",
        "LIVECOMMERCE_LAN",
    ]


def test_a_data_folder_that_cannot_be_written_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("LIVECOMMERCE_DATA", str(tmp_path / "file"))
    with pytest.raises(SettingsError, match="name a folder that can"):
        config.read()


def test_the_secret_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    first = config.read().secret_key
    assert len(first) >= 50
    assert config.read().secret_key == first
    assert stat.S_IMODE((tmp_path / "secret-key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret-key"]


def test_a_secret_may_begin_with_a_dollar_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVECOMMERCE_SECRET_KEY", "$ecret")
    assert config.read().secret_key == "$ecret"


def test_a_data_folder_may_have_any_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "farm + shop 100%"
    monkeypatch.setenv("LIVECOMMERCE_DATA", str(folder))
    assert config.read().database["NAME"] == folder / "livecommerce.sqlite3"


def test_postgresql_keeps_the_options_of_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://u:p@db:5433/shop?sslmode=require")
    found = config.read().database
    assert (found["HOST"], found["PORT"], found["NAME"]) == ("db", 5433, "shop")
    assert found["OPTIONS"] == {"sslmode": "require"}
