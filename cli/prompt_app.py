"""The command line of `prompts …`: the line's sentences, which of them people have recorded, and taking one back."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated

import typer

from cli.running import out, run
from settings import Settings

_Language = Annotated[str, typer.Option(help="zh (Mandarin) or wuu (Shanghainese)")]


app = typer.Typer(
    help="The line's sentences: their numbers for recording them by telephone (docs/prompts.md).",
    no_args_is_help=True,
)


@app.command("list")
def list_(
    flow: Annotated[str, typer.Option(help="of this flow only: daily_checkin, rings_in …")] = "",
    missing: Annotated[bool, typer.Option("--missing", help="only what nobody has recorded")] = False,
    language: _Language = "zh",
) -> None:
    """Every fixed sentence with its number, who speaks it now, and its text: a list to print."""

    async def work(settings: Settings) -> int:
        for line in await asyncio.to_thread(_listed, settings, flow, language, missing):
            out.print(line, highlight=False, markup=False, soft_wrap=True)
        return 0

    run(work)


@app.command("published")
def published() -> None:
    """Who has published or withdrawn what, when (`people show ID` says who that is)."""

    async def work(settings: Settings) -> int:
        from console.sentences import number_of
        from speech.published import Published

        for one in await asyncio.to_thread(Published(settings.recorded_prompts).history):
            line = f"{one.at}  {one.act:8}  {one.language:3}  {number_of(one.text)}  {one.by}  {one.text}"
            out.print(line, highlight=False, markup=False, soft_wrap=True)
        return 0

    run(work)


@app.command("withdraw")
def withdraw(
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="as `prompts list` shows it")],
    by: Annotated[str, typer.Option(metavar="WHO", help="your name; kept")],
    language: _Language = "zh",
) -> None:
    """Takes back what was published last: from the next prompt on the one before it is played, if there was one.
    Nothing is deleted."""

    async def work(settings: Settings) -> int:
        said = await asyncio.to_thread(_withdraw, settings, number, language, by)
        out.print(said, highlight=False, markup=False, soft_wrap=True)
        return 0 if said.startswith(str(number)) else 2

    run(work)


def _listed(settings: Settings, flow: str, language: str, missing: bool) -> list[str]:
    from console.sentences import shipped
    from speech.human import HumanRecordings
    from speech.pack import Packs

    human, packs, lines = HumanRecordings(settings.recorded_prompts), Packs(), []
    for one in shipped().of(flow):
        text = one.spoken(language)
        recorded = human.has(text, language)
        if not (missing and recorded):
            other = "rendered" if packs.get(one.text, "zh") else "espeak"
            wuu = f"  ({one.wuu})" if one.wuu else ""
            lines.append(f"{one.number}  {'recorded' if recorded else other:8}  {one.text}{wuu}")
    return lines


def _withdraw(settings: Settings, number: int, language: str, by: str) -> str:
    from console.sentences import number_of
    from speech.published import Published

    shelf, now = Published(settings.recorded_prompts), datetime.now(UTC).isoformat()
    text = next((one.text for one in shelf.history() if number_of(one.text) == number), None)
    taken = shelf.withdraw(language, text, by.strip(), now) if text and by.strip() else None
    if taken is None:
        return f"wenan: nothing is published under {number} in {language}, or nobody is named: see `prompts published`"
    left = shelf.now(language, taken.text)
    return f"{number} taken back; {'the recording before it' if left else 'the voice before it'} speaks again"
