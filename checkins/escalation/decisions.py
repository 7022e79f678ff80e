"""What to do now for a search: ring whom, wait until when, move on to what. Pure; the search itself is not changed.

The transitions are in search.py, who may be rung at all in scene.py.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from checkins.escalation.policy import APART, Who
from checkins.escalation.scene import TELL_WITHIN, Scene, ago
from checkins.escalation.values import (
    Action,
    CallForFinding,
    Confirm,
    Idle,
    NextRung,
    Phase,
    Responders,
    Ring,
    Search,
    TellTaken,
    Wait,
)


def decide(
    search: Search,
    responders: Responders,
    busy: Collection[str],
    now: datetime,
    *,
    working_from: datetime | None = None,
) -> Action:
    """What to do at `now`. `responders`: who may be rung in each capacity, by the roster as it is now. `busy`: ids of
    those on a call of ours. `working_from`: when the office works next (now or earlier: it works), by the roster."""
    return _PHASES[search.phase](Scene(search, responders, frozenset(busy), now, working_from))


def _searching(scene: Scene) -> Action:
    search, step, now = scene.search, scene.step(scene.search.rung), scene.now
    if (rung := scene.overdue()) is not None:
        return NextRung(rung)
    if not scene.anybody(search.rung):
        return _onward(scene)
    turns = [(person, scene.turn_from(person)) for person in scene.heads()]
    if ready := tuple(person for person, moment in turns if moment <= now):
        return Ring(ready)
    if turns:
        return scene.wait(*(moment for _, moment in turns))
    if not scene.rung_somebody() and isinstance(onward := _onward(scene), NextRung):
        return onward  # everybody talks to others, and has for long: whoever comes next may be free
    look = [scene.look_again] if scene.passed_over() else []
    if ago(search.round_since, now) < (every := timedelta(minutes=step.every)):
        return scene.wait(search.round_since + every, *look)
    if search.round + 1 < step.rounds:
        return NextRung(search.rung, search.round + 1)
    onward = _onward(scene)
    return replace(onward, until=min([onward.until, *look])) if isinstance(onward, Wait) else onward


def _onward(scene: Scene) -> Action:
    """The next rung that has anybody, else a new pass; passes begin as far apart as the loop's rounds."""
    search, plan = scene.search, scene.search.plan
    for rung in range(search.rung + 1, len(plan.steps)):
        if scene.anybody(rung):
            return NextRung(rung)
    loop = [*range(plan.loop, len(plan.steps)), *range(plan.loop)]
    apart = timedelta(minutes=max(APART, plan.steps[plan.loop].every))
    if ago(search.pass_since, scene.now) < apart:
        left = any(scene.anybody(rung) for rung in loop)
        return scene.wait(search.pass_since + apart, nobody=not left and not _asleep(scene))
    again = next((rung for rung in loop if scene.anybody(rung, forgiven=True)), None)
    if again is not None:
        return NextRung(again, again=True)
    opens = [scene.opens(who) for who in plan.roles if scene.responders.get(who)]
    return scene.wait(*(moment for moment in opens if moment > scene.now), nobody=not _asleep(scene))


def _asleep(scene: Scene) -> bool:
    """Somebody is there for what can wait until they may be rung."""
    return not scene.search.loud and any(
        person.number for who in scene.search.plan.roles for person in scene.responders.get(who, ())
    )


def _taken(scene: Scene) -> Action:
    search, now = scene.search, scene.now
    within = timedelta(minutes=search.plan.finding_within)
    assert search.finding_due is not None
    assert search.accepted_by is not None
    if ago(search.finding_due - within, now) >= within:
        return _after(search)
    telling, later = _tell(scene, search.accepted_by)
    if telling:
        return telling
    later = (search.finding_due, *later)
    ask = asks_at(search)
    if now < ask:
        return scene.wait(ask, *later)
    person, call = scene.find(search.accepted_by), search.called(search.accepted_by)
    if person is None or (call and call.last >= ask):
        return scene.wait(*later)
    free = scene.free_from(person.id)
    return CallForFinding(person) if free <= now else scene.wait(free, *later)


def asks_at(search: Search) -> datetime:
    """When who has accepted is rung and asked what they found."""
    assert search.finding_due is not None
    return search.finding_due - timedelta(minutes=search.plan.finding_within - search.plan.finding_call)


def _after(search: Search) -> NextRung:
    """Where the ladder goes on when who had accepted says nothing: duty, or what follows duty."""
    duty = search.plan.first(Who.DUTY)
    if search.rung < duty:
        return NextRung(duty)
    following = search.rung + 1
    return NextRung(following) if following < len(search.plan.steps) else NextRung(search.plan.loop, again=True)


def _confirming(scene: Scene) -> Action:
    search, now = scene.search, scene.now
    assert search.found_at is not None
    assert search.found_by is not None
    assert search.confirm_after is not None
    assert search.confirm_by is not None
    if now >= search.confirm_by or ago(search.found_at, now) == timedelta.max:
        return NextRung(0)
    telling, later = _tell(scene, search.found_by)
    return telling or Confirm(search.confirm_after, search.confirm_by, min([search.confirm_by, *later]))


def _ended(scene: Scene) -> Action:
    assert scene.search.ended_by is not None
    telling, later = _tell(scene, scene.search.ended_by)
    return telling or (scene.wait(*later) if later else Idle(scene.search.ended_by))


def _tell(scene: Scene, by: str) -> tuple[TellTaken | None, tuple[datetime, ...]]:
    """Who must hear that the case is not theirs, while it is news and they may be rung: one now, else when."""
    news = [item.responder for item in scene.search.untold if ago(item.since, scene.now) < TELL_WITHIN]
    people = [person for responder in news if (person := scene.find(responder))]
    moments = [scene.free_from(person.id) for person in people]
    ready = [person for person, moment in zip(people, moments, strict=True) if moment <= scene.now]
    return (TellTaken(ready[0], by), ()) if ready else (None, tuple(moments))


_PHASES: Mapping[Phase, Callable[[Scene], Action]] = {
    Phase.SEARCHING: _searching,
    Phase.TAKEN: _taken,
    Phase.CONFIRMING: _confirming,
    Phase.ENDED: _ended,
}
