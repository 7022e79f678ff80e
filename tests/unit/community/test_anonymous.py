"""Whether a text for the neighbours says who somebody is."""

from __future__ import annotations

import pytest

from community.anonymous import tells

WANG = {"names": ("王秀英", "王阿婆"), "address": "1234弄5号301室", "number": "+862110000001"}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("王 秀·英家漏水", "王秀英"),
        ("秀英说漏水", "秀英"),
        ("王家漏水", "王家"),
        ("王老师家漏水", "王老师"),
        ("老王说漏水", "老王"),
        ("５号３０１漏水", "5号301"),
        ("五号三零一室漏水", "5号301"),
        ("三〇一室漏水", "301"),
        ("一千二百三十四弄五号三百零一室", "1234弄5号301室"),
        ("请打幺零零零零零零幺", "10000001"),
        ("请打１０００ 零零零①", "10000001"),
        ("打021-1000-0001", "10000001"),
    ],
)
def test_disguised_it_is_found_all_the_same(text: str, word: str) -> None:
    assert tells(text, **WANG) == word  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    ["有居民反映5号楼道漏水", "1234弄的路灯坏了", "国王广场的301弄", "三个人说漏水", "楼道里有人抽烟,一百多天了"],
)
def test_the_matter_itself_may_be_told(text: str) -> None:
    assert tells(text, **WANG) == ""  # type: ignore[arg-type]


def test_two_signs_of_a_surname_and_a_name_of_two_signs() -> None:
    assert tells("欧阳先生家", names=("欧阳建国",)) == "欧阳先生"
    assert tells("很强", names=("王强",)) == ""
    assert tells("任何事", names=(), address="", number="") == ""
