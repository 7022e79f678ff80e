"""Recordings of single sentences that replace one another: published, and withdrawn again, while the line runs.

    FOLDER/published.log             who published or withdrew which take, when: a line of JSON each, only ever appended
    FOLDER/LANGUAGE/phone/kept/…     every take that was published, whole, under a name of its own
    FOLDER/LANGUAGE/phone/SENTENCE.ulaw   what is played now: HumanRecordings reads it; it wins over all others

The log is the intent: it is written first, and `settle` makes the files what it says. Every file appears under its name
whole or not at all, so whoever dies between any two of these steps leaves the old recording or the new one. Several
processes may publish: one at a time.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from speech.human import PHONE, sentence_key

log = logging.getLogger(__name__)

LOG, LOCK, KEPT = "published.log", "published.lock", "kept"
PUBLISH, WITHDRAW = "publish", "withdraw"
MAX_NAME = 200  # bytes of a file's name


@dataclass(frozen=True)
class Entry:
    """One line of the log. `take` names the file below `kept`; `source` the recording from which it was made, as
    whoever made it names it. `by`: who, `at`: when, ISO 8601. No telephone numbers."""

    act: str
    at: str
    by: str
    language: str
    text: str
    take: str
    source: str = ""

    @property
    def key(self) -> tuple[str, str]:
        return self.language, sentence_key(self.text)


class ChangedError(ValueError):
    """Somebody has published or withdrawn meanwhile. `now`: what stands there."""

    def __init__(self, now: Entry | None) -> None:
        super().__init__("something else is published now")
        self.now = now


class Published:
    """What was published into one folder. Everything here waits for the disk: call it in a thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def publish(
        self,
        language: str,
        text: str,
        prompt: bytes,
        take: str,
        by: str,
        at: str,
        source: str = "",
        *,
        instead_of: str | None = None,
    ) -> None:
        """`prompt` (μ-law) is what says `text` from now on. `take` is a name for it (letters, digits, - and _) that no
        other has: the same take again changes nothing. `instead_of`: the take that whoever publishes has seen there
        ("": none). ValueError when it can't be one; ChangedError; OSError: the disk."""
        if not prompt or not sentence_key(text) or not _safe(take) or not _safe(language):
            raise ValueError("this can't be published")
        if len(_name(text).encode()) > MAX_NAME:
            raise ValueError("the sentence is too long for a file's name")
        with self._alone():
            history = self.history()
            _unchanged(history, language, text, instead_of, take)
            _write(self._kept(language, take), prompt)
            if not any((one.act, one.take, one.language) == (PUBLISH, take, language) for one in history):
                history.append(self._append(Entry(PUBLISH, at, by, language, text, take, source)))
            self._show(language, text, standing(history))

    def withdraw(self, language: str, text: str, by: str, at: str, *, instead_of: str | None = None) -> Entry | None:
        """Takes back what is played now; what was published before it is played again, if anything was. None: nothing
        is published. `instead_of`, ChangedError: as in `publish`."""
        with self._alone():
            history = self.history()
            _unchanged(history, language, text, instead_of)
            stack = standing(history).get((language, sentence_key(text)))
            if not stack:
                return None
            taken = stack[-1]
            history.append(self._append(Entry(WITHDRAW, at, by, language, taken.text, taken.take)))
            self._show(language, text, standing(history))
            return taken

    def settle(self) -> int:
        """Finishes what somebody began who died before the end: how many sentences were not what the log says."""
        if not (self._folder / LOG).exists():
            return 0
        with self._alone():
            history = self.history()
            stacks = standing(history)
            return sum(self._show(language, text, stacks) for (language, _), text in _texts(history).items())

    def history(self) -> list[Entry]:
        """All that was done, the oldest first. A line of which only a part was written was never done."""
        try:
            lines = (self._folder / LOG).read_text("utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return []
        return [entry for line in lines if line.strip() and (entry := _entry(line)) is not None]

    def now(self, language: str, text: str) -> Entry | None:
        """What is published for this sentence."""
        stack = standing(self.history()).get((language, sentence_key(text)))
        return stack[-1] if stack else None

    def audio(self, language: str, take: str) -> bytes | None:
        """A take that was published once; None: there is none of that name."""
        return _content(self._kept(language, take)) if _safe(language) and _safe(take) else None

    # ── files ─────────────────────────────────────────────────────────────────────────────────────

    def _show(self, language: str, text: str, stacks: dict[tuple[str, str], list[Entry]]) -> bool:
        """Makes the file of this sentence what the log says; whether it was something else."""
        live = self._folder / language / PHONE / _name(text)
        stack = stacks.get((language, sentence_key(text)))
        wanted = _content(self._kept(language, stack[-1].take)) if stack else None
        if _content(live) == wanted or (stack and wanted is None):
            return False
        if wanted is None:
            live.unlink(missing_ok=True)
        else:
            _write(live, wanted)
        return True

    def _kept(self, language: str, take: str) -> Path:
        return self._folder / language / PHONE / KEPT / f"{take}.ulaw"

    def _append(self, entry: Entry) -> Entry:
        """One line in one write, on the disk when it returns; never at the end of half a line."""
        path = self._folder / LOG
        line = json.dumps(asdict(entry), ensure_ascii=False) + "\n"
        with path.open("a+b") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - 1))
            whole = end == 0 or file.read(1) == b"\n"
            file.write((line if whole else "\n" + line).encode())
            file.flush()
            os.fsync(file.fileno())
        return entry

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _unchanged(history: list[Entry], language: str, text: str, seen: str | None, *own: str) -> None:
    """ChangedError unless what stands there is what was seen, or is their own."""
    stack = standing(history).get((language, sentence_key(text)))
    now = stack[-1].take if stack else ""
    if seen is not None and now not in (seen, *own):
        raise ChangedError(stack[-1] if stack else None)


def standing(history: list[Entry]) -> dict[tuple[str, str], list[Entry]]:
    """By language and sentence: what is published, the last one is played; a withdrawn one is gone from it. Pure."""
    stacks: dict[tuple[str, str], list[Entry]] = {}
    for entry in history:
        stack = stacks.setdefault(entry.key, [])
        if entry.act == PUBLISH:
            stack.append(entry)
        else:
            stacks[entry.key] = [one for one in stack if one.take != entry.take]
    return stacks


def _texts(history: list[Entry]) -> dict[tuple[str, str], str]:
    return {entry.key: entry.text for entry in history}


def _entry(line: str) -> Entry | None:
    try:
        entry = Entry(**json.loads(line))
        sound = entry.act in (PUBLISH, WITHDRAW) and _safe(entry.take) and _safe(entry.language)
    except (TypeError, ValueError):
        sound = False
    if not sound:
        log.warning("%s has a line that isn't whole: it is passed over", LOG)
    return entry if sound else None


def _name(text: str) -> str:
    return f"{sentence_key(text)}.ulaw"


def _safe(name: object) -> bool:
    return isinstance(name, str) and bool(name) and all(c.isascii() and (c.isalnum() or c in "-_") for c in name)


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, and on the disk when it returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".part")
    with fresh.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
