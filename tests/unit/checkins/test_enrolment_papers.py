"""The papers of enrolment, with a font made here: every Chinese sign is as wide as high, as in any other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from reportlab.pdfbase import pdfmetrics

from checkins.enrolment import font, lettering, papers
from checkins.enrolment.font import NAME, FontError
from checkins.enrolment.papers import Facts

PLAIN = Facts("王秀英", "槐荫里居委会", "021 5550 0000", "8点30分左右")
SIGNS = {*map(chr, range(0x20, 0x7F)), *map(chr, range(0x4E00, 0x9FA6)), *"\u00a0□。，：；？、“”·"}


@pytest.fixture(autouse=True)
def _no_other_font(monkeypatch: pytest.MonkeyPatch) -> None:
    """reportlab keeps the first font of a name for as long as the process lives."""
    for known in (pdfmetrics._fonts, pdfmetrics._dynFaceNames):
        for name in [name for name, known_font in known.items() if known_font.fontName == NAME]:
            monkeypatch.delitem(known, name)


@pytest.fixture(scope="module")
def boxes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A font in which each sign is a box."""
    pen = TTGlyphPen(None)
    pen.moveTo((100, 0))
    for corner in ((100, 800), (900, 800), (900, 0)):
        pen.lineTo(corner)
    pen.closePath()
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "box"])
    builder.setupCharacterMap(dict.fromkeys(sorted(map(ord, SIGNS)), "box"))
    builder.setupGlyf(dict.fromkeys((".notdef", "box"), pen.glyph()))
    builder.setupHorizontalMetrics(dict.fromkeys((".notdef", "box"), (1000, 100)))
    builder.setupHorizontalHeader(ascent=850, descent=-150)
    builder.setupNameTable({"familyName": "Boxes", "styleName": "Regular", "psName": "Boxes"})
    builder.setupOS2()
    builder.setupPost()
    path = tmp_path_factory.mktemp("fonts") / "boxes.ttf"
    builder.save(path)
    return path


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
