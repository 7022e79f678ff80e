"""Rendered prompts on disk, found by content: FOLDER/LANGUAGE/KEY.prompt, KEY = hash of text, language and voice.

Each file begins with the checksum of its audio, so a half-written or damaged file counts as missing and is rendered
again. A disk that can't be written costs one warning and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
from pathlib import Path

log = logging.getLogger(__name__)

FORMAT = b"wenan-prompt 1 "
VERSION = 1  # raise it when what is made of a voice changes (speech.loudness): everything is rendered anew


def cache_key(text: str, language: str, voice: str) -> str:
    """The name of a prompt: the same wherever the same text is spoken by the same voice."""
    return hashlib.sha256(json.dumps([text, language, voice, VERSION]).encode()).hexdigest()


class PromptCache:
    """Prompts on disk. `write` is safe in any thread; two writers of one prompt write the same."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writable = True

    def read(self, language: str, key: str) -> bytes | None:
        """The audio; None when it isn't there or is damaged."""
        try:
            head, _, audio = self._path(language, key).read_bytes().partition(b"\n")
        except OSError:
            return None
        if head != FORMAT + _sum(audio):
            log.warning("the rendered prompt %s is damaged and is made again", key[:12])
            return None
        return audio

    def write(self, language: str, key: str, audio: bytes) -> None:
        """Puts it in place whole. Never raises: without a disk, prompts live in memory."""
        try:
            self._write(self._path(language, key), FORMAT + _sum(audio) + b"\n" + audio)
        except OSError as error:
            if self._writable:
                log.warning("rendered prompts can't be kept in %s (%s): they stay in memory", self._folder, error)
            self._writable = False
        else:
            self._writable = True

    def _write(self, path: Path, data: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, part = tempfile.mkstemp(dir=path.parent, suffix=".part")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            os.replace(part, path)
        except OSError:
            Path(part).unlink(missing_ok=True)
            raise

    def _path(self, language: str, key: str) -> Path:
        return self._folder / language / f"{key}.prompt"


def _sum(audio: bytes) -> bytes:
    return hashlib.sha256(audio).hexdigest().encode()
