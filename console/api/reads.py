"""Looks of other programs, on the threads of pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy.orm import Session

from checkins.tables import Person
from console.api import problems
from console.deps import Deps

T = TypeVar("T")


@dataclass(frozen=True)
class Reads:
    deps: Deps

    async def look(self, what: Callable[[Session, datetime], T]) -> T:
        """ProblemError 404 for what isn't there."""
        now = self.deps.clock.now()
        try:
            return await self.deps.db.browse(lambda session: what(session, now))
        except (KeyError, IndexError):
            raise
        except LookupError as error:
            raise problems.of(error) from None


def shares(person: Person | None) -> bool:
    """Whether they have agreed that the street office knows of them; without that it learns no more than that there is
    somebody."""
    return person is not None and bool(person.consents.get("street"))


HERSELF = "elder"


def who_of(name: str, elder: Person | None) -> str:
    """As it stands in a log; the elder's own name is told only if they have agreed."""
    own = elder is not None and name in (elder.name, elder.spoken_name)
    return HERSELF if own and not shares(elder) else name
