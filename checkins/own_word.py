"""What an elder has said who rang in, for her case of today (PRODUCT.md, "The ladder", any time).

    she said                 her call is ahead, or closed      a person is needed
    ───────────────────────  ────────────────────────────────  ─────────────────────────────────────────────────────
    well, clearly            closed by herself, no call today  nobody had heard her: the search stops, who was on the
                                                               way is told. Seen and fine: that is confirmed. Else
                                                               (she isn't well, bad news from the door, an emergency)
                                                               it stands in the log, and the search goes on
    not well, wants a        a person, as after a call of      sooner if it could wait; the reason grows worse; never
    person, refuses          ours; reopens                     less urgent
    a sign, or nothing       a person today; closed: an item   nothing
    hangs up without a word  her call comes; closed: an item   nothing
    away, something to say   nothing (away.py; the community)  nothing
    the line broke off       a person, as if she had asked     the same

Cries for help are the ladder's, as in any call. The same news twice changes nothing: see settling.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from checkins import confirming, handing_over, items, ladder, searches
from checkins.case_rows import case_of, log_event, put_case
from checkins.escalation.values import Phase
from checkins.ladder import REOPENS, News
from checkins.own_calls import RINGS_IN, still_open
from checkins.ports import TALKED, Disposition, PersonOutcome
from checkins.results import Result, Status
from checkins.tables import GONE, CallIntent, Checkin

NOTHING = ("hung_up", "interrupted")  # of whom nothing is known: in the flow's words, and when we broke off
_WORDS: Mapping[str, Result] = {
    "present_unconfirmed": Result.PRESENT_UNCONFIRMED,
    "well": Result.WELL,
    "wants_person": Result.WANTS_PERSON,
    "not_well": Result.NOT_WELL,
    "refused": Result.REFUSED,
}
_ELSEWHERE = ("complaint", "still_")  # how the details of a complaint begin
_OTHER_MATTERS = ("rang_in", "away", *NOTHING)
_BROKEN_OFF = (Disposition.INTERRUPTED, Disposition.UNKNOWN, Disposition.LINE_ERROR)


def is_own(intent: CallIntent) -> bool:
    return intent.flow == RINGS_IN


def news_of(elder_id: str, disposition: Disposition, people: Mapping[str, PersonOutcome]) -> News | None:
    """What the call came to for this elder; None: nothing that concerns her case. A call that broke off before anybody
    had said a thing: she wanted something, and nobody knows what."""
    person = people.get(elder_id)
    if _said_nothing(people) and disposition in _BROKEN_OFF:
        return News(Result.WANTS_PERSON)
    if person is None or person.result in _OTHER_MATTERS:
        return None
    result = _WORDS.get(person.result, Result.PRESENT_UNCONFIRMED)
    if result is Result.WELL and not (person.clear and disposition in TALKED):
        result = Result.PRESENT_UNCONFIRMED
    return News(result, person.evidence)


def _said_nothing(people: Mapping[str, PersonOutcome]) -> bool:
    return all(one.result in NOTHING for one in people.values())


def _of_her(detail: Mapping[str, Any]) -> dict[str, Any]:
    """What stays with the case: how she is. What she complained of is the community room's, and kept there alone."""
    kept = {word: value for word, value in detail.items() if word != "days" and not word.startswith(_ELSEWHERE)}
    more = [part for each in detail.get("more", ()) if (part := _of_her(each))]
    return {word: value for word, value in kept.items() if word != "more"} | ({"more": more} if more else {})


def heard(
    session: Session,
    intent: CallIntent,
    row: Checkin,
    disposition: Disposition,
    people: Mapping[str, PersonOutcome],
    now: datetime,
) -> Result | None:
    """Takes in the end of the call for the elder of `row`, her case of the day on which it began. What it came to."""
    person = people.get(row.elder_id)
    if person is not None and (said := _of_her(person.detail)):
        row.answer = {**(row.answer or {}), **said}
    news = news_of(row.elder_id, disposition, people)
    if news is None:
        if row.status == Status.CLOSED and _said_nothing(people) and next(iter(people), row.elder_id) == row.elder_id:
            items.ring_back(session, intent.id, row.elder, now)
        return None
    if news.result is Result.WELL:
        for each in [*still_open(session, row), row]:
            _well(session, intent, each, news, now)
    elif news.result is not Result.WANTS_PERSON or not handing_over.talked(session, intent, row):
        _not_well(session, intent, row, news, now)
    if news.result is Result.WANTS_PERSON:
        handing_over.promise(session, intent, row, person, now)
    return news.result


def _well(session: Session, intent: CallIntent, row: Checkin, news: News, now: datetime) -> None:
    before = case_of(row)
    if not before.alarm and _makes_sure(session, intent, row, news, now):
        return
    if not searches.looked_bad(row):
        put_case(row, ladder.rang_in_well(before, news, now))
    _log(session, intent, row, news, now)
    searches.follow(session, row, before, now)


def _not_well(session: Session, intent: CallIntent, row: Checkin, news: News, now: datetime) -> None:
    before = case_of(row)
    if row.elder.state in GONE or (row.status == Status.CLOSED and news.result not in REOPENS):
        items.ring_back(session, intent.id, row.elder, now)
    elif news.result in REOPENS and _makes_sure(session, intent, row, news, now):
        return
    elif not searches.looked_bad(row):
        put_case(row, ladder.rang_in(before, news, now))
    _log(session, intent, row, news, now)
    searches.follow(session, row, before, now)


def _makes_sure(session: Session, intent: CallIntent, row: Checkin, news: News, now: datetime) -> bool:
    """Somebody saw her and said that she is fine. She rang before the line did to make sure: this is that call."""
    search = searches.search_of(row)
    seen = search is not None and search.phase is Phase.CONFIRMING
    return seen and confirming.heard(session, intent, row, news, now)


def _log(session: Session, intent: CallIntent, row: Checkin, news: News, now: datetime) -> None:
    detail = {"evidence": news.evidence, "status": row.status}
    log_event(session, row, f"own:{news.result}", row.elder.name, now, intent_id=intent.id, detail=detail)
