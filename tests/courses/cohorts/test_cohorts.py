from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core.accounts.models import Invitation, User
from core.accounts.services import keep_phone
from core.clock import now
from core.errors import Conflict, InvalidInput
from core.ids import new_id
from courses.cohorts import messages, places, roster_file, rosters, standing
from courses.cohorts.models import Cohort, Expected, How, Place, Roster
from courses.cohorts.places import Terms
from courses.models import Course, Enrolment, Lesson
from courses.services import learning
from tests.courses.test_pages import as_person
from tests.world import PASSWORD, World, person

WANG, LI = "+8613912345678", "13800138000"


@pytest.fixture
def cohort(world: World, course: Course) -> Cohort:
    return places.open_cohort(course, Terms("Lixian, spring", world.chen), world.zhao)


def listed(cohort: Cohort, text: str) -> Roster:
    actor = cohort.facilitator
    assert actor is not None
    return rosters.keep(cohort, actor, text, name="", public_id=new_id())


def problems(plan: rosters.Plan) -> dict[int, str]:
    return {row.line: row.why for row in plan.bad}


# Joining and leaving


def test_the_link_lets_somebody_in_once_and_leaving_keeps_what_they_learnt(
    world: World, cohort: Cohort, enrolment: Enrolment, picking: Lesson
) -> None:
    learning.report_watched(enrolment, picking, [(0, 20)])
    wang = as_person(world.wang)
    link = f"/learn/join/{cohort.invite}/"
    for _again in range(2):
        assert wang.post(link).status_code == 302
    place = cohort.places.get()
    chen = as_person(world.chen)
    people = f"/learn/cohorts/{cohort.public_id}/people/"
    removed = chen.post(people, {"do": "remove", "place": place.public_id})
    assert "Undo" in chen.get(removed["Location"]).content.decode()
    assert wang.get(f"/learn/cohorts/{cohort.public_id}/").status_code == 404
    assert enrolment.progress.get(lesson=picking).completed_at is not None
    chen.post(people, {"do": "back", "place": place.public_id})
    assert wang.get(f"/learn/cohorts/{cohort.public_id}/").status_code == 200
    assert Place.objects.count() == 1


def test_a_closed_or_replaced_link_lets_nobody_in(world: World, cohort: Cohort) -> None:
    old = f"/learn/join/{cohort.invite}/"
    places.renew_link(cohort)
    assert as_person(world.li).post(old).status_code == 404
    cohort.refresh_from_db()
    places.set_joinable(cohort, is_joinable=False)
    assert as_person(world.li).post(f"/learn/join/{cohort.invite}/").status_code == 404
    assert not cohort.places.exists()


def test_whoever_has_no_account_gets_one_by_the_link_and_is_in_the_class(
    client: Client, world: World, cohort: Cohort
) -> None:
    asked = client.post(f"/learn/join/{cohort.invite}/", {"name": "Mei"})
    typed = {"name": "Mei", "login": "mei.new", "password": PASSWORD}
    assert client.post(asked["Location"], typed).status_code == 302
    mei = User.objects.get(username="mei.new")
    assert cohort.places.get().user == mei
    assert Enrolment.objects.filter(user=mei, course=cohort.course).exists()
    assert client.get(f"/learn/cohorts/{cohort.public_id}/").status_code == 200


def test_strangers_do_not_learn_of_a_class(world: World, cohort: Cohort) -> None:
    for path in ("", "people/", "settings/"):
        here = f"/learn/cohorts/{cohort.public_id}/{path}"
        assert as_person(world.gao).get(here).status_code == 404
    places.join(cohort, world.wang, How.LINK)
    assert (
        as_person(world.wang).get(f"/learn/cohorts/{cohort.public_id}/people/").status_code == 403
    )


# Lists


