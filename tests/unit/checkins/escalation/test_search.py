"""王阿婆 was not reached three times. Who is rung, when, and what is done with what they say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from checkins.escalation.policy import Who
from checkins.escalation.search import confirmed, found, replied, stop, take_over, told, unconfirmed
from checkins.escalation.values import (
    CallForFinding,
    Confirm,
    Finding,
    Idle,
    Phase,
    Reply,
    Responder,
    Ring,
    Search,
    TellTaken,
    Wait,
)
from checkins.results import LINE, Urgency
from tests.unit.checkins.escalation.people import PEOPLE, Line, at, minutes, person

DUTY_ONLY = {Who.DUTY: PEOPLE[Who.DUTY]}
MISSES = [Reply.NO_ANSWER, Reply.MACHINE, Reply.BUSY, Reply.SILENT, Reply.WRONG_PERSON]


@pytest.fixture
def line() -> Line:
    return Line()


def hears(line: Line, who: str, reply: Reply, clock: str | None = None) -> None:
    """A reply; without a time it comes half a minute after the last thing."""
    line.now = at(clock) if clock else line.now + minutes(0.5)
    line.search = replied(line.search, who, reply, line.now)


def finds(line: Line, one: str, finding: Finding, clock: str, who: Who = Who.BUDDY, day: int = 2) -> None:
    line.now = at(clock, day)
    line.search = found(line.search, one, finding, line.now, who=who)


def taken_by_buddy(line: Line) -> None:
    """李阿姨 takes it at 09:31."""
    assert line.rings("09:30") == ("李阿姨",)
    hears(line, "李阿姨", Reply.ACCEPTED, "09:31")


# ── the rungs ─────────────────────────────────────────────────────────────────────────────────────


def test_a_buddy_is_rung_twice_five_minutes_apart_then_the_substitute_then_duty(line: Line) -> None:
    assert line.rings("09:30") == ("李阿姨",)
    hears(line, "李阿姨", Reply.NO_ANSWER)
    assert line.act() == Wait(at("09:35"))
    assert line.rings("09:35") == ("李阿姨",)
    hears(line, "李阿姨", Reply.MACHINE, "09:36")
    assert line.rings("09:36") == ("周阿姨",)
    hears(line, "周阿姨", Reply.BUSY)
    assert line.rings("09:41") == ("周阿姨",)
    hears(line, "周阿姨", Reply.SILENT, "09:42")
    assert line.rings("09:42") == ("陈老师",)


def test_who_cant_is_not_asked_again_and_the_next_is_rung_at_once(line: Line) -> None:
    line.rings("09:30")
    hears(line, "李阿姨", Reply.DECLINED, "09:31")
    assert line.rings("09:31") == ("周阿姨",)
    hears(line, "周阿姨", Reply.DECLINED, "09:32")
    assert line.rings("09:32") == ("陈老师",)


def test_duty_is_rung_an_hour_after_the_third_try_however_many_buddies_are_left() -> None:
    many = tuple(person(Who.BUDDY, f"志愿者{n}") for n in range(20))
    line = Line(people={**PEOPLE, Who.BUDDY: many})
    rung: list[tuple[str, ...]] = []
    while line.now < at("10:30"):
        match line.act():
            case Wait(until):
                line.now = until
            case Ring(responders):
                rung.append(tuple(one.id for one in responders))
    assert "陈老师" not in [one for ring in rung for one in ring]
    assert line.now == at("10:30")
    assert line.act() == Ring(PEOPLE[Who.DUTY])


def test_duty_is_rung_every_ten_minutes_then_all_together_then_the_street_and_so_on_without_end() -> None:
    line = Line(people={who: people for who, people in PEOPLE.items() if who is not Who.BUDDY})
    rung: dict[str, tuple[str, ...]] = {}
    while line.now < at("11:20"):
        match line.act():
            case Wait(until):
                line.now = until
            case Ring(responders):
                rung[f"{(line.now - at('09:30')).seconds // 60} min"] = tuple(one.id for one in responders)
    everybody = ("陈老师", "吴老师", "女儿", "儿子")
    one_pass = [("陈老师",), ("陈老师",), ("陈老师",), everybody, ("街道",)]
    assert list(rung.values()) == [*one_pass, *one_pass, ("陈老师",)]
    assert list(rung) == [f"{minute} min" for minute in range(0, 110, 10)]


def test_when_everybody_cant_they_are_asked_again_ten_minutes_after_it_began() -> None:
    line = Line(people=DUTY_ONLY)
    assert line.rings("09:30") == ("陈老师",)
    hears(line, "陈老师", Reply.DECLINED, "09:31")
    assert line.act() == Wait(at("09:40"), nobody_to_ring=True)
    assert line.rings("09:40") == ("陈老师",)


def test_with_nobody_in_the_roster_it_says_so_and_comes_back_in_ten_minutes() -> None:
    line = Line(people={})
    assert line.act() == Wait(at("09:40"), nobody_to_ring=True)
    assert line.at("09:40") == Wait(at("09:50"), nobody_to_ring=True)
    line.people = DUTY_ONLY
    assert line.rings("09:50") == ("陈老师",)


def test_who_has_no_number_and_who_was_rung_in_another_role_is_left_out() -> None:
    daughter = person(Who.FAMILY, "女儿")
    moved = replace(person(Who.FAMILY, "儿子"), number=None)
    people = {**DUTY_ONLY, Who.FAMILY: (moved, daughter, daughter), Who.BUDDY: (daughter,)}
    line = Line(Urgency.EMERGENCY, device=True, people=people)
    assert line.rings("09:30") == ("陈老师", "女儿")


def test_somebody_who_went_on_leave_since_is_not_rung(line: Line) -> None:
    line.rings("09:30")
    hears(line, "李阿姨", Reply.NO_ANSWER)
    line.people = {**PEOPLE, Who.BUDDY: PEOPLE[Who.BUDDY][1:]}
    assert line.rings("09:35") == ("周阿姨",)


# ── the telephone ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("reply", [*MISSES, Reply.LINE_ERROR])
def test_only_a_key_accepts(line: Line, reply: Reply) -> None:
    line.rings("09:30")
    hears(line, "李阿姨", reply)
    assert line.search.phase is Phase.SEARCHING
    assert line.search.accepted_by is None


def test_a_failure_of_the_line_is_no_call_but_three_are_enough(line: Line) -> None:
    for clock in ("09:30", "09:32", "09:34"):
        assert line.rings(clock) == ("李阿姨",)
        hears(line, "李阿姨", Reply.LINE_ERROR)
    assert line.act() == Ring((PEOPLE[Who.BUDDY][1],))


def test_after_a_failure_of_the_line_the_second_call_comes_sooner_than_after_a_miss(line: Line) -> None:
    line.rings("09:30")
    hears(line, "李阿姨", Reply.NO_ANSWER)
    assert line.rings("09:35") == ("李阿姨",)
    hears(line, "李阿姨", Reply.LINE_ERROR)
    assert line.rings("09:37") == ("李阿姨",)


def test_who_still_listens_to_the_line_is_given_the_time_between_two_calls(line: Line) -> None:
    line.rings("09:30")
    line.busy = {"李阿姨"}
    assert line.at("09:34") == Wait(at("09:35"))
    assert line.rings("09:35") == ("周阿姨",)
    hears(line, "李阿姨", Reply.ACCEPTED)
    assert line.search.accepted_by == "李阿姨"


def test_when_the_news_of_a_call_is_lost_it_holds_nobody_up(line: Line) -> None:
    line.rings("09:30")
    assert line.act() == Wait(at("09:32"))
    assert line.at("09:32") == Wait(at("09:35"))
    assert line.rings("09:35") == ("李阿姨",)
    assert line.rings("09:37") == ("周阿姨",)


def test_who_is_on_another_call_is_waited_for_then_passed_over(line: Line) -> None:
    line.busy = {"李阿姨"}
    assert line.at("09:30") == Wait(at("09:31"))
    assert line.at("09:34") == Wait(at("09:35"))
    assert line.rings("09:35") == ("周阿姨",)
    line.busy = ()
    assert line.rings("09:36") == ("李阿姨",)


def test_the_only_one_who_is_there_is_looked_for_every_minute() -> None:
    line = Line(people=DUTY_ONLY)
    line.busy = {"陈老师"}
    assert line.at("09:37") == Wait(at("09:38"))
    line.busy = ()
    assert line.rings("09:38") == ("陈老师",)


def test_a_round_in_which_everybody_talks_to_others_is_not_repeated() -> None:
    """Duty is kept on the line by other cases: deputy and family don't wait for three rounds of it."""
    line = Line(people={who: some for who, some in PEOPLE.items() if who is not Who.BUDDY})
    line.busy = {"陈老师"}
    rung = [who for minute in range(30, 42) for who in line.rings(f"09:{minute}")]
    assert rung == ["吴老师", "女儿", "儿子"]


