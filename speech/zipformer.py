"""The small streaming acoustic model (zipformer transducer, 3.3 M parameters): audio → frames → token probabilities.

It outputs Mandarin initials and toned finals (speech.pronunciation.tokens). One model in memory serves all calls; a
`Listening` holds one utterance's state. Weights and their numbers: docs/evaluation.md, speech/catalogue.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kaldi_native_fbank as knf
import numpy as np
import onnxruntime
import soxr
from numpy.typing import NDArray

from speech.pronunciation.table import rows
from speech.pronunciation.tokens import INITIALS, SIZE, TOKENS, parts
from speech.recogniser import SAMPLE_RATE

Floats = NDArray[np.float32]

MODEL_RATE = 16_000
BINS = 80
CHUNK = 45  # fbank frames (10 ms) that one step of the encoder sees …
SHIFT = 32  # … and by how many it moves on: 320 ms
FRAMES_A_STEP = 8
FRAME_S = SHIFT / FRAMES_A_STEP / 100  # an encoder frame: 40 ms
DIM = 320
IDLE_RMS = 26  # of 16-bit samples: a quiet line through G.711
SILENCE = -15.9424  # log of the smallest energy that the features know (float's epsilon), as sherpa-onnx pads
LARGE = 80.0  # a logit; the exponential of what is beyond 88 is no float32
BLANK = 0
FIRST_TOKEN = 3  # after blank, end and unknown


_ONES = np.ones(SIZE, np.float32)


class Zipformer:
    """The model in `folder` (the files of the catalogue's zipformer). FileNotFoundError names what is missing;
    ValueError when the token list is not the one that pronunciations are written in."""

    def __init__(self, folder: Path) -> None:
        tokens = [line.split()[0] for line in _find(folder, "tokens.txt").read_text("utf-8").splitlines()[:SIZE]]
        if tuple(tokens) != TOKENS:
            raise ValueError(f"{folder}: tokens.txt is not the list in speech/pronunciation/tokens.tsv")
        self._encoder = _session(_find(folder, "encoder-*.int8.onnx", "encoder-*.onnx"))
        self._decoder = _session(_find(folder, "decoder-*.int8.onnx", "decoder-*.onnx"))
        self._joiner = _session(_find(folder, "joiner-*.int8.onnx", "joiner-*.onnx"))
        self._outputs = [one.name for one in self._encoder.get_outputs()]
        self.start: Floats = self._decode([(BLANK, BLANK)])[0]
        self._rested = {one.name: _zeros(one) for one in self._encoder.get_inputs()[1:]}
        self._rested = self._rest()
        self.contexts: Floats = self._contexts()

    def listen(self) -> Listening:
        """A new utterance."""
        return Listening(self)

    def probabilities(self, frames: Floats, contexts: Floats) -> Floats:
        """What comes next: (T, 320) and (C, 320) → (T, C, tokens), adding up to 1 over tokens."""
        many, ways = len(frames), len(contexts)
        given = {"encoder_out": np.repeat(frames, ways, axis=0), "decoder_out": np.tile(contexts, (many, 1))}
        logits: Floats = self._joiner.run(None, given)[0]
        if logits.size and logits.max() > LARGE:
            logits -= logits.max(axis=1, keepdims=True)
        np.exp(logits, out=logits)
        logits *= (1 / (logits @ _ONES))[:, None]
        return logits.reshape(many, ways, SIZE)

    def silence(self) -> dict[str, Any]:
        """The encoder's state after a second of idle line: from nothing at all it tends to hear a syllable (你, 不) in
        front of the first word."""
        return dict(self._rested)

    def _rest(self) -> dict[str, Any]:
        idle = np.random.default_rng(1).normal(0, IDLE_RMS, SAMPLE_RATE).astype("<i2").tobytes()
        listening = Listening(self)
        listening.feed(idle)
        return listening.state

    def encode(self, features: Floats, state: dict[str, Any]) -> tuple[Floats, dict[str, Any]]:
        """One step: (45, 80) → (8, 320) and the state after it."""
        out = self._encoder.run(self._outputs, {"x": features[None], **state})
        return out[0][0], dict(zip((name.removeprefix("new_") for name in self._outputs[1:]), out[1:], strict=True))

    def _decode(self, pairs: list[tuple[int, int]]) -> Floats:
        found = self._decoder.run(None, {self._decoder.get_inputs()[0].name: np.array(pairs, np.int64)})[0]
        return np.asarray(found, np.float32)

    def _contexts(self) -> Floats:
        """What the decoder makes of each token being the last one, on the average of what may stand before it: finals
        before an initial, initials before a final. (tokens, 320)."""
        found = [self.start] * FIRST_TOKEN
        for token in range(FIRST_TOKEN, SIZE):
            found.append(self._decode([(before, token) for before in _BEFORE[token]]).mean(axis=0))
        return np.stack(found)


class Listening:
    """One utterance: 8 kHz PCM in, encoder frames out."""

    def __init__(self, model: Zipformer) -> None:
        self._model, self.state = model, model.silence()
        self._resampler = soxr.ResampleStream(SAMPLE_RATE, MODEL_RATE, 1, dtype="float32", quality="HQ")
        self._features = knf.OnlineFbank(_OPTIONS)
        self._at = 0  # first feature frame of the next step
        self._rest: Floats | None = None  # asked for, and nothing was fed since

    def feed(self, pcm: bytes) -> Floats:
        """(T, 320) of what is new; T is 0 as long as no step is full."""
        if pcm:
            self._rest = None
        self._take(pcm, last=False)
        return _joined(self._steps())

    def rest(self) -> Floats:
        """What would come if silence followed: the audio that has not filled a step yet. Nothing is lost by asking;
        whoever goes on speaking is heard as if nobody had asked. When nothing follows, `finish` gives the same and
        costs nothing more: what was judged at a pause stands."""
        if self._rest is None:
            left = self._ready()
            self._rest = _joined(self._filled_up(left) if len(left) > CHUNK - SHIFT else iter(()))
        return self._rest

    def finish(self) -> Floats:
        """The rest, filled up with silence. Nothing can be fed after this."""
        if self._rest is not None:
            return self._rest
        self._take(b"", last=True)
        self._features.input_finished()
        return np.concatenate([_joined(self._steps()), self.rest()])

    def _take(self, pcm: bytes, *, last: bool) -> None:
        samples = np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32768)
        wide = self._resampler.resample_chunk(samples, last=last)
        if len(wide):
            self._features.accept_waveform(MODEL_RATE, wide)

    def _ready(self) -> Floats:
        return self._frames(self._features.num_frames_ready)

    def _steps(self) -> Iterator[Floats]:
        while self._features.num_frames_ready - self._at >= CHUNK:
            yield self._step(self._frames(self._at + CHUNK))

    def _filled_up(self, left: Floats) -> Iterator[Floats]:
        silence = np.full((CHUNK - len(left), BINS), SILENCE, np.float32)
        yield self._model.encode(np.vstack([left, silence]), self.state)[0]

    def _frames(self, until: int) -> Floats:
        """Of what was not encoded yet: (T, 80)."""
        found = np.empty((until - self._at, BINS), np.float32)
        for row, at in enumerate(range(self._at, until)):
            found[row] = self._features.get_frame(at)
        return found

    def _step(self, features: Floats) -> Floats:
        frames, self.state = self._model.encode(features, self.state)
        self._at += SHIFT
        return frames


def _joined(steps: Iterator[Floats]) -> Floats:
    found = list(steps)
    return np.concatenate(found) if found else np.zeros((0, DIM), np.float32)


def _options() -> Any:
    """As the model was trained: Kaldi's features without dither, frames centred, nothing above 7600 Hz."""
    options = knf.FbankOptions()
    options.frame_opts.dither = 0.0
    options.frame_opts.snip_edges = False
    options.frame_opts.samp_freq = MODEL_RATE
    options.mel_opts.num_bins = BINS
    options.mel_opts.high_freq = -400
    return options


_OPTIONS = _options()


def _before() -> dict[int, list[int]]:
    """Token → what may stand before it in Mandarin: any final before an initial, the initials that take a final
    before that final (any of them before what is no part of a syllable)."""
    every = range(FIRST_TOKEN, SIZE)
    initials = [token for token in every if TOKENS[token] in INITIALS]
    finals = [token for token in every if parts(TOKENS[token])]
    takes = {
        TOKENS.index(row["initial"]): row["finals"].split()
        for row in rows("mandarin_syllables")
        if row["initial"] in INITIALS
    }
    found = {}
    for token in every:
        sound, _ = parts(TOKENS[token]) or ("", 0)
        found[token] = (
            finals if token in initials else [one for one in initials if sound in takes.get(one, ())] or initials
        )
    return found


_BEFORE = _before()


def _find(folder: Path, *patterns: str) -> Path:
    """The first file that fits the first pattern that any fits."""
    for pattern in patterns:
        found = sorted(folder.glob(pattern))
        if found:
            return found[0]
    raise FileNotFoundError(f"{folder} holds no {patterns[0]}")


def _session(path: Path) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # many calls share the cores, one thread each
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _zeros(given: Any) -> Any:
    """For an input of a session; what its shape leaves open (the batch) is 1."""
    shape = [size if isinstance(size, int) else 1 for size in given.shape]
    return np.zeros(shape, np.int64 if "int64" in given.type else np.float32)
