"""Papers of a ballot as PDF, in large type: the owners' letters with their PINs, and the sheet on which who has no
telephone chooses. Pure: facts and a font that was loaded in, bytes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from xml.sax.saxutils import escape

from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, KeepTogether, PageBreak, Paragraph, SimpleDocTemplate

from checkins.enrolment.font import NAME, FontError, lacking
from checkins.enrolment.lettering import PRINTED

NOT_BINDING = "这次打钩不具法律效力，供居委会参考。您选了什么，只有居委会登记的人看到。"
_BOX = "□"


@dataclass(frozen=True)
class Facts:
    """`until`: when it closes, and `line`: the number to ring, as people read them."""

    committee: str
    title: str
    until: str
    line: str
    topics: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Addressed:
    """To whom one letter goes, and what it opens. Personal, and secret."""

    unit: str = field(repr=False)
    number: int
    pin: str = field(repr=False)


def letters(facts: Facts, to: Sequence[Addressed]) -> bytes:
    """One page for each. FontError when the font lacks a sign."""
    pages = [[*_letter(facts, each), PageBreak()] for each in to]
    return _pdf("业主打钩", [part for page in pages for part in page])


def _letter(facts: Facts, to: Addressed) -> list[Flowable]:
    pin = " ".join(to.pin)
    return [
        _text(f"{facts.committee}:{facts.title}", 26, after=12),
        _text(f"{to.unit} 业主收", 20, after=12),
        _text(f"请您打钩。打电话 {facts.line},按6,再按编号和密码;也可以到居委会在纸上选。"),
        _text(f"{facts.until}前都可以选,也可以改。"),
        _text(f"编号:{to.number}", 28, before=14),
        _text(f"密码:{pin}", 28, after=14),
        *_topics(facts),
        _text("一户一次,不看来电号码,只看编号和密码:请不要告诉别人。要委托别人,请到居委会办书面委托。"),
        _text(NOT_BINDING),
    ]


def sheet(facts: Facts) -> bytes:
    """To be filled in by hand, and signed."""
    story = [
        _text(f"{facts.committee}:{facts.title}", 26, after=12),
        _text(f"每件事选一项,打钩。{facts.until}前交给居委会,或者请人来取。"),
        *_topics(facts),
        _text("姓名(室号):________________________  日期:______________", before=30, after=14),
        _text(NOT_BINDING),
    ]
    return _pdf("打钩", story)


def _topics(facts: Facts) -> list[Flowable]:
    found: list[Flowable] = []
    for nth, (question, options) in enumerate(facts.topics, 1):
        boxes = [_text(f"{_BOX} {key} {option}", 20) for key, option in enumerate(options, 1)]
        found.append(KeepTogether([_text(f"{nth}. {question}", 20, before=12), *boxes]))
    return found


def _pdf(title: str, story: list[Flowable]) -> bytes:
    missing = lacking("".join(each.text for each in _paragraphs(story)))
    if missing:
        raise FontError(f"this font has no sign for {missing}: name another with --font")
    out = BytesIO()
    margins = {"leftMargin": 18 * mm, "rightMargin": 18 * mm, "topMargin": 15 * mm, "bottomMargin": 15 * mm}
    SimpleDocTemplate(out, pagesize=A4, title=title, **margins).build(story)
    return out.getvalue()


def _paragraphs(story: Sequence[Flowable]) -> list[Paragraph]:
    inside = [part for each in story if isinstance(each, KeepTogether) for part in each._content]
    return [each for each in (*story, *inside) if isinstance(each, Paragraph)]


def _text(text: str, size: float = 18.0, *, before: float = 0, after: float = 4) -> Paragraph:
    look = {"fontName": NAME, "fontSize": size, "leading": size * 1.35, "spaceBefore": before, "spaceAfter": after}
    return Paragraph(escape(text.translate(PRINTED)), ParagraphStyle("text", wordWrap="CJK", **look))
