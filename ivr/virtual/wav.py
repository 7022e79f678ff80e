"""WAV files as carriers fetch and serve them: 8 kHz mono, μ-law (format 7) or 16-bit PCM (format 1)."""

from __future__ import annotations

import audioop
import io
import struct
import wave


class WavError(ValueError):
    """Not audio that a telephone line can play."""


def read(data: bytes) -> bytes:
    """The file's audio as μ-law. WavError when it is not 8 kHz mono μ-law or PCM (the library reads no μ-law)."""
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise WavError("not a WAV file")
    chunks = _chunks(data)
    if len(chunks.get(b"fmt ", b"")) < 16 or b"data" not in chunks:
        raise WavError("WAV file without format or data")
    code, channels, rate, _, _, bits = struct.unpack("<HHIIHH", chunks[b"fmt "][:16])
    if (channels, rate) != (1, 8000):
        raise WavError(f"{channels} channels at {rate} Hz, not mono at 8000 Hz")
    if (code, bits) == (7, 8):
        return chunks[b"data"]
    if (code, bits) == (1, 16):
        return audioop.lin2ulaw(chunks[b"data"], 2)
    raise WavError(f"WAV format {code} with {bits} bits")


def write(ulaw: bytes) -> bytes:
    """16-bit PCM WAV of μ-law audio, as recordings are served."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(audioop.ulaw2lin(ulaw, 2))
    return buffer.getvalue()


def _chunks(data: bytes) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    at = 12
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        found.setdefault(data[at : at + 4], data[at + 8 : at + 8 + size])
        at += 8 + size + size % 2
    return found
