"""Acts of other programs: each once, under the token's name, in one transaction with the answer that is kept for its
Idempotency-Key."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Header, Request, Response
from pydantic import BaseModel
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from console.api import problems
from console.api.caller import caller
from console.api.problems import ProblemError
from console.deps import Deps
from console.tokens_tables import ApiAnswer

KEPT = timedelta(days=1)
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[!-~]{1,100}$",
        description="the same key with the same body within a day does nothing again, and gets the same answer",
    ),
]
OTHER_BODY = ProblemError(
    422, "这个幂等键已经用在别的请求上。", "this Idempotency-Key was used for another request: take a new one"
)
AT_ONCE = ProblemError(409, "同一个请求正在办。", "the same request is being done at this moment: try again")


@dataclass(frozen=True)
class Done:
    """What the act came to; also a refusal that is written down by itself, and so is no exception."""

    body: BaseModel
    status: int = 200


Work = Callable[[Session, str, datetime], Done]


@dataclass(frozen=True)
class Acts:
    deps: Deps

    async def do(self, request: Request, person: str | None, work: Work) -> Response:
        """`person`: who of the other office it is. ProblemError for what can't be done: then nothing was."""
        who, now = caller(), self.deps.clock.now()
        key, asked = request.headers.get("idempotency-key"), _asked(request, await request.body())

        def once(session: Session) -> Response:
            if key is not None and (kept := _kept(session, who.token_id, key, now)) is not None:
                return _again(kept, asked)
            done = work(session, who.acting(person), now)
            text = done.body.model_dump_json()
            if key is not None:
                _keep(session, ApiAnswer(token_id=who.token_id, key=key, asked=asked, at=now), done.status, text)
            return _json(text, done.status)

        try:
            return await self.deps.db.run(once)
        except IntegrityError:
            raise AT_ONCE from None
        except (KeyError, IndexError):  # ours
            raise
        except (LookupError, ValueError) as error:
            raise problems.of(error) from None


def _asked(request: Request, body: bytes) -> str:
    """Keyed with the token itself, which the database doesn't have: nobody finds out from it what was asked, such as a
    choice of a ballot."""
    token = request.headers.get("authorization", "").partition(" ")[2].strip()
    asked = f"{request.method} {request.url.path}\n".encode() + body
    return hmac.new(token.encode("utf-8", "replace"), asked, hashlib.sha256).hexdigest()


def _kept(session: Session, token_id: int, key: str, now: datetime) -> ApiAnswer | None:
    session.execute(delete(ApiAnswer).where(ApiAnswer.at < now - KEPT))
    return session.get(ApiAnswer, (token_id, key))


def _again(kept: ApiAnswer, asked: str) -> Response:
    if kept.asked != asked:
        raise OTHER_BODY
    response = _json(kept.body, kept.status)
    response.headers["Idempotent-Replayed"] = "true"
    return response


def _keep(session: Session, row: ApiAnswer, status: int, text: str) -> None:
    row.status, row.body = status, text
    session.add(row)
    session.flush()


def _json(text: str, status: int) -> Response:
    kind = problems.MEDIA_TYPE if status >= 400 else "application/json"
    return Response(text, status, media_type=kind)
