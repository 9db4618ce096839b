"""Every setting of an instance, read in one place, from environment variables.

Each has a default that works on a laptop; a wrong value is refused with one line that says what
to write instead. `docs/operations.md` lists them, and a test holds it to that.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from livecommerce import environment as env
from livecommerce.environment import CURRENCIES, Network, SettingsError

__all__ = ["CURRENCIES", "Config", "Network", "SettingsError", "read"]

MODES = ("demo", "up", "test")
SERVERS = ("daphne", "uvicorn")
LANGUAGES = ("en", "zh-hans")
ENCODER_SCHEMES = ("rtmp", "rtmps", "srt", "http", "https")
RENDITIONS = ("auto", "source")
CARRIERS = ("database", "celery")
BROKER_SCHEMES = ("redis", "rediss", "amqp", "amqps")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


@dataclass(frozen=True, slots=True)
class Config:
    """The instance's settings, checked."""

    mode: str
    data: Path
    secret_key: str
    host: str
    port: int
    lan: bool
    https_port: int
    server: str
    database: dict[str, Any]
    redis_url: str
    hosts: list[str]
    trusted_origins: list[str]
    behind_https: bool
    trusted_proxies: list[Network]
    ffmpeg: str
    name: str
    language: str
    currency: str
    time_zone: str
    log_level: str
    metrics_token: str
    chat_lines_per_s: int
    chat_every_s: float
    encoders: list[str]
    encoders_secret: str
    encoders_read: str
    mediamtx_api: str
    self_url: str
    first_show_approval: bool
    camera_away_min: float
    longest_show_h: float
    group_commit: bool
    offline: bool
    live_renditions: str
    carrier: str
    celery_broker: str
    jobs_at_once: int
    chunk_s: float
    speech_model: str
    badge_keys: Path
    public_url: str
    s3_bucket: str
    s3_endpoint_url: str
    s3_public_url: str
    s3_region: str
    s3_access_key_id: str
    s3_secret_access_key: str = field(repr=False)
    largest_upload_gb: float
    seller_quota_gb: float
    sign_up: bool
    calling_code: str
    sms_url: str
    sms_body: str
    sms_authorization: str = field(repr=False)
    sms_timeout_s: float
    stripe_secret_key: str = field(repr=False)
    stripe_webhook_secret: str = field(repr=False)
    stripe_api_base: str
    stripe_payment_methods: list[str]
    debug: bool


def read() -> Config:
    """The settings of this process; makes the data folder, if all of them can be used.

    Raises `SettingsError`, which names each that cannot.
    """
    with env.all_at_once():
        return _read()