@pytest.mark.parametrize(
    ("urgency", "only"),
    [
        (Urgency.TODAY, Who.DUTY),
        (Urgency.SOON, Who.DUTY),
        (Urgency.UNREACHED, Who.DUTY),
        (Urgency.UNREACHED, Who.BUDDY),
    ],
)
def test_the_only_one_who_talks_to_others_is_looked_for_every_minute(urgency: Urgency, only: Who) -> None:
    """For however long: not only when the next round or pass begins."""
    one = PEOPLE[only][:1]
    line = Line(urgency, people={only: one})
    line.busy = {one[0].id}
    for minute in range(30, 59):
        action = line.at(f"09:{minute}")
        assert isinstance(action, Wait)
        assert action.until <= line.now + minutes(1)
    line.busy = ()
    assert line.rings("09:59") == (one[0].id,)


def test_nobody_is_rung_twice_within_two_minutes(line: Line) -> None:
    line.people = {**PEOPLE, Who.DUTY: PEOPLE[Who.BUDDY][:1], Who.BUDDY: PEOPLE[Who.BUDDY][:1]}
    line.rings("09:30")
    finds(line, "邻居", Finding.NOBODY_OPENS, "09:31")
    assert line.act() == Wait(at("09:32"))
    assert line.rings("09:32") == ("李阿姨",)


