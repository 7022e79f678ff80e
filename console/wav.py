"""Recordings as browsers play them."""

from __future__ import annotations

import io
import wave

from speech.g711 import ulaw_decode


def wav(ulaw: bytes) -> bytes:
    """8 kHz μ-law as a WAV file of 16-bit PCM."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(ulaw_decode(ulaw))
    return buffer.getvalue()
