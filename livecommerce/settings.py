"""Django's settings, made from `livecommerce.config`."""

from __future__ import annotations

from pathlib import Path

import django_stubs_ext
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from livecommerce import config
from livecommerce.lan.addresses import own_names

django_stubs_ext.monkeypatch()

CONFIG = config.read()
PACKAGE = Path(__file__).parent

SECRET_KEY = CONFIG.secret_key
DEBUG = CONFIG.debug
DEMO = CONFIG.mode == "demo"
DATA_ROOT = CONFIG.data
FFMPEG = CONFIG.ffmpeg
METRICS_TOKEN = CONFIG.metrics_token
BEHIND_HTTPS = CONFIG.behind_https
TRUSTED_PROXIES = CONFIG.trusted_proxies
LAN = CONFIG.lan
PORT = CONFIG.port
HTTPS_PORT = CONFIG.https_port
REDIS_URL = CONFIG.redis_url
CHAT_LINES_PER_S = CONFIG.chat_lines_per_s
CHAT_EVERY_S = CONFIG.chat_every_s
ENCODERS = CONFIG.encoders
ENCODERS_SECRET = CONFIG.encoders_secret
ENCODERS_READ = CONFIG.encoders_read
MEDIAMTX_API = CONFIG.mediamtx_api
SELF_URL = CONFIG.self_url
LIVE_RENDITIONS = CONFIG.live_renditions
CARRIER = CONFIG.carrier
CELERY_BROKER = CONFIG.celery_broker
JOBS_AT_ONCE = CONFIG.jobs_at_once
CHUNK_S = CONFIG.chunk_s
SPEECH_MODEL = CONFIG.speech_model
BADGE_KEYS = CONFIG.badge_keys
PUBLIC_URL = CONFIG.public_url
FIRST_SHOW_APPROVAL = CONFIG.first_show_approval
CAMERA_AWAY_MIN = CONFIG.camera_away_min
LONGEST_SHOW_H = CONFIG.longest_show_h
GROUP_COMMIT = CONFIG.group_commit
OFFLINE = CONFIG.offline
S3_BUCKET = CONFIG.s3_bucket
S3_ENDPOINT_URL = CONFIG.s3_endpoint_url
S3_PUBLIC_URL = CONFIG.s3_public_url
S3_REGION = CONFIG.s3_region
S3_ACCESS_KEY_ID = CONFIG.s3_access_key_id
S3_SECRET_ACCESS_KEY = CONFIG.s3_secret_access_key
LARGEST_UPLOAD_GB = CONFIG.largest_upload_gb
SELLER_QUOTA_GB = CONFIG.seller_quota_gb
SIGN_UP = CONFIG.sign_up
CALLING_CODE = CONFIG.calling_code
SMS_URL = CONFIG.sms_url
SMS_BODY = CONFIG.sms_body
SMS_AUTHORIZATION = CONFIG.sms_authorization
SMS_TIMEOUT_S = CONFIG.sms_timeout_s
# Codes on a terminal, which may be kept as a log: never where people's real accounts are.
SMS_CONSOLE = CONFIG.mode != "up" or CONFIG.debug
STRIPE_SECRET_KEY = CONFIG.stripe_secret_key
STRIPE_WEBHOOK_SECRET = CONFIG.stripe_webhook_secret
STRIPE_API_BASE = CONFIG.stripe_api_base
STRIPE_PAYMENT_METHODS = CONFIG.stripe_payment_methods
# On a local network people come by its addresses, which nobody has to write down.
ALLOWED_HOSTS = [*CONFIG.hosts, *own_names().outward, *own_names().dns] if LAN else CONFIG.hosts
CSRF_TRUSTED_ORIGINS = CONFIG.trusted_origins

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "channels",
    "allauth",
    "allauth.account",
    "csp",
    "ninja",
    "core",
    "core.accounts",
    "core.realtime",
    "sellers",
    "orders",
    "media_pipeline",
    "media_pipeline.captions",
    "streams",
    "courses",
    "courses.badges",
    "courses.cohorts",
    "courses.exchange",
    "courses.practice",
    "courses.quizzes",
    "courses.reviews",
    "courses.offline",
    "livecommerce.apps.LivecommerceConfig",
]

MIDDLEWARE = [
    # First: who asks for health asks by address, which need not be one of ALLOWED_HOSTS.
    "livecommerce.health.HealthMiddleware",
    "streams.encoder_hooks.EncoderHooksMiddleware",
    "livecommerce.proxies.SecureCookies",
    "django.middleware.security.SecurityMiddleware",
    "livecommerce.statics.serving.StaticMiddleware",
    "livecommerce.compression.CompressionMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "livecommerce.caching.PrivatePages",
    "django.middleware.locale.LocaleMiddleware",
    "core.api.ProblemMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "core.accounts.devices.DevicesMiddleware",
]

ROOT_URLCONF = "livecommerce.urls"
ASGI_APPLICATION = "livecommerce.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [PACKAGE / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "livecommerce.context.site",
            ],
        },
    }
]

DATABASES = {"default": CONFIG.database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A writer takes its lock at BEGIN, so that two writers wait for each other instead of failing.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 0
    pool = {"min_size": 1, "max_size": 16, "timeout": 5}
    DATABASES["default"].setdefault("OPTIONS", {})["pool"] = pool

if CONFIG.redis_url:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": CONFIG.redis_url,
        }
    }

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "core.accounts.backend.NameOrPhoneBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_USER_DISPLAY = "core.accounts.access.shown_name"
ACCOUNT_ADAPTER = "livecommerce.people.landing.LandingAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_SIGNUP_FORM_CLASS = "core.accounts.forms.SignupForm"
ACCOUNT_FORMS = {"signup": "core.accounts.signup.NewAccountForm"}
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
# By address only: a limit by user name would let anybody keep somebody else out.
ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip"}
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGOUT_REDIRECT_URL = "/"

SITE_NAME = CONFIG.name
CURRENCY = CONFIG.currency
LANGUAGE_CODE = CONFIG.language
LANGUAGES = [("en", _("English")), ("zh-hans", _("Chinese"))]
LOCALE_PATHS = [PACKAGE / "locale"]
TIME_ZONE = CONFIG.time_zone
USE_TZ = True

STATIC_URL = "/static/"
STATICFILES_DIRS = [PACKAGE / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "livecommerce.statics.serving.VersionedStorage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

# Where browsers read and upload by signed addresses, past this server.
_S3 = [S3_PUBLIC_URL] if S3_BUCKET and S3_PUBLIC_URL else []
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:", *_S3],
        # hls.js plays through MediaSource, whose address is a blob, and works in a blob worker.
        "media-src": [SELF, "blob:", *_S3],
        "worker-src": [SELF, "blob:"],
        "connect-src": [SELF, *_S3],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = CONFIG.behind_https

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "livecommerce.redaction.RedactingFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s: %(message)s",
        }
    },
    "filters": {
        # Who was sent away and comes back anyway is told so, and is no news to an operator.
        "not 403": {
            "()": "django.utils.log.CallbackFilter",
            "callback": lambda record: getattr(record, "status_code", None) != 403,
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": CONFIG.log_level},
    "loggers": {
        "django.request": {"filters": ["not 403"]},
        # The servers tell of every connection, the clients of every request.
        **{
            name: {"level": "WARNING"}
            for name in (
                "daphne",
                "uvicorn",
                "django.channels.server",
                "httpx",
                "asyncio",
                "stripe",
                "fido2",
            )
        },
        # Scanners ask under any name: they get their 400, and no traceback each.
        "django.security.DisallowedHost": {"level": "CRITICAL"},
    },
}