def test_news_told_twice_is_news_told_once(line: Line) -> None:
    line.rings("09:30")
    hears(line, "李阿姨", Reply.NO_ANSWER)
    once = line.search
    for reply in (Reply.NO_ANSWER, Reply.MACHINE, Reply.LINE_ERROR):
        hears(line, "李阿姨", reply)
        assert line.search == once
    line.rings("09:35")
    hears(line, "李阿姨", Reply.DECLINED)
    once = line.search
    hears(line, "李阿姨", Reply.DECLINED)
    assert line.search == once


def test_a_miss_of_somebody_who_was_never_rung_changes_nothing(line: Line) -> None:
    before = line.search
    hears(line, "路人", Reply.NO_ANSWER)
    assert line.search == before


# ── hours ─────────────────────────────────────────────────────────────────────────────────────────


def test_volunteers_and_family_sleep_from_nine_duty_does_not() -> None:
    line = Line(clock="20:58")
    assert line.rings("20:58") == ("李阿姨",)
    hears(line, "李阿姨", Reply.NO_ANSWER)
    assert line.rings("21:03") == ("陈老师",)
    assert line.rings("21:13") == ("陈老师",)
    assert line.rings("21:23") == ("陈老师",)
    assert line.rings("21:33") == ("陈老师", "吴老师")


def test_with_only_sleepers_in_the_roster_the_auditor_hears_of_it() -> None:
    line = Line(clock="22:00", people={Who.FAMILY: PEOPLE[Who.FAMILY]})
    assert line.act() == Wait(at("22:10"), nobody_to_ring=True)
    assert line.rings("08:00", day=3) == ("女儿", "儿子")


def test_a_buddy_who_accepted_late_is_not_rung_after_nine_duty_is() -> None:
    line = Line(clock="20:50")
    line.rings("20:50")
    hears(line, "李阿姨", Reply.ACCEPTED, "20:51")
    assert line.at("21:16") == Wait(at("21:21"))
    assert line.rings("21:21") == ("陈老师",)
    hears(line, "陈老师", Reply.ACCEPTED, "21:22")
    assert line.at("21:24") == Wait(at("21:47"))


