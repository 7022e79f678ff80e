"""A font made here: every Chinese sign is as wide as high and a Latin one half of that, as in any other."""

from __future__ import annotations

from pathlib import Path

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

SIGNS = {*map(chr, range(0x20, 0x7F)), *map(chr, range(0x4E00, 0x9FA6)), *"\u00a0□。，：；？、“”·"}


def boxes(folder: Path) -> Path:
    """A font in which each sign is a box."""
    pen = TTGlyphPen(None)
    pen.moveTo((100, 0))
    for corner in ((100, 800), (900, 800), (900, 0)):
        pen.lineTo(corner)
    pen.closePath()
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "box", "half"])
    builder.setupCharacterMap({ord(sign): "half" if sign.isascii() else "box" for sign in sorted(SIGNS)})
    builder.setupGlyf(dict.fromkeys((".notdef", "box", "half"), pen.glyph()))
    builder.setupHorizontalMetrics({".notdef": (1000, 100), "box": (1000, 100), "half": (560, 100)})
    builder.setupHorizontalHeader(ascent=850, descent=-150)
    builder.setupNameTable({"familyName": "Boxes", "styleName": "Regular", "psName": "Boxes"})
    builder.setupOS2()
    builder.setupPost()
    path = folder / "boxes.ttf"
    builder.save(path)
    return path
