"""What a call was told while it went on: values of the flow's variables, until told otherwise. Pure.

A query's answer tells some; a dictation tells its own recording to the audio variable that has its name.

Kept in the state as plain data: name of the variable (of a person's own: "NUMBER.NAME") → {"by": query, "value": text}.
"by" is "" for a dictation.
"""

from __future__ import annotations

from collections.abc import Mapping

from callflows.flow import Flow

_DICTATION = ""
Told = Mapping[str, Mapping[str, str]]


def told_anew(flow: Flow, told: Told, query: str, person: int, values: Mapping[str, str]) -> Told:
    """`told` after `query`, asked about `person`, was answered. Its new answer takes the place of all that its last one
    has told; what the flow doesn't declare, and what is empty, is left out."""
    fresh = {_key(flow, name, person): value for name, value in values.items() if name in flow.variables and value}
    mine = {_key(flow, name, person) for name in flow.variables}
    kept = {key: dict(one) for key, one in told.items() if one["by"] != query or key not in mine}
    return {**kept, **{key: {"by": query, "value": value} for key, value in fresh.items()}}


def dictated_anew(flow: Flow, told: Told, keep_as: str, person: int, recording: str) -> Told:
    """`told` after a dictation; its recording is "" where it can't be played in this call."""
    if keep_as not in flow.recorded:
        return told
    own = _key(flow, keep_as, person)
    others = {key: dict(one) for key, one in told.items() if key != own}
    return {**others, own: {"by": _DICTATION, "value": recording}} if recording else others


def forgotten(flow: Flow, told: Told) -> Told:
    """`told` after the call: without what nobody else may know."""
    secret = {name for name, variable in flow.variables.items() if variable.secret}
    return {key: one for key, one in told.items() if key.rpartition(".")[2] not in secret}


def value_of(flow: Flow, told: Told, variable: str, person: int) -> str | None:
    """What was told of it, None when nothing was."""
    one = told.get(_key(flow, variable, person))
    return one["value"] if one else None


def _key(flow: Flow, variable: str, person: int) -> str:
    return f"{person}.{variable}" if flow.variables[variable].per_person else variable