def test_not_well_is_dutys_in_working_hours_and_the_buddys_on_a_saturday() -> None:
    assert Line(Urgency.SOON, "10:00").rings("10:00") == ("陈老师",)
    saturday = Line(Urgency.SOON, "10:00", day=7)
    assert saturday.rings("10:00", day=7) == ("李阿姨",)
    evening = Line(Urgency.SOON, "20:58")
    evening.people = {**PEOPLE, Who.BUDDY: ()}
    assert evening.act() == Wait(at("21:08"))
    assert evening.at("21:08") == Wait(at("22:08"))
    assert evening.rings("09:00", day=3) == ("陈老师",)


def test_the_roster_knows_holidays() -> None:
    """Monday is a holiday; the office works again on Tuesday."""
    line = Line(Urgency.TODAY, "10:00", people=DUTY_ONLY)
    line.working_from = at("09:00", 3)
    assert line.act() == Wait(at("11:00"))
    assert line.at("08:30", 3) == Wait(at("09:00", 3))
    assert line.rings("09:00", day=3) == ("陈老师",)


def test_on_a_day_off_a_person_rings_back_the_same_day_all_the_same() -> None:
    """Saturday morning: present, unconfirmed. Staff have their weekend; the buddy rings, but not at night."""
    line = Line(Urgency.TODAY, "08:30", day=7)
    assert line.rings("08:30", day=7) == ("李阿姨",)
    assert Line(Urgency.TODAY, "21:30", day=7).act() == Wait(at("22:30", 7))
    assert Line(Urgency.TODAY, "10:00").rings("10:00") == ("陈老师",)


def test_what_can_wait_with_nobody_in_the_roster_is_told_the_auditor_too() -> None:
    assert Line(Urgency.TODAY, "10:00", people={}).act() == Wait(at("11:00"), nobody_to_ring=True)
    assert Line(Urgency.TODAY, "22:00", people=DUTY_ONLY).act() == Wait(at("23:00"))


# ── emergencies ───────────────────────────────────────────────────────────────────────────────────


def test_an_emergency_rings_duty_and_family_at_once_at_any_hour_and_again_every_two_minutes() -> None:
    line = Line(Urgency.EMERGENCY, "03:00")
    assert line.rings("03:00") == ("陈老师", "女儿", "儿子")
    for one in ("陈老师", "女儿", "儿子"):
        hears(line, one, Reply.NO_ANSWER)
    assert line.rings("03:02") == ("陈老师", "女儿", "儿子")
    for one in ("陈老师", "女儿", "儿子"):
        hears(line, one, Reply.NO_ANSWER)
    assert line.rings("03:04") == ("陈老师", "吴老师", "女儿", "儿子", "街道")


def test_one_who_listens_for_long_does_not_keep_the_others_from_being_rung() -> None:
    line = Line(Urgency.EMERGENCY, "03:00")
    line.rings("03:00")
    hears(line, "女儿", Reply.NO_ANSWER)
    hears(line, "儿子", Reply.NO_ANSWER)
    line.busy = {"陈老师"}
    assert line.rings("03:02") == ("女儿", "儿子")


def test_smoke_and_alarm_button_ring_the_buddies_too() -> None:
    line = Line(Urgency.EMERGENCY, "03:00", device=True)
    assert line.rings("03:00") == ("陈老师", "女儿", "儿子", "李阿姨", "周阿姨")


# ── somebody has it ───────────────────────────────────────────────────────────────────────────────


def test_the_first_to_accept_has_it_and_the_other_is_told() -> None:
    line = Line(Urgency.EMERGENCY, "09:30")
    line.rings("09:30")
    hears(line, "女儿", Reply.ACCEPTED, "09:31")
    hears(line, "陈老师", Reply.ACCEPTED, "09:31")
    assert line.search.accepted_by == "女儿"
    assert line.act() == Wait(at("09:32"))
    assert line.at("09:32") == TellTaken(PEOPLE[Who.DUTY][0], "女儿")
    line.search = told(line.search, "陈老师", line.now)
    hears(line, "陈老师", Reply.ACCEPTED)
    assert line.act() == Wait(at("09:56"))


