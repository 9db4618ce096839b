"""Who may make, see and take courses. Pages and the API both ask here, and nowhere else.

A course that a person may not know of does not exist for them (`NotFound`); one that they may see
but not change answers `NotAllowed`.
"""

from __future__ import annotations

import uuid

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from core.accounts.access import AnyUser, has_role, is_signed_in, signed_in
from core.accounts.models import Role, User
from core.errors import Conflict, InvalidInput, NotAllowed, NotFound
from courses.models import Course, CourseState, EditionState, Enrolment, Lesson
from media_pipeline.models import Asset, AssetKind, AssetState
from sellers.models import Member, MemberRole
from streams import access as streams_access
from streams.models import Show, ShowState
from streams.studio import access as studio_access

SELLING_ROLES = (MemberRole.OWNER, MemberRole.HOST)


def is_teacher(user: AnyUser) -> bool:
    """Mentors and operators look after every course of the instance."""
    return has_role(user, Role.MENTOR) or has_role(user, Role.OPERATOR)


def _selling(user: User) -> QuerySet[Member]:
    """Their part in real shops: who practises does not host yet."""
    return Member.objects.filter(user=user, role__in=SELLING_ROLES, seller__is_sandbox=False)


def may_author(user: AnyUser) -> bool:
    """Teachers, and everybody who hosts for a seller: their shows are what lessons are made of."""
    if not is_signed_in(user):
        return False
    return is_teacher(user) or _selling(user).exists()


def author(user: AnyUser) -> User:
    """The user, who may make courses; or `SignInRequired` or `NotAllowed`."""
    person = signed_in(user)
    if not may_author(person):
        raise NotAllowed(_("Courses are made by mentors, operators and hosts."))
    return person


def editable_courses(user: AnyUser) -> QuerySet[Course]:
    """The courses that the user may change: teachers all, hosts those that they began."""
    if not is_signed_in(user) or not may_author(user):
        return Course.objects.none()
    return Course.objects.all() if is_teacher(user) else Course.objects.filter(created_by=user)


def may_edit(user: AnyUser, course: Course) -> bool:
    return editable_courses(user).filter(pk=course.pk).exists()


def course_for_reader(user: AnyUser, course_id: uuid.UUID) -> Course:
    """A published course, or a draft that the user may edit; otherwise `NotFound`."""
    course = Course.objects.filter(public_id=course_id).first()
    if course is None or (course.is_draft and not may_edit(user, course)):
        raise NotFound(_("There is no such course."))
    return course


def course_for_editor(user: AnyUser, course_id: uuid.UUID) -> Course:
    """A course that the user may change; `SignInRequired`, `NotFound` or `NotAllowed` otherwise."""
    person = signed_in(user)
    course = course_for_reader(person, course_id)
    if not may_edit(person, course):
        raise NotAllowed(_("This course is looked after by somebody else."))
    return course


def lesson_for_reader(user: AnyUser, lesson_id: uuid.UUID) -> Lesson:
    """A lesson of any published edition, or of a draft that the user may edit; else `NotFound`."""
    lessons = Lesson.objects.select_related("course", "asset__recording")
    lesson = lessons.exclude(asset__state=AssetState.FAILED).filter(public_id=lesson_id).first()
    if lesson is None or not (is_published(lesson) or may_edit(user, lesson.course)):
        raise NotFound(_("There is no such lesson."))
    return lesson


def is_published(lesson: Lesson) -> bool:
    return lesson.entries.filter(edition__state=EditionState.PUBLISHED).exists()


def enrolment_of(user: AnyUser, course: Course) -> Enrolment | None:
    if not is_signed_in(user):
        return None
    return Enrolment.objects.filter(user=user, course=course).first()


def may_watch(user: AnyUser, course: Course) -> bool:
    """Whoever joined the course, and whoever may change it and so has to look at it."""
    return enrolment_of(user, course) is not None or may_edit(user, course)


def lesson_to_watch(user: AnyUser, lesson_id: uuid.UUID) -> Lesson:
    """A lesson that the user may watch; `Conflict` for who has not joined the course."""
    lesson = lesson_for_reader(user, lesson_id)
    if not may_watch(signed_in(user), lesson.course):
        raise Conflict(_("Join the course first."))
    return lesson


def learner_of(user: AnyUser, lesson: Lesson) -> Enrolment:
    """The user's own enrolment in the lesson's course, or `SignInRequired` or `Conflict`."""
    enrolment = enrolment_of(signed_in(user), lesson.course)
    if enrolment is None:
        raise Conflict(_("Join the course first."))
    return enrolment


def show_to_teach(user: AnyUser, show_id: uuid.UUID) -> tuple[User, Show]:
    """The show, of which the user may make lessons: whoever may host it.

    Raises as `streams.access.show_to_host`, `NotFound` for rehearsals and practices.
    """
    show = streams_access.show_to_host(user, show_id)
    if show.is_rehearsal or show.is_practice:
        raise NotFound(_("There is no such show."))
    return author(user), show


def shows_to_teach(user: AnyUser) -> QuerySet[Show]:
    """Ended shows of which the user may make lessons, the newest first."""
    shows = studio_access.shows_of(user).filter(
        state=ShowState.ENDED, is_rehearsal=False, is_practice=False
    )
    return shows.order_by("-scheduled_at", "-pk")


def author_by_name(user: AnyUser, name: str) -> User:
    """Who a copy is for: the user, or another author by the name that they sign in with.

    `InvalidInput` for nobody of that name who makes courses; it does not tell which of the two.
    """
    person, name = author(user), name.strip()
    if not name or name == person.username:
        return person
    found = User.objects.filter(username=name, is_active=True).first()
    if found is None or not may_author(found):
        raise InvalidInput(_("Nobody of this name makes courses here."), field="to")
    return found


def may_agree_for(user: AnyUser, show: Show) -> bool:
    """Whether the user speaks for the show's seller."""
    return streams_access.role_in(user, show) == streams_access.RoomRole.HOST


def require_may_agree_for(user: AnyUser, show: Show) -> None:
    if not may_agree_for(user, show):
        raise NotAllowed(
            _("Only the seller's own people can agree to this. Please ask them to do it.")
        )


def usable_clips(user: User) -> QuerySet[Asset]:
    """The clips that the user may make lessons of, newest first.

    A lesson shows its clip to everybody who joins, so what was filmed for invited guests stays
    with the people of that seller and the operators.
    """
    clips = Asset.objects.filter(
        kind=AssetKind.CLIP, state__in=(AssetState.WAITING, AssetState.READY)
    )
    if not has_role(user, Role.OPERATOR):
        clips = clips.filter(_own_clips(user) | _public_clips(user))
    return clips.order_by("-created_at", "-id")


def _own_clips(user: User) -> Q:
    sellers = _selling(user).values("seller")
    shows = Show.objects.filter(seller__in=sellers).values("public_id")
    return Q(created_by=user) | Q(recording__show_id__in=shows)


def _public_clips(user: User) -> Q:
    """What sellers filmed for everybody, and agreed to."""
    agreed = Q(is_public=True, consented_at__isnull=False)
    return agreed if has_role(user, Role.MENTOR) else Q(pk__in=[])


def clip_for_author(user: User, asset_id: uuid.UUID) -> Asset:
    """A clip that the user may make a lesson of; otherwise `NotFound`."""
    clip = usable_clips(user).filter(public_id=asset_id).first()
    if clip is None:
        raise NotFound(_("There is no such clip."))
    return clip


def published_courses() -> QuerySet[Course]:
    return Course.objects.filter(state=CourseState.PUBLISHED)
