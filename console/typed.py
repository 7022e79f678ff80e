"""What the forms of complaints and tickets share: the deed that staff do, and moments as browsers send them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from checkins.schedule import at_minute, read_minute
from community.wrong import Wrong


@dataclass(frozen=True)
class Deed:
    """`typed`: the form; `recording`: the path of what was recorded for it."""

    number: int
    by: str = field(repr=False)
    now: datetime
    typed: Mapping[str, str] = field(repr=False)
    recording: str | None = None

    def text(self, name: str, most: int = 2000) -> str:
        """Wrong when it is too long."""
        text = self.typed.get(name, "").strip()
        if len(text) > most:
            raise Wrong(f"最多 {most} 个字", f"at most {most} characters")
        return text

    def moment(self, name: str, zone: str) -> datetime | None:
        """ "2026-03-02T14:00" in that zone; None for nothing. Wrong for what is no moment."""
        if not (text := self.text(name, 30)):
            return None
        day, _, clock = text.replace(" ", "T").partition("T")
        try:
            return at_minute(zone, date.fromisoformat(day), read_minute(clock))
        except (ValueError, OverflowError):
            raise Wrong("时间写得不对", "this is no time") from None

    def is_taken_from(self, owner: str | None) -> None:
        """Wrong when somebody has it whom the page didn't show."""
        if owner and owner not in (self.text("had"), self.by):
            raise Wrong(f"{owner}已经接手", f"{owner} has it")
