"""The pages of the roster."""

from __future__ import annotations

from fastapi import APIRouter

from console.deps import Deps
from console.pages import Pages


def add(router: APIRouter, deps: Deps, pages: Pages) -> None:
    """Nothing yet."""
