"""What must hold of a morning with notices, asked of what the carrier saw and of the register as it was written down,
not of the code that made the calls. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from bench.notice_morning import Day, Morning, News, minute
from bench.notice_town import Resident
from community.notice_calls import FLOW
from community.notice_tables import FIRST_NOTICE

MOST_A_DAY, MOST_SOON, SOON = 5, 3, timedelta(minutes=5)  # PRODUCT.md, "Line rules"
FROM, UNTIL = minute(8 * 60), minute(21 * 60)


def later(without: Day, with_notices: Day) -> dict[str, float]:
    """By how many seconds each elder's first check-in call came later (negative: earlier) than without notices."""
    before, after = without.first_calls(), with_notices.first_calls()
    missing = {id_: float("inf") for id_ in before.keys() - after.keys()}
    return missing | {id_: (after[id_] - at).total_seconds() for id_, at in before.items() if id_ in after}


def broken(morning: Morning) -> list[str]:
    """What did not hold; nobody is named."""
    residents = morning.register.residents
    return [
        *_rules(morning.day),
        *_who(residents, morning.day),
        *_ends(morning),
        *_lines(morning),
    ]


def _rules(day: Day) -> Iterator[str]:
    by_number: dict[str, list[datetime]] = defaultdict(list)
    for call in day.calls:
        by_number[call.number].append(call.at)
        if not FROM <= call.at < UNTIL:
            yield f"{call.flow}: rung at {call.at:%H:%M} UTC"
    for moments in by_number.values():
        if len(moments) > MOST_A_DAY:
            yield f"a number was rung {len(moments)} times in a day"
        if any(third - first < SOON for first, third in zip(moments, moments[MOST_SOON:], strict=False)):
            yield "a number was rung four times in five minutes"


def _who(residents: Mapping[str, Resident], day: Day) -> Iterator[str]:
    for call in day.calls:
        for id_ in call.people:
            resident = residents.get(id_)
            if resident is None or resident.barred or day.barred.get(id_, call.at) < call.at:
                yield f"{call.flow}: somebody was rung who must not be"


def _ends(morning: Morning) -> Iterator[str]:
    """Everybody whom a notice is for has understood it, or stands on the door sheet; nobody else was rung with it."""
    day = morning.day
    for number, news in enumerate(sorted(morning.news, key=lambda each: each.at), FIRST_NOTICE + morning.town.old):
        if number not in day.doors:
            yield f"notice {number} is not known any more"
            continue
        meant = {each.id for each in morning.register.living_in(news.building, news.language)}
        lost = meant - day.understood[number] - day.doors[number]
        if lost and _is_late(news, day):
            yield f"notice {number}: {len(lost)} have neither understood it nor will anybody go to them"
        if strangers := (day.understood[number] | day.doors[number]) - meant:
            yield f"notice {number}: {len(strangers)} for whom it isn't"
    urgent = [news for news in morning.news if news.urgent]
    meant = {each.id for news in urgent for each in morning.register.living_in(news.building, news.language)}
    if any(call.flow == FLOW and not meant.issuperset(call.people) for call in day.calls):
        yield "somebody was rung for whom no urgent notice is"


def _is_late(news: News, day: Day) -> bool:
    half = minute(news.at) + (minute(news.until) - minute(news.at)) / 2
    return news.urgent or (day.over is not None and day.over >= half)


def _lines(morning: Morning) -> Iterator[str]:
    most = morning.town.lines - morning.town.reserved
    if morning.day.most_lines > most:
        yield f"{morning.day.most_lines} lines were taken, of {most}"
