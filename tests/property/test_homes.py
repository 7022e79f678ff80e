"""Addresses: any spelling of one house and flat compares equal, and of two different ones never."""

from __future__ import annotations

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from checkins.homes import alike, home_of, plain

_DIGITS = "零一二三四五六七八九"
Home = tuple[str, int, int, int, str]  # street, house, entrance (0: none), flat, and which part of it
HOMES = st.tuples(
    st.sampled_from(["", "曹杨路100弄", "曹杨路", "兰溪路"]),
    st.integers(1, 199),
    st.sampled_from([0, 0, 1, 2]),
    st.integers(1, 3012),
    st.sampled_from(["", "", "东间", "B"]),
)


def _counted(number: int) -> str:
    """Chinese as it is counted: 一百零一."""
    said = ""
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // unit % 10
        gap = said and not said.endswith("零") and number % (unit * 10)
        said += _DIGITS[digit] + name if digit else "零" if gap else ""
    return said.removeprefix("一") if said.startswith("一十") else said


def figures(number: int) -> list[str]:
    plain_one = str(number)
    one_by_one = "".join(_DIGITS[int(each)] for each in plain_one)
    wide = plain_one.translate({ord(each): ord(each) + 0xFEE0 for each in "0123456789"})
    return [plain_one, one_by_one, one_by_one.replace("零", "〇"), _counted(number), wide, f" {plain_one} "]


@st.composite
def spelled(draw: st.DrawFn, home: Home) -> str:
    street, house, entrance, flat, part = home
    mark = draw(st.sampled_from(["号", "号楼", "幢", "栋", "號", " 号 楼 ", "#", "#楼"]))
    of_house, of_flat = (draw(st.sampled_from(figures(each))) for each in (house, flat))
    if entrance:
        mark += draw(st.sampled_from(figures(entrance))) + "单元"
    elif draw(st.booleans()) and of_house.strip().isascii() and of_flat.strip().isascii():
        mark = "-"
    return street + of_house + mark + of_flat + draw(st.sampled_from(["", "室", " 室 "])) + part


@given(HOMES.flatmap(lambda home: st.tuples(spelled(home), spelled(home))))
def test_any_spelling_of_the_same_flat_is_the_same(both: tuple[str, str]) -> None:
    one, other = (home_of(each) for each in both)
    assert one
    assert one == other == plain(one)
    assert alike([one, other]) == []


@given(st.tuples(HOMES, HOMES).flatmap(lambda two: st.tuples(st.just(two), spelled(two[0]), spelled(two[1]))))
def test_different_flats_are_never_the_same(found: tuple[tuple[Home, Home], str, str]) -> None:
    (one, other), first, second = found
    assert (plain(first) == plain(second)) == (one == other)


def test_every_house_and_flat_has_a_word_of_its_own() -> None:
    words = {plain(f"{house}号{flat}室") for house, flat in product(range(1, 121), range(1, 1400, 7))}
    assert len(words) == 120 * 200
