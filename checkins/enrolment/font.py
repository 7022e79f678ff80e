"""A Chinese font of this machine, put into the PDF so that it prints anywhere. None is shipped with the program."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont

NAME = "chinese"
# With TrueType outlines: those of Noto CJK can't be put into a PDF by reportlab.
_KNOWN = (
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
    "/usr/share/fonts/truetype/arphic/uming.ttc",
    "/usr/share/fonts/wqy-zenhei/wqy-zenhei.ttc",
    "/System/Library/Fonts/STHeiti Medium.ttc",
    "C:/Windows/Fonts/simhei.ttf",
)
_INSTALL = "install one (Debian, Ubuntu: apt-get install fonts-wqy-zenhei), or name a TrueType font with --font"


class FontError(ValueError):
    """One sentence: what is missing, and what to do."""


def load(file: Path | None = None, known: Iterable[str] = _KNOWN) -> None:
    """Makes NAME known to reportlab: `file`, or the first that is here. FontError when there is none."""
    path = file or next((Path(each) for each in known if Path(each).exists()), None)
    if path is None:
        raise FontError(f"there is no Chinese font on this machine to print with: {_INSTALL}")
    try:
        pdfmetrics.registerFont(TTFont(NAME, str(path)))
    except (TTFError, OSError) as error:
        raise FontError(f"{path.name} can't be printed with ({error}): {_INSTALL}") from None


def lacking(text: str) -> str:
    """Signs of `text` that the font does not have: they would be empty boxes."""
    glyphs = pdfmetrics.getFont(NAME).face.charToGlyph
    return "".join(dict.fromkeys(sign for sign in text if not sign.isspace() and ord(sign) not in glyphs))
