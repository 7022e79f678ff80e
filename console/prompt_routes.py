"""The line's sentences: which there are, what each sounds like, and recording them in the browser."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from callflows.samples import SAMPLES
from checkins.tables import Neighbourhood, Person
from console import prompt_view, publishing
from console.deps import Deps
from console.flow_words import LANGUAGE_EN, LANGUAGE_ZH, VARIABLE_ZH
from console.forms import Text, done, name_of, number_in, row_number
from console.guard import PageError
from console.pages import Pages
from console.phone_routes import account
from console.prompt_shelf import LANGUAGES, Line, Shelf, Version
from console.prompt_uses import Whole
from console.prompt_view import SPEAKER_ZH, STATES
from console.publishing import Checked
from console.ranges import ranged
from console.sentences import Sentence, Sentences
from console.sounds import GONE, GoneError
from console.wav import wav
from speech.published import Entry

NO_PROMPT = PageError(404, "没有这一句。", "there is no such sentence")
NO_VOICE = PageError(404, "没有这个声音。", "there is no such voice")
NOW, PACK = "now", "pack"  # of a sentence's voices; any other is the name of a take


@dataclass(frozen=True)
class PromptPage:
    """One sentence. `next`: by language, the next one that nobody has recorded."""

    line: Line
    wholes: Sequence[Whole]
    packed: bool
    versions: dict[str, list[Version]] = field(repr=False)
    history: Sequence[Entry] = field(repr=False)
    next: dict[str, Sentence | None] = field(default_factory=dict)

    @property
    def variables(self) -> dict[str, str]:
        names = dict.fromkeys(name for whole in self.wholes for name in whole.variables)
        return {name: VARIABLE_ZH.get(name, name) for name in names}


def add(router: APIRouter, deps: Deps, pages: Pages) -> None:
    shelf = deps.shelf

    @router.get("/prompts")
    async def prompts(flow: str = "", language: str = "", state: str = "", q: str = "", page: str = "") -> Response:
        asked = prompt_view.wanted(flow, language, state, q)
        committees, shell = await pages.look(committees_of)
        lines = await asyncio.to_thread(lambda: shelf.lines(shelf.sentences(committees).all))
        found = prompt_view.listed(lines, asked, number_in(page[:6]) or 1)
        values: dict[str, Any] = {"flows": prompt_view.flows(), "states": STATES, **WORDS}
        return pages.show("prompts.html", shell, name_of(), here="/prompts", page=found, asked=asked, **values)

    _add_one(router, deps, pages)
    _add_sounds(router, deps)


def _add_one(router: APIRouter, deps: Deps, pages: Pages) -> None:
    shelf = deps.shelf

    @router.get("/prompts/{number}")
    async def prompt(number: str, language: str = "", sound: str = "", done: str = "") -> Response:
        """`sound`: a draft to be checked."""
        return await _show(deps, pages, number, language, sound=sound, did=DONE.get(done, ""))

    @router.post("/prompts/{number}/{language}/publish")
    async def publish(number: str, language: str, sound: Text = "", seen: Text = "", sure: Text = "") -> Response:
        one, tongue = await _sentence(deps, shelf, number), _language(language)
        wrong = await publishing.publish(deps, one, tongue, sound, account(), name_of(), seen=seen, sure=bool(sure))
        if wrong:
            return await _show(deps, pages, number, tongue, sound=sound, wrong=wrong)
        return done(f"/prompts/{one.number}?language={tongue}&done=published")

    @router.post("/prompts/{number}/{language}/withdraw")
    async def withdraw(number: str, language: str, seen: Text = "") -> Response:
        one, tongue = await _sentence(deps, shelf, number), _language(language)
        wrong = await publishing.withdraw(deps, one, tongue, name_of(), seen)
        if wrong:
            return await _show(deps, pages, number, tongue, wrong=wrong)
        return done(f"/prompts/{one.number}?language={tongue}&done=withdrawn#voices")


def _add_sounds(router: APIRouter, deps: Deps) -> None:
    shelf = deps.shelf

    @router.get("/prompts/{number}/sound/{language}/{which}")
    async def sound(request: Request, number: str, language: str, which: str) -> Response:
        one = await _sentence(deps, shelf, number)
        audio = await _voice(shelf, one, _language(language), which)
        return ranged(request, await asyncio.to_thread(wav, audio), "audio/wav")

    @router.get("/prompts/{number}/whole/{language}/{at}")
    async def whole(request: Request, number: str, language: str, at: str, sound: str = "") -> Response:
        """A prompt from its beginning to its end. `sound`: with this draft in it."""
        committees = await deps.db.view(committees_of)
        one = _found(shelf.sentences(committees), number)
        known = shelf.wholes(one, committees)
        index = number_in(at[:4])
        if index is None or index >= len(known):
            raise NO_VOICE
        tongue, draft = _language(language), None
        if sound:
            draft, _ = await _draft(deps, one, tongue, sound)
            if draft is None:
                raise NO_VOICE
        audio = await shelf.spoken(known[index], tongue, draft.prompt if draft else None, next(iter(committees), ""))
        return ranged(request, await asyncio.to_thread(wav, audio), "audio/wav")


DONE = {
    "published": "已经发布。下一个电话就用这个声音。It is published; the next call says it so.",
    "withdrawn": "已经退回。下一个电话就用上一个声音。It is taken back; the next call says it as before.",
}
WORDS = {"samples": SAMPLES, "speaker_zh": SPEAKER_ZH, "language_zh": LANGUAGE_ZH, "language_en": LANGUAGE_EN}


async def _show(
    deps: Deps, pages: Pages, number: str, language: str, *, sound: str = "", did: str = "", wrong: str = ""
) -> Response:
    committees, shell = await pages.look(committees_of)
    found = await asyncio.to_thread(page_of, deps.shelf, number, committees)
    people = await deps.db.view(lambda session: names_of(session, found))
    tongue = language if language in LANGUAGES else "wuu"
    draft, gone = await _draft(deps, found.line.sentence, tongue, sound)
    return pages.show(
        "prompt.html",
        shell,
        name_of(),
        409 if wrong else 200,
        here=f"/prompts/{found.line.sentence.number}",
        page=found,
        people=people,
        said_at=moment,
        language=tongue,
        draft=draft,
        did=did,
        wrong=wrong or gone,
        **WORDS,
    )


async def _draft(deps: Deps, one: Sentence, language: str, sound: str) -> tuple[Checked | None, str]:
    """What they have recorded and not published yet; or why it isn't there."""
    if not sound:
        return None, ""
    try:
        return await asyncio.to_thread(publishing.check, deps, one, language, sound, account()), ""
    except GoneError:
        return None, GONE


