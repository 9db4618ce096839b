"""What media servers ask and tell: may this stream come in, does it go on, is it over.

They come by address, with no cookie and a Host header that people never use; so these answers
stand before Django's own middleware. They must come from this machine, or know the secret.

`/hooks/rtmp`: nginx with libnginx-mod-rtmp, its `on_publish`, `on_update` and `on_publish_done`
(https://github.com/arut/nginx-rtmp-module/wiki/Directives#notify). A stream is let in by a
redirect to a name of our own: the key is in no address that is read from, and an encoder that
comes back before nginx has noticed that it was gone finds its name free. nginx goes on telling of
it by its key, and by the number of its connection, with which our name begins.

`/hooks/mediamtx/auth`, `/ready` and `/gone`: MediaMTX 1.15.4, its HTTP authentication
(docs/2-features/06-authentication.md there) and its hooks `runOnReady` and `runOnNotReady`
(20-hooks.md), by `deploy/mediamtx-tell.sh`. There the key is the path, `live/<key>`.
"""

from __future__ import annotations

import json
import logging
import re
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from core.callers import is_secret, is_this_machine
from streams.pulling import pulls
from streams.services import encoders
from streams.services.encoders import EncoderRefused

log = logging.getLogger(__name__)

PREFIX = "/hooks/"
APP = "live"
READER = "livecommerce"
"""The name under which we read from MediaMTX, with the secret as its password."""
KICKED_WITHIN_S = 2.0
# The kinds of MediaMTX's control API (api/openapi.yaml there), by what it says in MTX_SOURCE_TYPE.
KICKS = {
    "rtmpConn": "rtmpconns",
    "rtmpsConn": "rtmpsconns",
    "srtConn": "srtconns",
    "webRTCSession": "webrtcsessions",
}


class EncoderHooksMiddleware:
    """Answers everything below `/hooks/` before hosts and sessions are looked at."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(PREFIX):
            return self.get_response(request)
        answer = ANSWERS.get(request.path_info)
        if answer is None or not is_media_server(request):
            return HttpResponse(status=404)
        if request.method != "POST":
            return HttpResponse(status=405)
        try:
            return answer(request)
        except EncoderRefused as error:
            return HttpResponse(error.reason, status=403, content_type="text/plain")


def is_media_server(request: HttpRequest) -> bool:
    """With a secret only who knows it, without one only this machine."""
    if secret := settings.ENCODERS_SECRET:
        return is_secret(request.GET.get("secret", ""), secret)
    return is_this_machine(request)


def rtmp(request: HttpRequest) -> HttpResponse:
    told = request.POST
    text, connection = told.get("name", ""), f"{told.get('clientid', '')}-"
    match told.get("call"):
        case "publish":
            return _rtmp_begins(text, connection, told.get("addr", ""))
        case "update_publish":
            name = encoders.open_stream_of(text, connection)
            _take_in(name, name)
        case "publish_done":
            encoders.end(encoders.open_stream_of(text, connection), "gone")
        case "update_play":
            pass  # that is our own ffmpeg
        case _:
            return HttpResponse(status=400)
    return HttpResponse(status=204)


def _rtmp_begins(text: str, connection: str, address: str) -> HttpResponse:
    name = connection + uuid.uuid4().hex
    encoders.admit(text, name=name, protocol="rtmp", address=address)
    # It is not there yet: nginx lets who reads wait for it, so that its first second is not lost.
    _take_in(name, name)
    answer = HttpResponse(status=302)
    answer["Location"] = name
    return answer


def mediamtx_auth(request: HttpRequest) -> HttpResponse:
    """Whoever publishes needs a stream key, whoever reads or controls needs our secret."""
    try:
        asked = json.loads(request.body)
        action, path = str(asked["action"]), str(asked["path"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return HttpResponse(status=400)
    if action == "publish":
        encoders.check(_key_in(path))
        return HttpResponse(status=204)
    knows = is_secret(str(asked.get("password", "")), settings.ENCODERS_SECRET)
    if action in {"read", "api"} and settings.ENCODERS_SECRET and knows:
        return HttpResponse(status=204)
    return HttpResponse(status=401)


def mediamtx_ready(request: HttpRequest) -> HttpResponse:
    """A stream is there; told every second while it is. One that may not go on is cut off."""
    kind, name = request.POST.get("source_type", ""), request.POST.get("source_id", "")
    key = _key_in(request.POST.get("path", ""))
    try:
        encoders.keep(key, name=name, protocol=kind)
    except EncoderRefused:
        _kick(kind, name)
        raise
    _take_in(name, f"{key}?user={READER}&pass={quote(settings.ENCODERS_SECRET, safe='')}")
    return HttpResponse(status=204)


def mediamtx_gone(request: HttpRequest) -> HttpResponse:
    encoders.end(request.POST.get("source_id", ""), "gone")
    return HttpResponse(status=204)


def _key_in(path: str) -> str:
    """The key in a path of MediaMTX; raises `EncoderRefused`."""
    found = re.fullmatch(rf"{APP}/([0-9a-z]+)", path)
    if found is None:
        raise EncoderRefused("unknown")
    return found[1]


def _take_in(name: str, at: str) -> None:
    pulls.pull_from_thread(name, f"{settings.ENCODERS_READ}/{at}")


def _kick(kind: str, source_id: str) -> None:
    """Have MediaMTX close the connection: its authentication is asked at the beginning alone."""
    if not settings.MEDIAMTX_API or kind not in KICKS:
        return
    url = f"{settings.MEDIAMTX_API}/v3/{KICKS[kind]}/kick/{quote(source_id, safe='')}"
    request = urllib.request.Request(url, method="POST")  # noqa: S310 - the operator's own address
    try:
        urllib.request.urlopen(request, timeout=KICKED_WITHIN_S).close()  # noqa: S310
    except (urllib.error.URLError, TimeoutError) as error:
        log.warning("MediaMTX did not close %s: %s", source_id, error)


ANSWERS: dict[str, Callable[[HttpRequest], HttpResponse]] = {
    "/hooks/rtmp": rtmp,
    "/hooks/mediamtx/auth": mediamtx_auth,
    "/hooks/mediamtx/ready": mediamtx_ready,
    "/hooks/mediamtx/gone": mediamtx_gone,
}