def test_an_acceptance_that_comes_twice_gives_no_more_time(line: Line) -> None:
    taken_by_buddy(line)
    hears(line, "李阿姨", Reply.ACCEPTED, "09:50")
    assert line.search.finding_due == at("10:01")


def test_who_says_nothing_is_asked_then_duty_is_rung_and_they_hear_who_took_it(line: Line) -> None:
    taken_by_buddy(line)
    assert line.act() == Wait(at("09:56"))
    assert line.at("09:56") == CallForFinding(PEOPLE[Who.BUDDY][0])
    hears(line, "李阿姨", Reply.NO_ANSWER)
    assert line.act() == Wait(at("10:01"))
    assert line.rings("10:01") == ("陈老师",)
    hears(line, "陈老师", Reply.ACCEPTED, "10:02")
    assert line.act() == TellTaken(PEOPLE[Who.BUDDY][0], "陈老师")


def test_who_is_asked_must_not_be_on_another_call(line: Line) -> None:
    taken_by_buddy(line)
    line.busy = {"李阿姨"}
    assert line.at("09:56") == Wait(at("09:57"))


def test_when_duty_says_nothing_the_rung_after_duty_follows() -> None:
    line = Line(people={**DUTY_ONLY, Who.STREET: PEOPLE[Who.STREET], Who.DEPUTY: PEOPLE[Who.DEPUTY]})
    line.rings("09:30")
    hears(line, "陈老师", Reply.ACCEPTED, "09:31")
    assert line.rings("10:01") == ("陈老师", "吴老师")
    hears(line, "吴老师", Reply.DECLINED, "10:02")
    assert line.rings("10:11") == ("街道",)
    hears(line, "街道", Reply.ACCEPTED, "10:12")
    assert line.rings("10:42") == ("陈老师",)  # the loop


def test_who_accepted_and_then_cant_lets_go_at_once(line: Line) -> None:
    taken_by_buddy(line)
    hears(line, "李阿姨", Reply.DECLINED, "09:40")
    assert line.rings("09:40") == ("周阿姨",)
    hears(line, "周阿姨", Reply.ACCEPTED, "09:41")
    assert line.act() == Wait(at("10:06"))  # 李阿姨 knows


def test_who_accepted_after_another_and_was_not_told_yet_hears_who_has_it_in_the_end(line: Line) -> None:
    line.busy = {"李阿姨"}
    assert line.rings("09:35") == ("周阿姨",)
    line.busy = ()
    assert line.rings("09:36") == ("李阿姨",)
    hears(line, "周阿姨", Reply.ACCEPTED)
    hears(line, "李阿姨", Reply.ACCEPTED)
    hears(line, "周阿姨", Reply.DECLINED)
    line.search = take_over(line.search, "陈书记", line.now)
    assert line.at("09:39") == TellTaken(PEOPLE[Who.BUDDY][0], "陈书记")


def test_who_accepted_after_another_and_then_cant_need_not_be_told() -> None:
    line = Line(Urgency.EMERGENCY)
    line.rings("09:30")
    hears(line, "女儿", Reply.ACCEPTED)
    hears(line, "儿子", Reply.ACCEPTED)
    hears(line, "儿子", Reply.DECLINED)
    assert line.at("09:33") == Wait(at("09:55").replace(second=30))


def test_who_lost_their_number_meanwhile_is_not_asked(line: Line) -> None:
    taken_by_buddy(line)
    line.people = {**PEOPLE, Who.BUDDY: (replace(person(Who.BUDDY, "李阿姨"), number=None),)}
    assert line.at("09:56") == Wait(at("10:01"))


def test_staff_take_it_over_and_whoever_had_it_is_told(line: Line) -> None:
    taken_by_buddy(line)
    line.now = at("09:40")
    line.search = take_over(line.search, " 陈书记 ", line.now)
    assert line.search.finding_due == at("10:10")
    assert line.act() == TellTaken(PEOPLE[Who.BUDDY][0], "陈书记")
    line.search = told(line.search, "李阿姨", line.now)
    assert line.at("10:05") == Wait(at("10:10"))  # not in the roster: nobody to ask


