"""People and their roles, for operators."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from core.accounts.forms import NewPersonForm, PersonForm
from core.accounts.models import Passkey, RoleGrant, User


class RoleGrantInline(admin.TabularInline[RoleGrant, User]):
    model = RoleGrant
    extra = 0


class PasskeyInline(admin.TabularInline[Passkey, User]):
    """To take away what was lost; only people themselves add any."""

    model = Passkey
    fields = ("name", "rp_id", "made_at", "used_at", "copied_at")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False


@admin.register(User)
class PersonAdmin(UserAdmin[User]):
    list_display = ["username", "display_name", "date_joined", "is_active"]
    search_fields = ["username", "display_name"]
    fieldsets = [
        *(UserAdmin.fieldsets or ()),
        (_("In the rooms"), {"fields": ["display_name", "language"]}),
    ]
    form = PersonForm
    add_form = NewPersonForm
    inlines = [RoleGrantInline, PasskeyInline]
