"""A call turn by turn, as somebody sees it who listens to it: what the line asked, what it heard and how sure it was,
each at its place in the recording. Pure, but for the flows that come with the program."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from callflows import loader
from callflows.flow import NAME, Prompt
from callflows.source import FlowError
from console import words
from console.call_log import CallLog, Entry, Second
from ivr.recordings import WHOLE_CALL

FLOW = "daily_checkin"  # of a call that names none
BEFORE_MS = 2000  # so much before the moment that matters the recording begins to play
_WHOLE = re.compile(rf"(?<!part\d)-{WHOLE_CALL}(-\d+)?\.ulaw$")
_CUTS = frozenset({"heard", "dictation", "distress", "key"})
_DICTATED = ("stored", "dictation")
_ASKS, _SAYS, _KEYS, _NOTES = "line", "elder", "key", "note"


@dataclass(frozen=True)
class Turn:
    """`who`: "line", "elder", "key" or "note". `at_ms` is in the call; `seek_s` in the recording that is played, None
    where it holds nothing of this. `ear`: engine and confidence. `again`: a second, better transcript. Personal."""

    who: str
    kind: str
    at_ms: int
    seek_s: float | None
    text: str = field(repr=False)
    detail: str = field(default="", repr=False)
    ear: str = ""
    again: Second | None = field(default=None, repr=False)
    matters: bool = False


@dataclass(frozen=True)
class Track:
    """A recording of the call. `begins_ms`: where in the call it begins."""

    path: str
    whole: bool
    begins_ms: int


@dataclass(frozen=True)
class Played:
    """A call to be listened to. `start_s`: the moment that it was flagged for, in `track`; the other recordings are
    beside it."""

    call: CallLog
    track: Track
    others: tuple[Track, ...]
    turns: tuple[Turn, ...]
    start_s: float


def played(call: CallLog, spoken_name: str, second: Mapping[str, Second]) -> Played | None:
    """None for a call that nothing is recorded of. The whole call is played rather than a part of it."""
    tracks = _tracks(call)
    if not tracks:
        return None
    track = next((one for one in tracks if one.whole), tracks[0])
    told = tuple(sorted(_turns(call, track, spoken_name, second), key=lambda turn: (turn.at_ms, turn.who != _ASKS)))
    start = flagged_ms(call.entries)
    seek = _seek(track, max(0, start - BEFORE_MS)) if start is not None else None
    others = tuple(one for one in tracks if one is not track)
    return Played(call, track, others, told, seek or 0.0)


def flagged_ms(entries: Sequence[Entry]) -> int | None:
    """Where in the call something was said that a person should hear: a call for help, else what was dictated, else
    what was not understood for certain; None: nothing of it stands out."""
    for wanted in (_is_distress, _is_dictation, _is_doubtful):
        found = [_begin_ms(entry) for entry in entries if wanted(entry)]
        if found:
            return min(found)
    return None


def _is_distress(entry: Entry) -> bool:
    return entry.kind == "distress" or (entry.kind == "heard" and entry.detail.get("meaning") == "distress")


def _is_dictation(entry: Entry) -> bool:
    return entry.kind in _DICTATED and bool(entry.detail.get("recording") or entry.detail.get("text"))


def _is_doubtful(entry: Entry) -> bool:
    doubt = not entry.detail.get("certain") or entry.detail.get("meaning") in ("unwell", "talk")
    return entry.kind == "heard" and doubt


def _begin_ms(entry: Entry) -> int:
    begin = entry.detail.get("begin_ms")
    return int(begin) if isinstance(begin, int | float) else entry.at_ms


# ── recordings ────────────────────────────────────────────────────────────────────────────────────


def _tracks(call: CallLog) -> list[Track]:
    begins = {
        str(entry.detail["recording"]): _begin_ms(entry)
        for entry in call.entries
        if entry.kind in _DICTATED and entry.detail.get("recording") and "begin_ms" in entry.detail
    }
    return [Track(path, _WHOLE.search(path) is not None, begins.get(path, 0)) for path in call.recordings]


def _seek(track: Track, at_ms: int) -> float | None:
    """The same moment in the recording; None before it begins."""
    return None if at_ms < track.begins_ms else (at_ms - track.begins_ms) / 1000


# ── turns ─────────────────────────────────────────────────────────────────────────────────────────


def _turns(call: CallLog, track: Track, spoken_name: str, second: Mapping[str, Second]) -> Iterator[Turn]:
    texts = prompts(call.flow or FLOW)
    matters = flagged_ms(call.entries)
    for entry in call.entries:
        at = _begin_ms(entry)
        seek = _seek(track, at)
        match entry.kind:
            case "prompt":
                text = _sentences(texts, [entry.detail.get("name", "")], spoken_name)
                yield Turn(_ASKS, "说", entry.at_ms, _seek(track, entry.at_ms), text)
            case "cleared":
                text = _sentences(texts, entry.detail.get("names") or (), spoken_name)
                cut = _cut_ms(call.entries, entry)
                yield Turn(_ASKS, "说", cut, _seek(track, cut), text, "没播完")
            case "key":
                yield Turn(_KEYS, "按键", at, seek, str(entry.detail.get("digit") or "（保密）"))
            case "heard" | "dictation" | "distress":
                yield _spoken(entry, at, seek, second, matters=at == matters)
            case "no_input" | "hung_up" | "alarm" | "error" | "limit" | "machine" | "verbs":
                kind, text = words.entry_zh(entry)
                yield Turn(_NOTES, kind, at, None, text, matters=entry.kind == "alarm")


def _sentences(texts: Mapping[str, str], names: Iterable[object], spoken_name: str) -> str:
    return "".join(texts.get(str(name), str(name)) for name in names).replace(f"{{{NAME}}}", spoken_name)


def line_said(flow: str, prompt: object, spoken_name: str) -> str:
    """What the line said with the prompt of this name."""
    return _sentences(prompts(flow or FLOW), [prompt], spoken_name)


def _cut_ms(entries: Sequence[Entry], cut: Entry) -> int:
    """Where what cut the question off begins: the question stands before its answer."""
    during = [_begin_ms(entry) for entry in entries if entry.kind in _CUTS and entry.at_ms >= cut.at_ms]
    return min((at for at in during if at <= cut.at_ms), default=cut.at_ms)


def _spoken(entry: Entry, at: int, seek: float | None, second: Mapping[str, Second], *, matters: bool) -> Turn:
    detail = entry.detail
    kind = {"heard": "听到", "dictation": "留言", "distress": "求救"}[entry.kind]
    told = words.understood(detail) if entry.kind == "heard" else ""
    if entry.kind == "dictation":
        told = words.dictation_length(detail)
    again = second.get(str(detail.get("recording") or "")) if entry.kind == "dictation" else None
    return Turn(_SAYS, kind, at, seek, str(detail.get("text") or ""), told, words.ear(detail), again, matters)


# ── what the line said ────────────────────────────────────────────────────────────────────────────


@cache
def prompts(flow: str) -> Mapping[str, str]:
    """The sentences of a flow by the name of their mark, with what changes from call to call in braces ({name}) or left
    out (…); empty for a flow that nobody knows any more."""
    try:
        known = loader.shipped(flow)
    except FlowError:
        return {}
    said = [known.acknowledge, *(prompt for step in known.steps.values() for prompt in step.said)]
    return {prompt.name: _text(prompt) for prompt in said}


def _text(prompt: Prompt) -> str:
    pieces = prompt.texts.get("zh") or ()
    return "".join((f"{{{NAME}}}" if one.text == NAME else "…") if one.variable else one.text for one in pieces)
