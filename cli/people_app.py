"""The command line of `people …`: what is typed, and its help. What the commands do: people_commands.py."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import typer

from cli.running import do, fail, out

app = typer.Typer(
    help="The register: import people from a spreadsheet (CSV), list them, change one of them.", no_args_is_help=True
)


@app.command("import")
def people_import(
    file: Annotated[Path, typer.Argument(help=".xlsx, or CSV in UTF-8 or GBK")],
    committee: Annotated[str, typer.Option(help="the committee's name as it is spoken; made when it is new")],
) -> None:
    """Adds people to the register: all rows or none; every error names row and column.

    Columns, in any order, headings in Chinese or English. Needed: 姓名 name, 称呼 spoken_name, 电话 phone. If you like:
    角色 role (老人, 老伙伴, 工作人员, 家属), 语言 language (普通话, 上海话), 方式 mode (按键, 语音, 人工, 上门),
    时间 slot (08:30), 同意 consents (拨打 录音 转写 老伙伴 家属 街道), 地址 address, 钥匙 key_holder, 备注 notes. What
    each means: docs/operations.md, "People". Changes of who is known: `register import`.
    """

    _do(lambda it, settings: it.import_csv(settings, file, committee, out))


@app.command("list")
def people_list() -> None:
    """Who is in the register: ids for `call` and `people set`, committee, number, state, consents."""

    _do(lambda it, settings: it.show_people(settings, out))


@app.command("show")
def people_show(who: Annotated[str, typer.Argument(metavar="ID_OR_NAME", help="as the log or a list has it")]) -> None:
    """Who that is: name, number, address, who has a key. It only reads, so it works when nothing can be written."""

    _do(lambda it, settings: it.show_person(settings, who, out))


@app.command("set")
def people_set(
    who: Annotated[str, typer.Argument(metavar="NAME_OR_ID", help="the whole name, or the id (`people list`)")],
    by: Annotated[str, typer.Option(metavar="WHO", help="who says so: the elder, a relative, staff; kept")],
    state: Annotated[
        str | None,
        typer.Option(
            help="active (rung again, e.g. after a refusal), paused (with --until), refused (no machine calls, a "
            "person asks), moved or died (every open case ends)"
        ),
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="DATE", help="last day of a pause: 2026-03-31")] = None,
    number: Annotated[
        str | None, typer.Option(help="the corrected number, as people write it; lifts a suspension")
    ] = None,
    mode: Annotated[str | None, typer.Option(help="keys, voice, human (a person rings) or visit")] = None,
    slot: Annotated[
        str | None,
        typer.Option(metavar="TIME", help='when they want to be rung, "08:30"; "" for any time of the round'),
    ] = None,
    consents: Annotated[
        str | None,
        typer.Option(
            help='all that is agreed to now: "calls recording transcription buddy family street"; "" for nothing'
        ),
    ] = None,
    address: Annotated[str | None, typer.Option(help='as it is spoken to who goes and looks; "" for nothing')] = None,
    key_holder: Annotated[str | None, typer.Option(help="who has the key, as it is spoken")] = None,
    notes: Annotated[str | None, typer.Option(help="what to know when nobody opens, as it is spoken")] = None,
) -> None:
    """Changes one person in the register, on somebody's word; it holds before the next call. All changes or none."""

    _do(
        lambda it, settings: it.set_person(
            settings, who, by, it.Change(state, until, number, mode, consents, address, key_holder, notes, slot), out
        )
    )


@app.command("pin")
def people_pin(
    who: Annotated[str, typer.Argument(metavar="NAME_OR_ID", help="the whole name, or the id (`people list`)")],
    by: Annotated[str, typer.Option(metavar="WHO", help="who says so: staff; kept")],
    make: Annotated[bool, typer.Option("--make", help="make one by chance and show it, once")] = False,
    unlock: Annotated[bool, typer.Option("--unlock", help="only unlock: the PIN there is counts again")] = False,
) -> None:
    """Sets the PIN with which a buddy logs contacts by telephone (4 to 6 digits; asked for, not shown); it unlocks."""
    if make and unlock:
        raise fail("--make and --unlock exclude each other")
    asks = not (make or unlock)
    pin = typer.prompt("PIN", hide_input=True, confirmation_prompt=True) if asks else None

    _do(lambda it, settings: it.set_pin(settings, who, by, pin, out, unlock=unlock))


def _do(act: Callable[..., Awaitable[int]]) -> None:
    do("cli.people_commands", act)