def test_a_list_lets_in_who_has_an_account_and_invites_the_others(
    world: World, cohort: Cohort
) -> None:
    keep_phone(world.wang, WANG)
    roster = listed(cohort, f"Wang,139 1234 5678\nLi Ming,{LI}\nOld Zhou\n")
    done = rosters.carry_out(roster, world.chen, keep_good=False)
    assert [one.user for one in done.join] == [world.wang]
    assert [one.name for one in done.invite] == ["Li Ming", "Old Zhou"]
    assert Invitation.objects.filter(role="trainee").count() == 2
    again = rosters.carry_out(roster, world.chen, keep_good=False)
    assert (again.good, again.same) == (0, 3)


def test_who_was_expected_by_number_and_joins_by_link_is_expected_no_more(
    world: World, cohort: Cohort
) -> None:
    rosters.carry_out(listed(cohort, f"Li Ming,{LI}"), world.chen, keep_good=False)
    keep_phone(world.li, f"+86{LI}")
    places.join(cohort, world.li, How.LINK)
    expected = Expected.objects.get()
    assert (expected.came_at is not None, expected.phone) == (True, "")


def test_every_broken_line_is_named_and_nothing_is_half_done(world: World, cohort: Cohort) -> None:
    text = "\n".join(
        [
            "姓名,手机号,用户名,身高",
            f"Good,{LI},,170",
            f"Twice,{LI},,",
            "=HYPERLINK(1),13800138001,,",
            "Rounded,1.38E+10,,",
            "Short,1380013,,",
            "x" * 61 + ",13800138002,,",
            "Nobody,,no.such.user,",
            ",,,180",
            "Wide,13800138003,,1,more",
            "\u202e,13800138004,,",
            "Wang,,wang,",
        ]
    )
    roster = listed(cohort, text)
    plan = rosters.plan(roster, world.chen)
    assert sorted(problems(plan)) == [3, 4, 5, 6, 7, 8, 9, 10, 11]
    assert "line 2" in problems(plan)[3]
    assert list(plan.unknown_columns) == ["身高"]
    with pytest.raises(Conflict):
        rosters.carry_out(roster, world.chen, keep_good=False)
    assert not cohort.places.exists()
    assert not Invitation.objects.exists()
    done = rosters.carry_out(roster, world.chen, keep_good=True)
    assert ([one.user for one in done.join], len(done.invite)) == ([world.wang], 1)


@pytest.mark.parametrize(
    "data",
    [
        "姓名,手机号\n王,13800138000\n".encode("utf-8-sig"),
        "姓名;手机号\r\n王;13800138000\r\n".encode("gb18030"),
        "姓名\t手机号\r\n王\t13800138000\r\n".encode("utf-16"),
    ],
)
def test_files_of_any_program_are_read(data: bytes) -> None:
    [found] = roster_file.people_of(roster_file.text_of_file(data))
    assert isinstance(found, roster_file.Person)
    assert (found.name, found.phone) == ("王", "+8613800138000")


@pytest.mark.parametrize(
    "data",
    [b"PK\x03\x04", b"\x00\x01\x02", b"", b"a,b,c\n1,2,3\n", b"n,1\n" * 1_000_001, b"\xff\xfe\xd8"],
)
def test_what_is_no_list_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        list(roster_file.people_of(roster_file.text_of_file(data)))


def test_too_many_people_are_refused_before_anybody_waits(cohort: Cohort) -> None:
    with pytest.raises(InvalidInput):
        listed(cohort, "\n".join(f"Person {number}" for number in range(501)))
    assert not Roster.objects.exists()


def test_pasted_lines_are_read_as_people_write_them() -> None:
    text = roster_file.text_of_typed("Wang Xiuying 139 1234 5678\n李明，13800138000\nOld Zhou")
    people = list(roster_file.people_of(text))
    assert [one.name for one in people if isinstance(one, roster_file.Person)] == [
        "Wang Xiuying",
        "李明",
        "Old Zhou",
    ]


