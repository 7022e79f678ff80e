"""The search for a person, pure: the ladder's later rungs. The whole transition table is here.

    phase       news                              → phase        then
    ──────────  ────────────────────────────────  ─────────────  ──────────────────────────────────────────
    SEARCHING   accepted (by key)                 → TAKEN        a finding within 30 min
                declined                          SEARCHING      not rung again in this pass
                no answer, machine, busy, silent,
                wrong person                      SEARCHING      again after `spacing`, then who comes next
                line error                        SEARCHING      not counted; three of them are
    TAKEN       accepted by another               TAKEN          the other is told
                declined by who had it            → SEARCHING    goes on where it was
                30 min without a finding          → SEARCHING    duty, or what follows duty
    SEARCHING,  fine, seen in person              → CONFIRMING   the line rings the elder; without that: ENDED
                the same, by who may not say so   as before      see `_may_say_fine`
    TAKEN       fine, only heard                  as before      it is not enough; where it is: ENDED
                needs help, nobody opens          → SEARCHING    duty at once, at any hour
                the same, said by duty or deputy  → TAKEN        they have it; again within 30 min
    CONFIRMING  the elder answered well           → ENDED        by the name of who saw them
                no answer, or 2 h over            → SEARCHING    from the first rung
                needs help, nobody opens          → SEARCHING    duty at once
    ENDED       needs help                        → SEARCHING    duty at once: bad news reopens
    any but     staff take over                   → TAKEN        whoever had it is told
    ENDED       stopped by a name                 → ENDED

`decide` says what to do; what was done comes back as `rang`, `told`, `climb`; news as `replied`, `found`, `confirmed`,
`unconfirmed`. Late and repeated news change nothing, except that bad news is never lost. `advance` = `decide` and
`climb` until there is something to do. Nothing ends without a name, and no name is the line's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from checkins.escalation.decisions import decide
from checkins.escalation.hours import elder_awake
from checkins.escalation.policy import STAFF, Escalation, Who
from checkins.escalation.values import (
    Action,
    Called,
    Finding,
    NextRung,
    Phase,
    Reply,
    Responders,
    Search,
    Untold,
)
from checkins.names import named
from checkins.results import SLEEPLESS, Urgency


def begin(
    escalation: Escalation, urgency: Urgency, now: datetime, *, zone: str = "Asia/Shanghai", device: bool = False
) -> Search:
    """A search that begins now (after the third try). `device`: raised by an alarm button or a smoke detector."""
    plan = escalation.plan(urgency, device=device)
    worse = None if urgency in SLEEPLESS else escalation.unreached
    return Search(urgency, plan, worse, escalation.hours, zone, since=now, pass_since=now, round_since=now)


def advance(
    search: Search,
    responders: Responders,
    busy: Collection[str],
    now: datetime,
    *,
    working_from: datetime | None = None,
) -> tuple[Search, Action]:
    """The search moved on as far as it can without a call, and what to do then: never NextRung."""
    while isinstance(action := decide(search, responders, busy, now, working_from=working_from), NextRung):
        search = climb(search, action, now)
    return search, action


# ── what was done ─────────────────────────────────────────────────────────────────────────────────


def rang(search: Search, responder: str, now: datetime) -> Search:
    """A call to them was placed (whatever for). One that the carrier refused: `rang`, then `replied` LINE_ERROR."""
    call = search.called(responder) or Called(responder, now)
    return _put(search, replace(call, last=now, outcome=None, calls=call.calls + 1))


def told(search: Search, responder: str, now: datetime) -> Search:
    """A call was placed to say that somebody else has it."""
    left = tuple(item for item in search.untold if item.responder != responder)
    search = replace(search, untold=left, told=_with(search.told, responder))
    call = search.called(responder) or Called(responder, now)
    return _put(search, replace(call, last=max(call.last, now)))  # a clock that went back makes no call older


def climb(search: Search, move: NextRung, now: datetime) -> Search:
    """What `decide` answered with NextRung, at the same moment."""
    if search.phase is Phase.CONFIRMING:
        return unconfirmed(search, now)
    if search.phase is Phase.ENDED:
        return search
    return _search_on(_released(search), move, now)


def _search_on(search: Search, move: NextRung, now: datetime) -> Search:
    """Searching from this rung and round on; who was rung before is rung again."""
    calls = tuple(replace(call, calls=0, errors=0) for call in search.calls)
    search = replace(search, phase=Phase.SEARCHING, rung=move.rung, round=move.round, round_since=now, calls=calls)
    return replace(search, pass_since=now, declined=()) if move.again else search


def _released(search: Search) -> Search:
    """Nobody has it; who had it must hear when somebody else takes it."""
    had = (search.accepted_by, *(item.responder for item in search.untold))
    went = tuple(dict.fromkeys([*search.went, *(responder for responder in had if responder)]))
    return replace(search, accepted_by=None, accepted_at=None, finding_due=None, went=went, untold=(), told=())


# ── what people answered ──────────────────────────────────────────────────────────────────────────


def replied(search: Search, responder: str, reply: Reply, now: datetime, *, since: datetime | None = None) -> Search:
    """What a call to them came to, that began at `since`. News of a call that was told before changes nothing, nor
    what is older than their yes or no in a later call."""
    call = search.called(responder)
    before = call.outcome if call else None
    if call and since and since < call.last and before in (Reply.ACCEPTED, Reply.DECLINED):
        return search
    if before is reply or (call is None and reply not in (Reply.ACCEPTED, Reply.DECLINED)):
        return search
    if before is not None and reply not in (Reply.ACCEPTED, Reply.DECLINED):
        return search  # late, and nothing that a person said
    search = _put(search, replace(call or Called(responder, now), outcome=reply))
    return _REPLIES[reply](search, responder, now)


_Move = Callable[[Search, str, datetime], Search]


def _accepted(search: Search, responder: str, now: datetime) -> Search:
    named(responder)
    if search.phase is Phase.SEARCHING:
        return _take(search, responder, now)
    if responder in (search.accepted_by, _saw(search), search.ended_by):
        return search
    return _untold(search, (responder,), now)


def _take(search: Search, by: str, now: datetime) -> Search:
    search = _others_hear(search, by, now)
    due = now + timedelta(minutes=search.plan.finding_within)
    return replace(search, phase=Phase.TAKEN, accepted_by=by, accepted_at=now, finding_due=due)


def _untold(search: Search, responders: tuple[str, ...], now: datetime) -> Search:
    known = {item.responder for item in search.untold} | set(search.told)
    new = tuple(Untold(responder, now) for responder in dict.fromkeys(responders) if responder not in known)
    return replace(search, untold=(*search.untold, *new))


def _declined(search: Search, responder: str, now: datetime) -> Search:
    search = replace(search, declined=_with(search.declined, responder))
    if search.phase is Phase.TAKEN and responder == search.accepted_by:
        search = replace(_released(search), phase=Phase.SEARCHING)
    gone = tuple(other for other in search.went if other != responder)
    return replace(search, went=gone, untold=tuple(item for item in search.untold if item.responder != responder))


def _missed(search: Search, responder: str, now: datetime) -> Search:
    return search


def _line_error(search: Search, responder: str, now: datetime) -> Search:
    """The line failed, not the responder."""
    call = search.called(responder)
    assert call is not None
    return _put(search, replace(call, calls=max(0, call.calls - 1), errors=call.errors + 1))


def forgiven(search: Search, responder: str) -> Search:
    """The last error was everybody's (the line is dead): it doesn't add up to a call of theirs."""
    call = search.called(responder)
    return _put(search, replace(call, errors=max(0, call.errors - 1))) if call else search


_REPLIES: Mapping[Reply, _Move] = {
    Reply.ACCEPTED: _accepted,
    Reply.DECLINED: _declined,
    Reply.NO_ANSWER: _missed,
    Reply.MACHINE: _missed,
    Reply.BUSY: _missed,
    Reply.SILENT: _missed,
    Reply.WRONG_PERSON: _missed,
    Reply.LINE_ERROR: _line_error,
}


def take_over(search: Search, by: str, now: datetime) -> Search:
    """A named person takes it, whoever had it; a finding is due as from anybody. ValueError without a name, or when
    it has ended."""
    name = named(by)
    _open(search)
    search = _take(search, name, now)
    return search if search.bad else _clear_finding(search)


# ── what was found ────────────────────────────────────────────────────────────────────────────────


def found(
    search: Search,
    responder: str,
    finding: Finding,
    now: datetime,
    *,
    who: Who = Who.BUDDY,
    since: datetime | None = None,
) -> Search:
    """What somebody found, who may have accepted or not, in a call that began at `since`. `who` they are: duty, deputy
    and street keep what is bad."""
    named(responder)
    if finding in (Finding.FINE_SEEN, Finding.FINE_HEARD) and not _may_say_fine(search, responder, since):
        return search
    return _FINDINGS[finding](search, responder, finding, now, who)


def _may_say_fine(search: Search, responder: str, since: datetime | None) -> bool:
    """Who has the case may. After bad news nobody else, but for who brought it, in a later call, while nobody has it;
    and while another is on the way only who was sent, too: whoever else was there may speak of yesterday."""
    if search.phase in (Phase.CONFIRMING, Phase.ENDED):
        return False
    if responder == search.accepted_by:
        return True
    if search.bad:
        mends = since is not None and search.found_at is not None and since > search.found_at
        return search.phase is Phase.SEARCHING and responder == search.found_by and mends
    sent = {*search.went, *search.told, *(item.responder for item in search.untold)}
    return search.phase is Phase.SEARCHING or responder in sent


_Found = Callable[[Search, str, Finding, datetime, Who], Search]


def _fine(search: Search, responder: str, finding: Finding, now: datetime, who: Who) -> Search:
    must_see = finding is Finding.FINE_HEARD and search.plan.seen  # whoever has it must go
    if must_see and search.bad:
        return search
    search = replace(search, finding=finding, found_by=responder, found_at=now)
    if must_see:
        return search
    if not search.plan.confirm_within:
        return _end(search, responder, now)
    after, by = elder_awake(search.hours, search.zone, now, search.plan.confirm_within)
    search = _others_hear(search, responder, now)
    return replace(search, phase=Phase.CONFIRMING, confirm_after=after, confirm_by=by, finding_due=None)


def _bad(search: Search, responder: str, finding: Finding, now: datetime, who: Who) -> Search:
    """Somebody needs help, or nobody opens: duty at once; who is on duty has it already."""
    if _same(search, responder, finding) or (search.phase is Phase.ENDED and finding is Finding.NOBODY_OPENS):
        return search  # who closed it found out more than a door that stays shut
    search = replace(_clear_finding(_worse(search)), finding=finding, found_by=responder, found_at=now)
    if who in STAFF:
        return _take(search, responder, now)
    search = replace(_released(search), declined=())
    others = tuple(other for other in search.went if other != responder)
    search = replace(search, went=(*others, responder) if finding is Finding.NOBODY_OPENS else others)
    return _search_on(search, NextRung(search.plan.first(Who.DUTY)), now)


def _worse(search: Search) -> Search:
    """It can't wait any more."""
    return replace(search, plan=search.worse, worse=None, urgency=Urgency.UNREACHED) if search.worse else search


