"""Generated speech that is no answer: more than 1,000 utterances out of the rendered texts, the line's own prompts and
formulas; and running speech and cries for the spotter. Seeded: the same half gives the same audio.

All of it arrives as 8 kHz μ-law with the silences that an endpointer leaves, at levels 0–18 dB below the speech set's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bench.evaluation import clips, noises
from bench.evaluation.clips import Clip
from bench.evaluation.conditions import CONDITIONS, LEVEL, MAIN, Floats, arrive, coded, noise_for, padded, rms, varied
from bench.evaluation.texts import DISTRESS, INSIDE
from ivr.hearing import Hearing, SpeechEnded, SpeechStarted, is_click
from speech import g711
from speech.recogniser import FRAME_SAMPLES, SAMPLE_RATE
from speech.resample import from_floats

Random = np.random.Generator

# How many of each make a whole run: 2,080. "echo" is what the line's own echo guard lets through of the prompts, "echo
# raw" the same echoes without a guard.
AMOUNTS = {
    "voices": 600,
    "noisy voices": 300,
    "babble": 250,
    "television": 350,
    "espeak": 150,
    "echo": 100,
    "echo raw": 150,
    "noises": 180,
}
# Not in the whole: the guard lets hardly an echo through, which would only make the share look smaller; and what the
# text rules find a phrase in.
COUNTED_APART = ("echo", INSIDE)
PREFIX = "off-menu/"
RUNNING_S = 20.0
ECHO_DB, ECHO_MS = (-25.0, -10.0), (20, 300)


@dataclass(frozen=True)
class Utterance:
    """`kind`: PREFIX + a key of AMOUNTS, PREFIX + inside, "distress" or "running speech". `text` is empty where nobody
    can say what is to be heard. `group`: utterances of one trial count once. No `pcm`: nothing was let through."""

    kind: str
    text: str
    pcm: bytes
    condition: str = MAIN
    group: str = ""


def generate(half: str, every: int = 1) -> Iterator[Utterance]:
    """The half's utterances, all kinds. FileNotFoundError when the half was not rendered."""
    known = clips.rendered(half)
    spoken = [clip for clip in known if clip.kind not in (DISTRESS, INSIDE)]
    for source, maker in _makers(spoken).items():
        random = np.random.default_rng([len(half), *source.encode()])
        for number in range(-(-AMOUNTS[source] // every)):
            yield from maker(number, random)
    yield from _inside([clip for clip in known if clip.kind == INSIDE][::every])
    yield from _cries([clip for clip in known if clip.kind == DISTRESS][::every], spoken)
    yield from _running(spoken, every)


Maker = Callable[[int, Random], Iterator[Utterance]]


def _makers(spoken: Sequence[Clip]) -> dict[str, Maker]:
    espoken = clips.espeak([clip.text for clip in spoken][: AMOUNTS["espeak"]])
    makers: dict[str, Maker] = {
        "voices": lambda n, random: _voice(spoken[n % len(spoken)], "voices", 0.0, random),
        "noisy voices": lambda n, random: _voice(_any(spoken, random), "noisy voices", random.uniform(5, 20), random),
        "babble": lambda n, random: _line("babble", "", _babble(spoken, random), random),
        "television": lambda n, random: _line("television", "", _television(spoken, random), random),
        "espeak": lambda n, random: _voice(espoken[n % len(espoken)], "espeak", 0.0, random),
        "echo": lambda n, random: _guarded_echo(n, random),
        "echo raw": lambda n, random: _raw_echo(n, random),
        "noises": lambda n, random: _line("noises", "", noises.MAKERS[n % len(noises.MAKERS)](random), random),
    }
    return makers if espoken else {name: maker for name, maker in makers.items() if name != "espeak"}


def _any(spoken: Sequence[Clip], random: Random) -> Clip:
    return spoken[int(random.integers(len(spoken)))]


def _line(source: str, text: str, samples: Floats, random: Random, snr_db: float | None = None) -> Iterator[Utterance]:
    speech = samples * np.float32(LEVEL * 10 ** (-random.uniform(0, 18) / 20))
    line = padded(speech) + noise_for(speech, snr_db, random)
    yield Utterance(PREFIX + source, text, coded(from_floats(line), "ulaw"))


def _voice(clip: Clip, source: str, snr_db: float, random: Random) -> Iterator[Utterance]:
    """Another tempo (0.75–1.2) and pitch (±12 %); `snr_db` 0: on an idle line."""
    samples = varied(clip.samples, random.uniform(0.75, 1.2), random.uniform(0.88, 1.12))
    yield from _line(source, clip.text, samples, random, snr_db or None)


def _babble(spoken: Sequence[Clip], random: Random) -> Floats:
    """Three to eight voices over each other, 1.5–4 s."""
    made = np.zeros(round(random.uniform(1.5, 4.0) * SAMPLE_RATE), np.float32)
    for _ in range(random.integers(3, 9)):
        clip = varied(_any(spoken, random).samples, 1.0, random.uniform(0.88, 1.12))
        made += np.resize(np.roll(clip, random.integers(len(clip))), len(made)) * random.uniform(0.4, 1.0)
    return made * np.float32(0.5 / np.abs(made).max())


def _television(spoken: Sequence[Clip], random: Random) -> Floats:
    """A piece of 1.2–5 s out of two sentences, with music 0–20 dB below the words, noise, and a small loudspeaker's
    missing bass."""
    words = np.concatenate([_any(_news(spoken), random).samples for _ in range(2)])
    length = min(len(words), round(random.uniform(1.2, 5.0) * SAMPLE_RATE))
    start = random.integers(len(words) - length + 1)
    words = words[start : start + length]
    song = noises.music(random, length / SAMPLE_RATE)
    song = song[:length] * np.float32(rms(words) / max(1e-6, rms(song)) * 10 ** (-random.uniform(0, 20) / 20))
    mixed = words + np.pad(song, (0, length - len(song))) + random.normal(0, 0.1 * rms(words), length)
    return np.asarray(np.diff(mixed, prepend=0) + 0.3 * mixed, np.float32)


def _news(spoken: Sequence[Clip]) -> list[Clip]:
    return [clip for clip in spoken if clip.kind == "tv"]


# ── the line's own prompts ────────────────────────────────────────────────────────────────────────


def echoed(prompt: Floats, random: Random) -> Floats:
    """The prompt as a hybrid sends it back: 10–25 dB weaker, 20–300 ms late, through a short filter."""
    delay = round(random.uniform(*ECHO_MS) / 1000 * SAMPLE_RATE)
    filtered = np.convolve(prompt, random.normal(0, 1, 16) * np.exp(-np.arange(16) / 4))[: len(prompt)]
    level = rms(prompt) / max(1e-6, rms(filtered)) * 10 ** (random.uniform(*ECHO_DB) / 20)
    return np.asarray(np.concatenate([np.zeros(delay), filtered * level]), np.float32)


def _raw_echo(number: int, random: Random) -> Iterator[Utterance]:
    prompt = clips.prompts()[number % len(clips.prompts())]
    echo = echoed(prompt.samples, random)
    line = padded(echo) + noise_for(echo, None, random)
    yield Utterance(PREFIX + "echo raw", prompt.text, coded(from_floats(line), "ulaw"))


def _guarded_echo(number: int, random: Random) -> Iterator[Utterance]:
    """What the ear of the line (ivr.hearing) takes for somebody's speech while the prompt plays."""
    prompt = clips.prompts()[number % len(clips.prompts())].samples
    echo = echoed(prompt, random)
    heard = echo + random.normal(0, 0.0008, len(echo)).astype(np.float32)
    group = f"echo {number}"
    found = through_the_ear(from_floats(heard), from_floats(prompt)) or [b""]
    for pcm in found:
        yield Utterance(PREFIX + "echo", "", pcm, group=group)


def through_the_ear(heard: bytes, sent: bytes) -> list[bytes]:
    """The utterances that the line hears in `heard` while it plays `sent` (8 kHz PCM), clicks left out."""
    ear, found, open_one = Hearing(), [], bytearray()
    frame = 2 * FRAME_SAMPLES
    silence = bytes(2 * SAMPLE_RATE * 2)  # so that the last one ends
    heard += silence
    for at in range(0, len(heard) - frame + 1, frame):
        played = g711.ulaw_encode(sent[at : at + frame].ljust(frame, b"\0")) if at < len(sent) else None
        pcm, event = ear.step(g711.ulaw_encode(heard[at : at + frame]), played)
        if isinstance(event, SpeechStarted):
            open_one = bytearray(event.audio)
        elif open_one:
            open_one += pcm
        if isinstance(event, SpeechEnded):
            found += [] if is_click(event) else [bytes(open_one)]
            open_one = bytearray()
    return found


# ── for the spotter, and what is counted apart ────────────────────────────────────────────────────


def _inside(known: Sequence[Clip]) -> Iterator[Utterance]:
    for clip in known:
        pcm = arrive(clip.samples, SAMPLE_RATE, CONDITIONS[MAIN], clip.text)
        yield Utterance(PREFIX + INSIDE, clip.text, pcm)


def _cries(cries: Sequence[Clip], spoken: Sequence[Clip]) -> Iterator[Utterance]:
    """Sentences with a distress phrase inside: alone, in noise, slowly, and in the middle of a dictation."""
    for number, clip in enumerate(cries):
        for name in (MAIN, "ulaw+noise10", "slow"):
            pcm = arrive(clip.samples, SAMPLE_RATE, CONDITIONS[name], clip.text)
            yield Utterance(DISTRESS, clip.text, pcm, name)
        around = [one for one in spoken if one.voice == clip.voice]
        before, after = around[(3 * number) % len(around)], around[(3 * number + 1) % len(around)]
        breath = np.zeros(round(0.4 * SAMPLE_RATE), np.float32)
        told = np.concatenate([before.samples, breath, clip.samples, breath, after.samples])
        pcm = arrive(told, SAMPLE_RATE, CONDITIONS[MAIN], clip.text)
        yield Utterance(DISTRESS, clip.text, pcm, "ulaw+dictation")


def _running(spoken: Sequence[Clip], every: int) -> Iterator[Utterance]:
    """Stretches of RUNNING_S without a cry: people who talk on and on, the same over a television, and babble. Of each
    three takes with other tempos and pitches; together about an hour."""
    random = np.random.default_rng(3)
    for take in range(3):
        for stretch in _stretches(spoken[::every], random, backwards=take == 1):
            song = noises.music(random, len(stretch) / SAMPLE_RATE) if take == 2 else np.zeros(0, np.float32)
            over = stretch + np.float32(0.3) * np.pad(song, (0, max(0, len(stretch) - len(song))))[: len(stretch)]
            yield from _as_running(over, random)
    for _ in range(-(-45 // every)):
        yield from _as_running(np.concatenate([_babble(spoken, random) for _ in range(7)]), random)


def _as_running(samples: Floats, random: Random) -> Iterator[Utterance]:
    for one in _line("running", "", samples.astype(np.float32), random):
        yield Utterance("running speech", "", one.pcm)


def _stretches(spoken: Sequence[Clip], random: Random, *, backwards: bool) -> Iterator[Floats]:
    """One voice after the other, sentence by sentence, until RUNNING_S are full."""
    ordered = sorted(spoken, key=lambda clip: clip.voice, reverse=backwards)
    parts: list[Floats] = []
    for clip in ordered:
        parts.append(varied(clip.samples, random.uniform(0.8, 1.2), random.uniform(0.9, 1.1)))
        parts.append(np.zeros(round(random.uniform(0.15, 0.8) * SAMPLE_RATE), np.float32))
        if sum(map(len, parts)) > RUNNING_S * SAMPLE_RATE:
            yield np.concatenate(parts)
            parts = []