def test_news_that_they_have_it_not_is_no_news_after_half_an_hour(line: Line) -> None:
    taken_by_buddy(line)
    line.now = at("09:40")
    line.search = stop(line.search, "陈书记", line.now)
    line.busy = {"李阿姨"}
    assert line.at("10:09") == Wait(at("10:10"))
    assert line.at("10:10") == Idle("陈书记")


# ── what they found ───────────────────────────────────────────────────────────────────────────────


def test_seen_in_person_and_fine_the_line_rings_the_elder_and_it_ends_by_who_saw_her(line: Line) -> None:
    taken_by_buddy(line)
    finds(line, "李阿姨", Finding.FINE_SEEN, "09:50")
    assert line.act() == Confirm(at("09:50"), at("11:50"), at("11:50"))
    line.search = confirmed(line.search, at("10:20"))
    assert line.at("10:20") == Idle("李阿姨")
    assert line.search.ended_at == at("10:20")


def test_who_saw_her_or_closed_it_is_not_told_when_their_yes_comes_late(line: Line) -> None:
    line.rings("09:30")
    finds(line, "李阿姨", Finding.FINE_SEEN, "09:31")
    hears(line, "李阿姨", Reply.ACCEPTED)
    assert isinstance(line.at("09:35"), Confirm)
    line = Line()
    line.rings("09:30")
    line.search = stop(line.search, "李阿姨", line.now)
    hears(line, "李阿姨", Reply.ACCEPTED)
    assert line.at("09:35") == Idle("李阿姨")


def test_staff_who_take_over_a_case_that_is_to_be_confirmed_have_it(line: Line) -> None:
    taken_by_buddy(line)
    finds(line, "李阿姨", Finding.FINE_SEEN, "09:50")
    line.search = take_over(line.search, "陈书记", line.now)
    assert line.act() == Wait(at("10:15"))  # 李阿姨 has done what there was to do
    assert (line.search.finding, line.search.confirm_by) == (None, None)


@pytest.mark.parametrize("missed", [True, False])
def test_an_elder_who_doesnt_answer_then_is_looked_for_again(line: Line, missed: bool) -> None:
    """`missed`: rung and not reached; else the two hours went by."""
    taken_by_buddy(line)
    finds(line, "李阿姨", Finding.FINE_SEEN, "09:50")
    line.now = at("10:20") if missed else at("11:50")
    if missed:
        line.search = unconfirmed(line.search, line.now)
    assert line.act() == Ring((PEOPLE[Who.BUDDY][0],))
    assert line.search.since == line.now
    assert line.search.finding is None


def test_in_the_evening_the_elder_is_rung_the_next_morning() -> None:
    line = Line(clock="20:30", people=DUTY_ONLY)
    line.rings("20:30")
    hears(line, "陈老师", Reply.ACCEPTED, "20:31")
    finds(line, "陈老师", Finding.FINE_SEEN, "20:50", Who.DUTY)
    assert line.act() == Confirm(at("08:00", 3), at("10:00", 3), at("10:00", 3))


def test_heard_is_not_seen_after_three_missed_tries(line: Line) -> None:
    taken_by_buddy(line)
    finds(line, "李阿姨", Finding.FINE_HEARD, "09:50")
    assert line.search.phase is Phase.TAKEN
    assert line.search.finding_due == at("10:01")
    assert line.rings("10:01") == ("陈老师",)


def test_heard_is_enough_for_who_was_not_well() -> None:
    line = Line(Urgency.SOON, "10:00")
    line.rings("10:00")
    hears(line, "陈老师", Reply.ACCEPTED, "10:01")
    finds(line, "陈老师", Finding.FINE_HEARD, "10:05", Who.DUTY)
    assert line.act() == Idle("陈老师")


@pytest.mark.parametrize("finding", [Finding.NEEDS_HELP, Finding.NOBODY_OPENS])
def test_bad_news_is_dutys_at_once_and_told_twice_it_is_told_once(line: Line, finding: Finding) -> None:
    taken_by_buddy(line)
    finds(line, "李阿姨", finding, "09:50")
    assert line.act() == Ring((PEOPLE[Who.DUTY][0],))
    before = line.search
    finds(line, "李阿姨", finding, "09:51")
    assert line.search == before
    hears(line, "陈老师", Reply.ACCEPTED, "09:52")
    assert line.act() == Wait(at("10:17"))  # who stands at the door isn't sent away


