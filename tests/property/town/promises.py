"""What PRODUCT.md promises, written again on purpose, and held against whatever a house does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from checkins.ports import CallOutcome, CallRequest, Placed
from tests.property.town.values import CHECKIN, ELDERS, RESPONDER, VOLUNTEERS, ZONE, Held, House

TAKEN = "taken"  # the flow that tells somebody that they need not go
ASKS = ("dispatch", "finding")
LOUD = ("unreached", "emergency")
TAKES = ("accepted", "fine_seen")  # after which somebody may have a case, if it was a key
BAD = ("needs_help", "nobody_opens", "emergency")
HELPLESS = ("needs_help", "emergency")
MINUTE = timedelta(minutes=1)
GRACE = 2 * MINUTE  # the cycle ticks all the time; here it may come a little later
LONGEST_CALL = 10 * MINUTE


def asleep(moment: datetime) -> bool:
    return not 8 <= moment.astimezone(ZoneInfo(ZONE)).hour < 21


@dataclass
class Promises:
    """`talks`: whether a call to this number truly goes on. Moments are by the house's own clock."""

    house: House
    talks: Callable[[str], bool]
    routine: dict[str, list[datetime]] = field(default_factory=dict)  # calls to elders' numbers, by number
    rung: dict[str, datetime] = field(default_factory=dict)  # the last call to each responder
    # Who has said by key, or as staff, what lets them have this elder's case.
    spoke: set[tuple[str, str]] = field(default_factory=set)
    stopped: set[str] = field(default_factory=set)  # elders to whom no machine call may go any more
    # Elders who died or moved, as the register says: nobody is rung about them, unless somebody cries for help.
    gone: set[str] = field(default_factory=set)
    helpless: set[str] = field(default_factory=set)  # whoever was there has said so, whatever the register says
    alone: dict[str, datetime] = field(default_factory=dict)  # since when nobody is rung for a loud case
    emergencies: dict[tuple[str, str], datetime] = field(default_factory=dict)  # when who was rung for whose
    urgency: dict[str, str | None] = field(default_factory=dict)
    cases: list[Held] = field(default_factory=list)  # as they were when the house came to rest

    # ── a call is ordered ──

    def order(self, request: CallRequest) -> None:
        now = self.house.now
        self.urgency = {held.elder: held.urgency for held in self.house.held()}
        assert not self.talks(request.number), "rung while they talk to the line"
        one = RESPONDER.get(request.number)
        callees = {callee.id for callee in request.callees}
        assert callees, "a call about nobody"
        calm = {elder for elder in callees & self.gone - self.helpless if self.urgency[elder] != "emergency"}
        assert request.flow == TAKEN or not calm, "rung about who has died or moved"
        if one is None:
            self._elder(request, callees, now)
        else:
            self._responder(one, request, now)
        if request.flow in ASKS:
            for elder in callees:
                self.alone.pop(elder, None)

    def _elder(self, request: CallRequest, callees: set[str], now: datetime) -> None:
        if request.flow != CHECKIN:
            return  # an emergency rings at any hour
        assert not callees & self.stopped, "a machine call to who wants none"
        assert not asleep(now), "an elder is rung in quiet hours"
        earlier = self.routine.setdefault(request.number, [])
        assert sum(now - moment < timedelta(hours=24) for moment in earlier) < 5, "more than 5 calls in 24 h"
        assert sum(now - moment < 5 * MINUTE for moment in earlier) < 3, "more than 3 calls in 5 min"
        earlier.append(now)

    def _responder(self, one: str, request: CallRequest, now: datetime) -> None:
        """Who believes that they must go is told at any hour that they needn't."""
        emergency = request.flow == TAKEN or any(self.urgency[one.id] == "emergency" for one in request.callees)
        assert emergency or one not in VOLUNTEERS or not asleep(now), "a volunteer is rung in quiet hours"
        searches = {(one, each.id) for each in request.callees if self.urgency[each.id] == "emergency"}
        urgent = bool(searches) and request.flow != TAKEN
        # In an emergency what else they were rung for is no reason to wait.
        earlier = [self.emergencies.get(search) for search in searches] if urgent else [self.rung.get(one)]
        assert all(now - at >= 2 * MINUTE for at in earlier if at), "rung twice within two minutes"
        self.rung[one] = now
        self.emergencies |= dict.fromkeys(searches if urgent else (), now)

    def ordered(self, request: CallRequest, answer: Placed) -> None:
        """What the carrier refused has rung nobody."""
        if answer not in (Placed.REFUSED, Placed.BAD_NUMBER):
            return
        if request.number in RESPONDER:
            one = RESPONDER[request.number]
            self.rung.pop(one)
            self.emergencies = {search: at for search, at in self.emergencies.items() if search[0] != one}
        elif request.flow == CHECKIN:
            self.routine[request.number].pop()

    # ── somebody says something ──

    def said(self, request: CallRequest, news: CallOutcome) -> None:
        """Bad news counts however it was said."""
        one = RESPONDER.get(request.number)
        if one is None:
            return
        for said in news.people:
            if said.result in BAD or (said.result in TAKES and said.evidence == "key"):
                self.spoke.add((one, said.id))
            if said.result in HELPLESS:
                self.helpless.add(said.id)
        if news.alarm:
            self.spoke |= {(one, callee.id) for callee in request.callees}
            self.helpless |= {news.alarm_person} if news.alarm_person else {callee.id for callee in request.callees}

    def pressed(self, request: CallRequest, elder: str) -> None:
        self.spoke.add((RESPONDER[request.number], elder))

    def stops(self, elder: str, state: str) -> None:
        self.stopped.add(elder)
        self.spoke.add(("register", elder))
        if state in ("died", "moved"):
            self.gone.add(elder)
            self.helpless.discard(elder)

    # ── the house has come to rest ──

    def rest(self, *, blind: bool = False, patience: timedelta | None = None) -> None:
        """`blind`: the house knows that its clock is wrong, or its line dead, and can do nothing but raise an alarm.
        `patience`: how long a loud case may be without a call; None: it can't be told now."""
        now, self.cases = self.house.now, self.house.held()
        for held in self.cases:
            self._named(held)
            if not blind:
                self._near(held, now)
            self._rung_for(held, now, patience)

    def everybody(self) -> None:
        """Whoever counts today has a case, when the house has come to rest."""
        assert {held.elder for held in self.cases} >= set(ELDERS) - self.gone, "no case at all"

    def _named(self, held: Held) -> None:
        if held.status == "closed":
            assert held.closed_by, "closed by nobody"
            if held.closed_by == "line":
                assert held.result in ("well", "other_says_well"), "the line closes on good news only"
                assert held.evidence in ("key", "speech"), "well without a clear answer"
            else:
                assert (held.closed_by, held.elder) in self.spoke, "closed by who never said so"
            return
        assert held.due_at is not None, "no next action"
        assert held.owner is None or (held.owner, held.elder) in self.spoke, "taken by who never pressed a key"

    def _near(self, held: Held, now: datetime) -> None:
        if held.due_at is None:
            return
        assert held.due_at >= now - GRACE, "its time has passed"
        if held.status != "needs_person" or held.urgency not in LOUD:
            assert held.due_at <= now + timedelta(hours=24), "nothing happens for a day"
            return
        allowed = 30 if held.owner else 3 if held.urgency == "emergency" else 10
        assert held.due_at <= now + allowed * MINUTE, "sleeps"

    def _rung_for(self, held: Held, now: datetime, patience: timedelta | None) -> None:
        """While there is somebody to ring, and nobody has it, somebody is rung."""
        if patience is None or held.status != "needs_person" or held.urgency not in LOUD or held.owner:
            self.alone.pop(held.elder, None)
            return
        since = self.alone.setdefault(held.elder, now)
        near = 3 if held.urgency == "emergency" else 10
        assert now - since <= near * MINUTE + patience, "nobody is rung for a while"
