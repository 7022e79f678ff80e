"""An account for whoever looks at the demo: in the demo's own database, which begins anew each time."""

from __future__ import annotations

from sqlalchemy.orm import Session

from console import accounts
from console.door import Door
from console.passwords import one_time
from console.roles import Role

LOGIN, NAME = "demo", "演示员"


async def made(door: Door) -> str:
    """How to log in, for whoever reads the terminal. The password is a new one each time, and needn't be changed."""
    password, now = one_time(), door.clock.now()
    hashed = await door.hasher.hash(password)

    def work(session: Session) -> None:
        account = accounts.add(session, LOGIN, NAME, Role.SUPERVISOR, hashed, "demo", now)
        account.one_time_until = None

    await door.db.run(work)
    return f"登录 log in: 账号 login {LOGIN}, 密码 password {password}"
