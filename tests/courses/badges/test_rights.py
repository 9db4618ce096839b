"""Who sees what of a certificate, who revokes it, and who may go live by it."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import uuid4

import jwt
import pytest
from django.test import Client

from core.clock import now
from core.errors import InvalidInput, NotAllowed
from core.models import OutboxFact
from courses.badges import issuing, results
from courses.badges.models import Badge, Revocation, Terms
from courses.badges.terms import Shown, terms_of
from courses.models import Certificate, Course, Enrolment
from courses.practice.models import Attempt, AttemptState, PracticeTask
from courses.quizzes.models import Paper, Quiz, Try
from media_pipeline.models import Asset, AssetKind, AssetState, Recording
from sellers.models import Member, MemberRole, Seller
from streams.models import Approval, Show
from streams.services import approvals
from tests.courses.badges.conftest import SITE
from tests.courses.test_pages import as_person
from tests.world import World

PAGE = "/verify/{}/"


def text(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status
    return re.sub(r"\s+", " ", answer.content.decode())


# What is shown


def test_the_holder_chooses_and_takes_back(
    client: Client, certificate: Certificate, world: World
) -> None:
    page = certificate.get_absolute_url()
    assert "Wang" not in text(client, page)
    assert client.get(f"{page}badge.png").status_code == 404
    wang = as_person(world.wang)
    assert "Make my badge" in text(wang, page)
    assert wang.post(f"{page}show/", {"shows_name": "on", "shows_results": "on"}).status_code == 302
    shown = text(client, page)
    assert "Wang" in shown
    assert "2 lessons, 1 minute" in shown
    assert client.get(f"{page}badge.png")["Content-Type"] == "image/png"
    wang.post(f"{page}show/", {})
    assert "Wang" not in text(client, page)


def test_nobody_chooses_for_others(certificate: Certificate, world: World) -> None:
    page = certificate.get_absolute_url()
    for other in (world.li, world.chen, world.zhao):
        assert as_person(other).post(f"{page}show/", {"shows_name": "on"}).status_code == 403
    assert not Badge.objects.exists()


def test_choosing_the_same_again_makes_nothing_new(certificate: Certificate) -> None:
    first = issuing.choose(certificate, Shown(name=True), SITE)
    assert issuing.choose(certificate, Shown(name=True), SITE) == first


@pytest.fixture
def practised(certificate: Certificate, enrolment: Enrolment, world: World) -> Attempt:
    task = PracticeTask.objects.create(lesson=enrolment.course.lessons.first(), brief="Sell pears")
    return Attempt.objects.create(
        enrolment=enrolment,
        task=task,
        number=1,
        show_id=world.show.public_id,
        state=AttemptState.ACCEPTED,
        began_at=now() - timedelta(hours=1),
        decided_at=now(),
        language="en",
    )


def test_practice_is_shown_only_where_it_was_ticked(
    client: Client, certificate: Certificate, practised: Attempt, world: World
) -> None:
    page = f"{certificate.get_absolute_url()}practice/"
    assert client.get(page).status_code == 404
    assert "Only you and your mentors" in text(as_person(world.wang), page)
    badge = issuing.choose(certificate, Shown(evidence=True), SITE)
    assert "accepted" in text(client, page)
    assert f"{SITE}{page}" in _claims(badge)
    issuing.revoke(certificate, world.chen, "Not theirs")
    assert client.get(page).status_code == 404


def test_its_film_needs_a_tick_of_its_own(
    client: Client, certificate: Certificate, practised: Attempt
) -> None:
    recording = Recording.objects.get(show_id=practised.show_id)
    Asset.objects.create(
        recording=recording,
        kind=AssetKind.RECORDING,
        is_public=False,
        state=AssetState.READY,
        download_key="private/films/practice.mp4",
    )
    page = f"{certificate.get_absolute_url()}practice/"
    issuing.choose(certificate, Shown(evidence=True), SITE)
    assert "practice.mp4" not in text(client, page)
    issuing.choose(certificate, Shown(evidence=True, recording=True), SITE)
    assert "practice.mp4" in text(client, page)
    issuing.choose(certificate, Shown(evidence=True), SITE)
    assert "practice.mp4" not in text(client, page)


def test_results_are_of_the_whole_course_and_as_they_were(
    certificate: Certificate, practised: Attempt, enrolment: Enrolment
) -> None:
    """The best try of each quiz, until the certificate was issued: 100 % and 50 %."""
    before, after = now() - timedelta(days=1), now() + timedelta(days=1)
    for lesson, tries in zip(
        enrolment.course.lessons.all(),
        ([(1, before), (4, before)], [(2, before), (4, after)]),
        strict=True,
    ):
        paper = Paper.objects.create(
            quiz=Quiz.objects.create(lesson=lesson), number=1, published_at=before
        )
        for number, (right, at) in enumerate(tries, start=1):
            Try.objects.create(
                public_id=uuid4(),
                paper=paper,
                enrolment=enrolment,
                number=number,
                right=right,
                asked=4,
                is_passed=True,
                handed_in_at=at,
            )
    found = {one.kind: one.value for one in results.outcomes(certificate)}
    assert found == {"watched": "2 lessons, 1 minute", "quizzes": "75 %", "practice": "1 show"}


def test_there_is_no_recording_without_practice(
    certificate: Certificate, practised: Attempt
) -> None:
    issuing.choose(certificate, Shown(recording=True), SITE)
    terms = Terms.objects.get()
    assert (terms.shows_evidence, terms.shows_recording) == (False, False)


def _claims(badge: Badge) -> str:
    return str(jwt.decode(badge.token, options={"verify_signature": False}))


# Until when


def test_a_course_says_for_how_long_and_cannot_take_that_back(
    course: Course, certificate: Certificate, enrolment: Enrolment
) -> None:
    issuing.set_months(course, 1)
    terms = terms_of(certificate)
    issuing.set_months(course, None)
    assert terms_of(certificate).expires_at == terms.expires_at
    assert terms.expires_at is not None
    assert 27 < (terms.expires_at - certificate.issued_at).days < 32


@pytest.mark.parametrize("typed", ["0", "121", "-1", "1.5", "9" * 400, "soon"])
def test_months_that_are_none_are_refused(course: Course, world: World, typed: str) -> None:
    answer = as_person(world.chen).post(
        f"/learn/{course.public_id}/badge/", {"valid_months": typed}
    )
    assert answer.status_code == 422


# Revoking


def test_only_teachers_revoke_and_they_say_why(certificate: Certificate, world: World) -> None:
    page = f"{certificate.get_absolute_url()}revoke/"
    for other in (world.wang, world.li, world.zhang):
        assert as_person(other).post(page, {"reason": "because"}).status_code == 403
    with pytest.raises(InvalidInput):
        issuing.revoke(certificate, world.chen, " ")
    assert not Revocation.objects.exists()
    as_person(world.chen).post(page, {"reason": "Not her own voice"})
    as_person(world.zhao).post(page, {"reason": "A second opinion"})
    assert Revocation.objects.get().reason == "Not her own voice"
    shown = text(Client(), certificate.get_absolute_url())
    assert "Not her own voice" in shown
    assert "certificate__holder" not in shown


# The right to go live


@pytest.fixture
def shop(world: World, settings: object) -> Seller:
    """Wang's own, which no operator has approved."""
    settings.FIRST_SHOW_APPROVAL = True  # type: ignore[attr-defined]
    shop = Seller.objects.create(name="Wang's pears")
    Member.objects.create(seller=shop, user=world.wang, role=MemberRole.OWNER)
    return shop


