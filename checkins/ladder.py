"""The ladder's first rungs, pure: tries 1 to 3, then a person with a reason. The whole transition table is here.

Rules (PRODUCT.md, "The ladder", "Line rules", "Other answers"), and what we decided where it leaves room:

- Try 2 comes 15 min and try 3 45 min after the moment the *first* try was missed, never sooner than 15 min after
  the one before (a late try 2 would else be followed at once by try 3).
- The first busy of a day is rung again after 5 min and is no try; any further one is. Nothing but busy = off hook.
- A line error or a call that we broke off says nothing about the elder: 2, 5, 10 min, no try; then a person.
- What can't be known (UNKNOWN) is never dialled again: a person.
- Good news counts only from an answered call with evidence; bad news counts from any call.
- An alarm dominates everything, also a closed case; nothing but a named person ends it.
- What an elder, or who is with them, said to be wrong reopens a case that was closed meanwhile: who closed it in
  mid-call didn't hear it. The closing stays in the event log. Silence doesn't reopen: a person found out more.

A case that needs a person has its next action in `due_at`: 2 min (emergency) or 10 min (unreached) ahead, 30 min
once a named person has taken it over, else within the same day. Later rungs replace what happens at that moment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from checkins.names import named, says_something
from checkins.policy import FINDING_WITHIN, Policy
from checkins.results import LINE, SLEEPLESS, URGENCIES, Reason, Result, Status, Urgency
from checkins.schedule import Day

# ── values ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Case:
    """One elder on one local date. `due_at` is None only when closed."""

    policy: Policy
    day: Day
    slot: datetime
    status: Status
    due_at: datetime | None
    tries: int = 0  # counted misses
    busy: int = 0
    line_errors: int = 0
    first_missed_at: datetime | None = None
    result: Result | None = None
    evidence: str | None = None
    reason: Reason | None = None
    urgency: Urgency | None = None
    person_since: datetime | None = None  # since when a person is needed
    reminders: int = 0
    owner: str | None = None  # the named person who took it over
    closed_by: str | None = None
    closed_at: datetime | None = None
    finding: str | None = None

    @property
    def alarm(self) -> bool:
        return self.status is Status.NEEDS_PERSON and self.urgency is Urgency.EMERGENCY

    @property
    def dialling(self) -> bool:
        """A call is ahead."""
        return self.status in (Status.PLANNED, Status.WAITING)


@dataclass(frozen=True)
class News:
    """What a call came to for this elder. `again`: the last check-in before was reported by another, too."""

    result: Result
    evidence: str = "none"  # "key", "speech" or "none"
    again: bool = False


@dataclass(frozen=True)
class Wait:
    """Nothing to do before `until`."""

    until: datetime


@dataclass(frozen=True)
class PlaceCall:
    try_no: int


@dataclass(frozen=True)
class NeedPerson:
    reason: Reason
    urgency: Urgency


@dataclass(frozen=True)
class Remind:
    """A person is still needed: raise it again."""


@dataclass(frozen=True)
class Done:
    """Closed."""


Action = Wait | PlaceCall | NeedPerson | Remind | Done

# ── what to do now ────────────────────────────────────────────────────────────────────────────────


def open_case(policy: Policy, slot: datetime, day: Day) -> Case:
    """A case whose first call is planned for `slot`."""
    return Case(policy, day, slot, Status.PLANNED, due_at=slot)


def decide(case: Case, now: datetime) -> Action:
    """What to do with this case at `now`."""
    if case.status is Status.CLOSED or case.due_at is None:
        return Done()
    if now < case.due_at:
        return Wait(case.due_at)
    if case.status is Status.NEEDS_PERSON:
        return Remind()
    if case.status is Status.CALLING:
        return Wait(case.due_at)  # whether there is news of the call is the cycle's question, not ours
    return _dial(case, now)


def _dial(case: Case, now: datetime) -> Action:
    if now >= case.day.closes:
        return _out_of_calls(case, Reason.WINDOW)
    if now < case.day.opens:
        return Wait(case.day.opens)
    served = case.tries or case.busy
    if not served and now >= max(case.day.unserved, case.slot + timedelta(minutes=case.policy.unserved_grace)):
        return NeedPerson(Reason.LINE if case.line_errors else Reason.UNSERVED, Urgency.TODAY)
    return PlaceCall(case.tries + 1)


def postpone(case: Case, until: datetime, now: datetime) -> Case:
    """The line rules allow the due call only at `until`: wait that long, or a person now if it is too far off."""
    too_late = until - now > timedelta(minutes=case.policy.longest_delay)
    if too_late or until >= case.day.closes:
        need = _out_of_calls(case, Reason.LINE_RULES)
        return need_person(case, need.reason, need.urgency, now)
    return replace(case, due_at=until)


def _out_of_calls(case: Case, reason: Reason) -> NeedPerson:
    return NeedPerson(reason, Urgency.UNREACHED if case.tries or case.busy else Urgency.TODAY)


# ── moves that are not news of a call ─────────────────────────────────────────────────────────────


def calling(case: Case, news_by: datetime) -> Case:
    """A call is being placed; without news by `news_by` somebody asks the carrier."""
    return replace(case, status=Status.CALLING, due_at=news_by)


def need_person(case: Case, reason: Reason, urgency: Urgency, now: datetime) -> Case:
    return replace(
        case,
        status=Status.NEEDS_PERSON,
        reason=reason,
        urgency=urgency,
        person_since=now if case.status is not Status.NEEDS_PERSON else case.person_since,
        due_at=_person_due(case, urgency, now),
        closed_by=None,
        closed_at=None,
        finding=None,
    )


def remind(case: Case, now: datetime) -> Case:
    """A person was reminded: the next time. Outside calling hours only emergencies and unreached elders remind."""
    assert case.urgency is not None
    if case.owner or case.urgency in SLEEPLESS:
        due = _person_due(case, case.urgency, now)
    else:
        due = now + timedelta(minutes=case.policy.remind_every)
        morning = case.day.opens + timedelta(days=(due - case.day.opens).days + 1)
        due = morning if (due - case.day.opens) % _DAY >= case.day.closes - case.day.opens else due
    return replace(case, reminders=case.reminders + 1, due_at=due)


def take_over(case: Case, by: str, now: datetime) -> Case:
    """A named person takes the case: the line stops dialling; a finding is due in 30 min, else it reminds again."""
    name = named(by)
    if case.status is Status.CLOSED:
        raise ValueError("this case is closed")
    if case.status is not Status.NEEDS_PERSON:
        case = need_person(case, Reason.HUMAN_CONTACT, Urgency.TODAY, now)
    case = replace(case, owner=name)
    return replace(case, due_at=_person_due(case, case.urgency or Urgency.TODAY, now))


def close(case: Case, by: str, finding: str, now: datetime) -> Case:
    """Closed by a named person with what they found; ValueError without either, or when it is closed already."""
    name = named(by)
    if not says_something(finding):
        raise ValueError("say what was found: a case is closed with a finding")
    if case.status is Status.CLOSED:
        raise ValueError("this case is closed")
    return _closed(case, name, finding.strip(), now)


def _closed(case: Case, by: str, finding: str | None, now: datetime) -> Case:
    return replace(case, status=Status.CLOSED, due_at=None, closed_by=by, closed_at=now, finding=finding)


def _person_due(case: Case, urgency: Urgency, now: datetime) -> datetime:
    """The next action of a case that needs a person. Same-day work is due before the day's calling hours end."""
    policy = case.policy
    if case.owner:
        return now + timedelta(minutes=FINDING_WITHIN)
    if urgency is Urgency.EMERGENCY:
        return now + timedelta(minutes=policy.emergency_every)
    if urgency is Urgency.UNREACHED:
        return now + timedelta(minutes=policy.unreached_every)
    within = policy.soon_within if urgency is Urgency.SOON else policy.today_within
    return max(now, min(now + timedelta(minutes=within), case.day.closes))


