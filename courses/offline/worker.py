"""The service worker, as one script; or the one that takes it off every phone again."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders

from core.scripts.join import joined

# With LIVECOMMERCE_OFFLINE=0: whoever comes by is rid of it and of all that it kept.
GOODBYE = """\
addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil((async () => {
  for (const name of await caches.keys()) if (name.startsWith("learn-")) await caches.delete(name);
  await registration.unregister();
})()));
"""


def worker() -> str:
    return joined("offline/worker.js", _text) if settings.OFFLINE else GOODBYE


def _text(name: str) -> str:
    found = finders.find(name)
    if not isinstance(found, str):
        raise KeyError(name)
    return Path(found).read_text()
