from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import F

from core.clock import now
from core.errors import Conflict, InvalidInput, NotAllowed, NotFound
from core.models import OutboxFact
from courses import completion
from courses.models import Certificate, Enrolment, Lesson
from courses.practice import access, rule, sandbox, services, tasks
from courses.practice.events import AttemptDecided, AttemptSubmitted
from courses.practice.models import Attempt, AttemptState, PracticeTask
from courses.services import learning
from media_pipeline.models import Recording, RecordingState
from orders.models import Offer
from orders.services.place import place_order
from sellers.models import Product, Stock, Variant
from streams import access as streams_access
from streams.models import Guest, Show, ShowState
from streams.services.shows import schedule_show
from tests.courses.practice.conftest import begin, finish, performed, show_of
from tests.orders.shop import TO_LI
from tests.world import World


def facts(kind: type) -> int:
    return OutboxFact.objects.filter(type=kind.name).count()  # type: ignore[attr-defined]


def recording_of(attempt: Attempt, state: str = RecordingState.READY) -> Recording:
    return Recording.objects.create(show_id=attempt.show_id, is_public=False, state=state)


def test_a_practice_is_a_private_show_of_a_sandbox_with_copies(
    world: World, attempt: Attempt
) -> None:
    show = show_of(attempt)
    assert (show.is_practice, show.audience, show.host) == (True, "invited", world.wang)
    assert (show.seller.is_sandbox, show.seller.takes_online) == (True, False)
    offers = Offer.objects.filter(show_id=show.public_id).order_by("position")
    assert [(one.variant.product.title, one.price_minor, one.on_tap) for one in offers] == [
        ("Practice apples", 4900, False),
        ("Practice dates", 2500, True),
    ]
    assert {one.variant.product.seller for one in offers} == {show.seller}
    assert [one.variant.stock.on_hand for one in offers] == [50, 30]


def test_of_two_taps_one_opens_it_and_prices_are_the_trainees(
    world: World, task: PracticeTask, enrolled: Enrolment
) -> None:
    apples = task.goods.get(title="Practice apples")
    first = services.open_attempt(task, enrolled, {apples.pk: 5900})
    assert services.open_attempt(task, enrolled) == first
    offer = Offer.objects.get(show_id=first.show_id, on_tap=False)
    assert (offer.price_minor, offer.variant.price_minor) == (5900, 4900)
    services.give_up(first)
    second = services.open_attempt(task, enrolled)
    assert (second.number, sandbox.sandbox_of(world.wang)) == (2, show_of(first).seller)
    assert show_of(second).seller == show_of(first).seller


def test_nobody_can_sign_in_as_a_simulated_buyer(attempt: Attempt) -> None:
    people = sandbox.simulated_buyers(attempt.language)
    assert len(people) == 7
    assert not [one for one in people.values() if one.has_usable_password() or one.phone]
    assert Guest.objects.filter(show=show_of(attempt), is_simulated=True).count() == 7
    assert people == sandbox.simulated_buyers(attempt.language)


def test_who_may_watch(world: World, attempt: Attempt) -> None:
    show = show_of(attempt)
    for person in (world.wang, world.chen, world.zhao):
        assert streams_access.show_to_watch(person, show.public_id) == show
    for person in (world.li, world.zhang, world.gao):
        with pytest.raises(NotAllowed):
            streams_access.show_to_watch(person, show.public_id)
    with pytest.raises(NotAllowed):
        streams_access.show_to_host(world.chen, show.public_id)


def test_classmates_come_by_the_link_and_nobody_else(world: World, attempt: Attempt) -> None:
    with pytest.raises(Conflict):
        access.attempt_by_invitation(world.li, attempt.invite)
    with pytest.raises(NotFound):
        access.attempt_by_invitation(world.li, attempt.public_id)
    learning.enrol(world.li, attempt.enrolment.course)
    found = access.attempt_by_invitation(world.li, attempt.invite)
    with pytest.raises(NotAllowed):
        streams_access.show_to_watch(world.li, attempt.show_id)
    assert services.let_in(found, world.li) == show_of(attempt)
    assert streams_access.show_to_watch(world.li, attempt.show_id)
    performed(attempt)
    learning.enrol(world.gao, attempt.enrolment.course)
    with pytest.raises(Conflict):
        services.let_in(attempt, world.gao)