_DAY = timedelta(days=1)

# ── news of a call: the transition table ──────────────────────────────────────────────────────────


def apply(case: Case, news: News, now: datetime) -> Case:
    """The case after `news`. News of a case that no call is out for only makes it worse, or lifts an unreached one."""
    if news.result is Result.EMERGENCY:
        return _alarm(case, news, now)
    if case.alarm or (case.status is Status.CLOSED and news.result not in REOPENS):
        return case
    if case.status is Status.CLOSED:
        case = replace(case, owner=None)  # who had it is through with it: it waits for a name again
    if case.status is Status.NEEDS_PERSON:
        return _late(case, news, now)
    return _TABLE[news.result](case, news, now)


def _alarm(case: Case, news: News, now: datetime) -> Case:
    if case.alarm:
        return case
    case = replace(case, result=Result.EMERGENCY, evidence=news.evidence, owner=None)
    return need_person(case, Reason.EMERGENCY, Urgency.EMERGENCY, now)


def _late(case: Case, news: News, now: datetime) -> Case:
    """News after the case went to a person: who was not heard yet may turn out heard; else nothing changes."""
    if case.reason not in _NOT_HEARD or news.result in _MISSES:
        return case
    after = _TABLE[news.result](case, news, now)
    if case.owner and after.status is Status.CLOSED:
        return case  # somebody is on the way: they close it
    if after.due_at and case.due_at:
        return replace(after, due_at=min(after.due_at, case.due_at))
    return after


