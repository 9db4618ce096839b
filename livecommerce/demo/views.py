"""One click signs in as one of the demo's people: in the demo only, on a loopback address only."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from core.accounts.models import User
from core.callers import is_loopback, is_this_machine
from livecommerce.demo.people import person


def may_sign_in_by_click(request: HttpRequest) -> bool:
    """Whether this is the demo, asked for directly from the machine that runs it, or by who has
    scanned the code of its local network.

    A forwarded request is refused: behind a proxy every visitor has a loopback address.
    """
    if settings.DEMO and getattr(request, "scope", {}).get("lan_guest"):
        return True
    host = request.get_host().rsplit(":", 1)[0].strip("[]")
    is_here = host == "localhost" or is_loopback(host)
    return bool(settings.DEMO and is_here and is_this_machine(request))


@require_POST
def demo_sign_in(request: HttpRequest, username: str) -> HttpResponse:
    """Sign in as `username` and go on where the visitor was, or where that person would start."""
    who = person(username)
    if who is None or not may_sign_in_by_click(request):
        raise Http404
    user = get_object_or_404(User, username=who.username)
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    wanted = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()})
    return redirect(wanted if safe else who.start)
