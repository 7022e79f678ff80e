"""Papers of a notice as PDF, in large type: the poster, and the door sheet with everybody to whom somebody must go.
Pure: facts and a font that was loaded in, bytes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, KeepInFrame, SimpleDocTemplate, Table

from checkins.enrolment.font import NAME, FontError, lacking
from checkins.enrolment.lettering import PRINTED, paragraph

_MARGIN = 18 * mm
_SHORT = 120  # signs
_WIDTHS = (124, 69, 118, 106, 76)  # points: a number and a name of four signs each fit on one line


@dataclass(frozen=True)
class Facts:
    """`until`: as people read it."""

    committee: str
    text: str
    until: str


@dataclass(frozen=True)
class Door:
    """Somebody to go to, and why. Personal."""

    name: str = field(repr=False)
    address: str = field(repr=False)
    number: str = field(repr=False)
    why: str


def poster(facts: Facts) -> bytes:
    """One A4, to be read from three steps away; a longer text is set smaller, never cut off. FontError when the font
    lacks a sign. It names nobody."""
    _check(facts)
    story: list[Flowable] = [
        paragraph("公告", 60, after=24, center=True),
        paragraph(facts.text, 72 if len(facts.text) <= 40 else 54 if len(facts.text) <= 90 else 40, after=30),
        paragraph(f"有效到{facts.until}", 24),
        paragraph(facts.committee, 28, before=16),
    ]
    width, height = A4[0] - 2 * _MARGIN - 12, A4[1] - 2 * _MARGIN - 12
    return _pdf("公告", [KeepInFrame(width, height, story, mode="shrink")])


def door_sheet(facts: Facts, doors: Sequence[Door]) -> bytes:
    """Whom it has not reached, in the order of `doors`, with a place for a name. As many numbered pages as it needs.
    What it says stands in large type, to be shown at the door."""
    _check(facts, doors)
    head = [
        paragraph("公告上门单", 26, after=8),
        paragraph(facts.text, 20 if len(facts.text) <= _SHORT else 16, after=8),
        paragraph(f"有效到{facts.until}", 16, after=10),
    ]
    return _pdf("公告上门单", [*head, _table(doors)])


def _table(doors: Sequence[Door]) -> Flowable:
    rows = [[paragraph(word, 12) for word in ("地址", "姓名", "电话", "为什么", "谁告诉的")]]
    rows += [
        [*(paragraph(word, 14) for word in (each.address, each.name, each.number, each.why)), ""] for each in doors
    ]
    table = Table(rows, colWidths=_WIDTHS, repeatRows=1)
    table.setStyle([("GRID", (0, 0), (-1, -1), 0.5, "black"), ("VALIGN", (0, 0), (-1, -1), "MIDDLE")])
    return table


def _check(facts: Facts, doors: Sequence[Door] = ()) -> None:
    words = "".join("".join((each.name, each.address, each.number, each.why)) for each in doors)
    missing = lacking((facts.committee + facts.text + facts.until + words).translate(PRINTED))
    if missing:
        raise FontError(f"this font has no sign for {missing}: name another with --font")


def _pdf(title: str, story: list[Flowable]) -> bytes:
    out = BytesIO()
    margins = dict.fromkeys(("leftMargin", "rightMargin", "topMargin", "bottomMargin"), _MARGIN)
    number = partial(_number, title)
    SimpleDocTemplate(out, pagesize=A4, title=title, **margins).build(story, onLaterPages=number)
    return out.getvalue()


def _number(title: str, canvas: Canvas, page: SimpleDocTemplate) -> None:
    """So that loose pages find their way back."""
    canvas.setFont(NAME, 11)
    canvas.drawRightString(A4[0] - _MARGIN, _MARGIN / 2, f"{title} 第{page.page}页")
