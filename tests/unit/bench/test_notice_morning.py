"""A notice beside the morning round, small: `python -m bench notices` is the same for 4,000 elders."""

from __future__ import annotations

from pathlib import Path

from bench.notice_checks import broken, later
from bench.notice_morning import Morning, News
from bench.notice_town import Inline, Town, move_in
from community.notice_calls import FLOW

TOWN = Town(elders=36, lines=5, reserved=2, starts_per_s=100, tick_s=20, until=8 * 60 + 15, old=1)
NEWS = (
    News("活动室明天上午量血压。", 8 * 60, 9 * 60 + 20, language="wuu"),
    News("今天下午停水。", 8 * 60 + 7, 9 * 60 + 20, urgent=True),
    News("三号楼的电梯今天修理。", 8 * 60 + 10, 9 * 60 + 20, urgent=True, building=3),
)


async def lived(folder: Path, *news: News) -> Morning:
    db = Inline(f"sqlite:///{folder}/{len(news)}.db")
    register = move_in(db, TOWN)
    rung = [each.id for each in register.residents.values() if not each.barred]
    morning = Morning(db, register, TOWN, news, {rung[3]: 8 * 60 + 9})
    await morning.lives(8 * 60 + 46 if news else 8 * 60 + 20)
    db.close()
    return morning


async def test_a_notice_to_all_delays_no_check_in_and_breaks_no_rule(tmp_path: Path) -> None:
    without, with_them = await lived(tmp_path), await lived(tmp_path, *NEWS)
    assert broken(without) == broken(with_them) == []
    assert max(later(without.day, with_them.day).values()) <= TOWN.tick_s
    rung = [call for call in with_them.day.calls if call.flow == FLOW]
    assert rung, "whose daily call was over before it was published"
    assert len(with_them.day.understood[4003]) > TOWN.elders / 3
