"""Virtual parties: an elder who follows a script, an answering machine. Pure: time is counted in 20 ms frames."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from itertools import cycle

from .acoustics import frames, mix, noise_bed, sounds, tone
from .elder import ANSWERED, CallScript, ElderScript, Reaction
from .phone import FRAME_S, QUIET, SILENCE, Move, Party, Phone, PhoneKind

Clips = Callable[[str], bytes]  # name → μ-law audio; KeyError for an unknown name
MACHINE_PATIENCE_S = 30.0  # an answering machine records so long, then hangs up
KEY_GAP_FRAMES = 10  # 200 ms from one key to the next


def _ticks(seconds: float) -> int:
    return round(seconds / FRAME_S)


class ScriptedElder:
    """Understands each prompt by its mark and reacts as the script says. A new prompt replaces a reaction that has
    not begun; one in progress is finished first."""

    def __init__(self, script: CallScript, clips: Clips) -> None:
        self._script = script
        self._clips = clips
        self._times: Counter[str] = Counter()
        self._doing: deque[Move] = deque()
        self._next: Reaction | None = None
        self._wait = 0  # frames until `_next` begins
        self._sound_needed = 0  # frames of sound to be heard before `_next` begins
        self._prompted(ANSWERED)

    def hear(self, frame: bytes, prompts: tuple[str, ...]) -> None:
        if self._sound_needed and sounds(frame):
            self._sound_needed -= 1
        for prompt in prompts:
            self._prompted(prompt)

    def move(self) -> Move:
        if self._doing:
            return self._doing.popleft()
        if self._next is None or self._sound_needed:
            return QUIET
        if self._wait:
            self._wait -= 1
            return QUIET
        reaction, self._next = self._next, None
        self._doing.extend(self._deeds(reaction))
        if reaction.then:
            self._plan(reaction.then)
        return self._doing.popleft() if self._doing else QUIET

    def _prompted(self, prompt: str) -> None:
        reaction = self._script.reaction(prompt, self._times[prompt])
        self._times[prompt] += 1
        if reaction is not None:
            self._plan(reaction)

    def _plan(self, reaction: Reaction) -> None:
        self._next = reaction
        barge_in = reaction.into_next_s is not None
        self._sound_needed = max(1, _ticks(reaction.into_next_s or 0)) if barge_in else 0
        self._wait = 0 if barge_in else _ticks(reaction.after_s)

    def _deeds(self, reaction: Reaction) -> Iterator[Move]:
        if reaction.hang_up:
            yield Move(hang_up=True)
        for key in reaction.press:
            yield Move(keys=key)
            yield from [QUIET] * KEY_GAP_FRAMES
        if reaction.say:
            label = reaction.say
            for frame in frames(self._clips(label)):
                yield Move(audio=frame, label=label)
                label = ""


class AnsweringMachine:
    """Plays its announcement and a beep, records in silence, hangs up."""

    def __init__(self, greeting: bytes) -> None:
        beep = frames(tone(1000, 0.6))
        self._moves = deque([QUIET] * _ticks(0.5))
        self._moves.extend(Move(audio=frame) for frame in (*frames(greeting), *([SILENCE] * 10), *beep))
        self._moves.append(Move(beeped=True))
        self._moves.extend([QUIET] * _ticks(MACHINE_PATIENCE_S))

    def hear(self, frame: bytes, prompts: tuple[str, ...]) -> None:
        """It records; nobody listens."""

    def move(self) -> Move:
        return self._moves.popleft() if self._moves else Move(hang_up=True)


class Noisy:
    """A party in a noisy room: the bed lies under everything that comes from there."""

    def __init__(self, party: Party, bed: tuple[bytes, ...]) -> None:
        self._party = party
        self._bed = cycle(bed)

    def hear(self, frame: bytes, prompts: tuple[str, ...]) -> None:
        self._party.hear(frame, prompts)

    def move(self) -> Move:
        move = self._party.move()
        audio = mix(move.audio, next(self._bed))
        return Move(audio, move.keys, move.hang_up, move.beeped, move.label)


class ElderDirectory:
    """Finds the telephone behind a number: the n-th dialling gets the n-th script. Unknown numbers are unassigned."""

    def __init__(self, scripts: tuple[ElderScript, ...], clips: Clips) -> None:
        self._scripts = {script.number: script for script in scripts}
        self._clips = clips
        self._dialled: Counter[str] = Counter()

    def __call__(self, number: str) -> Phone:
        script = self._scripts.get(number)
        if script is None:
            return Phone(PhoneKind.UNASSIGNED)
        call = script.call(self._dialled[number])
        self._dialled[number] += 1
        return phone_of(call, self._clips)


def phone_of(script: CallScript, clips: Clips) -> Phone:
    """The telephone for one call by this script. KeyError names a clip that does not exist."""
    party: Party = ScriptedElder(script, clips)
    if script.phone is PhoneKind.MACHINE:
        party = AnsweringMachine(clips(script.greeting) if script.greeting else b"")
    if script.noise:
        bed = clips(script.noise.bed) if script.noise.bed else b""
        party = Noisy(party, noise_bed(script.noise.snr_db, script.noise.seed, bed))
    return Phone(script.phone, script.rings, party, script.echo, script.amd)
