"""The page "Broadcast with OBS": where encoders stream to, and the keys of one host of one shop."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from core.accounts.access import signed_in
from core.errors import InvalidInput
from core.ids import parse_id
from core.pages import id_of_form, page
from sellers.models import Seller
from streams.models import StreamKey
from streams.services import encoders, stream_keys
from streams.studio import access

KEY_GOES_HERE = "…"


@dataclass(frozen=True, slots=True)
class Way:
    """One way in: what is typed into the fields "server" and "stream key" of the encoder.

    Without a `key` of its own the address has it.
    """

    name: str
    server: str
    key: str


@dataclass(frozen=True, slots=True)
class Line:
    """One key of the list, and the last thing that went wrong with it."""

    key: StreamKey
    problem: str


@dataclass(frozen=True, slots=True)
class Fresh:
    """A key that was just made, which is shown this once."""

    label: str
    text: str


@require_http_methods(["GET", "POST"])
@never_cache
@page
def keys(request: HttpRequest) -> HttpResponse:
    """The list; a post makes a key and shows it, which no later request does."""
    user = signed_in(request.user)
    asked = request.POST.get("seller") or request.GET.get("seller", "")
    seller = access.seller_to_schedule_for(user, parse_id(asked))
    if request.method != "POST":
        return _shown(request, seller)
    label, key_id = request.POST.get("label", "").strip() or "OBS", id_of_form(request)
    if StreamKey.objects.filter(public_id=key_id).exists():  # sent again: it was shown
        return redirect(_address(seller))
    try:
        text = stream_keys.make_key(seller, user, label, public_id=key_id)
    except InvalidInput as error:
        return _shown(request, seller, error=error.message)
    return _shown(request, seller, fresh=Fresh(label, text))


@require_POST
@never_cache
@page
def rotate(request: HttpRequest, key_id: UUID) -> HttpResponse:
    key = stream_keys.key_to_change(request.user, key_id)
    return _shown(request, key.seller, fresh=Fresh(key.label, stream_keys.rotate(key)))


@require_POST
@page
def revoke(request: HttpRequest, key_id: UUID) -> HttpResponse:
    key = stream_keys.key_to_change(request.user, key_id)
    stream_keys.revoke(key)
    return redirect(_address(key.seller))


def _address(seller: Seller) -> str:
    return f"{reverse('studio_encoders')}?seller={seller.public_id}"


def _shown(
    request: HttpRequest, seller: Seller, *, fresh: Fresh | None = None, error: str = ""
) -> HttpResponse:
    user = signed_in(request.user)
    context = {
        "seller": seller,
        "sellers": access.schedulable_sellers(user),
        "ways": ways(fresh.text if fresh else KEY_GOES_HERE),
        "fresh": fresh,
        "lines": [_line(key) for key in stream_keys.keys_of(user, seller)],
        "error": error,
        "longest_label": StreamKey._meta.get_field("label").max_length,
    }
    return render(request, "studio/encoders.html", context, status=422 if error else 200)


def _line(key: StreamKey) -> Line:
    if stream_keys.has_expired(key):
        return Line(key, encoders.words("expired"))
    return Line(key, encoders.words(key.refusal) if key.refusal else "")


def ways(key: str) -> list[Way]:
    """The ways in that the operator has set up, with the key in its place."""
    return [_way(address, key) for address in settings.ENCODERS]


def _way(address: str, key: str) -> Way:
    scheme = address.partition("://")[0]
    if scheme == "srt":
        return Way("SRT", f"{address}?streamid=publish:live/{key}", "")
    if scheme in {"http", "https"}:
        return Way("WHIP", f"{address}/live/{key}/whip", "")
    return Way("RTMP", address, key)