def test_no_person_ever_has_an_order_that_is_not_real(world: World, attempt: Attempt) -> None:
    begin(attempt)
    learning.enrol(world.li, attempt.enrolment.course)
    services.let_in(attempt, world.li)
    offer = Offer.objects.get(show_id=attempt.show_id, on_tap=False)
    wish = {
        "show_id": attempt.show_id,
        "lines": [{"offer_id": offer.public_id, "quantity": 1, "price_minor": offer.price_minor}],
        "delivery": TO_LI,
    }
    for person in (world.li, world.chen, world.wang, world.zhao):
        with pytest.raises(NotAllowed):
            place_order(buyer=person, key="a", **wish)  # type: ignore[arg-type]
    assert Stock.objects.get(variant=offer.variant).reserved == 0
    buyer = sandbox.simulated_buyers(attempt.language)["careful"]
    assert place_order(buyer=buyer, key="a", **wish).seller.is_sandbox  # type: ignore[arg-type]
    finish(attempt)
    with pytest.raises(NotAllowed):
        place_order(buyer=buyer, key="b", **wish)  # type: ignore[arg-type]


def test_from_the_camera_to_a_mentors_yes(world: World, attempt: Attempt, picking: Lesson) -> None:
    enrolment = attempt.enrolment
    assert not rule.is_accepted(enrolment, picking)
    with pytest.raises(Conflict):
        services.submit(attempt)
    assert performed(attempt).state == AttemptState.ENDED
    with pytest.raises(Conflict):
        services.decide(attempt, accepted=True, actor=world.chen)
    services.submit(attempt)
    services.submit(attempt)
    assert (attempt.state, facts(AttemptSubmitted)) == (AttemptState.SUBMITTED, 1)
    assert attempt.result["duration_s"] >= 120
    with pytest.raises(Conflict):
        services.open_attempt(attempt.task, enrolment)
    services.decide(attempt, accepted=True, actor=world.chen)
    services.decide(attempt, accepted=True, actor=world.chen)
    with pytest.raises(Conflict):
        services.decide(attempt, accepted=False, actor=world.chen)
    assert (attempt.state, attempt.decided_by) == (AttemptState.ACCEPTED, world.chen)
    assert facts(AttemptDecided) == 1
    assert rule.is_accepted(enrolment, picking)
    [needed] = [
        one for one in completion.requirements(enrolment, picking) if one.kind == "practice"
    ]
    assert (needed.is_done, needed.url) == (True, rule.url(picking))
    with pytest.raises(Conflict):
        services.open_attempt(attempt.task, enrolment)


def test_a_yes_finishes_the_lesson_when_nothing_else_is_missing(
    world: World, attempt: Attempt, picking: Lesson
) -> None:
    """In either order; the last one to come completes it, in its own transaction."""
    enrolment = attempt.enrolment
    Lesson.objects.filter(pk=picking.pk).update(required_share=0)
    services.submit(performed(attempt))
    assert not completion.settle(enrolment, picking)
    services.decide(attempt, accepted=True, actor=world.chen)
    assert enrolment.progress.get(lesson=picking).completed_at


def test_try_again(world: World, attempt: Attempt) -> None:
    services.submit(performed(attempt))
    services.decide(attempt, accepted=False, actor=world.chen)
    again = services.open_attempt(attempt.task, attempt.enrolment)
    assert (again.number, again.state) == (2, AttemptState.OPEN)


def test_what_never_began_is_given_up(attempt: Attempt) -> None:
    assert finish(attempt).state == AttemptState.ABANDONED
    services.began(attempt.show_id, now())  # heard late
    attempt.refresh_from_db()
    assert attempt.state == AttemptState.ABANDONED
    with pytest.raises(Conflict):
        services.submit(attempt)


def test_the_schedule_ends_what_nobody_ends(attempt: Attempt) -> None:
    begin(attempt, seconds_ago=60)
    assert services.look_after() == 0
    Attempt.objects.filter(pk=attempt.pk).update(began_at=now() - timedelta(minutes=3, seconds=1))
    assert services.look_after() == 1
    assert show_of(attempt).state == ShowState.ENDED


def test_films_go_when_nobody_needs_them_any_more(world: World, attempt: Attempt) -> None:
    recording_of(performed(attempt))
    assert services.look_after() == 0
    ago = services.KEPT_UNSENT + timedelta(hours=1)
    Attempt.objects.update(began_at=F("began_at") - ago, ended_at=F("ended_at") - ago)
    assert services.look_after() == 1
    attempt.refresh_from_db()
    assert not Recording.objects.filter(show_id=attempt.show_id).exists()
    assert attempt.film_deleted_at
    assert attempt.result["duration_s"] > 0
    with pytest.raises(Conflict):
        services.submit(attempt)


@pytest.mark.parametrize("certified", [True, False])
def test_a_film_is_kept_for_the_certificate_that_refers_to_it(
    world: World, attempt: Attempt, certified: bool
) -> None:
    recording_of(performed(attempt))
    services.submit(attempt)
    assert services.look_after() == 0, "a mentor has not decided"
    services.decide(attempt, accepted=True, actor=world.chen)
    Attempt.objects.update(decided_at=now() - services.KEPT_DECIDED - timedelta(hours=1))
    if certified:
        Certificate.objects.create(
            enrolment=attempt.enrolment,
            number="1",
            holder_name="Wang",
            course_title="Apples",
            lesson_count=1,
            watched_s=1,
            issued_at=now(),
        )
    assert services.look_after() == (0 if certified else 1)


