"""Between the column `search` of a case and the value Search; and what becomes of one when the case is moved.

The ladder (ladder.py) says that a person is needed, and how soon; the search finds one. What the ladder, or somebody
in the console, makes of a case is told to its search by `follow`; what the search comes to is written into the case by
`keep`. A case that needs a person always has a search; one that lost it, or holds a broken one, begins anew.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from checkins import ladder, policies, telling
from checkins.case_rows import case_of, log_event, put_case
from checkins.escalation import search as core
from checkins.escalation.values import Finding, Phase, Search, Wait
from checkins.ladder import Case
from checkins.responders import Rosters, name_of, same_phone
from checkins.results import BY_DEVICE, LINE, Reason, Status, Urgency
from checkins.tables import Checkin

log = logging.getLogger(__name__)

FINDING_ZH = {
    Finding.FINE_SEEN: "已见到本人，平安",
    Finding.FINE_HEARD: "已听到本人，平安",
    Finding.NEEDS_HELP: "需要帮助",
    Finding.NOBODY_OPENS: "没人开门",
}

# ── the column ────────────────────────────────────────────────────────────────────────────────────


def search_of(row: Checkin) -> Search | None:
    """None: there is none, or one that can't be read (told in the log)."""
    if row.search is None:
        return None
    try:
        return Search.from_json(row.search)
    except ValueError:
        log.error("case %s holds a search that can't be read: it begins anew", row.id)
        return None


def looked_bad(row: Checkin) -> bool:
    """Whoever went there has said so, and the case is open."""
    search = search_of(row) if row.status == Status.NEEDS_PERSON else None
    return search is not None and search.bad


def put_search(row: Checkin, search: Search) -> None:
    row.search = search.to_json()


def begin(row: Checkin, case: Case, now: datetime) -> Search:
    """A search by the policy as it is now; whoever has the case keeps it."""
    zone = row.elder.neighbourhood.timezone
    device = case.reason in BY_DEVICE
    search = core.begin(policies.escalation(row.elder), case.urgency or Urgency.TODAY, now, zone=zone, device=device)
    return core.take_over(search, case.owner, now) if case.owner else search


# ── what the ladder, or a person, made of the case ────────────────────────────────────────────────


def follow(session: Session, row: Checkin, before: Case, now: datetime, rosters: Rosters | None = None) -> None:
    """After `put_case`: a case that has just come to need a person, or needs one sooner or later than before, begins
    a search; the search for a closed one ends."""
    after = case_of(row)
    if after.status is Status.CLOSED:
        end(session, row, now)
    elif after.status is Status.NEEDS_PERSON and (before.status, before.urgency) != (after.status, after.urgency):
        start(session, row, now, rosters)


def need(session: Session, row: Checkin, reason: Reason, urgency: Urgency, now: datetime) -> None:
    """From now on a person is needed, whatever the case was: who had it before that is through with it."""
    before = case_of(row)
    case = before if before.status is Status.NEEDS_PERSON else replace(before, owner=None)
    put_case(row, ladder.need_person(case, reason, urgency, now))
    follow(session, row, before, now)


def start(session: Session, row: Checkin, now: datetime, rosters: Rosters | None = None) -> None:
    """Begins the search, whatever was before. While there is somebody to ring, that comes at once; else the case
    waits for eyes on the console, as long as the ladder says."""
    case, old = case_of(row), search_of(row)
    search = begin(row, case, now)
    if case.owner and old is not None and old.phase is Phase.TAKEN and old.accepted_by:
        search = core.take_over(begin(row, replace(case, owner=None), now), old.accepted_by, now)
    if not case.owner:
        search, action = (rosters or Rosters(session, now)).advance(row, search)
        if not isinstance(action, Wait):
            row.due_at = now
        elif not action.nobody_to_ring:
            row.due_at = action.until
    put_search(row, search)


def cried_again(session: Session, row: Checkin, now: datetime) -> None:
    """Another cry for help, or message of a device, in an emergency that is open. Who is looked for, or on the way,
    finds out; once they have said what they found, everything begins anew, now."""
    search = search_of(row)
    if search is None or core.answered_before(search):
        row.owner = None
        start(session, row, now)
        row.due_at = now


