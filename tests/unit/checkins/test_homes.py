"""Addresses as they are compared: of one flat the same word, however it is written."""

from __future__ import annotations

import pytest

from checkins.homes import alike, home_of, plain


@pytest.mark.parametrize(
    "written",
    [
        *(
            "3号楼502室",
            "三号楼502室",
            "3幢502室",
            "3栋502",
            "3号楼五〇二室",
            "3号楼五零二",
            "3号楼502",
            "三号五百零二室",
        ),
        *("3 号 楼 502 室", "３号楼５０２室", "3#502", "3#楼502室", "3-502", "3—502", "03号0502室", "3號樓502室"),
    ],
)
def test_a_flat_is_the_same_one_however_it_is_written(written: str) -> None:
    assert plain(written) == "3号502"
    assert plain(plain(written)) == plain(written)


@pytest.mark.parametrize(
    ("written", "word"),
    [
        ("1-2301", "1号2301"),
        ("十二号三〇一", "12号301"),
        ("二十号", "20号"),
        ("三号楼一百十二室", "3号112"),
        ("一百一号", "1百1号"),  # 101, or 110
        ("3号楼2单元502室", "3号2号502"),
        ("曹杨路一百弄3幢502", "曹杨路100弄3号502"),
        ("3楼502", "3楼502"),  # a floor, or a house
        ("3幢亭子间", "3号亭子间"),
        ("3号502室东间", "3号502东间"),
        ("A座101室", "a座101"),
        ("老房子", "老房子"),
    ],
)
def test_another_one_is_another_one(written: str, word: str) -> None:
    assert plain(written) == word


def test_an_address_without_a_figure_names_no_flat() -> None:
    assert (home_of("老房子"), home_of(None), home_of("百合苑")) == ("", "", "")
    assert home_of("三号楼五〇二室") == "3号502"


def test_homes_that_say_more_and_less_of_one_flat_are_alike() -> None:
    homes = [plain(each) for each in ("3号502室", "曹杨路100弄3幢502", "3号楼2单元502室", "4号502室", "兰溪路4号502室")]
    assert sorted(alike(homes)) == [
        ("3号502", "3号2号502"),
        ("3号502", "曹杨路100弄3号502"),
        ("4号502", "兰溪路4号502"),
    ]
    assert alike(["曹杨路3号502", "兰溪路3号502", "3号502甲", "3号502乙", "老房子", "5号502", "5号502"]) == []