def _same(search: Search, responder: str, finding: Finding) -> bool:
    """Said before, and nothing has come between."""
    open_ = search.phase in (Phase.SEARCHING, Phase.TAKEN)
    return open_ and (search.found_by, search.finding) == (responder, finding)


_FINDINGS: Mapping[Finding, _Found] = {
    Finding.FINE_SEEN: _fine,
    Finding.FINE_HEARD: _fine,
    Finding.NEEDS_HELP: _bad,
    Finding.NOBODY_OPENS: _bad,
}


def confirmed(search: Search, now: datetime) -> Search:
    """The elder answered the line's call, and well: it ends by the name of who had seen them."""
    if search.phase is not Phase.CONFIRMING:
        return search
    assert search.found_by is not None
    return replace(search, phase=Phase.ENDED, ended_by=search.found_by, ended_at=now)


def unconfirmed(search: Search, now: datetime) -> Search:
    """The elder didn't answer the line's call: everything from the start."""
    if search.phase is not Phase.CONFIRMING:
        return search
    search = replace(_released(_clear_finding(search)), went=(), declined=())
    search = replace(search, since=now, pass_since=now)
    return _search_on(search, NextRung(0), now)


def stop(search: Search, by: str, now: datetime) -> Search:
    """Closed by a named person, or by the elder who rang in well: by the elder's id. ValueError without a name, or
    when it has ended."""
    name = named(by)
    _open(search)
    return _end(search, name, now)


