"""Courses for operators. Certificates are looked at here, never written: they are signed."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from core.forms import TypedForm
from courses.models import Certificate, Course, Enrolment, Lesson


class LessonInline(admin.TabularInline[Lesson, Course]):
    """What lessons count for. Which there are, and their order, is an edition's: see the editor."""

    model = Lesson
    form = TypedForm
    fields = ["title", "asset", "required_share"]
    readonly_fields = ["title", "asset"]
    can_delete = False
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Course | None = None) -> bool:
        return False


@admin.register(Course)
class CourseAdmin(admin.ModelAdmin[Course]):
    form = TypedForm
    list_display = ["title", "state", "created_by", "published_at"]
    list_filter = ["state"]
    search_fields = ["title", "summary"]
    readonly_fields = ["public_id", "state", "created_by", "created_at", "published_at"]
    inlines = [LessonInline]


@admin.register(Enrolment)
class EnrolmentAdmin(admin.ModelAdmin[Enrolment]):
    list_display = ["user", "course", "started_at", "completed_at"]
    list_filter = ["course"]
    search_fields = ["user__username", "user__display_name", "course__title"]
    readonly_fields = ["public_id", "user", "course", "edition", "started_at", "completed_at"]


@admin.register(Certificate)
class CertificateAdmin(admin.ModelAdmin[Certificate]):
    list_display = ["number", "holder_name", "course_title", "issued_at"]
    search_fields = ["number", "holder_name", "course_title"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Certificate | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Certificate | None = None) -> bool:
        return False
