"""The plot of an elder's months, and the words of her page."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from checkins.escalation.policy import Escalation
from checkins.policy import Policy
from checkins.register_log import PersonEvent, What
from checkins.results import LINE, Reason, Result, Status
from console import elder_plot, elder_words
from console.elder_plot import Case, Kind

TODAY = date(2026, 3, 4)  # a Wednesday


def _case(day: date = TODAY, status: Status = Status.CLOSED, **more: object) -> Case:
    values = {"result": None, "reason": None, "closed_by": LINE, "finding": None, "tries": 0}
    return Case(1, day, status, **(values | more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("case", "kind"),
    [
        (_case(result=Result.WELL), Kind.WELL),
        (_case(result=Result.OTHER_SAYS_WELL), Kind.OTHER),
        (_case(reason=Reason.NOT_WELL, closed_by="李老师", finding="陪去医院了"), Kind.PERSON),
        (_case(reason=Reason.UNREACHED, closed_by="李老师", finding="在家"), Kind.MISSED),
        (_case(closed_by="李老师", finding="state: paused"), Kind.NONE),
        (_case(status=Status.NEEDS_PERSON, reason=Reason.SILENT), Kind.OPEN),
        (_case(status=Status.WAITING), Kind.AHEAD),
        (_case(status=Status.PLANNED), Kind.AHEAD),
    ],
)
def test_a_day_is_what_became_of_its_call(case: Case, kind: Kind) -> None:
    assert elder_plot.kind_of(case) is kind


def test_weeks_begin_on_monday_and_end_today() -> None:
    early = _case(date(2026, 2, 27), result=Result.WELL)
    plot = elder_plot.plot([early], {date(2026, 2, 28): ("李梅上门见到，平安",)}, TODAY)
    assert len(plot.weeks) == elder_plot.WEEKS
    assert {week[0].day.weekday() for week in plot.weeks} == {0}
    assert [len(week) for week in plot.weeks[-2:]] == [7, 3]
    assert plot.days[-1].day == TODAY
    assert (plot.kinds, plot.contacted) == ((Kind.WELL,), True)


def test_who_closed_it_is_said_beside_why() -> None:
    case = _case(reason=Reason.UNREACHED, closed_by="李老师", finding="话筒没挂好")
    plot = elder_plot.plot([case], {}, TODAY)
    assert plot.days[-1].said == "电话没联系上，由人办结，多次无人接听，李老师：话筒没挂好"


@pytest.mark.parametrize("what", list(What))
def test_every_change_of_the_register_has_its_words(what: What) -> None:
    event = PersonEvent(person_id="1", at=datetime(2026, 3, 4, tzinfo=UTC), what=what, by=LINE)
    event.detail = {"fields": ["address"], "mode": "keys", "state": "paused", "purpose": "calls", "field": "name"}
    said = elder_words.change_zh(event)
    assert said
    assert said.isascii() is False
    assert not any(letter.isascii() and letter.isalpha() for letter in said)


def test_the_ladder_is_said_in_sentences() -> None:
    assert elder_words.calls_zh(Policy()) == "到点打一次，没人接再过 15、45 分钟；都没人接就找人"
    rungs = elder_words.rungs_zh(Escalation().unreached)
    assert rungs[0].startswith("老伙伴")
    assert any("值班" in rung for rung in rungs)