def answered_before(search: Search) -> bool:
    """Whether a cry for help must ring people anew, though its emergency is open: who had it has said by now what they
    found, and can't have meant this one. Who is there, and says that help is needed, is the help."""
    said = search.found_by == search.accepted_by and search.finding in (Finding.FINE_HEARD, Finding.NOBODY_OPENS)
    return search.phase in (Phase.CONFIRMING, Phase.ENDED) or (search.phase is Phase.TAKEN and said)


# ── small change ──────────────────────────────────────────────────────────────────────────────────


def _end(search: Search, by: str, now: datetime) -> Search:
    search = replace(search, phase=Phase.ENDED, ended_by=by, ended_at=now, finding_due=None)
    return _others_hear(search, by, now)


def _others_hear(search: Search, by: str, now: datetime) -> Search:
    """Whoever else believes it is theirs must hear that `by` has it, but for who saw the elder and said so, and who
    stays: before a shut door they are told when it is over."""
    others = [*search.went, *((search.accepted_by,) if search.accepted_by else ())]
    kept = [other for other in others if search.stays(other)]
    went = (kept[0],) if kept and kept[0] != by and search.finding is Finding.NOBODY_OPENS else ()
    untold = tuple(item for item in search.untold if item.responder != by and not search.stays(item.responder))
    search = replace(search, went=went, untold=untold)
    return _untold(search, tuple(other for other in others if other not in (by, _saw(search), *kept)), now)


def _saw(search: Search) -> str | None:
    return search.found_by if search.finding is Finding.FINE_SEEN else None


def _clear_finding(search: Search) -> Search:
    """Open again: nobody closed it, nothing is confirmed."""
    cleared = replace(search, finding=None, found_by=None, found_at=None, confirm_after=None, confirm_by=None)
    return replace(cleared, ended_by=None, ended_at=None)


def _put(search: Search, call: Called) -> Search:
    calls = tuple(old for old in search.calls if old.responder != call.responder)
    return replace(search, calls=(*calls, call))


def _with(some: tuple[str, ...], one: str) -> tuple[str, ...]:
    return some if one in some else (*some, one)


def _open(search: Search) -> None:
    if search.phase is Phase.ENDED:
        raise ValueError("this search has ended")
