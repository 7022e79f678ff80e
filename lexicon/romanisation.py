"""Whether a reading is written as pinyin (Mandarin) or Wugniu (urban Shanghainese). Only the spelling, not the sound.

Wugniu: initial, final, tone digit, one syllable per character (https://www.wugniu.com, the middle school of
Shanghai, sharp and round sounds merged). Tones are those of single syllables: 1 and 5 begin voiceless, 6 voiced,
7 and 8 are the checked ones, which end in -q. Sandhi is not written.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

LANGUAGES = ("zh", "wuu")

_PINYIN = re.compile(
    r"(?:zh|ch|sh|[bpmfdtnlgkhjqxrzcsyw])?"
    r"(?:iang|iong|uang|ueng|ang|eng|ing|ong|ian|iao|uai|uan|üan|van|ai|an|ao|ei|en|er|ia|ie|in|iu|ou|ua|ui|un|uo"
    r"|ue|üe|ve|ün|vn|a|o|e|i|u|ü|v)|m|n|ng|hm"
)
_MARKS = str.maketrans("", "", "\u0304\u0301\u030c\u0300")  # of the four tones, on their vowels

# Tone digit → initials that never have it.
_VOICELESS = ("", "p", "ph", "t", "th", "ts", "tsh", "c", "ch", "k", "kh", "f", "s", "sh", "h")
_VOICED = ("b", "d", "j", "g", "v", "z", "zh", "gh", "y", "w")
_SONORANT = ("m", "n", "gn", "ng", "l")
_WUGNIU = re.compile(
    rf"({'|'.join(sorted((*_VOICELESS, *_VOICED, *_SONORANT), key=len, reverse=True))})"
    r"((?:i|u)?(?:a|o|e|au|eu|oe|an|aon|en|aq|oq|eq)|i|u|y|iu|yu|in|iun|un|on|ion|iq|iuq|uq|er|m|n|ng)([0-9])"
)
_SYLLABIC = re.compile(r"(m|n|ng|er)([1568])")


def fault(language: str, phrase: str, romanisation: str) -> str:
    """What is wrong with a reading of `phrase`, and what to do; empty when nothing is."""
    syllables = romanisation.split()
    if len(syllables) != len(phrase):
        return (
            f'"{phrase}" has {len(phrase)} characters, "{romanisation}" {len(syllables)} syllables; '
            "write one syllable per character, with spaces between"
        )
    check = _CHECKS[language]
    return next((found for syllable in syllables if (found := check(syllable, romanisation))), "")


def _pinyin_fault(syllable: str, whole: str) -> str:
    plain = unicodedata.normalize("NFC", unicodedata.normalize("NFD", syllable).translate(_MARKS))
    marked = plain != syllable
    tone = plain[-1] if plain[-1].isdigit() else ""
    neutral = not tone and not marked and unicodedata.normalize("NFD", whole).translate(_MARKS) != whole
    if not _PINYIN.fullmatch(plain.removesuffix(tone)):
        return f'"{syllable}" is no syllable of pinyin; write it like hao3 or hǎo'
    if (tone and (tone not in "12345" or marked)) or not (tone or marked or neutral):
        return f'"{syllable}" needs one tone: a digit 1 to 5 (5 is the neutral one), or a mark'
    return ""


def _wugniu_fault(syllable: str, whole: str) -> str:
    if _SYLLABIC.fullmatch(syllable):
        return ""
    found = _WUGNIU.fullmatch(syllable)
    if not found:
        return f'"{syllable}" is no syllable of Wugniu; write initial, final and tone digit, like hau5 or veq8'
    initial, final, tone = found.groups()
    checked = final.endswith("q")
    if tone not in "15678" or (tone in "78") != checked:
        return f'"{syllable}" can\'t have tone {tone}: 7 and 8 go with finals in -q, 1, 5 and 6 with the others'
    if (initial in _VOICED and tone in "157") or (initial in _VOICELESS and tone in "68"):
        return f'"{syllable}" can\'t have tone {tone}: 6 and 8 go with voiced initials, 1, 5 and 7 with voiceless ones'
    return ""


_CHECKS: dict[str, Callable[[str, str], str]] = {"zh": _pinyin_fault, "wuu": _wugniu_fault}
