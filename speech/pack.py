"""Prompt packs: zip files with rendered prompts that are shipped with the program (speech/packs/*.zip).

A pack holds `index.json`, `{"format", "language", "voice", "licence", "prompts": [{"text", "file", "made_from"}]}`, and
one μ-law file (8 kHz, no header) for each prompt. `made_from` tells the rendering tool what is up to date.
"""

from __future__ import annotations

import io
import json
import logging
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

FORMAT = 1
SHIPPED = Path(__file__).with_name("packs")
INDEX = "index.json"
MAX_BYTES = 64 << 20  # of one pack, unpacked


@dataclass(frozen=True)
class PackPrompt:
    """One prompt of a pack. `made_from` is the hash of everything it was rendered from."""

    text: str
    made_from: str
    ulaw: bytes


class PackError(Exception):
    """One sentence: which file is no pack, and why."""


class Packs:
    """All packs of a folder. Zips are held in memory as they are (a few MB) and unpacked prompt by prompt."""

    def __init__(self, folder: Path = SHIPPED) -> None:
        self._places: dict[tuple[str, str], tuple[zipfile.ZipFile, str]] = {}
        for path in sorted(folder.glob("*.zip")):
            try:
                self._add(path)
            except PackError as error:
                log.warning("%s; its prompts are synthesised instead", error)

    def _add(self, path: Path) -> None:
        archive, index = _open(path)
        for prompt in index["prompts"]:
            self._places.setdefault((index["language"], prompt["text"]), (archive, prompt["file"]))

    def get(self, text: str, language: str) -> bytes | None:
        """The prompt's μ-law; None when no pack has it (or it is broken there)."""
        place = self._places.get((language, text))
        if place is None:
            return None
        try:
            return place[0].read(place[1])
        except (KeyError, zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            log.warning("a prompt pack is damaged at %s: %s", place[1], error)
            return None

    def texts(self, language: str) -> tuple[str, ...]:
        """What can be spoken from the packs."""
        return tuple(text for found, text in self._places if found == language)


def read(path: Path) -> tuple[PackPrompt, ...]:
    """All prompts of one pack, in its order. PackError when it is none."""
    archive, index = _open(path)
    try:
        return tuple(PackPrompt(p["text"], p["made_from"], archive.read(p["file"])) for p in index["prompts"])
    except (KeyError, zipfile.BadZipFile) as error:
        raise PackError(f"{path.name} is no prompt pack: {error}") from None


def write(path: Path, language: str, voice: str, licence: str, prompts: Sequence[PackPrompt]) -> None:
    """Writes a pack; the same prompts give the same bytes (no times, fixed order)."""
    files = [f"{number:04d}.ulaw" for number in range(1, len(prompts) + 1)]
    entries = [
        {"text": prompt.text, "file": file, "made_from": prompt.made_from}
        for prompt, file in zip(prompts, files, strict=True)
    ]
    index = {"format": FORMAT, "language": language, "voice": voice, "licence": licence, "prompts": entries}
    contents = {INDEX: json.dumps(index, ensure_ascii=False, indent=1).encode()}
    contents |= {file: prompt.ulaw for file, prompt in zip(files, prompts, strict=True)}
    write_zip(path, contents)


def write_zip(path: Path, contents: dict[str, bytes]) -> None:
    """A reproducible zip, put in place whole."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in contents.items():
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, data)
    part = path.with_name(path.name + ".part")
    part.write_bytes(buffer.getvalue())
    part.replace(path)


def _open(path: Path) -> tuple[zipfile.ZipFile, dict[str, Any]]:
    try:
        archive = zipfile.ZipFile(io.BytesIO(path.read_bytes()))
        if sum(info.file_size for info in archive.infolist()) > MAX_BYTES:
            raise ValueError("it is too large")
        index = json.loads(archive.read(INDEX))
        if index["format"] != FORMAT:
            raise ValueError(f"format {index['format']}, this program reads {FORMAT}")
        if not all(isinstance(p["text"], str) and isinstance(p["file"], str) for p in index["prompts"]):
            raise ValueError("its index is broken")
        str(index["language"])
    except (OSError, zipfile.BadZipFile, ValueError, KeyError, TypeError) as error:
        raise PackError(f"{path.name} is no prompt pack: {error}") from None
    return archive, index
