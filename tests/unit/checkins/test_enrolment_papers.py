"""The papers of enrolment, with a font made here: every Chinese sign is as wide as high, as in any other."""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from reportlab.pdfbase import pdfmetrics

from checkins.enrolment import font, guides, lettering, papers
from checkins.enrolment.font import NAME, FontError
from checkins.enrolment.papers import Facts
from tests.fakes import fonts

PLAIN = Facts("王秀英", "槐荫里居委会", "021 5550 0000", "8点30分左右")


@pytest.fixture(autouse=True)
def _no_other_font(monkeypatch: pytest.MonkeyPatch) -> None:
    """reportlab keeps the first font of a name for as long as the process lives."""
    for known in (pdfmetrics._fonts, pdfmetrics._dynFaceNames):
        for name in [name for name, known_font in known.items() if known_font.fontName == NAME]:
            monkeypatch.delitem(known, name)


@pytest.fixture(scope="module")
def boxes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fonts.boxes(tmp_path_factory.mktemp("fonts"))


def pages(pdf: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b", pdf))


def test_a_sheet_and_a_card_for_the_fridge(boxes: Path) -> None:
    font.load(boxes)
    sheet, card = papers.consent_sheet(PLAIN), papers.fridge_card(PLAIN)
    assert (sheet[:5], pages(sheet), pages(card)) == (b"%PDF-", 2, 1)
    assert b"/FontFile2" in sheet, "the font is in the file: it prints anywhere"
    assert b"/MediaBox [ 0 0 419" in card, "A6, landscape"


def test_the_longest_names_are_not_cut_off(boxes: Path) -> None:
    font.load(boxes)
    long = Facts("王" * 100, "居" * 100, "021 5550 0000", "10点30分到11点45分之间")
    assert (pages(papers.consent_sheet(long)), pages(papers.fridge_card(long))) == (2, 1)


def test_a_sign_that_the_font_lacks_is_named(boxes: Path) -> None:
    font.load(boxes)
    with pytest.raises(FontError, match="no sign for 㛃: name another with --font"):
        papers.consent_sheet(Facts("王㛃", "槐荫里居委会", "021", "8点左右"))


def test_no_font_or_a_broken_one_is_one_sentence_that_helps(tmp_path: Path) -> None:
    with pytest.raises(FontError, match=r"no Chinese font on this machine.*fonts-wqy-zenhei"):
        font.load(None, known=[str(tmp_path / "none.ttf")])
    (tmp_path / "odd.ttf").write_bytes(b"OTTO")
    with pytest.raises(FontError, match=r"odd\.ttf can't be printed with"):
        font.load(tmp_path / "odd.ttf")


def test_every_purpose_of_the_register_is_on_the_sheet() -> None:
    from checkins.consents import PURPOSE_ZH
    from checkins.people_csv import CONSENTS

    assert len(papers.PURPOSES) == len(PURPOSE_ZH) == len(CONSENTS)
    assert lettering.BODY >= 18


@pytest.mark.parametrize("guide", [guides.for_buddies, guides.for_staff])
def test_a_guide_is_one_page_in_large_type(boxes: Path, guide: Callable[[guides.Facts], bytes]) -> None:
    font.load(boxes)
    usual, longest = (
        guide(guides.Facts("曹杨新村第一居委会", "021 5550 0000")),
        guide(guides.Facts("居" * 60, "0" * 20)),
    )
    assert (pages(usual), pages(longest)) == (1, 1)
    assert _smallest(usual) == guides.SMALLEST, "nothing had to shrink"


def _smallest(pdf: bytes) -> float:
    """Of the type of a page; one that had to shrink is scaled by a matrix of its own."""
    packed = re.findall(rb"/ASCII85Decode /FlateDecode[^>]*>>\s+stream\s+(.*?)endstream", pdf, re.DOTALL)
    parts = [zlib.decompress(base64.a85decode(part.strip().removesuffix(b"~>"))) for part in packed]
    drawn = next(part for part in parts if b" Tf" in part)
    scales = [float(scale) for scale in re.findall(rb"([\d.]+) 0 0 [\d.]+ \S+ \S+ cm", drawn)]
    sizes = [float(size) for size in re.findall(rb"/F\d+\+\d+ ([\d.]+) Tf", drawn)]
    return min(sizes) * min([1.0, *scales])
