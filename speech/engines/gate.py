"""What a generative recogniser makes of sound without speech is nothing. Pure.

Whisper writes a sentence for anything: closing titles of films, its own hint, loops, one syllable for a hum. Three
looks keep that out: how sure the model is that somebody speaks, how much voice there is for so many characters, and
the text itself. Measured with Whisper base on 8 kHz μ-law, as answers and as dictations: 120 trials with made sounds
(white and pink noise, noise with the rhythm of speech, hum, ring-back and busy tones, DTMF, clicks, music, breath;
three levels, 3 and 12 s) against 279 with synthetic speech, as it is, 20–24 dB quieter, and with noise 5–8 dB below.
Afterwards 352 trials with others (other seeds, levels and lengths; six voices at once played backwards): text in two,
both of the loud backward voices.
"""

from __future__ import annotations

import re
import zlib

# Speech lies at 0.0–0.5 without speech probability and −0.1…−1.5 nats a token, noise at 0.4–0.9 and −1.2…−3.5; both
# grow together when a speaker is far away. Their weighted sum parts them: above it are 2 of the 279 clips (names in
# noise, heard wrongly) and every sound with 60 ms of voice or more but one (a breath, see below).
NOBODY = 1.02
_NATS = 0.35
# OpenAI's own threshold for its decoder's loops, on longer texts.
LOOP_RATIO = 2.4
LOOP_BYTES = 60
# Ten syllables a second were never heard; half of that is unvoiced or under the detector's bar. The least of real
# speech was 60 ms a character.
VOICED_MS_PER_CHARACTER = 50
_UNSURE_SOUND = -1.5  # nats a token: a lone 啊 below it is a breath

_INTERJECTION = re.compile("[啊嗯哦诶呃唉喔哈嘿呀]+[。,.!?]?")
# Closing titles of the films that it learned from, and the hint given before a dictation.
_INVENTED = re.compile(
    "字幕|订阅|点赞|打赏|独播|谢谢观看|感谢观看|谢谢收看|感谢收看|明镜|请不吝|志愿者提供|Amara|YoYo|"
    "普通话的句子|简体中文",
    re.IGNORECASE,
)
_REPEATED = re.compile(r"(.{1,12}?)(?:[,，。 ]*\1){2,}")
_HAN_OR_DIGIT = re.compile(r"[\u3400-\u9fff0-9]")


def nobody_spoke(no_speech: float, nats: float) -> bool:
    """`no_speech`: the model's probability that nobody speaks; `nats`: mean log probability of a token."""
    return no_speech - _NATS * nats > NOBODY


def credible(text: str) -> str:
    """The text without the decoder's loops; empty when it is one of its inventions or holds no Chinese."""
    once = _REPEATED.sub(r"\1", text)
    return once if _HAN_OR_DIGIT.search(once) and not _INVENTED.search(once) and not _loops(once) else ""


def voiced_enough(text: str, voiced_ms: int) -> bool:
    """Whether so much voice can have been so many characters."""
    return voiced_ms >= VOICED_MS_PER_CHARACTER * len(_HAN_OR_DIGIT.findall(text))


def is_breath(text: str, nats: float) -> bool:
    """One unsure syllable such as 啊: a breath, a knock."""
    return nats < _UNSURE_SOUND and bool(_INTERJECTION.fullmatch(text))


def _loops(text: str) -> bool:
    raw = text.encode()
    return len(raw) >= LOOP_BYTES and len(raw) > LOOP_RATIO * len(zlib.compress(raw))
