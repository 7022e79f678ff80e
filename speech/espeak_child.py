"""The child process that speaks: pyttsx3 and espeak-ng live here and nowhere else (GPL; espeak-ng also crashes).

Started by speech.synthesis as a script, it imports nothing of ours. Protocol: one JSON line in for each prompt,
`{"id", "text", "voice", "rate"}`; one JSON line out, `{"id", "bytes", "hz"}` followed by that many bytes of 16-bit mono
PCM, or `{"id", "error"}`. The first line out is `{"ready": true}` or `{"error"}`. End of input ends the process, even
in the middle of a hung utterance. Errors never repeat the text. The argument `system` passes over the library
in the package.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import queue
import sys
import threading
import wave
from typing import IO, Any

LIBRARY = "libespeak-ng.so.1"
MANDARIN = b"sit/cmn"
FINISH_S = 10.0  # the parent is less patient than that


def main() -> int:
    # pyttsx3 prints to standard output; the protocol gets a descriptor of its own.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        library = load_library(package="system" not in sys.argv)
        speaker = Speaker()
        check_mandarin(library)
    except Exception as error:  # whatever a foreign library throws: the parent must hear of it
        _say(out, {"error": _reason(error)})
        return 1
    _say(out, {"ready": True})
    for request in _requests():
        _answer(speaker, request, out)
    return 0


def load_library(package: bool = True) -> ctypes.CDLL:
    """Makes pyttsx3 find espeak-ng: the one in the package espeakng-loader (1.52), else the system's.

    In this order because Debian 12's espeak-ng (1.51) spells Chinese characters as English letters.
    """
    with contextlib.suppress(ImportError, OSError, RuntimeError):
        if package:
            import espeakng_loader

            data = espeakng_loader.get_data_path()
            # The library bears the system library's name inside: pyttsx3's own search finds the loaded one.
            library = ctypes.CDLL(espeakng_loader.get_library_path(), mode=ctypes.RTLD_GLOBAL)
            os.environ["ESPEAK_DATA_PATH"] = data
            return library
    return ctypes.CDLL(LIBRARY, mode=ctypes.RTLD_GLOBAL)


def check_mandarin(library: ctypes.CDLL) -> None:
    """RuntimeError when this espeak-ng can't read Chinese characters: better no voice than gibberish."""
    library.espeak_Info.restype = library.espeak_TextToPhonemes.restype = ctypes.c_char_p
    library.espeak_SetVoiceByName(MANDARIN)
    text = ctypes.c_char_p("您好".encode())
    phonemes = library.espeak_TextToPhonemes(ctypes.byref(text), 1, 0) or b""
    if not phonemes.strip() or b"(en)" in phonemes:  # "(en)" marks a change to the English voice
        version = (library.espeak_Info(None) or b"?").decode()
        raise RuntimeError(f"espeak-ng {version} can't read Chinese; use 1.52 or the package espeakng-loader")


class Speaker:
    """One engine in one thread, one utterance at a time, into memory (no disk is needed, so none can be full)."""

    def __init__(self) -> None:
        import pyttsx3

        self._engine = pyttsx3.init("espeak")
        # Its loop ends by stopping whatever is spoken: on a busy machine the next prompt, lost or cut off.
        # Nothing is ever to be stopped here; a hung utterance ends with its process.
        self._engine.proxy._driver.stop = _stop_nothing
        self._finished = threading.Event()
        self._engine.connect("finished-utterance", self._on_finished)
        self._memory = os.memfd_create("prompt")
        self._set: tuple[str, int] | None = None

    def speak(self, text: str, voice: str, rate: int) -> tuple[bytes, int]:
        """PCM and its sample rate. RuntimeError when the engine made nothing of it.

        An engine that doesn't end is left with its utterance half done: SystemExit, the parent starts a new process.
        """
        self._prepare(voice, rate)
        self._finished.clear()
        os.ftruncate(self._memory, 0)
        self._engine.save_to_file(text, f"/proc/self/fd/{self._memory}")
        self._engine.runAndWait()  # returns early; the event, sent after the file was written, decides
        if not self._finished.wait(FINISH_S):
            raise SystemExit("the engine did not finish")
        return self._read()

    def _prepare(self, voice: str, rate: int) -> None:
        if self._set != (voice, rate):
            self._engine.setProperty("voice", voice)
            self._engine.setProperty("rate", rate)
            self._set = (voice, rate)

    def _read(self) -> tuple[bytes, int]:
        with open(f"/proc/self/fd/{self._memory}", "rb") as file, wave.open(file) as audio:
            if audio.getsampwidth() != 2 or audio.getnchannels() != 1 or not audio.getnframes():
                raise RuntimeError("the engine wrote no audio")
            return audio.readframes(audio.getnframes()), audio.getframerate()

    def _on_finished(self, name: str | None, completed: bool) -> None:
        self._finished.set()


def _stop_nothing() -> None:
    pass


def _requests() -> Any:
    """Requests in order. A thread of its own reads, so that end of input is noticed while the engine hangs."""
    waiting: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

    def read() -> None:
        for line in sys.stdin.buffer:
            waiting.put(json.loads(line))
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    while True:
        yield waiting.get()


def _answer(speaker: Speaker, request: dict[str, Any], out: IO[bytes]) -> None:
    try:
        pcm, hz = speaker.speak(request["text"], request["voice"], request["rate"])
    except Exception as error:  # one prompt is lost, the process is not
        _say(out, {"id": request["id"], "error": _reason(error)})
    else:
        _say(out, {"id": request["id"], "bytes": len(pcm), "hz": hz}, pcm)


def _say(out: IO[bytes], head: dict[str, Any], body: bytes = b"") -> None:
    out.write(json.dumps(head).encode() + b"\n" + body)
    out.flush()


def _reason(error: Exception) -> str:
    """The kind of error; its message only where it can't hold spoken text."""
    return (
        f"{type(error).__name__}: {error}"
        if isinstance(error, OSError | RuntimeError | ImportError)
        else type(error).__name__
    )


if __name__ == "__main__":
    sys.exit(main())
