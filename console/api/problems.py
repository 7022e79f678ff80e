"""What can't be done, as RFC 9457 has it (application/problem+json), with a sentence in English and in Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import Response
from pydantic import BaseModel, Field

from checkins.deciding import Refused
from checkins.roster.errors import RosterError

MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """Why something was not done."""

    type: str = Field(default="about:blank", description="always about:blank: `status` says what kind it is")
    title: str = Field(description="the status in words")
    status: int
    detail: str = Field(description="one sentence, English")
    detail_zh: str = Field(description="一句话")
    field: str | None = Field(default=None, description="which part of the request is wrong, e.g. body.finding")


class ProblemError(Exception):
    """Answered so."""

    def __init__(
        self,
        status: int,
        zh: str,
        en: str,
        headers: Mapping[str, str] | None = None,
        field: str | None = None,
    ) -> None:
        super().__init__(en)
        self.status, self.zh, self.en, self.headers, self.field = status, zh, en, headers or {}, field


def answer(error: ProblemError) -> Response:
    title = HTTPStatus(error.status).phrase
    problem = Problem(title=title, status=error.status, detail=error.en, detail_zh=error.zh, field=error.field)
    return Response(problem.model_dump_json(exclude_none=True), error.status, error.headers, MEDIA_TYPE)


def of(error: Exception) -> ProblemError:
    """What an act says that can't be done: LookupError 404, a refusal that others caused 409, what is asked for wrongly
    422."""
    if isinstance(error, Refused | RosterError):
        status = HTTPStatus.CONFLICT if isinstance(error, Refused) else HTTPStatus.UNPROCESSABLE_ENTITY
        return ProblemError(status, f"没有保存：{error.zh}。", f"nothing was saved: {error}")
    if isinstance(error, LookupError):
        return ProblemError(HTTPStatus.NOT_FOUND, "没有这一条。", str(error))
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "没有保存：请看英文说明。", f"nothing was saved: {error}")


def stale(zh: str = "这一条刚才有变化，请重新读取再做。", en: str = "it has changed since you read it") -> ProblemError:
    return ProblemError(HTTPStatus.CONFLICT, zh, f"{en}: read it again; nothing was saved")


def missing(zh: str, en: str) -> ProblemError:
    return ProblemError(HTTPStatus.NOT_FOUND, zh, en)
