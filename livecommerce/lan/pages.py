"""What a phone gets without HTTPS: how to trust this machine, its authority, and the way over."""

from __future__ import annotations

import io
import plistlib
import uuid
from collections.abc import Callable
from typing import Any

from cryptography import x509
from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.encoding import escape_uri_path

from livecommerce.lan.addresses import own_names
from livecommerce.lan.certificates import Kept, der, ensure, pem

PLAIN = "/lan/authority"
INVITATIONS = "/join/"
# What Apple calls a root certificate's payload, in a profile that holds nothing else.
APPLE_ROOT = "com.apple.security.root"


def without_https(scope: dict[str, Any]) -> HttpResponse:
    """The page, a file of the authority, or a redirect; never anything of the product."""
    if scope["method"] not in {"GET", "HEAD"}:
        return HttpResponseNotAllowed(["GET", "HEAD"])
    request = ASGIRequest(scope, io.BytesIO())
    if found := FILES.get(scope["path"]):
        return found(kept().authority)
    # Who typed an invitation's address, or has an old card, is at its page already.
    if scope["path"] == "/" or scope["path"].startswith(INVITATIONS):
        return welcome(request)
    return HttpResponseRedirect(https_address(request) + request.get_full_path())


def welcome(request: HttpRequest) -> HttpResponse:
    """How to trust the authority; the script goes on by itself where it is trusted already.

    `?language=` is in the page's switch, for nothing can be posted here.
    """
    secure = https_address(request)
    chosen = request.GET.get("language", "")
    known = chosen in dict(settings.LANGUAGES)
    with translation.override(chosen if known else translation.get_language_from_request(request)):
        text = render_to_string(
            "livecommerce/lan_welcome.html",
            {
                "secure": secure,
                "path": escape_uri_path(request.path),
                "fingerprint": kept().fingerprint,
                "is_apple": is_apple(request),
                "language": translation.get_language(),
            },
        )
    response = HttpResponse(text)
    response.headers["Content-Security-Policy"] = (
        f"default-src 'self'; connect-src {secure}; object-src 'none'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    )
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response


def https_address(request: HttpRequest) -> str:
    """By the name that they came with, if it is one of ours; "https://192.168.1.5:8443"."""
    names = own_names(settings.ALLOWED_HOSTS)
    host = request.META.get("HTTP_HOST", "").lower()
    name = host.rpartition(":")[0] if ":" in host.rpartition("]")[2] else host
    known = name if name.strip("[]") in names.all else names.best
    return f"https://{known}:{settings.HTTPS_PORT}"


def is_apple(request: HttpRequest) -> bool:
    agent = request.META.get("HTTP_USER_AGENT", "")
    return any(word in agent for word in ("iPhone", "iPad", "Macintosh"))


def kept() -> Kept:
    return ensure(settings.DATA_ROOT, own_names(settings.ALLOWED_HOSTS))


def _as_der(authority: x509.Certificate) -> HttpResponse:
    return HttpResponse(der(authority), content_type="application/x-x509-ca-cert")


def _as_pem(authority: x509.Certificate) -> HttpResponse:
    return HttpResponse(pem(authority), content_type="application/x-pem-file")


def _as_profile(authority: x509.Certificate) -> HttpResponse:
    """For iPhone and iPad: a profile that has the certificate, and nothing else."""
    name = authority.subject.rfc4514_string().removeprefix("CN=")
    # The same for the same authority, so that a second download replaces the first.
    own = uuid.uuid5(uuid.NAMESPACE_OID, str(authority.serial_number))
    inner = uuid.uuid5(own, "certificate")
    profile = {
        "PayloadType": "Configuration",
        "PayloadVersion": 1,
        "PayloadIdentifier": f"livecommerce.{own}",
        "PayloadUUID": str(own).upper(),
        "PayloadDisplayName": name,
        "PayloadContent": [
            {
                "PayloadType": APPLE_ROOT,
                "PayloadVersion": 1,
                "PayloadIdentifier": f"livecommerce.{own}.certificate",
                "PayloadUUID": str(inner).upper(),
                "PayloadDisplayName": name,
                "PayloadContent": der(authority),
            }
        ],
    }
    return HttpResponse(plistlib.dumps(profile), content_type="application/x-apple-aspen-config")


FILES: dict[str, Callable[[x509.Certificate], HttpResponse]] = {
    f"{PLAIN}.crt": _as_der,
    f"{PLAIN}.pem": _as_pem,
    f"{PLAIN}.mobileconfig": _as_profile,
}