def test_duty_keeps_what_is_bad_and_is_asked_again(line: Line) -> None:
    line = Line(people={**PEOPLE, Who.BUDDY: ()})
    line.rings("09:30")
    hears(line, "陈老师", Reply.ACCEPTED, "09:31")
    finds(line, "陈老师", Finding.NOBODY_OPENS, "09:50", Who.DUTY)
    assert line.act() == Wait(at("10:15"))
    assert line.at("10:15") == CallForFinding(PEOPLE[Who.DUTY][0])
    assert line.rings("10:20") == ("陈老师", "吴老师", "女儿", "儿子")


def test_who_takes_many_that_can_wait_has_time_for_them_until_one_cant() -> None:
    line = Line(Urgency.TODAY, "10:00")
    assert line.rings("10:00") == ("陈老师",)
    hears(line, "陈老师", Reply.ACCEPTED, "10:01")
    assert line.at("11:50") == Wait(at("11:51"))
    assert line.rings("11:51") == ("陈老师",)
    assert line.search.plan.finding_within == 120
    assert Line(Urgency.SOON).search.plan.finding_within == 60
    finds(line, "陈老师", Finding.NEEDS_HELP, "11:52")
    assert line.search.plan.finding_within == 30


def test_a_door_that_stays_shut_on_a_saturday_is_dutys_though_it_was_not_urgent() -> None:
    line = Line(Urgency.SOON, "10:00", day=7)
    line.rings("10:00", day=7)
    line.search = replied(line.search, "李阿姨", Reply.ACCEPTED, line.now)
    finds(line, "李阿姨", Finding.NOBODY_OPENS, "10:20", day=7)
    assert line.act() == Ring((PEOPLE[Who.DUTY][0],))
    assert line.search.loud
    assert line.rings("10:30", day=7) == ("陈老师",)
    finds(line, "李阿姨", Finding.FINE_HEARD, "10:31", day=7)
    assert line.search.phase is Phase.SEARCHING  # by now somebody must see her


def test_a_finding_of_somebody_whose_time_was_over_counts(line: Line) -> None:
    taken_by_buddy(line)
    assert line.rings("10:01") == ("陈老师",)
    hears(line, "陈老师", Reply.ACCEPTED, "10:02")
    finds(line, "李阿姨", Finding.FINE_SEEN, "10:05")
    assert line.act() == TellTaken(PEOPLE[Who.DUTY][0], "李阿姨")
    line.search = told(line.search, "陈老师", line.now)
    assert isinstance(line.act(), Confirm)
    line.search = confirmed(line.search, at("11:00"))
    assert line.search.ended_by == "李阿姨"


# ── the end ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["", "  ", LINE, " Line "])
def test_nothing_ends_and_nobody_has_it_without_a_name(line: Line, name: str) -> None:
    for act in (stop, take_over):
        with pytest.raises(ValueError, match="say who"):
            act(line.search, name, line.now)
    with pytest.raises(ValueError, match="say who"):
        replied(line.search, name, Reply.ACCEPTED, line.now)
    with pytest.raises(ValueError, match="say who"):
        found(line.search, name, Finding.FINE_SEEN, line.now)


def test_stopped_by_name_whoever_is_on_the_way_is_told(line: Line) -> None:
    taken_by_buddy(line)
    line.now = at("09:40")
    line.search = stop(line.search, "王阿婆", line.now)
    assert line.act() == TellTaken(PEOPLE[Who.BUDDY][0], "王阿婆")
    line.search = told(line.search, "李阿姨", line.now)
    assert line.act() == Idle("王阿婆")
    for act in (stop, take_over):
        with pytest.raises(ValueError, match="has ended"):
            act(line.search, "陈书记", line.now)


