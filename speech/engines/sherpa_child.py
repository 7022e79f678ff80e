"""The child process that recognises with sherpa-onnx: its wheel holds espeak-ng (GPL), so it lives here only.

Started by speech.engines.sherpa_process as a script with the model's plan as JSON in its first argument; it imports
nothing of ours. Protocol. In: a head of 9 bytes (little-endian: what u8, stream u32, length u32), then that many bytes.
`A`: 16-bit PCM at the plan's rate for a stream (a new one begins by itself); `F`: the stream ends; `C`: it is dropped.
Out, for each A and F one answer: length u32, then JSON. A: `{"text"}` (so far, of models that stream) or `{}`; F:
`{"text", "tokens", "starts" (s), "logs" (log probabilities)}`; `{"error"}` when the stream is lost. The first answer,
unasked, is `{"ready": true}` or `{"error"}`. End of input ends the process, even in the middle of a hung decoding.
Errors never repeat the text.
"""

from __future__ import annotations

import json
import os
import queue
import struct
import sys
import threading
from collections.abc import Iterator
from typing import IO, Any

HEAD = struct.Struct("<BII")
LENGTH = struct.Struct("<I")
NICENESS = 5  # a message written down a moment later harms nobody; a late frame is heard
TAIL_S = 0.7  # silence after the end, for models that look ahead


def main() -> int:
    # The library prints to standard output; the protocol gets a descriptor of its own.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    os.nice(NICENESS)
    try:
        bench = Bench(json.loads(sys.argv[1]))
    except Exception as error:  # whatever the library throws at weights it can't read: the parent must hear of it
        _say(out, {"error": type(error).__name__})
        return 1
    _say(out, {"ready": True})
    for what, stream, body in _requests():
        answer = bench.work(what, stream, body)
        if answer is not None:
            _say(out, answer)
    return 0


class Bench:
    """The model, and the streams that are open."""

    def __init__(self, plan: dict[str, Any]) -> None:
        import numpy
        import sherpa_onnx

        self._numpy = numpy
        self._online, self._rate = bool(plan["online"]), int(plan["rate"])
        kind = sherpa_onnx.OnlineRecognizer if self._online else sherpa_onnx.OfflineRecognizer
        self._model = getattr(kind, plan["maker"])(**plan["arguments"])
        self._streams: dict[int, Any] = {}

    def work(self, what: str, number: int, body: bytes) -> dict[str, Any] | None:
        """One request. A stream that fails is dropped, the others are not."""
        if what == "C":
            self._streams.pop(number, None)
            return None
        try:
            return self._feed(number, body) if what == "A" else self._finish(number)
        except Exception as error:
            self._streams.pop(number, None)
            return {"error": type(error).__name__}

    def _feed(self, number: int, body: bytes) -> dict[str, Any]:
        if number not in self._streams:
            self._streams[number] = self._model.create_stream()
        stream = self._streams[number]
        stream.accept_waveform(self._rate, self._floats(body))
        if not self._online:
            return {}
        self._decode(stream)
        return {"text": self._model.get_result(stream)}

    def _floats(self, body: bytes) -> Any:
        return self._numpy.frombuffer(body, "<i2").astype(self._numpy.float32) / 32768

    def _decode(self, stream: Any) -> None:
        while self._model.is_ready(stream):
            self._model.decode_stream(stream)

    def _finish(self, number: int) -> dict[str, Any]:
        stream = self._streams.pop(number)
        if not self._online:
            self._model.decode_stream(stream)
            said = stream.result
            return _result(said.text, said.tokens, said.timestamps, said.ys_log_probs)
        stream.accept_waveform(self._rate, self._numpy.zeros(int(TAIL_S * self._rate), self._numpy.float32))
        stream.input_finished()
        self._decode(stream)
        said = self._model.get_result_all(stream)
        return _result(said.text, said.tokens, said.timestamps, said.ys_probs)


def _result(text: str, tokens: Any, starts: Any, logs: Any) -> dict[str, Any]:
    return {
        "text": text,
        "tokens": [str(one) for one in tokens],
        "starts": [round(float(one), 3) for one in starts],
        "logs": [float(one) for one in logs],
    }


def _requests() -> Iterator[tuple[str, int, bytes]]:
    """Requests in order. A thread of its own reads, so that end of input is noticed while a decoding hangs."""
    waiting: queue.SimpleQueue[tuple[str, int, bytes]] = queue.SimpleQueue()

    def read() -> None:
        pipe = sys.stdin.buffer
        while len(head := pipe.read(HEAD.size)) == HEAD.size:
            what, stream, length = HEAD.unpack(head)
            waiting.put((chr(what), stream, pipe.read(length)))
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    while True:
        yield waiting.get()


def _say(out: IO[bytes], answer: dict[str, Any]) -> None:
    body = json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace")
    out.write(LENGTH.pack(len(body)) + body)
    out.flush()


if __name__ == "__main__":
    sys.exit(main())
