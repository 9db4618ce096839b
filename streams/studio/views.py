"""The host's pages: the list of shows, scheduling, the console, and cutting the replay."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_http_methods

from core.accounts.access import has_role, signed_in
from core.accounts.models import Role, User
from core.clock import now
from core.errors import InvalidInput
from core.ids import parse_id
from core.pages import id_of_form, made_once, page
from media_pipeline.services.passages import removed_passages
from orders.selectors import money_troubles, waiting_orders
from sellers.access import sellers_of
from sellers.selectors import low_variants
from streams.access import may_host, show_to_host
from streams.clips.waiting import waiting_for_consent
from streams.models import Show, ShowState
from streams.services import approvals, ingest_keys, stopping
from streams.services.chat import LONGEST_TEXT
from streams.services.shows import longest_of, schedule_show
from streams.studio import access, checklist, rehearsal_views, selectors
from streams.studio.forms import ScheduleForm
from streams.studio.replay_desk import ready_s

LOW_SHOWN = 5


@require_GET
@page
def home(request: HttpRequest) -> HttpResponse:
    user = signed_in(request.user)
    sellers = list(sellers_of(user))
    groups = selectors.show_groups(user)
    has_shows = any(group.cards for group in groups)
    if not sellers and not has_shows:
        return render(request, "studio/not_host.html")
    # What is only there to be looked at is in no sum beside what somebody really sells.
    real = [seller for seller in sellers if not seller.is_sample] or sellers
    context = {
        "groups": groups,
        "has_shows": has_shows,
        "waiting_orders": waiting_orders(real),
        "money": money_troubles(sellers),
        "stock": selectors.stock_summary(real),
        "to_agree": waiting_for_consent(user),
        "low": low_variants(real)[:LOW_SHOWN],
        "first_show": checklist.first_show(user),
        "may_schedule": access.schedulable_sellers(user).exists(),
        "sees_all": (sees_all := has_role(user, Role.OPERATOR)),
        "first_shows": approvals.waiting().count() if sees_all else 0,
    }
    return render(request, "studio/home.html", context)


@require_http_methods(["GET", "POST"])
@page
def schedule(request: HttpRequest) -> HttpResponse:
    user = signed_in(request.user)
    asked = request.POST.get("seller") or request.GET.get("seller", "")
    seller = access.seller_to_schedule_for(user, parse_id(asked))
    form = ScheduleForm(seller, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid() and (show := _scheduled(request, form, user)):
        return redirect(f"{reverse('studio_show', args=[show.public_id])}?scheduled")
    context = {"form": form, "seller": seller, "sellers": access.schedulable_sellers(user)}
    status = 422 if form.is_bound else 200
    return render(request, "studio/schedule.html", context, status=status)


def _scheduled(request: HttpRequest, form: ScheduleForm, host: User) -> Show | None:
    """The show that the form describes, or `None` with the form saying what is wrong."""
    show_id, values = id_of_form(request), form.cleaned_data
    schedule_it = partial(
        schedule_show,
        seller=form.seller,
        host=host,
        title=values["title"],
        scheduled_at=values["starts_at"],
        audience=values["audience"],
        offers=form.offers,
        public_id=show_id,
    )
    try:
        return made_once(schedule_it, Show.objects.filter(public_id=show_id))
    except InvalidInput as error:
        form.add_error(error.field if error.field in form.fields else None, error.message)
        return None


@require_GET
@ensure_csrf_cookie
@page
def console(request: HttpRequest, show_id: UUID) -> HttpResponse:
    show = access.show_to_moderate(request.user, show_id)
    if show.state == ShowState.ENDED and show.is_practice:
        return redirect("practice_of_show", show_id=show.public_id)
    if show.state == ShowState.ENDED and show.is_rehearsal:
        return rehearsal_views.over(request, show)
    if show.state == ShowState.ENDED:
        return _replay(request, show_to_host(request.user, show_id))
    hosts = may_host(request.user, show)
    if hosts and show.state == ShowState.SCHEDULED and "scheduled" in request.GET:
        return _is_scheduled(request, show)
    context = {
        "show": show,
        "studio": {
            "show_id": str(show.public_id),
            "hosts": hosts,
            "longest_show_ms": longest_of(show).total_seconds() * 1000,
            "is_rehearsal": show.is_rehearsal,
            "is_practice": show.is_practice,
            "starts_in_ms": _starts_in_ms(show),
        },
        "hosts": hosts,
        "review": approvals.review_of(show),
        "command": broadcast_command(request, show) if hosts else "",
        "longest_text": LONGEST_TEXT,
    }
    return render(request, "studio/console.html", context)


def _is_scheduled(request: HttpRequest, show: Show) -> HttpResponse:
    """What comes after scheduling: the link, and what to do until then; not yet the camera."""
    context = {
        "show": show,
        "link": request.build_absolute_uri(reverse("show", args=[show.public_id])),
        "review": approvals.review_of(show),
    }
    return render(request, "studio/scheduled.html", context)


def _starts_in_ms(show: Show) -> float:
    """Until its time; nothing where nobody was told one, or it has begun."""
    if show.is_rehearsal or show.is_practice or show.state != ShowState.SCHEDULED:
        return 0
    return (show.scheduled_at - now()).total_seconds() * 1000


def _replay(request: HttpRequest, show: Show) -> HttpResponse:
    replay = selectors.replay_data(show.public_id)
    data = {"show_id": str(show.public_id), "replay": replay}
    context = {
        "show": show,
        "replay": replay,
        "studio": data,
        "ready_s": ready_s(show),
        "removed": removed_passages(show.public_id),
        "to_pack": waiting_orders([show.seller]),
        "stop": stopping.stop_of(show),
    }
    return render(request, "studio/replay.html", context)


def broadcast_command(request: HttpRequest, show: Show) -> str:
    """The line that broadcasts a file into this show from any computer."""
    url = request.build_absolute_uri("/").rstrip("/")
    key = ingest_keys.issue(show)
    return f"livecommerce broadcast video.mp4 --show {show.public_id} --key {key} --url {url}"
