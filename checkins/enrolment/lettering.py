"""How what is printed for elders looks: large Chinese type, with the signs of print."""

from __future__ import annotations

from xml.sax.saxutils import escape

from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import Paragraph
from reportlab.platypus import paragraph as wrapping

from checkins.enrolment.font import NAME

BODY = 18.0  # points: the smallest type on the sheet
PRINTED = str.maketrans({",": "，", ":": "：", ";": "；", "?": "？"})
wrapping.ALL_CANNOT_START += "，：；？！"  # no line begins with these: the library's list has only their small forms


def paragraph(text: str, size: float = BODY, *, before: float = 0, after: float = 2, center: bool = False) -> Paragraph:
    style = ParagraphStyle(
        "text",
        fontName=NAME,
        fontSize=size,
        leading=size * 1.35,
        spaceBefore=before,
        spaceAfter=after,
        alignment=1 if center else 0,
        wordWrap="CJK",
    )
    return Paragraph(escape(text.translate(PRINTED)), style)
