"""The one ASGI application: sockets, media files beside Django, and Django."""

from __future__ import annotations

import os

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "livecommerce.settings")
django_application = get_asgi_application()

application = ProtocolTypeRouter({"http": django_application})
