"""WAV files toward the carrier (μ-law, for <Play>) and from it (16-bit PCM recordings)."""

from __future__ import annotations

import io
import struct
import wave

from speech.g711 import ulaw_encode

_ULAW, _RATE = 7, 8000


def of_ulaw(audio: bytes) -> bytes:
    """A μ-law WAV file (format 7, which the standard library writes not). Source: RIFF WAVE, "fact" chunk included."""
    form = struct.pack("<HHIIHHH", _ULAW, 1, _RATE, _RATE, 1, 8, 0)
    padding = b"\0" * (len(audio) % 2)
    chunks = _chunk(b"fmt ", form) + _chunk(b"fact", struct.pack("<I", len(audio))) + _chunk(b"data", audio) + padding
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def to_ulaw(file: bytes) -> bytes:
    """The audio of a carrier's recording as μ-law. ValueError when it is not 16-bit PCM, mono, 8 kHz."""
    try:
        with wave.open(io.BytesIO(file)) as source:
            shape = source.getnchannels(), source.getsampwidth(), source.getframerate()
            if shape != (1, 2, _RATE):
                raise ValueError(f"{shape[0]} channels of {8 * shape[1]} bits at {shape[2]} Hz")
            return ulaw_encode(source.readframes(source.getnframes()))
    except (wave.Error, EOFError, RuntimeError, struct.error) as error:  # the library's own, for broken chunks
        raise ValueError(f"no readable WAV file: {error or type(error).__name__}") from error


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content