def _read() -> Config:
    mode = env.one_of("LIVECOMMERCE_MODE", MODES, default="up")
    data = Path(env.text("LIVECOMMERCE_DATA", "var/instance")).absolute()
    first = env.first_run(data)
    return Config(
        mode=mode,
        data=data,
        host=env.host(),
        port=env.port("PORT", default=8000),
        lan=env.flag("LIVECOMMERCE_LAN"),
        https_port=env.https_port("LIVECOMMERCE_HTTPS_PORT", 8443),
        server=env.one_of("LIVECOMMERCE_SERVER", SERVERS, default="daphne"),
        database=env.database("DATABASE_URL", data),
        redis_url=env.redis("REDIS_URL"),
        hosts=env.hosts("LIVECOMMERCE_HOSTS", "localhost,127.0.0.1,[::1]"),
        trusted_origins=env.origins("LIVECOMMERCE_ORIGINS"),
        behind_https=env.behind_https(),
        trusted_proxies=env.networks("LIVECOMMERCE_TRUSTED_PROXIES", "127.0.0.1,::1"),
        ffmpeg=env.program("LIVECOMMERCE_FFMPEG"),
        name=env.site_name("LIVECOMMERCE_NAME", first.get("name", "livecommerce")),
        language=env.one_of(
            "LIVECOMMERCE_LANGUAGE", LANGUAGES, default=first.get("language", "en")
        ),
        currency=env.currency("LIVECOMMERCE_CURRENCY", default=first.get("currency", "CNY")),
        time_zone=env.time_zone(
            "LIVECOMMERCE_TIME_ZONE", default=first.get("time_zone", "Asia/Shanghai")
        ),
        log_level=env.one_of("LIVECOMMERCE_LOG_LEVEL", LOG_LEVELS, default="INFO"),
        metrics_token=env.text("LIVECOMMERCE_METRICS_TOKEN"),
        chat_lines_per_s=int(
            env.number("LIVECOMMERCE_CHAT_LINES_PER_S", 20, highest=1000, whole=True)
        ),
        chat_every_s=env.number("LIVECOMMERCE_CHAT_EVERY_S", 2.0, highest=600),
        encoders=env.addresses("LIVECOMMERCE_ENCODERS", ENCODER_SCHEMES),
        encoders_secret=env.text("LIVECOMMERCE_ENCODERS_SECRET"),
        encoders_read=env.address(
            "LIVECOMMERCE_ENCODERS_READ", ("rtmp",), default="rtmp://127.0.0.1:1935/live"
        ),
        mediamtx_api=env.address("LIVECOMMERCE_MEDIAMTX_API", ("http", "https")),
        self_url=env.address("LIVECOMMERCE_SELF_URL", ("http", "https")) or env.own_address(),
        first_show_approval=env.flag("LIVECOMMERCE_FIRST_SHOW_APPROVAL", default="1"),
        camera_away_min=env.number("LIVECOMMERCE_CAMERA_AWAY_MIN", 10.0, highest=720),
        longest_show_h=env.number("LIVECOMMERCE_LONGEST_SHOW_H", 12, highest=168),
        group_commit=env.flag("LIVECOMMERCE_GROUP_COMMIT", default="1"),
        offline=env.flag("LIVECOMMERCE_OFFLINE", default="1"),
        live_renditions=env.one_of("LIVECOMMERCE_LIVE_RENDITIONS", RENDITIONS, default="auto"),
        carrier=_carrier(),
        celery_broker=_broker(),
        jobs_at_once=int(env.number("LIVECOMMERCE_JOBS_AT_ONCE", 0, highest=64, whole=True)),
        chunk_s=env.number("LIVECOMMERCE_CHUNK_S", 60, highest=3600),
        speech_model=env.folder("LIVECOMMERCE_SPEECH_MODEL"),
        badge_keys=Path(env.folder("LIVECOMMERCE_BADGE_KEYS") or data / "badge-keys"),
        public_url=env.address("LIVECOMMERCE_PUBLIC_URL", ("http", "https")),
        s3_bucket=env.bucket("S3_BUCKET"),
        s3_endpoint_url=env.address("S3_ENDPOINT_URL", ("http", "https")),
        s3_public_url=env.address("S3_PUBLIC_URL", ("http", "https")),
        s3_region=env.text("S3_REGION", "us-east-1"),
        s3_access_key_id=env.text("S3_ACCESS_KEY_ID").strip(),
        s3_secret_access_key=env.text("S3_SECRET_ACCESS_KEY").strip(),
        largest_upload_gb=env.number("LIVECOMMERCE_LARGEST_UPLOAD_GB", 8.0, highest=100),
        seller_quota_gb=env.number("LIVECOMMERCE_SELLER_QUOTA_GB", 200.0, highest=1_000_000),
        sign_up=env.flag("LIVECOMMERCE_SIGN_UP", default="1"),
        calling_code=env.calling_code("LIVECOMMERCE_CALLING_CODE", default="86"),
        sms_url=env.address("LIVECOMMERCE_SMS_URL", ("http", "https")),
        sms_body=env.sms_body(
            "LIVECOMMERCE_SMS_BODY", default='{"to": "{phone}", "text": "{text}"}'
        ),
        sms_authorization=env.header("LIVECOMMERCE_SMS_AUTHORIZATION"),
        sms_timeout_s=env.number("LIVECOMMERCE_SMS_TIMEOUT_S", 10.0, highest=60),
        stripe_secret_key=env.stripe_key("STRIPE_SECRET_KEY"),
        stripe_webhook_secret=env.webhook_secret("STRIPE_WEBHOOK_SECRET"),
        stripe_api_base=env.address("STRIPE_API_BASE", ("http", "https")),
        stripe_payment_methods=env.methods("STRIPE_PAYMENT_METHODS", "card,alipay,wechat_pay"),
        debug=env.flag("LIVECOMMERCE_DEBUG"),
        secret_key=env.secret_key("LIVECOMMERCE_SECRET_KEY", data),  # last: it writes
    )


def _broker() -> str:
    """What carries jobs to a fleet: one of its own, or the Redis that there is."""
    own = env.address("LIVECOMMERCE_CELERY_BROKER", BROKER_SCHEMES)
    return own or env.text("REDIS_URL")


@env.told("database")
def _carrier() -> str:
    found = env.one_of("LIVECOMMERCE_CARRIER", CARRIERS, default="database")
    if found == "celery" and not _broker():
        raise SettingsError(
            "LIVECOMMERCE_CARRIER is 'celery': set REDIS_URL, or LIVECOMMERCE_CELERY_BROKER."
        )
    return found
