"""Whether who rings in lives where the register says: they key building and flat. A number that is shown is no proof of
who rings; who forges one must not learn of an entry where somebody lives."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from itertools import combinations

from sqlalchemy.orm import Session

from checkins import register_log
from checkins.register_log import What
from checkins.results import LINE
from checkins.tables import Person
from community.notice_targets import in_figures

LEAST = 4  # figures: fewer are soon guessed
MOST_RUNS = 6  # of an address: its last ones
MOST_WRONG, WITHIN = 3, timedelta(days=7)  # in a row, over all calls
# From here on wrong ones count anew: it was keyed rightly, or staff have looked into the entry.
_ANEW = (What.HOME_KEYED, What.NOT_CHANGED, What.FIELDS, What.NUMBER)


def keys(address: str | None) -> frozenset[str]:
    """What may be keyed for it: the flat and at least one number before it, 3502 for 三号楼502室; of a lane's number,
    12343502 too. Empty: the address has too few figures to prove anything."""
    *before, flat = re.findall("[0-9]+", in_figures(address or ""))[-MOST_RUNS:] or [""]
    some = (each for many in range(1, len(before) + 1) for each in combinations(before, many))
    return frozenset(key for each in some if len(key := "".join(each) + flat) >= LEAST)


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
    """Whether it can be keyed at all, and wasn't keyed wrongly too often."""
    found = register_log.events(session, person.id, What.HOME_NOT_KEYED, *_ANEW)
    wrong = 0
    for event in found:
        wrong = wrong + (event.at > now - WITHIN) if event.what == What.HOME_NOT_KEYED else 0
    return bool(keys(person.address)) and wrong < MOST_WRONG
