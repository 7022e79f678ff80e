"""打钩: whatever is chosen, in whatever order, cut off between any two writes and asked again: each voter counts
once, by their last choice."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from checkins.homes import home_of
from community import ballot as core
from community.ballot import Act, Channel, Chosen, Neighbour, Record, Taken

KEY = "ab" * 32
OPTIONS = {1: 2, 2: 3}
ACTS = st.builds(
    Act,
    slot=st.integers(1, 4),
    holder=st.sampled_from(["wang", "li"]),
    channel=st.sampled_from([*Channel]),
    topic=st.sampled_from([1, 2]),
    option=st.integers(1, 2),
    change=st.booleans(),
    owner=st.booleans(),
)


class Log:
    """The two logs, written one record after the other."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def taken(self, slot: int) -> Taken | None:
        found = [each for each in self.records if isinstance(each, Taken) and each.slot == slot]
        return found[-1] if found else None

    def chosen(self) -> list[Chosen]:
        return [each for each in self.records if isinstance(each, Chosen)]

    def act(self, act: Act, survives: int | None = None) -> bool:
        """False: refused. `survives`: so many writes, then the process dies."""
        if core.refusal(self.taken(act.slot), act) is not None:
            return False
        due = core.writes(self.taken(act.slot), self.chosen(), act, core.voter_of(KEY, act.slot))
        self.records += due[:survives]
        return True


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(ACTS, st.sampled_from([0, 1, None])), max_size=25), st.randoms(use_true_random=False))
def test_a_kill_between_any_two_writes_loses_no_choice_and_counts_none_twice(
    acts: list[tuple[Act, int | None]], random: object
) -> None:
    log, whole = Log(), dict[tuple[int, int], int]()
    for act, dies_after in acts:
        if dies_after is not None and not log.act(act, dies_after):
            continue
        if log.act(act):
            whole[act.slot, act.topic] = act.option
            log.act(act)  # the same news again
    for topic, counted in core.counts(log.chosen(), OPTIONS).items():
        mine = [option for (_, of), option in whole.items() if of == topic]
        assert counted == [mine.count(option) for option in range(1, OPTIONS[topic] + 1)]
    shuffled = log.chosen() * 2
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert core.counts(shuffled, OPTIONS) == core.counts(log.chosen(), OPTIONS), "the order says nothing"


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", "3号101", "3 号 101", "三幢一〇一室", "5号202"]), st.sampled_from(["", "1", "2"])
        )
    )
)
def test_everybody_is_of_one_household(homes: list[tuple[str, str]]) -> None:
    people = [Neighbour(str(nth), address, number) for nth, (address, number) in enumerate(homes)]
    found = core.households(people)
    assert sorted(each for home in found for each in home) == sorted(one.id for one in people)
    of = {one: nth for nth, home in enumerate(found) for one in home}
    for one in people:
        for other in people:
            same_address = one.address and home_of(one.address) == home_of(other.address)
            if same_address or (one.number and one.number == other.number):
                assert of[one.id] == of[other.id]
