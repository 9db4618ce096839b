"""What operators look up. Writing stays with the services, so most of it is read-only."""

from __future__ import annotations

from typing import Any, TypeVar

from django.contrib import admin, messages
from django.contrib.auth import get_permission_codename
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from core.accounts.access import signed_in
from core.accounts.models import User
from core.errors import AppError
from core.forms import TypedForm
from orders.models import Offer
from sellers.admin import ReadOnly
from streams.models import Ban, Mute, Show
from streams.services import moderation

H = TypeVar("H", Mute, Ban)


@admin.register(Offer)
class OfferAdmin(ReadOnly, admin.ModelAdmin[Offer]):
    list_display = ["variant", "price", "show_id", "created_at"]
    list_select_related = ["variant__product__seller"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Offer]:
        """What a rehearsal shows is nobody's business but its host's; a practice sells nothing."""
        unreal = Show.objects.filter(Q(is_rehearsal=True) | Q(is_practice=True))
        return super().get_queryset(request).exclude(show_id__in=unreal.values("public_id"))


@admin.register(Show)
class ShowAdmin(admin.ModelAdmin[Show]):
    form = TypedForm
    list_display = ["title", "seller", "host", "state", "audience", "scheduled_at", "started_at"]
    list_filter = ["state", "audience", "seller"]
    search_fields = ["title", "public_id", "seller__name", "host__username"]
    readonly_fields = [
        "public_id",
        "seller",
        "host",
        "state",
        "started_at",
        "ended_at",
        "interrupted_at",
        "pinned_offer",
        "pinned_message",
        "slow_mode_s",
        "likes",
        "poster_key",
        "created_at",
    ]
    date_hierarchy = "scheduled_at"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Show]:
        """Rehearsals are nobody's business but their host's; practices are no shows of a shop."""
        return super().get_queryset(request).filter(is_rehearsal=False, is_practice=False)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Shows are scheduled in the studio, with what they sell."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Orders and recordings speak of a show by its id."""
        return False


class HeldAdmin(ReadOnly, admin.ModelAdmin[H]):
    """Who is kept quiet or away. It is taken back here as in the room, which is told of it."""

    search_fields = ["show__title", "user__username", "user__display_name", "reason"]
    list_filter = ["show__seller"]
    actions = ["lift"]

    def has_lift_permission(self, request: HttpRequest) -> bool:
        """Asked for by the action. The service asks once more who may keep order in each show."""
        name = get_permission_codename("delete", self.opts)
        return request.user.has_perm(f"{self.opts.app_label}.{name}")

    def lift_one(self, held: H, actor: User) -> None:
        raise NotImplementedError

    def lift_all(self, request: HttpRequest, chosen: QuerySet[H]) -> None:
        actor, lifted = signed_in(request.user), 0
        for held in chosen.select_related("show", "user"):
            try:
                self.lift_one(held, actor)
            except AppError as error:
                self.message_user(request, f"{held}: {error.message}", messages.ERROR)
            else:
                lifted += 1
        if lifted:
            self.message_user(request, _lifted(lifted), messages.SUCCESS)


@admin.register(Mute)
class MuteAdmin(HeldAdmin[Mute]):
    list_display = ["show", "user", "muted_by", "reason", "at", "until"]
    list_select_related = ["show", "user", "muted_by"]

    @admin.action(description=_("Let them write again"), permissions=["lift"])
    def lift(self, request: HttpRequest, chosen: QuerySet[Mute]) -> None:
        self.lift_all(request, chosen)

    def lift_one(self, held: Mute, actor: User) -> None:
        moderation.unmute(show=held.show, actor=actor, user_id=held.user.public_id)


@admin.register(Ban)
class BanAdmin(HeldAdmin[Ban]):
    list_display = ["show", "user", "banned_by", "reason", "at", "until"]
    list_select_related = ["show", "user", "banned_by"]

    @admin.action(description=_("Let them in again"), permissions=["lift"])
    def lift(self, request: HttpRequest, chosen: QuerySet[Ban]) -> None:
        self.lift_all(request, chosen)

    def lift_one(self, held: Ban, actor: User) -> None:
        moderation.unban(show=held.show, actor=actor, user_id=held.user.public_id)


def _lifted(count: int) -> str:
    text = ngettext("Lifted for %(count)d person.", "Lifted for %(count)d people.", count)
    return text % {"count": count}
