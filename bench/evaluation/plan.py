"""What is asked of every engine: a folder's recordings in all conditions, and the generated off-menu speech.

Menus by name: `answers` all answers of the folder at once; `answers+chatter` the same with the off-menu sentences
open as well; `words` all single words; `sentences` the Shanghainese sentences of wu/choices.txt; `own:STEP` what the
daily check-in opens at a step; `dictation`; `spot` distress inside running speech.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from bench.evaluation import folder as folders
from bench.evaluation.conditions import MAIN
from bench.evaluation.folder import Folder, Recording
from bench.evaluation.offmenu import Utterance
from bench.evaluation.trial import Ask, Task
from callflows.loader import shipped
from speech import phrases
from speech.phrases import DISTRESS
from speech.recogniser import Request

STEPS = ("greet.ask", "health.ask", "health.confirm", "message.ask")
OFF_STEP = "own:health.ask"  # where something off the menu would do most harm: a "well" is asked for there
OWN_IN = frozenset(
    {MAIN, "alaw", "ulaw+noise10"}
)  # conditions in which more menus than the folder's own answers are open
OFF_MENU = "off-menu"
MESSAGE, RUNNING = "distress", "running speech"  # kinds of generated speech for the spotter


@dataclass(frozen=True)
class Plan:
    menus: Mapping[str, Request]
    tasks: tuple[Task, ...]


def make(folder: Folder, conditions: Sequence[str], utterances: Sequence[Utterance] = ()) -> Plan:
    menus = requests(folder)
    tasks = [
        task for name in conditions for one in folder.recordings for task in _tasks(one, name, menus, folder.choices)
    ]
    return Plan(menus, (*tasks, *(_off_menu(one, menus) for one in utterances)))


@cache
def own_menus() -> dict[str, dict[str, tuple[str, ...]]]:
    """What may be said at the steps of the daily check-in: step → meaning → phrases."""
    flow = shipped("daily_checkin")
    found = {}
    for name in STEPS:
        offered: dict[str, tuple[str, ...]] = {DISTRESS: flow.distress}
        for choice in flow.offered(flow.steps[name]):
            if choice.phrases:
                offered[choice.meaning] = (*offered.get(choice.meaning, ()), *choice.phrases)
        found[name] = offered
    return found


def requests(folder: Folder) -> dict[str, Request]:
    """Every menu that has phrases in this folder."""
    answers, chatter = folders.menu(folder.recordings), folders.chatter(folder.recordings)
    distress = {DISTRESS: own_menus()[STEPS[0]][DISTRESS]}
    found = {"dictation": Request("dictation", distress), "spot": Request("spot", distress)}
    found |= {f"own:{name}": Request("answer", menu) for name, menu in own_menus().items()}
    if answers:
        found["answers"] = Request("answer", answers)
    if answers and chatter:
        found["answers+chatter"] = Request("answer", {**answers, "oov": chatter})
    for name, texts in (("words", folders.texts(folder.recordings, "word")), ("sentences", folder.choices)):
        if texts:
            found[name] = Request("answer", {f"s{at:02}": [text] for at, text in enumerate(texts)})
    return found


def _tasks(one: Recording, condition: str, menus: Mapping[str, Request], choices: Sequence[str]) -> Iterator[Task]:
    asks = [*_answer_asks(one, menus), *_choice_asks(one, menus, choices)]
    if condition in OWN_IN and one.kind == "answer":
        asks += [*_chatter_asks(one, menus), *_own_asks(one, menus)]
    if one.meaning == DISTRESS:
        asks.append(Ask("spot", DISTRESS))
    if one.kind == "sentence" and one.text:
        asks.append(Ask("dictation"))
    yield Task(one.kind, one.language, one.text, condition, tuple(asks), recording=one)


def _answer_asks(one: Recording, menus: Mapping[str, Request]) -> Iterator[Ask]:
    """All answers open at once. What the text rules find an answer in, though the folder calls it none, is left out:
    the rules are to be blamed there, and they have tests of their own."""
    if "answers" not in menus:
        return
    known = menus["answers"].phrases
    said = one.text in known.get(one.meaning or "", ())
    if said:
        yield Ask("answers", one.meaning)
    elif _no_answer(one) and phrases.match(one.text, known) is None:
        yield Ask("answers")


def _no_answer(one: Recording) -> bool:
    return not one.meaning or one.kind not in ("answer", "word")


def _choice_asks(one: Recording, menus: Mapping[str, Request], choices: Sequence[str]) -> Iterator[Ask]:
    wanted = {"word": "words"}.get(one.kind) or ("sentences" if one.text in choices else "")
    for meaning, texts in menus[wanted].phrases.items() if wanted in menus else ():
        if one.text in texts:
            yield Ask(wanted, meaning)


def _chatter_asks(one: Recording, menus: Mapping[str, Request]) -> Iterator[Ask]:
    if "answers+chatter" in menus:
        yield Ask("answers+chatter", one.meaning or "oov")


def _own_asks(one: Recording, menus: Mapping[str, Request]) -> Iterator[Ask]:
    """At the steps where it may be said; and at OFF_STEP in any case."""
    for name in (f"own:{step}" for step in STEPS):
        match = phrases.match(one.text, menus[name].phrases)
        if match or name == OFF_STEP:
            yield Ask(name, match.meaning if match else None)


def _off_menu(one: Utterance, menus: Mapping[str, Request]) -> Task:
    if one.kind in (MESSAGE, RUNNING):
        asks: tuple[Ask, ...] = (Ask("spot", DISTRESS if one.kind == MESSAGE else None),)
    else:
        open_ones = [name for name in ("answers", OFF_STEP) if name in menus]
        asks = tuple(Ask(name) for name in open_ones if not _means(one.text, menus[name]))
    return Task(one.kind, "zh", one.text, one.condition, asks, pcm=one.pcm, group=one.group)


def _means(text: str, menu: Request) -> bool:
    return bool(text) and phrases.match(text, menu.phrases) is not None
