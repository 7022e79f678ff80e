"""A call for help that only the second pass finds: news for the care room, once for each recording."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from ivr import outbox
from ivr.call_rows import LogEntry, event
from ivr.late_cries import SECOND_PASS, Cry, raise_alarm
from ivr.ports import Callee, CallReport, Disposition, PersonResult
from ivr.records import CallEvent, CallNews, Transcript
from ivr.reports import report_from_json
from ivr.transcripts import AGAIN_AFTER, LEASE
from speech.ears import EarFailed
from tests.unit.ivr.test_second_pass import AGREES, Office

OTHER = Callee("e9", "周阿公")
CRIED = "我在厨房里，摔倒了"


@pytest.fixture
def office(any_url: str, tmp_path: Path) -> Iterator[Office]:
    here = Office(any_url, tmp_path)
    yield here
    here.db.close()


def alarms(office: Office) -> list[CallReport]:
    with office.db.read() as session:
        query = select(CallNews).where(CallNews.key != outbox.FINAL).order_by(CallNews.id)
        return [report for one in session.scalars(query) if (report := report_from_json(one.report)).alarm]


def lines(office: Office) -> list[CallEvent]:
    with office.db.read() as session:
        return list(session.scalars(select(CallEvent).where(CallEvent.kind == "distress")))


async def again(office: Office, *says: str | Exception) -> None:
    office.ears.says = list(says)
    await office.second.plan()
    assert await office.second.once()


def change(office: Office, **detail: Any) -> None:
    """The dictation's line in the call's log says this, too."""
    with office.db.write() as session:
        (line,) = (one for one in session.scalars(select(CallEvent)) if one.detail.get("recording"))
        line.detail = {**line.detail, **detail}


def heard_live(office: Office, *, begin_ms: int, rang: bool = True) -> None:
    """The call heard a cry there; `rang`: and wrote the alarm."""
    now = office.clock.now()
    with office.db.write() as session:
        session.add(event("c1", LogEntry("distress", begin_ms + 900, {"text": "摔倒了", "begin_ms": begin_ms}), now))
        if rang:
            report = CallReport("c1", now, final=False, alarm="distress", alarm_person="e1")
            outbox.put(session, report, "alarm:e1:distress", now)


async def test_it_is_told_with_the_words_and_stands_in_the_calls_log(office: Office) -> None:
    path = await office.call("c1", AGREES)
    await again(office, CRIED)
    (report,) = alarms(office)
    assert (report.id, report.final, report.alarm, report.alarm_person) == ("c1", False, SECOND_PASS, "e1")
    (person,) = report.people
    assert (person.id, person.result, person.evidence) == ("e1", "emergency", "none")
    assert person.detail["alarm_text"] == CRIED
    assert (person.detail["recording"], person.detail["recording_text"]) == (path, "楼上漏睡")
    (line,) = lines(office)
    assert (line.detail["text"], line.detail["phrase"], line.detail["found"]) == (CRIED, "摔倒了", SECOND_PASS)
    assert len(office.told) == 1
    assert office.row().text == CRIED


async def test_what_is_no_call_for_help_rings_nobody(office: Office) -> None:
    await office.call("c1", AGREES)
    await again(office, "没有摔倒，就是水管漏了")
    assert (alarms(office), office.told) == ([], [])


async def test_either_language_may_find_it_and_the_surer_text_stands(office: Office) -> None:
    office.ears.engines["wuu"] = "sherpa-wu"
    await office.call("c1", AGREES)
    await again(office, "掼跤了爬勿起来", "关教了八五七来")
    (report,) = alarms(office)
    assert report.people[0].detail["alarm_engine"] == "sherpa-wu"
    assert (office.row().text, office.row().engine) == ("关教了八五七来", "whisper"), "0.83 against 0.5"
    assert [request.language for request, _ in office.ears.asked] == ["wuu", "zh"]


async def test_another_language_that_fails_costs_nothing(office: Office) -> None:
    office.ears.engines["wuu"] = "sherpa-wu"
    await office.call("c1", AGREES)
    await again(office, "水管漏脱了", EarFailed("whisper: took too long"))
    assert (office.row().text, office.row().engine) == ("水管漏脱了", "sherpa-wu")


async def test_a_recording_that_nobody_heard_is_searched_and_rings_before_it_is_written_down(office: Office) -> None:
    office.ears.spots = "救命"
    await office.call("c1", AGREES)
    change(office, engine="none", text="", begin_ms=9000)
    await again(office, EarFailed("whisper: took too long"))
    (report,) = alarms(office)
    assert report.people[0].detail["alarm_engine"] == "phrase-scorer"
    assert lines(office)[0].at_ms == 9250
    office.clock.advance_to(office.clock.now() + AGAIN_AFTER[0])
    await again(office, "救命啊")
    assert office.row().text == "救命啊"
    assert len(alarms(office)) == len(office.told) == len(lines(office)) == 1, "found again, told once"


async def test_what_was_searched_during_the_call_is_not_searched_again(office: Office) -> None:
    office.ears.spots = "救命"
    await office.call("c1", AGREES)
    await again(office, "楼上漏水")
    assert [request.mode for request, _ in office.ears.asked] == ["dictation"]
    assert alarms(office) == []


@pytest.mark.parametrize(("begin_ms", "rang", "news"), [(8500, True, 0), (2000, True, 1), (8500, False, 1)])
async def test_only_a_cry_of_this_dictation_that_rang_is_known(
    office: Office, begin_ms: int, rang: bool, news: int
) -> None:
    await office.call("c1", AGREES)
    change(office, begin_ms=9000, end_ms=12_000)
    heard_live(office, begin_ms=begin_ms, rang=rang)
    await again(office, CRIED)
    assert len([one for one in alarms(office) if one.alarm == SECOND_PASS]) == len(office.told) == news


async def test_of_two_elders_on_one_line_the_one_who_dictated(office: Office) -> None:
    path = await office.call("c1", AGREES, OTHER, over=False)
    now = office.clock.now()
    people = (PersonResult("e1", "well", "key"), PersonResult("e9", "not_well", "key", {"recording": path}))
    with office.db.write() as session:
        outbox.put(session, CallReport("c1", now, True, Disposition.ANSWERED, people), outbox.FINAL, now)
    await again(office, CRIED)
    assert alarms(office)[0].alarm_person == "e9"


async def test_both_where_nobody_knows_who_dictated(office: Office) -> None:
    await office.call("c1", AGREES, OTHER)
    await again(office, CRIED)
    (report,) = alarms(office)
    assert report.alarm_person is None
    assert [person.id for person in report.people] == ["e1", "e9"]


async def test_who_lost_the_lease_still_rings_and_nobody_rings_twice(office: Office) -> None:
    await office.call("c1", AGREES)
    await office.second.plan()
    office.clock.advance_to(office.clock.now() + LEASE)
    slow = office.claim("slow")
    office.clock.advance_to(office.clock.now() + LEASE + timedelta(seconds=1))
    assert slow
    cry = Cry(CRIED, "摔倒了", "whisper", 0.8)
    with office.db.write() as session:
        assert raise_alarm(session, slow.id, cry, office.clock.now()) is not None
    await again(office, CRIED)
    assert len(alarms(office)) == 1
    with office.db.read() as session:
        assert session.scalars(select(Transcript)).one().finished_at is not None
