"""What requests and answers of all subjects share: texts that a database keeps, moments, pages of lists."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Path, Query
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

MOST = 200
_LARGEST = 2**53 - 1  # what JSON's readers agree on
_YEARS = (2000, 2200)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

T = TypeVar("T")
Row = TypeVar("Row")


def _writable(text: str) -> str:
    if "\0" in text:
        raise ValueError("no NUL")
    return text


def _day(given: Any) -> Any:
    """A number would be taken for seconds since 1970."""
    if not isinstance(given, str) or not _DAY.fullmatch(given):
        raise ValueError("a day: YYYY-MM-DD")
    return given


def _written(given: Any) -> Any:
    if not isinstance(given, str) or not _DAY.match(given):
        raise ValueError("a moment with its zone: YYYY-MM-DDThh:mm:ssZ")
    return given


def _sensible(moment: datetime) -> datetime:
    if not _YEARS[0] <= moment.year < _YEARS[1]:
        raise ValueError(f"a year from {_YEARS[0]} to {_YEARS[1] - 1}")
    return moment.astimezone(UTC)


Text = Annotated[str, Field(min_length=1, max_length=2000), AfterValidator(_writable)]
Short = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_writable)]
Person = Annotated[
    str,
    Field(min_length=1, max_length=30, description="who of your office does this; stands in the log with the token"),
    AfterValidator(_writable),
]
Day = Annotated[date, BeforeValidator(_day)]
Moment = Annotated[AwareDatetime, BeforeValidator(_written), AfterValidator(_sensible)]
Seen = Annotated[
    int, Field(ge=0, le=_LARGEST, description="`seen` of what you read: refused when something happened since")
]
Id = Annotated[int, Path(ge=1, le=_LARGEST)]
Uuid = Annotated[str, Path(pattern=r"^[0-9a-zA-Z-]{1,36}$")]
Limit = Annotated[int, Query(ge=1, le=MOST, description="at most so many")]
After = Annotated[int, Query(ge=0, le=_LARGEST, description="`next` of the page before")]
PlaceId = Annotated[int | None, Query(ge=1, le=_LARGEST, description="one neighbourhood only")]


class Typed(BaseModel):
    """A request's body: what it doesn't know is refused, so that a slip of the pen isn't taken for nothing."""

    model_config = ConfigDict(extra="forbid")


class ByPerson(Typed):
    person: Person


class BySomebody(Typed):
    person: Person | None = None


class Listed(BaseModel, Generic[T]):
    items: list[T]
    next: int | None = Field(description="give it as `after` for the next page; null: there is none")


def page(rows: Sequence[Row], limit: int, key: Callable[[Row], int], shown: Callable[[Row], T]) -> Listed[T]:
    """`rows`: one more than `limit`, if there is one more."""
    following = key(rows[limit - 1]) if len(rows) > limit else None
    return Listed(items=[shown(row) for row in rows[:limit]], next=following)
