"""What operators look up. Writing stays with the services, so most of it is read-only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from streams.models import Mute, Show


@admin.register(Show)
class ShowAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
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
        "poster_key",
        "created_at",
    ]
    date_hierarchy = "scheduled_at"

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Shows are scheduled in the studio, with what they sell."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Orders and recordings speak of a show by its id."""
        return False


@admin.register(Mute)
class MuteAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["show", "user", "muted_by", "at"]
    search_fields = ["show__title", "user__username"]
    readonly_fields = ["show", "user", "muted_by", "at"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Keeping somebody quiet is told to the room, which only the room does."""
        return False
