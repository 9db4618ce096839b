"""What verifiers everywhere read: who we are, our keys, and the list of what holds no more.

These are open to scripts of other sites, for some verifiers are pages.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET

from core.errors import AppError
from core.pages import page
from courses.access import course_for_reader
from courses.badges import credential, drawing, keys, status
from courses.badges.models import Badge, SigningKey

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def site_of(request: HttpRequest) -> str:
    """Our address as the world knows it, without a slash at its end."""
    told: str = settings.PUBLIC_URL
    return told or f"{request.scheme}://{request.get_host()}"


def public(*, max_age_s: int) -> Callable[[View[P]], View[P]]:
    """For everybody, and to be kept for so long by whoever carries it."""

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def answered(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            answer = view(request, *args, **kwargs)
            answer["Access-Control-Allow-Origin"] = "*"
            if not request.COOKIES:  # of somebody who is known here no cache keeps anything
                answer["Cache-Control"] = f"public, max-age={max_age_s}"
            return answer

        return answered

    return decorate


@require_GET
@public(max_age_s=3600)
def issuer(request: HttpRequest) -> HttpResponse:
    site = site_of(request)
    profile = credential.issuer(site).to_dict()
    return _json({"@context": list(credential.CONTEXT), **profile}, "application/ld+json")


@require_GET
@public(max_age_s=300)
def jwks(request: HttpRequest) -> HttpResponse:
    site = site_of(request)
    found = [{**one, "kid": credential.key_url(site, one["kid"])} for one in keys.published()]
    return _json({"keys": found}, "application/jwk-set+json")


@require_GET
@public(max_age_s=300)
def key(request: HttpRequest, kid: str) -> HttpResponse:
    found = SigningKey.objects.filter(kid=kid, withdrawn_at=None).first()
    if found is None:
        raise Http404
    jwk = {**keys.public(found), "kid": credential.key_url(site_of(request), kid)}
    return _json(jwk, "application/jwk+json")


@require_GET
@public(max_age_s=60)
def status_list(request: HttpRequest, number: int) -> HttpResponse:
    try:
        listed = status.status_list(site_of(request), number)
    except AppError as error:
        return HttpResponse(error.message, status=error.status, content_type="text/plain")
    return HttpResponse(listed, content_type="application/vc+jwt")


@require_GET
def badge(request: HttpRequest, badge_id: uuid.UUID) -> HttpResponse:
    """What a badge calls itself leads to its certificate."""
    found = Badge.objects.filter(public_id=badge_id).select_related("certificate").first()
    if found is None:
        raise Http404
    return redirect(found.certificate)


@page
@require_GET
def course_picture(request: HttpRequest, course_id: uuid.UUID) -> HttpResponse:
    course = course_for_reader(request.user, course_id)
    return HttpResponse(drawing.course_picture(course), content_type="image/png")


def _json(found: dict[str, Any], kind: str) -> HttpResponse:
    return JsonResponse(found, content_type=kind)
