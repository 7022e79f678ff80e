"""The recogniser alone on one core: `python -m bench.bare COUNT` prints how many answers a second it understands."""

from __future__ import annotations

import os
import sys
import time

from bench.words import words
from callflows.events import CallContext, Listen, Person, Started
from callflows.loader import shipped
from callflows.session import Session
from settings import load
from speech import g711
from speech.ears import make_engine
from speech.recogniser import Request


def main(count: int) -> float:
    engine, why = make_engine("whisper", load().models_dir, workers=1, threads=1)
    if engine is None:
        raise SystemExit(why)
    flow = shipped("daily_checkin")
    session = Session(flow, CallContext((Person("elder", "王阿婆"),)))
    session.feed(Started())
    answers = session.wait.answers if isinstance(session.wait, Listen) else ()
    request = Request("answer", {"distress": flow.distress, **{answer.meaning: answer.phrases for answer in answers}})
    pcm, begun = g711.ulaw_decode(words()), 0.0
    for number in range(count + 1):
        begun = time.perf_counter() if number == 1 else begun  # the first one warms up
        stream = engine.open(request)
        stream.feed(pcm)
        stream.finish()
    return count / (time.perf_counter() - begun)


if __name__ == "__main__":
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print(main(int(sys.argv[1])))
