"""A certificate's page, and what its holder and those who may revoke it do there."""

from __future__ import annotations

import uuid
from typing import Any

import segno
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.accounts.access import signed_in
from core.errors import AppError, NotAllowed, NotFound, SignInRequired
from core.pages import page
from courses.access import is_teacher
from courses.badges import access, checking, drawing, issuing, practised, results, rights
from courses.badges.public_views import site_of
from courses.badges.terms import Shown, shown_of, standing_of, terms_of
from courses.models import Certificate

TICKS = ("name", "results", "evidence", "recording")


@require_http_methods(["GET", "POST"])
def verify_any(request: HttpRequest) -> HttpResponse:
    """A file, a link or a number: whether it holds, and if not, why."""
    if request.method == "GET" and not request.GET.get("text"):
        return render(request, "badges/check.html", {"largest": checking.LARGEST_FILE})
    finding = _checked(request)
    context = {
        "finding": finding,
        "text": request.POST.get("text") or request.GET.get("text", ""),
        "largest": checking.LARGEST_FILE,
        **({"view": _view(request, finding.certificate)} if finding.certificate else {}),
    }
    status = 200 if finding.certificate else 422
    return render(request, "badges/check.html", context, status=status)


def _checked(request: HttpRequest) -> checking.Finding:
    file = request.FILES.get("file")
    if file is None:
        return checking.check_text(request.POST.get("text") or request.GET.get("text", ""))
    size = file.size or 0
    # What is too large is not read: its size is enough to say so.
    content = file.read() if size <= checking.LARGEST_FILE else b""
    return checking.check_file(content, size)


@require_GET
def verify(request: HttpRequest, certificate_id: uuid.UUID) -> HttpResponse:
    """Anybody may ask. An unknown certificate is an answer too, with status 404."""
    try:
        certificate = access.certificate_by_id(certificate_id)
    except NotFound:
        return render(request, "badges/unknown.html", status=404)
    return _shown(request, certificate)


def _shown(
    request: HttpRequest, certificate: Certificate, error: AppError | None = None
) -> HttpResponse:
    site = site_of(request)
    link = site + certificate.get_absolute_url()
    context = {
        "certificate": certificate,
        "view": _view(request, certificate),
        "finding": checking.check(certificate),
        "link": link,
        # As a data: address: the CSP lets pictures come from there, and no inline style in.
        "qr": segno.make(link, micro=False).svg_data_uri(scale=4, border=2),
        "error": error,
    }
    return render(
        request, "badges/certificate.html", context, status=error.status if error else 200
    )


def _view(request: HttpRequest, certificate: Certificate) -> dict[str, Any]:
    """What this reader sees of it. Its holder sees what others do, and what they could."""
    terms = terms_of(certificate)
    shown = shown_of(terms)
    is_holder = access.is_holder(request.user, certificate)
    grant = rights.held_by(certificate.enrolment.user) if is_holder else None
    return {
        "shown": shown,
        "holder": certificate.holder_name if shown.name or is_holder else "",
        "outcomes": results.outcomes(certificate) if shown.results or is_holder else [],
        "has_practice": bool(practised.accepted(certificate)),
        "expires_at": terms.expires_at,
        "standing": standing_of(certificate),
        "is_holder": is_holder,
        "is_chosen": terms.chosen_at is not None,
        "badge": issuing.badge_of(certificate),
        "may_revoke": is_teacher(request.user),
        **(_grant(certificate) if is_teacher(request.user) else {}),
        "may_go_live": grant is not None and grant.pk == certificate.pk,
        "sells": is_holder and certificate.enrolment.user.memberships.exists(),
    }


def _grant(certificate: Certificate) -> dict[str, Any]:
    """What would end with it, for those who may revoke it."""
    return {
        "is_granting": rights.is_granting(certificate),
        "shops": ", ".join(rights.shops_of(certificate)),
    }


@require_POST
@page
def show(request: HttpRequest, certificate_id: uuid.UUID) -> HttpResponse:
    """What everybody may see of it, from now on."""
    certificate = access.own_certificate(request.user, certificate_id)
    shown = Shown(*(f"shows_{name}" in request.POST for name in TICKS))
    try:
        issuing.choose(certificate, shown, site_of(request))
    except AppError as error:
        return _shown(request, certificate, error)
    messages.success(request, _("Saved. Your badge says exactly this now."))
    return redirect(certificate)


@require_POST
@page
def revoke(request: HttpRequest, certificate_id: uuid.UUID) -> HttpResponse:
    actor, certificate = access.certificate_to_revoke(request.user, certificate_id)
    try:
        issuing.revoke(certificate, actor, request.POST.get("reason", ""))
    except (NotAllowed, SignInRequired, NotFound):
        raise
    except AppError as error:
        return _shown(request, certificate, error)
    messages.success(request, _("Revoked. Whoever checks it is told so, with the reason."))
    return redirect(certificate)


@require_POST
@page
def restore(request: HttpRequest, certificate_id: uuid.UUID) -> HttpResponse:
    actor, certificate = access.certificate_to_revoke(request.user, certificate_id)
    issuing.restore(certificate, actor)
    messages.success(request, _("The certificate holds again."))
    return redirect(certificate)


@page
@require_GET
def my_certificates(request: HttpRequest) -> HttpResponse:
    holder = signed_in(request.user)
    mine = Certificate.objects.filter(enrolment__user=holder).select_related("enrolment__course")
    context = {
        "certificates": [{"row": one, "standing": standing_of(one)} for one in mine],
        "right": rights.held_by(holder),
        "sells": holder.memberships.exists(),
        "begun": holder.enrolments.select_related("course").order_by("-pk").first(),
    }
    return render(request, "badges/mine.html", context)


@page
@require_GET
def practice(request: HttpRequest, certificate_id: uuid.UUID) -> HttpResponse:
    """The practice that the certificate rests on, and its recording where that is shown."""
    certificate, with_film = access.practice_behind(request.user, certificate_id)
    attempts = practised.accepted(certificate)
    if not attempts:
        raise NotFound(_("No practice was asked for this certificate."))
    context = {
        "certificate": certificate,
        "view": _view(request, certificate),
        "with_film": with_film,
        "attempts": [practised.view_of(one, with_film=with_film) for one in attempts],
    }
    return render(request, "badges/practice.html", context)


@page
@require_GET
def picture(request: HttpRequest, certificate_id: uuid.UUID) -> HttpResponse:
    """The badge as a file: a PNG in which it is baked."""
    certificate, badge = _badge(request, certificate_id)
    answer = HttpResponse(drawing.baked(badge), content_type="image/png")
    answer["Content-Disposition"] = f'attachment; filename="badge-{certificate.number}.png"'
    return answer


@page
@require_GET
def token(request: HttpRequest, certificate_id: uuid.UUID) -> HttpResponse:
    """The badge's own text, for wallets and other programs."""
    _certificate, badge = _badge(request, certificate_id)
    return HttpResponse(badge.token, content_type="application/vc+jwt")


def _badge(request: HttpRequest, certificate_id: uuid.UUID) -> tuple[Certificate, Any]:
    certificate = access.certificate_by_id(certificate_id)
    badge = issuing.badge_of(certificate)
    if badge is None or not standing_of(certificate).holds:
        raise NotFound(_("There is no badge of this certificate."))
    return certificate, badge
