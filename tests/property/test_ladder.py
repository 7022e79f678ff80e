"""The ladder under any sequence of news, clock times, and what people do: nobody is forgotten, nothing is "well"
without evidence, an alarm ends with a name only."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st

from checkins import ladder
from checkins.ladder import Case, Done, NeedPerson, News, PlaceCall, Remind, Wait
from checkins.policy import Policy
from checkins.results import LINE, Result, Status, Urgency
from checkins.schedule import day_of

DAY = day_of("Asia/Shanghai", date(2026, 3, 2), Policy())
NEWS_WITHIN = timedelta(seconds=60)
GOOD = (Result.WELL, Result.OTHER_SAYS_WELL)
LOUD = (Urgency.EMERGENCY, Urgency.UNREACHED)

policies = st.builds(
    Policy,
    try_after=st.sampled_from([(0,), (0, 15), (0, 15, 45), (0, 5, 10, 20)]),
    busy_after=st.integers(1, 10),
    calls_until=st.sampled_from([12 * 60, 21 * 60]),
    unreached_every=st.integers(1, 10),
    emergency_every=st.integers(1, 10),
)
slots = st.integers(0, 23 * 60 + 59).map(lambda minute: DAY.opens + timedelta(minutes=minute - 8 * 60))
news = st.sampled_from([News(Result.WELL, "key"), News(Result.NO_ANSWER)]) | st.builds(
    News, st.sampled_from(Result), st.sampled_from(["key", "speech", "none", "noise"]), st.booleans()
)


@dataclass(frozen=True)
class Step:
    """After `minutes` (or exactly when something is due) comes news, a decision, or a person."""

    minutes: float
    at_due: bool
    news: News | None
    person: str | None  # "takes" or "closes"
    delay: int  # line rules put a due call off by so many minutes


steps = st.lists(
    st.builds(
        Step,
        st.integers(0, 300).map(lambda tenths: tenths / 10) | st.integers(0, 1500).map(float),
        st.booleans(),
        st.none() | news,
        st.sampled_from([None, None, None, "takes", "closes"]),
        st.sampled_from([0, 0, 0, 5, 29, 31, 600]),
    ),
    max_size=25,
)


@dataclass
class Life:
    """Plays what the cycle, the telephone and people do with one case, and checks it after each move."""

    case: Case
    now: datetime
    calls: list[datetime] = field(default_factory=list)

    def play(self, step: Step) -> None:
        self.now += timedelta(minutes=step.minutes)
        if step.at_due and self.case.due_at:
            self.now = max(self.now, self.case.due_at)
        self.person(step.person)
        if step.news is not None:
            self.move(ladder.apply(self.case, step.news, self.now), step.news)
        self.decide(step.delay)

    def person(self, what: str | None) -> None:
        if what and self.case.status is not Status.CLOSED:
            if what == "takes":
                self.move(ladder.take_over(self.case, "李老师", self.now), None)
            else:
                self.move(ladder.close(self.case, "李老师", "在女儿家", self.now), None)

    def decide(self, delay: int) -> None:
        match ladder.decide(self.case, self.now):
            case Done():
                assert self.case.status is Status.CLOSED
            case Wait(until):
                assert until > self.now or self.case.status is Status.CALLING
                if self.case.dialling:
                    self.move(replace(self.case, due_at=until), None)
            case PlaceCall(try_no) if delay:
                assert try_no == self.case.tries + 1
                self.move(ladder.postpone(self.case, self.now + timedelta(minutes=delay), self.now), None)
            case PlaceCall():
                assert self.case.day.opens <= self.now < self.case.day.closes
                self.calls.append(self.now)
                self.move(ladder.calling(self.case, self.now + NEWS_WITHIN), None)
            case NeedPerson(reason, urgency):
                self.move(ladder.need_person(self.case, reason, urgency, self.now), None)
            case Remind():
                self.move(ladder.remind(self.case, self.now), None)

    def move(self, after: Case, news: News | None) -> None:
        before, self.case = self.case, after
        assert (after.due_at is None) == (after.status is Status.CLOSED), "forgotten"
        self.check_awake(before)
        self.check_closing(before, news)
        if before.alarm:
            assert after.alarm or (after.status is Status.CLOSED and after.closed_by == "李老师"), "alarm cancelled"
        if news and news.result is Result.EMERGENCY:
            assert after.alarm, "an alarm dominates everything"
        if news and news.result in ladder.REOPENS:
            assert after.status is Status.NEEDS_PERSON, "bad news is lost"
            assert before.status is not Status.CLOSED or (after.owner, after.closed_by) == (None, None)
        if after.status is Status.NEEDS_PERSON:
            assert after.reason is not None
            assert after.urgency is not None

    def check_awake(self, before: Case) -> None:
        """An unreached case's next action is at most 10 min ahead, 30 min once somebody has it."""
        case = self.case
        if case.status is Status.NEEDS_PERSON and case.urgency in LOUD and case.due_at and case != before:
            assert case.due_at - self.now <= timedelta(minutes=30 if case.owner else 10), "sleeps"
        if case.dialling and case.due_at and case != before:
            assert case.due_at < case.day.closes or case.due_at <= case.slot, "a retry jumps over its window"

    def check_closing(self, before: Case, news: News | None) -> None:
        case = self.case
        if case.status is not Status.CLOSED or before.status is Status.CLOSED:
            return
        assert case.closed_by
        assert case.closed_at == self.now
        if case.closed_by == LINE:
            assert news is not None, "the line closes on an answer only"
            assert news.result in GOOD
            assert news.evidence in ("key", "speech"), "well without evidence"
            assert not (news.result is Result.OTHER_SAYS_WELL and news.again)
            assert case.owner is None, "somebody is on the way: they close it"
        else:
            assert (case.closed_by, case.finding) == ("李老师", "在女儿家")


