"""The small world with somebody of every kind, and one of everything that an address can name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.accounts import services, tokens
from core.accounts.models import Device, Invitation, Passkey, Role, User
from core.clock import now
from core.ids import new_id
from courses.badges import issuing
from courses.badges.terms import Shown
from courses.cohorts import places, rosters
from courses.cohorts.models import How
from courses.cohorts.places import Terms
from courses.models import Course, Enrolment, Lesson
from courses.practice import services as practice
from courses.practice import tasks
from courses.practice.models import Attempt, AttemptState, PracticeTask
from courses.quizzes import editing
from courses.quizzes.wording import Written
from courses.reviews import services as reviews
from courses.services import authoring, learning
from courses.services.certificates import issue_certificate
from livecommerce.people import invitations, ways_back
from media_pipeline import jobs
from media_pipeline.captions import tracks
from media_pipeline.captions.cues import cue
from media_pipeline.models import Asset, AssetKind, AssetState, Recording, RecordingState
from media_pipeline.services import uploads
from orders.models import Order, OrderState, PaymentNotice, TrackingUpload
from orders.services.claims import ask_refund
from orders.services.fulfil import move_order
from orders.services.refunds import pay_back
from sellers.models import DeliveryZone, MemberRole
from sellers.services import people
from streams.models import BlockedWord, Show, Stop
from streams.services import stream_keys
from tests.orders.shop import hear_of_orders, li_orders
from tests.world import World, person

WHO = ("nobody", "viewer", "buyer", "stranger", "removed", "packer", "host", "mentor", "operator")
"""Nobody has not signed in. The stranger owns another farm, the buyer the order and what goes with
it, the removed one was the farm's owner. What a host may, its owner may."""


@dataclass
class Estate:
    """Who there is, by what they are called in the table, and what the parts of addresses name."""

    people: dict[str, User | None]
    ids: dict[str, Any]


def build(world: World) -> Estate:
    """The farm's show is that of a host who was removed: being its host alone opens nothing."""
    removed, owner = person("hu", "Hu"), person("ouyang", "Ouyang")
    people.add_member(world.farm, owner, MemberRole.OWNER)
    people.add_member(world.farm, removed, MemberRole.OWNER)
    order = delivered(world)
    things = {**of_buyer(world, order), **of_farm(world, removed, order), **of_school(world)}
    world.show.host = removed
    world.show.save()
    people.remove_member(world.farm, removed)
    people.set_role(world.farm, world.zhang, MemberRole.HOST)
    packer = person("pan", "Pan")
    people.add_member(world.farm, packer, MemberRole.PACKER)
    services.grant(world.zhao, Role.OPERATOR)
    found = (None, person("mei", "Mei"), world.li, world.gao, removed, packer, world.zhang)
    TrackingUpload.objects.update(actor=packer)
    everyone = dict(zip(WHO, (*found, world.chen, world.zhao), strict=True))
    return Estate(everyone, things | {"seller_id": world.farm.public_id})


def delivered(world: World) -> Order:
    order = li_orders(world)
    for to in (OrderState.PACKED, OrderState.SENT, OrderState.DELIVERED):
        move_order(order.public_id, to, world.zhang)
    return order


def of_buyer(world: World, order: Order) -> dict[str, Any]:
    hear_of_orders()
    claim = ask_refund(order.public_id, world.li, "Four were bruised", 100)
    device = Device.objects.create(user=world.li, session_key="li-elsewhere")
    token, _key = tokens.make_token(world.li, name="shop system", scopes=["read:orders"])
    passkey = Passkey.objects.create(user=world.li, name="phone", rp_id="x", credential_id="x")
    batch = invitations.invite(["Mei"], role="trainee", seller=None, days=1, made_by=world.zhao)
    way = ways_back.make(world.zhao, world.wang)
    [invitation] = Invitation.objects.filter(batch=batch)
    return {
        "order_id": order.public_id,
        "claim_id": claim.public_id,
        "address_id": world.li.addresses.get().public_id,
        "device_id": device.public_id,
        "token_id": token.public_id,
        "passkey_id": passkey.public_id,
        "user_id": world.zhang.public_id,
        "batch": batch,
        "invitation_id": invitation.public_id,
        "token": invitations.token_of(invitation),
        "way_id": way.public_id,
        "way_token": ways_back.token_of(way),
        "username": "zhang",
        "secret": "guessed",
    }