def take(session: Session, row: Checkin, by: str, now: datetime) -> None:
    """Somebody took the case in the console (the case says so already): whoever had it is to hear that."""
    search = search_of(row)
    if search is None or search.phase is Phase.ENDED:
        start(session, row, now)
        return
    put_search(row, tell_all(session, row, core.take_over(search, _who(session, row, search, by), now), now))


def end(session: Session, row: Checkin, now: datetime) -> None:
    """The case is closed, by a name or by the elder's own clear answer; whoever was on the way is to hear that."""
    search = search_of(row)
    if search is None or search.phase is Phase.ENDED:
        return
    named = row.closed_by if row.closed_by and row.closed_by != LINE else None
    by = _who(session, row, search, named) if named else row.elder_id
    put_search(row, tell_all(session, row, core.stop(search, by, now), now))


def _who(session: Session, row: Checkin, search: Search, by: str) -> str:
    """The responder of this search who has that name, by id: who closes in the console what they accepted by phone
    need not hear that it is taken. Else the name itself."""
    known = (search.accepted_by, search.found_by, *(call.responder for call in search.calls))
    return next((one for one in known if one and name_of(session, row, one) == by), by)


def tell_all(session: Session, row: Checkin, search: Search, now: datetime) -> Search:
    """Those who must hear that the case isn't theirs (any more): each is rung for it (telling.py)."""
    by = search.accepted_by or search.ended_by or search.found_by or ""
    for item in search.untold:
        search = tell(session, row, search, item.responder, by, now)
    return search


def tell(session: Session, row: Checkin, search: Search, responder: str, by: str, now: datetime) -> Search:
    if not same_phone(session, responder, by):
        detail = {"responder": responder, "by": by}
        log_event(session, row, "tell:taken", name_of(session, row, responder), now, detail=detail)
        telling.queue(session, row, responder, now)
    called = search.called(responder)
    search = core.told(search, responder, now)
    if called is None:
        return search
    # No call was made yet, and when one is, its intent holds the others off: the time of the last one of ours stands.
    return replace(search, calls=tuple(called if call.responder == responder else call for call in search.calls))


# ── what the search came to ───────────────────────────────────────────────────────────────────────


def keep(session: Session, row: Checkin, search: Search, now: datetime) -> None:
    """Writes a search and what it means for its case: who has it, how urgent it is, that it is closed. What is to be
    done next is asked at once."""
    case = case_of(row)
    search = tell_all(session, row, search, now)
    if search.phase is Phase.ENDED:
        _closed(session, row, case, search, now)
    else:
        put_case(
            row, replace(_open(case, now), owner=_holder(session, row, search), urgency=search.urgency, due_at=now)
        )
    put_search(row, search)


def _closed(session: Session, row: Checkin, case: Case, search: Search, now: datetime) -> None:
    if case.status is Status.CLOSED:
        return
    assert search.ended_by is not None
    by = name_of(session, row, search.ended_by)
    finding = FINDING_ZH[search.finding] if search.finding else "已有人处理"
    put_case(row, ladder.close(case, by, finding, now))
    log_event(session, row, "closed", by, now, detail=_found(search))


def _found(search: Search) -> Mapping[str, str]:
    return {"finding": FINDING_ZH[search.finding]} if search.finding else {}


def _open(case: Case, now: datetime) -> Case:
    """Bad news opens what was closed."""
    if case.status is Status.NEEDS_PERSON:
        return case
    return ladder.need_person(case, case.reason or Reason.OTHER_SAYS_UNWELL, Urgency.UNREACHED, now)


def _holder(session: Session, row: Checkin, search: Search) -> str | None:
    """Who has the case: on the way, or has seen the elder and said so."""
    if search.phase is Phase.TAKEN:
        who = search.accepted_by
    else:
        who = search.found_by if search.phase is Phase.CONFIRMING else None
    return name_of(session, row, who) if who else None
