"""People and their roles, for operators."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.utils.translation import gettext_lazy as _

from core.accounts.forms import NewPersonForm, PersonForm
from core.accounts.models import RoleGrant, User


class RoleGrantInline(admin.TabularInline[RoleGrant, User]):
    model = RoleGrant
    extra = 0


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
    inlines = [RoleGrantInline]
