"""The virtual elders' voices: 8 kHz μ-law clips named "VOICE/KEY", packed in demo/clips*.zip."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from zipfile import BadZipFile, ZipFile

FOLDER = Path(__file__).parent
PATTERN = "clips*.zip"


class ClipsError(Exception):
    """Clips are missing or broken; the message says which file and what to do."""


class Clips:
    """`clips("zm_yunxi/well")` → μ-law bytes; KeyError for an unknown name."""

    def __init__(self, audio: dict[str, bytes]) -> None:
        self._audio = audio

    def __call__(self, name: str) -> bytes:
        return self._audio[name]

    def __contains__(self, name: object) -> bool:
        return name in self._audio

    def __iter__(self) -> Iterator[str]:
        return iter(self._audio)

    def __len__(self) -> int:
        return len(self._audio)


def load(folder: Path = FOLDER) -> Clips:
    """All clips of the packs in `folder`. ClipsError when there is none, or one is broken."""
    packs = sorted(folder.glob(PATTERN))
    if not packs:
        raise ClipsError(f"{folder / PATTERN}: there is none; render them again (docs/prompts.md)")
    audio: dict[str, bytes] = {}
    for pack in packs:
        audio |= _read(pack)
    return Clips(audio)


def _read(pack: Path) -> dict[str, bytes]:
    try:
        with ZipFile(pack) as packed:
            names = [name for name in packed.namelist() if name.endswith(".ulaw")]
            return {_clip_name(name): packed.read(name) for name in names}
    except (OSError, BadZipFile) as error:
        raise ClipsError(f"{pack}: cannot be read ({error}); check it out again") from error


def _clip_name(member: str) -> str:
    """ "any/where/zm_yunxi/well.ulaw" → "zm_yunxi/well"."""
    path = PurePosixPath(member)
    return f"{path.parent.name}/{path.stem}"