def test_the_trainee_deletes_the_film(world: World, attempt: Attempt) -> None:
    with pytest.raises(Conflict):
        services.delete_film(attempt)
    film = recording_of(performed(attempt), RecordingState.LIVE)
    with pytest.raises(Conflict):
        services.delete_film(attempt)
    Recording.objects.filter(pk=film.pk).update(state=RecordingState.READY)
    services.submit(attempt)
    services.delete_film(attempt)
    assert not Recording.objects.filter(show_id=attempt.show_id).exists()
    assert attempt.state == AttemptState.ABANDONED, "a mentor could look at nothing"


def test_copies_leave_the_real_goods_alone(
    world: World, picking: Lesson, task: PracticeTask
) -> None:
    before = Stock.objects.get(variant=world.apples)
    found = tasks.copyable(world.zhang, picking)
    assert world.apples in found
    assert world.apples not in tasks.copyable(world.gao, picking) or picking.asset.recording
    good = tasks.copy_good(task, world.apples)
    assert (good.title, good.price_minor) == ("Huaniu apples", 3990)
    Variant.objects.filter(pk=world.apples.pk).update(price_minor=1)
    good.refresh_from_db()
    assert good.price_minor == 3990
    after = Stock.objects.get(variant=world.apples)
    assert (before.on_hand, before.version) == (after.on_hand, after.version)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "x" * 121}, "title"),
        ({"variant_title": " "}, "variant_title"),
        ({"price": ""}, "price"),
        ({"price": "-1"}, "price"),
        ({"price": "0"}, "price"),
        ({"price": "NaN"}, "price"),
        ({"price": "1e400"}, "price"),
        ({"price": "9" * 30}, "price"),
        ({"drop_price": "50"}, "drop_price"),
        ({"drop_price": "free"}, "drop_price"),
        ({"stock": "0"}, "stock"),
        ({"stock": "1.5"}, "stock"),
        ({"stock": "٣"}, "stock"),
    ],
)
def test_what_is_wrong_with_a_good_is_said(
    task: PracticeTask, wrong: dict[str, str], field: str
) -> None:
    typed = {"title": "Nuts", "variant_title": "1 kg", "price": "49"} | wrong
    with pytest.raises(InvalidInput) as error:
        tasks.add_good(task, tasks.Typed(**typed))
    assert (error.value.field, task.goods.count()) == (field, 2)


def test_limits_of_a_task(world: World, task: PracticeTask, picking: Lesson) -> None:
    for number in range(tasks.MOST_GOODS - 2):
        tasks.add_good(task, tasks.Typed(f"Nuts {number}", "1 kg", "9"))
    with pytest.raises(Conflict):
        tasks.add_good(task, tasks.Typed("One more", "1 kg", "9"))
    for minutes in ("1", "21", "", "five", "99999999999"):
        with pytest.raises(InvalidInput):
            tasks.write_task(picking, world.chen, brief="Sell.", minutes=minutes)
    with pytest.raises(InvalidInput):
        tasks.write_task(picking, world.chen, brief="  ", minutes="5")
    assert Product.objects.filter(title__startswith="Nuts").count() == 0


def test_a_task_that_was_tried_stays(world: World, attempt: Attempt, picking: Lesson) -> None:
    with pytest.raises(Conflict):
        tasks.remove_task(attempt.task)
    assert rule.is_needed(picking)
    assert not rule.is_needed(Lesson.objects.get(title="Packing"))


def test_nobody_practises_for_ever(
    monkeypatch: pytest.MonkeyPatch, task: PracticeTask, enrolled: Enrolment
) -> None:
    monkeypatch.setattr(services, "MOST_ATTEMPTS", 2)
    for _time in range(2):
        services.give_up(services.open_attempt(task, enrolled))
    with pytest.raises(Conflict):
        services.open_attempt(task, enrolled)
    assert Show.objects.filter(is_practice=True).count() == 2


def test_a_sandbox_has_no_real_shows_and_a_shop_no_practice(world: World, attempt: Attempt) -> None:
    sandboxed = show_of(attempt).seller
    for seller, is_practice, host in (
        (sandboxed, False, world.wang),
        (world.farm, True, world.zhang),
    ):
        with pytest.raises(InvalidInput):
            schedule_show(
                seller=seller,
                host=host,
                title="No",
                scheduled_at=now(),
                is_practice=is_practice,
            )