def test_help_needed_after_the_end_opens_it_again_a_shut_door_doesnt(line: Line) -> None:
    taken_by_buddy(line)
    line.search = stop(line.search, "陈书记", at("09:40"))
    ended = line.search
    finds(line, "李阿姨", Finding.NOBODY_OPENS, "09:45")
    assert line.search == ended
    finds(line, "李阿姨", Finding.NEEDS_HELP, "09:46")
    assert line.act() == Ring((PEOPLE[Who.DUTY][0],))
    assert line.search.ended_by is None


# ── clock and database ────────────────────────────────────────────────────────────────────────────


def test_a_clock_set_back_by_a_day_does_not_stop_the_search() -> None:
    line = Line(day=3)
    line.rings("09:30", day=3)
    hears(line, "李阿姨", Reply.NO_ANSWER)
    assert line.rings("09:31") == ("陈老师",)  # nobody knows how long it has been going on


def test_a_clock_set_back_after_somebody_accepted_rings_duty_rather_than_waiting_for_a_day() -> None:
    line = Line(day=3)
    line.rings("09:30", day=3)
    line.search = replied(line.search, "李阿姨", Reply.ACCEPTED, line.now)
    assert line.rings("09:31") == ("陈老师",)


def test_a_clock_set_back_by_a_day_does_not_put_off_the_call_to_the_elder() -> None:
    line = Line(day=3)
    line.rings("09:30", day=3)
    finds(line, "李阿姨", Finding.FINE_SEEN, "09:31", day=3)
    assert line.rings("09:32") == ("李阿姨",)


def test_a_clock_set_back_by_minutes_waits_no_longer_than_it_may(line: Line) -> None:
    line.rings("09:30")
    hears(line, "李阿姨", Reply.NO_ANSWER)
    assert line.at("09:22") == Wait(at("09:32"))


def test_a_search_survives_the_database_and_a_broken_one_names_the_entry(line: Line) -> None:
    taken_by_buddy(line)
    stored = line.search.to_json()
    assert Search.from_json(stored) == line.search
    with pytest.raises(ValueError, match=r"^search: since: Input should have timezone info"):
        Search.from_json({**stored, "since": "2026-03-02T09:30:00"})
    with pytest.raises(ValueError, match=r"^search: unknown entry 'phases'"):
        Search.from_json({**stored, "phases": 1})
    with pytest.raises(ValueError, match=r"^search: calls\.0\.last: "):
        Search.from_json({**stored, "calls": [{"responder": "李阿姨", "last": "soon"}]})


def test_nothing_personal_but_ids_is_kept(line: Line) -> None:
    taken_by_buddy(line)
    one: Responder = PEOPLE[Who.BUDDY][0]
    assert one.number
    assert one.number not in str(line.search.to_json())


# ── small print ───────────────────────────────────────────────────────────────────────────────────


def test_who_listens_in_the_last_call_of_theirs_is_given_that_time_too(line: Line) -> None:
    line.rings("09:30")
    hears(line, "李阿姨", Reply.NO_ANSWER)
    line.rings("09:35")
    line.busy = {"李阿姨"}
    assert line.at("09:38") == Wait(at("09:39"))
    assert line.rings("09:40") == ("周阿姨",)


def test_bad_news_makes_up_for_a_cant_of_duty() -> None:
    line = Line(people=DUTY_ONLY)
    line.rings("09:30")
    hears(line, "陈老师", Reply.DECLINED)
    line.people = PEOPLE
    finds(line, "周阿姨", Finding.NEEDS_HELP, "09:35")  # who had never accepted
    assert line.act() == Ring(PEOPLE[Who.DUTY])


def test_after_a_call_to_the_elder_that_failed_everybody_is_asked_anew_and_old_stories_are_over(line: Line) -> None:
    line.rings("09:30")
    hears(line, "李阿姨", Reply.DECLINED)
    assert line.act() == Ring(PEOPLE[Who.BUDDY][1:])
    hears(line, "周阿姨", Reply.ACCEPTED, "09:32")
    finds(line, "周阿姨", Finding.FINE_SEEN, "09:50")
    line.search = unconfirmed(line.search, at("10:20"))
    assert line.rings("10:20") == ("李阿姨",)
    hears(line, "李阿姨", Reply.ACCEPTED, "10:21")
    assert line.act() == Wait(at("10:46"))  # 周阿姨 has been there and knows
