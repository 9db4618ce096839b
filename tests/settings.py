"""The product's own settings, on an empty data folder that goes away with the test process."""

import atexit
import os
import shutil
import tempfile

_data = tempfile.mkdtemp(prefix="livecommerce-test-")
atexit.register(shutil.rmtree, _data, ignore_errors=True)
os.environ["LIVECOMMERCE_MODE"] = "test"
os.environ["LIVECOMMERCE_DATA"] = _data

from livecommerce.settings import *  # noqa: E402, F403
from livecommerce.settings import DATA_ROOT, DATABASES  # noqa: E402

if "sqlite3" in DATABASES["default"]["ENGINE"]:
    # A file, as in production: an in-memory database has other locks than the real one.
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_ROOT / "test.sqlite3")}
    # The one difference: no test cuts the machine's power, and waiting for the disk is slow.
    DATABASES["default"]["OPTIONS"]["init_command"] += "PRAGMA synchronous=OFF;"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
# Look static files up when they are asked for: reading them all for every client takes longer.
WHITENOISE_AUTOREFRESH = True
# Buyers can choose to pay online; nothing answers there unless a test starts `tests.stripe_server`.
STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET = "sk_test_ours", "whsec_ours"
STRIPE_API_BASE = "http://127.0.0.1:9"
