"""Calls that somebody makes to us. The care room knows who it is and what it is about; from then on such a call is one
like any other: a row, a conversation, a final report."""

from __future__ import annotations

from ivr.calls import Calls
from ivr.ports import CallOrder, Reception, Unserved


class IncomingCalls:
    """`reception`: who knows who rings in; None: nobody, so every caller is a stranger."""

    def __init__(self, calls: Calls, reception: Reception | None) -> None:
        self._calls, self._reception = calls, reception

    async def take(self, call_id: str, number: str, key: str | None = None) -> Unserved | None:
        """Writes the call down, once, whatever the carrier repeats; None. Else what the caller hears instead. `key`:
        the answer to WHO ("": none)."""
        if await self._calls.get(call_id) is not None:
            return None
        if self._reception is None:
            return Unserved.STRANGER
        answer = await self._reception.rang_in(call_id, number, key)
        if not isinstance(answer, CallOrder):
            return answer
        await self._calls.order(answer)
        return None