def test_a_list_is_only_for_who_brought_it(world: World, cohort: Cohort) -> None:
    roster = listed(cohort, "Old Zhou")
    here = f"/learn/cohorts/{cohort.public_id}/lists/{roster.public_id}/"
    assert as_person(world.zhao).get(here).status_code == 404
    chen = as_person(world.chen)
    assert "Old Zhou" in chen.get(here).content.decode()
    assert chen.post(here, {"mode": "all"}).status_code == 302
    codes = chen.get(f"/learn/cohorts/{cohort.public_id}/people/codes/").content.decode()
    assert "Old Zhou" in codes
    assert "/join/" in codes


# Where a class is


def test_who_falls_behind_is_seen_with_the_lesson_that_holds_them_up(
    world: World, cohort: Cohort, enrolment: Enrolment, picking: Lesson
) -> None:
    started = now().date() - timedelta(days=14)
    Cohort.objects.filter(pk=cohort.pk).update(begins_on=started, weekly_lessons=1)
    cohort.refresh_from_db()
    for user in (world.wang, world.li):
        places.join(cohort, user, How.LINK)
    learning.report_watched(enrolment, picking, [(0, 20)])
    found = standing.standing_of(cohort)
    assert found.expected == 2
    assert {(one.user, one.state, one.done) for one in found.people} == {
        (world.li, "behind", 0),
        (world.wang, "behind", 1),
    }
    assert found.people[0].why == "not watched yet"
    assert [(one.done, one.held_up) for one in found.lessons] == [(1, 1), (0, 1)]
    assert found.curve is not None
    page = as_person(world.chen).get(f"/learn/cohorts/{cohort.public_id}/").content.decode()
    assert "held up here" in page


def test_a_class_of_many_costs_no_more_queries_than_one_of_two(
    world: World, cohort: Cohort
) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            standing.standing_of(cohort)
        return len(queries)

    for user in (world.wang, world.li):
        places.join(cohort, user, How.LINK)
    few = cost()
    for number in range(8):
        places.join(cohort, person(f"p{number}", f"P{number}"), How.LINK)
    assert cost() == few


@pytest.mark.parametrize(
    ("weekly", "ends", "today", "expected"),
    [
        (2, None, date(2026, 3, 8), 2),
        (2, None, date(2026, 2, 1), 0),
        (None, date(2026, 3, 10), date(2026, 3, 6), 5),
        (1, date(2026, 3, 10), date(2026, 3, 11), 10),
        (None, None, date(2026, 3, 11), None),
    ],
)
def test_the_pace_says_how_much_should_be_done(
    weekly: int | None, ends: date | None, today: date, expected: int | None
) -> None:
    cohort = Cohort(begins_on=date(2026, 3, 1), weekly_lessons=weekly, ends_on=ends)
    assert standing.expected_lessons(cohort, 10, today) == expected


def test_a_class_does_not_end_before_it_begins(world: World, course: Course) -> None:
    terms = Terms("C", None, begins_on=date(2026, 3, 2), ends_on=date(2026, 3, 1))
    with pytest.raises(InvalidInput):
        places.open_cohort(course, terms, world.zhao)


# Messages


def test_a_message_reaches_its_people_and_is_read_once(world: World, cohort: Cohort) -> None:
    for user in (world.wang, world.li):
        places.join(cohort, user, How.LINK)
    chen = as_person(world.chen)
    here = f"/learn/cohorts/{cohort.public_id}/"
    place = cohort.places.get(user=world.wang).public_id
    form = {"form_key": str(new_id()), "to": str(place), "text": "See minute two."}
    for _twice in range(2):
        assert chen.post(f"{here}message/", form).status_code == 302
    assert [one.text for one in messages.unread(world.wang)] == ["See minute two."]
    assert not messages.unread(world.li).exists()
    assert "See minute two." in as_person(world.wang).get(here).content.decode()
    assert not messages.unread(world.wang).exists()


def test_only_who_is_in_the_class_is_written_to(world: World, cohort: Cohort) -> None:
    with pytest.raises(InvalidInput):
        messages.send(cohort, world.chen, "Hello", to=world.gao)
    with pytest.raises(InvalidInput):
        messages.send(cohort, world.chen, " \n ")