def rang_in(case: Case, news: News, now: datetime) -> Case:
    """The case of today after what the elder has said who rang in herself: as after a call of ours, but that nothing of
    it makes a case less urgent for which a person is needed already; bad news makes it sooner."""
    if case.status is not Status.NEEDS_PERSON:
        return apply(case, news, now)
    if case.alarm or news.result not in REOPENS:
        return case
    after = _TABLE[news.result](case, news, now)
    if _rank(after) < _rank(case):
        return after
    told_more = news.result is Result.NOT_WELL or not_heard(case)
    return replace(case, reason=after.reason, result=news.result, evidence=news.evidence) if told_more else case


def _rank(case: Case) -> int:
    return URGENCIES[case.urgency] if case.urgency else len(URGENCIES)


def rang_in_well(case: Case, news: News, now: datetime) -> Case:
    """A case of hers after the elder rang in herself and clearly said that she is well: who wasn't heard is heard, and
    is not looked for any more, whoever was on the way. What else a person is needed for still stands."""
    if case.alarm or case.status is Status.CLOSED or (case.status is Status.NEEDS_PERSON and not not_heard(case)):
        return case
    return _close(case, replace(news, result=Result.WELL), now)


def not_heard(case: Case) -> bool:
    """Whether a person is needed because nobody has heard from the elder how she is."""
    return case.status is Status.NEEDS_PERSON and case.reason in _ANSWERED_BY_HER


_Move = Callable[[Case, News, datetime], Case]


def _miss(case: Case, news: News, now: datetime) -> Case:
    """Nobody was reached: this was a try."""
    if case.status is not Status.CALLING:
        return case
    case = replace(case, tries=case.tries + 1, first_missed_at=case.first_missed_at or now, result=news.result)
    if case.tries >= case.policy.tries:
        always_busy = case.busy > case.tries  # the free one and every try
        reason = Reason.OFF_HOOK if always_busy else Reason.UNREACHED
        return need_person(case, reason, Urgency.UNREACHED, now)
    after = case.policy.try_after
    assert case.first_missed_at is not None
    due = max(case.first_missed_at + timedelta(minutes=after[case.tries]), now + timedelta(minutes=after[1]))
    return _again(case, due, now)


def _busy(case: Case, news: News, now: datetime) -> Case:
    if case.status is not Status.CALLING:
        return case
    first = case.busy == 0
    case = replace(case, busy=case.busy + 1, result=news.result)
    return _again(case, now + timedelta(minutes=case.policy.busy_after), now) if first else _miss(case, news, now)