def page_of(shelf: Shelf, number: str, committees: Sequence[str]) -> PromptPage:
    """Waits for the disk. NO_PROMPT."""
    known = shelf.sentences(committees)
    one = _found(known, number)
    return PromptPage(
        shelf.line(one),
        shelf.wholes(one, committees),
        shelf.rendered(one) is not None,
        {language: shelf.versions(one, language) for language in LANGUAGES},
        shelf.history(one),
        {language: shelf.after(known, one, language) for language in LANGUAGES},
    )


async def _sentence(deps: Deps, shelf: Shelf, number: str) -> Sentence:
    committees = await deps.db.view(committees_of)
    return _found(shelf.sentences(committees), number)


def _found(known: Sentences, number: str) -> Sentence:
    found = known.get(row_number(number, NO_PROMPT))
    if found is None:
        raise NO_PROMPT
    return found


def _language(language: str) -> str:
    if language not in LANGUAGES:
        raise NO_VOICE
    return language


async def _voice(shelf: Shelf, one: Sentence, language: str, which: str) -> bytes:
    """One of its voices as μ-law."""
    if which == NOW:
        return await shelf.voice.get(one.spoken(language), language)
    if which == PACK:
        audio = await asyncio.to_thread(shelf.rendered, one)
    else:
        audio = await asyncio.to_thread(shelf.take, one, language, which)
    if audio is None:
        raise NO_VOICE
    return audio


def committees_of(session: Session) -> list[str]:
    """As they are spoken."""
    return [name for name in session.scalars(select(Neighbourhood.committee).order_by(Neighbourhood.id)) if name]


def names_of(session: Session, page: PromptPage) -> dict[str, str]:
    """Of those who published by telephone, whose ids the log has."""
    ids = {entry.by for entry in page.history}
    return {row.id: row.name for row in session.scalars(select(Person).where(Person.id.in_(ids)))} if ids else {}


def moment(text: str) -> datetime | None:
    """When something was published; None for what is no moment."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