def of_farm(world: World, host: User, order: Order) -> dict[str, Any]:
    recording = Recording.objects.create(
        show_id=world.show.public_id, is_public=True, state=RecordingState.READY
    )
    captions = tracks.begin(
        recording_id=recording.public_id, language="zh", like=None, actor=world.zhang
    )
    captions.cues = tracks.rows([cue(0, 900, "苹果")])
    captions.save()
    stream_keys.make_key(world.farm, world.zhang, "Studio PC")
    refund = pay_back(order, 50, "late", world.zhang, "once")
    notice = PaymentNotice.objects.create(
        provider="stripe", event_id="e", kind="k", data={}, outcome="flagged", received_at=now()
    )
    table = TrackingUpload.objects.create(
        actor=host, name="t.csv", text="order,tracking\n", made_at=now()
    )
    upload = uploads.begin(
        seller=world.farm, actor=host, file_name="harvest.mp4", size=10, modified_ms=0
    )
    job = jobs.enqueue(uploads.IMPORT_UPLOAD, upload.public_id, owner=host)
    Stop.objects.create(
        show=world.show, stopped_by=world.zhao, at=now(), kind="other", was_on_air=False
    )
    rehearsal = Show.objects.create(
        seller=world.farm, host=world.zhang, title="Trying", scheduled_at=now(), is_rehearsal=True
    )
    word = BlockedWord.objects.create(seller=world.farm, word="rotten", folded="rotten")
    zone = DeliveryZone.objects.create(seller=world.farm, name="Gansu")
    return {
        "show_id": world.show.public_id,
        "recording_id": recording.public_id,
        "track_id": captions.public_id,
        "kind": "vtt",
        "language": "zh",
        "variant_id": world.apples.public_id,
        "product_id": world.apples.product.public_id,
        "point_id": world.pickup.public_id,
        "zone_id": zone.public_id,
        "key_id": world.zhang.stream_keys.get().public_id,
        "refund_id": refund.public_id,
        "refund_number": refund.pk,
        "notice_id": notice.pk,
        "tracking_id": table.public_id,
        "upload_id": upload.public_id,
        "job_id": job.public_id,
        "word_id": word.pk,
        "provider": "stripe",
        "rehearsal_id": rehearsal.public_id,
    }


def handed_in(enrolment: Enrolment, lesson: Lesson, mentor: User) -> Attempt:
    """Of the buyer, who learns as well; the mentor has begun its review."""
    task, _is_new = PracticeTask.objects.get_or_create(lesson=lesson, defaults={"brief": "Sell."})
    attempt = Attempt.objects.create(
        enrolment=enrolment,
        task=task,
        number=9,
        show_id=new_id(),
        language="en",
        state=AttemptState.SUBMITTED,
        submitted_at=now(),
    )
    reviews.claim(attempt, mentor)
    return attempt


def of_school(world: World) -> dict[str, Any]:
    clip = Asset.objects.create(
        kind=AssetKind.CLIP,
        recording=Recording.objects.get(),
        is_public=True,
        title="Picking",
        state=AssetState.READY,
        duration_s=20,
        consented_at=now(),
    )
    course: Course = authoring.create_course(author=world.chen, title="Apples on camera")
    lesson = authoring.add_lesson(course, clip, "Picking")
    authoring.publish(course)
    quiz = editing.quiz_for(lesson, world.chen)
    question = editing.add_question(quiz, Written("number", "How heavy?", 1.0, value=5), world.chen)
    editing.publish(quiz, world.chen)
    cohort = places.open_cohort(course, Terms("Lixian, spring", None), world.chen)
    places.join(cohort, world.li, How.LINK)
    roster = rosters.keep(cohort, world.chen, "Old Zhou", name="", public_id=new_id())
    enrolment = learning.enrol(world.li, course)
    task = tasks.write_task(lesson, world.chen, brief="Sell it.", minutes="2")
    tasks.add_good(task, tasks.Typed("Apples", "5 kg box", "49"))
    attempt = practice.open_attempt(task, enrolment)
    enrolment.completed_at = now()
    enrolment.save()
    certificate = issue_certificate(enrolment)
    badge = issuing.choose(certificate, Shown(name=True), "https://shop.example")
    return {
        "course_id": course.public_id,
        "lesson_id": lesson.public_id,
        "asset_id": clip.public_id,
        "question_id": question.public_id,
        "cohort_id": cohort.public_id,
        "class_link": cohort.invite,
        "roster_id": roster.public_id,
        "clip_id": clip.public_id,
        "certificate_id": certificate.public_id,
        "badge_id": badge.public_id,
        "kid": badge.key.kid,
        "list_number": 0,
        "handed_in_id": handed_in(enrolment, lesson, world.chen).public_id,
        "attempt_id": attempt.public_id,
        "practice_show_id": attempt.show_id,
        "invite": attempt.invite,
    }