def _line_trouble(case: Case, news: News, now: datetime) -> Case:
    """The line failed, not the elder."""
    if case.status is not Status.CALLING:
        return case
    case = replace(case, line_errors=case.line_errors + 1, result=news.result)
    delays = case.policy.line_error_after
    if case.line_errors > len(delays):
        need = _out_of_calls(case, Reason.LINE)
        return need_person(case, need.reason, need.urgency, now)
    return _again(case, now + timedelta(minutes=delays[case.line_errors - 1]), now)


def _again(case: Case, due: datetime, now: datetime) -> Case:
    """The next call, unless it would jump over the day's window: then a person now."""
    if due >= case.day.closes:
        need = _out_of_calls(case, Reason.WINDOW)
        return need_person(case, need.reason, need.urgency, now)
    return replace(case, status=Status.WAITING, due_at=due)


def _close(case: Case, news: News, now: datetime) -> Case:
    """Closed by the elder's own clear answer, or as reported by another; twice running is too often."""
    if news.evidence not in ("key", "speech"):
        return _unconfirmed(case, replace(news, result=Result.PRESENT_UNCONFIRMED), now)
    case = replace(case, result=news.result, evidence=news.evidence)
    if news.result is Result.OTHER_SAYS_WELL and news.again:
        return need_person(case, Reason.OTHER_TWICE, Urgency.TODAY, now)
    return replace(_closed(case, LINE, None, now), reason=None, urgency=None)


def _need(reason: Reason, urgency: Urgency) -> _Move:
    def move(case: Case, news: News, now: datetime) -> Case:
        case = replace(case, result=news.result, evidence=news.evidence)
        return need_person(case, reason, urgency, now)

    return move


_unconfirmed = _need(Reason.PRESENT_UNCONFIRMED, Urgency.TODAY)

_TABLE: Mapping[Result, _Move] = {
    Result.NO_ANSWER: _miss,
    Result.MACHINE: _miss,
    Result.HUNG_UP: _miss,
    Result.BUSY: _busy,
    Result.LINE_ERROR: _line_trouble,
    Result.INTERRUPTED: _line_trouble,
    Result.CANCELLED: _line_trouble,
    Result.WELL: _close,
    Result.OTHER_SAYS_WELL: _close,
    Result.NOT_WELL: _need(Reason.NOT_WELL, Urgency.SOON),
    Result.WANTS_PERSON: _need(Reason.WANTS_PERSON, Urgency.SOON),
    Result.OTHER_SAYS_UNWELL: _need(Reason.OTHER_SAYS_UNWELL, Urgency.SOON),
    Result.SILENT: _need(Reason.SILENT, Urgency.SOON),
    Result.PRESENT_UNCONFIRMED: _unconfirmed,
    Result.ABSENT: _need(Reason.ABSENT, Urgency.TODAY),
    Result.WRONG_NUMBER: _need(Reason.WRONG_NUMBER, Urgency.TODAY),
    Result.BAD_NUMBER: _need(Reason.BAD_NUMBER, Urgency.TODAY),
    Result.REFUSED: _need(Reason.REFUSED, Urgency.TODAY),
    Result.UNKNOWN: _need(Reason.UNKNOWN, Urgency.UNREACHED),
    Result.EMERGENCY: _alarm,
}

REOPENS = frozenset({Result.NOT_WELL, Result.WANTS_PERSON, Result.OTHER_SAYS_UNWELL, Result.REFUSED})
_MISSES = frozenset(result for result, move in _TABLE.items() if move in (_miss, _busy, _line_trouble))
_NOT_HEARD = frozenset(
    {
        Reason.UNREACHED,
        Reason.OFF_HOOK,
        Reason.UNKNOWN,
        Reason.LINE,
        Reason.LINE_RULES,
        Reason.WINDOW,
        Reason.UNSERVED,
        Reason.HUMAN_CONTACT,
        Reason.NO_CONSENT,
        Reason.BUDDY_MISSED,
    }
)
# Who rings in herself and says clearly how she is has answered these.
_ANSWERED_BY_HER = _NOT_HEARD | {Reason.SILENT, Reason.PRESENT_UNCONFIRMED, Reason.ABSENT}