@given(policies, slots, steps)
@settings(max_examples=400)
def test_any_life_of_a_case(policy: Policy, slot: datetime, steps: list[Step]) -> None:
    day = day_of("Asia/Shanghai", date(2026, 3, 2), policy)
    life = Life(ladder.open_case(policy, slot, day), day.opens - timedelta(hours=1))
    for step in steps:
        life.play(step)


@given(policies, st.lists(st.sampled_from([Result.NO_ANSWER, Result.MACHINE, Result.HUNG_UP, Result.BUSY]), min_size=8))
@example(Policy(), [Result.BUSY] * 8)
@example(Policy(), [Result.NO_ANSWER] * 8)
def test_who_is_never_reached_is_a_persons_case_after_the_agreed_tries(policy: Policy, misses: list[Result]) -> None:
    life = Life(ladder.open_case(policy, DAY.opens, DAY), DAY.opens)
    for miss in misses:
        life.play(Step(0, True, None, None, 0))
        life.play(Step(0.75, False, News(miss), None, 0))
    assert life.case.urgency is Urgency.UNREACHED
    assert policy.tries <= len(life.calls) <= policy.tries + 1  # one busy is no try
    gaps = [later - earlier for earlier, later in pairwise(life.calls)]
    assert all(gap >= timedelta(minutes=min(policy.busy_after, *policy.try_after[1:], 60)) for gap in gaps)


@given(policies, slots, steps, st.integers(0, 3000))
@settings(max_examples=200)
def test_the_cycle_always_gets_the_case_to_a_person_or_a_closed_end(
    policy: Policy, slot: datetime, steps: list[Step], later: int
) -> None:
    """Whatever happened: a day and a half on, with every due moment served and every call missed, nothing dials."""
    day = day_of("Asia/Shanghai", date(2026, 3, 2), policy)
    life = Life(ladder.open_case(policy, slot, day), day.opens)
    for step in steps:
        life.play(step)
    life.now = max(life.now, day.ends + timedelta(minutes=later))
    for _ in range(policy.tries + 2):
        life.play(Step(0, True, News(Result.NO_ANSWER), None, 0))
    assert life.case.status in (Status.NEEDS_PERSON, Status.CLOSED)


@given(st.sampled_from(Result), st.sampled_from(["key", "speech", "none", ""]), st.booleans(), st.integers(0, 900))
def test_news_told_twice_is_news_told_once(result: Result, evidence: str, again: bool, minute: int) -> None:
    now = DAY.opens + timedelta(minutes=minute)
    case = ladder.calling(ladder.open_case(Policy(), DAY.opens, DAY), now + NEWS_WITHIN)
    once = ladder.apply(case, News(result, evidence, again), now)
    assert ladder.apply(once, News(result, evidence, again), now) == once


def test_the_clock_of_these_tests_is_shanghais() -> None:
    assert DAY.opens == datetime(2026, 3, 2, 0, 0, tzinfo=UTC)
