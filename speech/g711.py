"""G.711 μ-law and A-law, both ways, by the `audioop` module (standard library; the package audioop-lts from 3.13 on).

PCM is 16-bit little-endian mono; one G.711 byte is one sample.
"""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    # Deprecated in 3.11 and 3.12 in favour of the package that 3.13 uses; nothing to act on.
    warnings.simplefilter("ignore", DeprecationWarning)
    import audioop

ULAW_SILENCE = b"\xff"
ALAW_SILENCE = b"\xd5"


def ulaw_encode(pcm: bytes) -> bytes:
    """PCM → μ-law."""
    return bytes(audioop.lin2ulaw(pcm, 2))


def ulaw_decode(ulaw: bytes) -> bytes:
    """μ-law → PCM."""
    return bytes(audioop.ulaw2lin(ulaw, 2))


def alaw_encode(pcm: bytes) -> bytes:
    """PCM → A-law."""
    return bytes(audioop.lin2alaw(pcm, 2))


def alaw_decode(alaw: bytes) -> bytes:
    """A-law → PCM."""
    return bytes(audioop.alaw2lin(alaw, 2))


def rms(pcm: bytes) -> int:
    """Root mean square of PCM samples, 0..32767; 0 for no audio."""
    return int(audioop.rms(pcm, 2)) if pcm else 0
