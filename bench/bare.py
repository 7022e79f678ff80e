"""The recogniser alone on one core: `python -m bench.bare ENGINE SECONDS` prints how many seconds of continuous speech
it understands in one second, an answer at a time, with the greeting's menu open."""

from __future__ import annotations

import os
import sys
import time

from bench.line import engines
from bench.words import words
from callflows.events import CallContext, Listen, Person, Started
from callflows.loader import shipped
from callflows.session import Session
from speech import g711
from speech.recogniser import SAMPLE_RATE, Recogniser, Request

PIECE = SAMPLE_RATE * 2 // 10


def menu() -> Request:
    flow = shipped("daily_checkin")
    session = Session(flow, CallContext((Person("elder", "王阿婆"),)))
    session.feed(Started())
    answers = session.wait.answers if isinstance(session.wait, Listen) else ()
    return Request("answer", {"distress": flow.distress, **{answer.meaning: answer.phrases for answer in answers}})


def understand(engine: Recogniser, request: Request, pcm: bytes) -> None:
    stream = engine.open(request)
    for at in range(0, len(pcm), PIECE):
        stream.feed(pcm[at : at + PIECE])
    stream.finish()


def main(name: str, seconds: float) -> float:
    (engine,), request, pcm = engines(name), menu(), g711.ulaw_decode(words())
    understand(engine, request, pcm)  # warms up
    begun, count = time.process_time(), 0
    while time.process_time() - begun < seconds:
        understand(engine, request, pcm)
        count += 1
    return count * len(pcm) / 2 / SAMPLE_RATE / (time.process_time() - begun)


if __name__ == "__main__":
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print(main(sys.argv[1], float(sys.argv[2])))
