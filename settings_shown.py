"""The settings as the console may show them: no secret, and where each one comes from."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr
from sqlalchemy.engine import make_url

from settings import PREFIX, Settings

_HIDDEN = "•••"


@dataclass(frozen=True)
class Shown:
    """`source`: environment, file or default."""

    name: str
    value: str = field(repr=False)
    source: str
    said: str


def shown(settings: Settings) -> tuple[Shown, ...]:
    return tuple(_all(settings))


def _all(settings: Settings) -> Iterator[Shown]:
    for name, about in Settings.model_fields.items():
        value = getattr(settings, name)
        yield Shown(PREFIX + name.upper(), _text(name, value), _source(settings, name), about.description or "")


def _text(name: str, value: Any) -> str:
    if isinstance(value, SecretStr):
        return _HIDDEN if value.get_secret_value() else ""
    if name == "database_url":
        return make_url(value).render_as_string(hide_password=True)
    return "" if value is None else str(value)


def _source(settings: Settings, name: str) -> str:
    if PREFIX + name.upper() in os.environ:
        return "environment"
    return "file" if name in settings.model_fields_set else "default"