def show_of(seller: Seller, host: object) -> Show:
    return Show.objects.create(
        seller=seller, host=host, title="Pears", scheduled_at=now() + timedelta(hours=1)
    )


def test_a_certificate_grants_it_and_takes_it_with_it(
    course: Course, certificate: Certificate, shop: Seller, world: World
) -> None:
    show = show_of(shop, world.wang)
    assert approvals.review_of(show).standing == "waiting"
    assert "You may go live" not in text(as_person(world.wang), "/learn/certificates/")

    issuing.set_grant(course, world.zhao, grants_live=True)
    assert approvals.review_of(show).standing == "free"
    assert "You may go live now" in text(as_person(world.wang), "/learn/certificates/")
    assert "You may go live now" in text(as_person(world.wang), certificate.get_absolute_url())
    assert "You may go live now" not in text(Client(), certificate.get_absolute_url())

    issuing.revoke(certificate, world.chen, "Not her own voice")
    assert approvals.review_of(show).standing == "waiting"
    issuing.restore(certificate, world.chen)
    assert approvals.review_of(show).standing == "free"
    told = OutboxFact.objects.filter(type="streams.ShowReviewed").order_by("pk")
    assert [fact.data["is_yes"] for fact in told] == [True, False, True]
    assert all(certificate.number in fact.data["reason"] for fact in told)

    Terms.objects.update(expires_at=now())
    assert approvals.review_of(show).standing == "waiting"


def test_what_an_operator_approved_stays_approved(
    course: Course, certificate: Certificate, shop: Seller, world: World
) -> None:
    show = show_of(shop, world.wang)
    issuing.set_grant(course, world.zhao, grants_live=True)
    Approval.objects.create(seller=shop, is_yes=True, at=now())
    issuing.revoke(certificate, world.chen, "Not her own voice")
    assert approvals.review_of(show).standing == "free"


def test_it_is_a_persons_not_a_shops(
    course: Course, certificate: Certificate, shop: Seller, world: World
) -> None:
    """In others' shops it is of the shows that its holder hosts, and no others."""
    issuing.set_grant(course, world.zhao, grants_live=True)
    other = Seller.objects.create(name="Gao's plums")
    Member.objects.create(seller=other, user=world.gao, role=MemberRole.OWNER)
    Member.objects.create(seller=other, user=world.wang, role=MemberRole.HOST)
    assert approvals.review_of(show_of(other, world.wang)).standing == "free"
    assert approvals.review_of(show_of(other, world.gao)).standing == "waiting"
    assert approvals.review_of(show_of(shop, world.li)).standing == "free", "Wang answers for it"


def test_only_operators_say_which_course_grants_it(course: Course, world: World) -> None:
    page = f"/learn/{course.public_id}/badge/"
    as_person(world.chen).post(page, {"grants_live": "on"})
    with pytest.raises(NotAllowed):
        issuing.set_grant(course, world.chen, grants_live=True)
    assert not issuing.rule_of(course).grants_live
    as_person(world.zhao).post(page, {"grants_live": "on"})
    assert issuing.rule_of(course).grants_live
    as_person(world.chen).post(page, {"valid_months": "12"})
    assert issuing.rule_of(course).grants_live, "who may not set it does not unset it"
