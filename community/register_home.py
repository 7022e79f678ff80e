"""Whether who rings in lives where the register says: they key building and flat. A number that is shown is no proof of
who rings; who forges one must not learn of an entry where somebody lives."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from itertools import combinations, product, takewhile

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from checkins import items, register_log
from checkins.items import Item, ItemKind
from checkins.register_log import What
from checkins.results import LINE
from checkins.tables import Person
from community.notice_targets import in_figures
from community.register_entry import ASKED

LEAST = 4  # figures: fewer are soon guessed
MOST_RUNS = 6  # of an address: its last ones
MOST_WRONG, WITHIN = 3, timedelta(days=7)  # in a row, over all calls


_BESIDE = re.compile(r"[(\[【〔][^)\]】〕]*[)\]】〕]?|(?<=[0-9])室.*", re.DOTALL)  # remarks, and what follows the flat
_RUN = re.compile(r"(?<![0-9])[0-9]{1,6}(?![0-9])")  # longer ones are telephones


def keys(address: str | None) -> frozenset[str]:
    """What may be keyed for it: the flat and at least one number before it, 3502 for 三号楼502室; of a lane's number,
    12343502 too; with or without the zeros that a number begins with. Empty: the address has too few figures to prove
    anything."""
    plain = _BESIDE.sub(" ", in_figures(address or ""))
    *before, flat = [_ways(run) for run in _RUN.findall(plain)[-MOST_RUNS:]] or [("",)]
    some = (each for many in range(1, len(before) + 1) for each in combinations(before, many))
    found = ("".join(ways) for each in some for ways in product(*each, flat))
    return frozenset(key for key in found if len(key) >= LEAST)


def _ways(run: str) -> tuple[str, ...]:
    """As people key it: the line says 三五零二 for 03号楼502室."""
    return tuple(dict.fromkeys((run, run.lstrip("0") or "0")))


def keyed(session: Session, person: Person, figures: str, call_id: str, now: datetime) -> bool:
    """Whether that is where this person lives; written down either way, the figures never."""
    right = figures in keys(person.address)
    what = What.HOME_KEYED if right else What.HOME_NOT_KEYED
    register_log.note(session, person.id, what, LINE, now, call_id=call_id)
    session.flush()
    return right


def is_known(session: Session, person_id: str, call_id: str) -> bool:
    """Whether it was keyed rightly in this call."""
    return any(each.call_id == call_id for each in register_log.events(session, person_id, What.HOME_KEYED))


def may_try(session: Session, person: Person, now: datetime) -> bool:
    """Whether it can be keyed at all, and was not keyed wrongly too often since it was last keyed rightly or since
    staff have done the item that says so."""
    tries = register_log.events(session, person.id, What.HOME_NOT_KEYED, What.HOME_KEYED)
    wrong = takewhile(lambda event: event.what == What.HOME_NOT_KEYED, reversed(tries))
    asked = Item.key == items.key_of(ItemKind.ENTRY_WRONG, person.id, about=ASKED)
    done = session.scalar(select(func.max(Item.done_at)).where(asked))
    since = max(done or now - WITHIN, now - WITHIN)
    return bool(keys(person.address)) and sum(event.at > since for event in wrong) < MOST_WRONG
