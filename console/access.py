"""Who may open what: every address of the house, with the roles that may ask for it. What isn't here doesn't start.

A new route goes into `ROUTES` with its method and its path as it is written at the route; the strictest row that lets
people work is the right one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from starlette.routing import BaseRoute, Route, WebSocketRoute

from console.roles import Role
from console.scopes import SCOPES


class UnlistedRouteError(Exception):
    """The house doesn't start with a route of which nobody said who may ask for it."""


@dataclass(frozen=True)
class Access:
    """`roles`: of accounts. Without any: `why` says what keeps strangers out, or why nothing needs to. `body`: so many
    bytes may be sent as they are, with the token in a header (console/raw_body.py reads them); 0: forms only.
    `scope`: of a program's token (console/scopes.py)."""

    roles: frozenset[Role] = frozenset()
    why: str = ""
    body: int = 0
    scope: str = ""


READ = Access(frozenset(Role))
ACT = Access(frozenset({Role.WORKER, Role.DUTY, Role.SUPERVISOR}))
KEEP = Access(frozenset({Role.WORKER, Role.SUPERVISOR}))
TABLE = Access(KEEP.roles, body=20_000_000)  # a spreadsheet (checkins/spreadsheet.py takes no larger one)
SUPERVISE = Access(frozenset({Role.SUPERVISOR}))
AUDIT = Access(frozenset({Role.SUPERVISOR, Role.AUDITOR}))
SOUND = Access(ACT.roles, body=20 << 20)  # three minutes of 48 kHz, 16 bits
ANYBODY = Access(why="nothing on it is anybody's")
THIS_MACHINE = Access(why="answers on this machine only, says nothing of people")
SIGNED = Access(why="each request is signed by who sends it")
TOKEN = Access(why="opened once, with a token that the call's own webhook got")

ROUTES: Mapping[str, Access] = {
    # getting in
    "GET /login": ANYBODY,
    "POST /login": ANYBODY,
    "GET /static/{name}": ANYBODY,
    "POST /logout": READ,
    "GET /password": READ,
    "POST /password": READ,
    # what must be acted on
    "GET /": READ,
    "GET /today/{what}": READ,
    "GET /find": READ,
    "GET /live": READ,
    "GET /shell": READ,
    "GET /case/{case_id}": READ,
    "POST /case/{case_id}/take-over": ACT,
    "POST /case/{case_id}/close": ACT,
    "GET /items": READ,
    "POST /items/{number}/done": ACT,
    "POST /alarms/{number}/acknowledge": ACT,
    "GET /sheet": ACT,
    # listening
    "GET /recording/{case_id}/{path:path}": ACT,
    "GET /flagged": ACT,
    "GET /flagged/{case_id}": ACT,
    "GET /flagged/{case_id}/who": ACT,
    "POST /flagged/{case_id}/decide": ACT,
    # help
    "GET /help": READ,
    "POST /help/tour": READ,
    "GET /help/{place}/{name}.pdf": READ,
    # complaints, tickets, meetings
    "GET /board": READ,
    "GET /hall": READ,
    "GET /complaints/{number}": READ,
    "GET /complaints/{number}/said/{said}": ACT,
    "GET /complaints/{number}/reply/{nth}": ACT,
    "POST /complaints/{number}/{what}": ACT,
    "GET /tickets/{number}": READ,
    "GET /tickets/{number}/said/{said}": ACT,
    "GET /tickets/{number}/booking/{nth}": ACT,
    "POST /tickets/{number}/{what}": ACT,
    # speaking: what staff record, or hear before they send it
    "POST /sounds": SOUND,
    "POST /sounds/said": ACT,
    "GET /sounds/{sound}": ACT,
    # register and roster
    "GET /elder/{person_id}": READ,
    "POST /elder/{person_id}/{what}": KEEP,
    "GET /roster": READ,
    "POST /roster/{place}/{what}": KEEP,
    # notices
    "GET /notices": READ,
    "GET /notices/new": ACT,
    "POST /notices/new": ACT,
    "GET /notices/{number}": READ,
    "GET /notices/{number}/poster.pdf": READ,
    "GET /notices/{number}/recording": ACT,
    "GET /notices/{number}/doors.pdf": ACT,
    "POST /notices/{number}/{what}": ACT,
    # ballots
    "GET /ballots": READ,
    "GET /ballots/new": KEEP,
    "POST /ballots/new": KEEP,
    "GET /ballots/{number}": READ,
    "GET /ballots/{number}/sheet.pdf": READ,
    "GET /ballots/{number}/papers": KEEP,
    "POST /ballots/{number}/papers": KEEP,
    "POST /ballots/{number}/letters": KEEP,
    "POST /ballots/{number}/{what}": KEEP,
    # accounts
    "GET /accounts": SUPERVISE,
    "POST /accounts": SUPERVISE,
    "POST /accounts/{number}/{what}": SUPERVISE,
    # what the line says
    "GET /prompts": READ,
    "GET /prompts/{number}": READ,
    "GET /prompts/{number}/sound/{language}/{which}": ACT,
    "GET /prompts/{number}/whole/{language}/{at}": ACT,
    "POST /prompts/{number}/{language}/publish": KEEP,
    "POST /prompts/{number}/{language}/withdraw": KEEP,
    "GET /flows": READ,
    "GET /flows/{name}": READ,
    # the register as files
    "GET /import": KEEP,
    "POST /import": TABLE,
    "GET /import/{job}": KEEP,
    "POST /import/{job}/{what}": KEEP,
    "POST /exports": KEEP,
    # who did what
    "GET /audit": AUDIT,
    "POST /audit/export": AUDIT,
    # policies and settings
    "GET /settings": READ,
    "GET /settings/hours": READ,
    "POST /settings/hours": KEEP,
    "POST /settings/holidays": KEEP,
    "GET /settings/lines": READ,
    "POST /settings/lines": KEEP,
    "GET /policies": READ,
    "GET /policies/{place}": READ,
    "POST /policies/{place}": KEEP,
    "POST /policies/{place}/preview": READ,
    "GET /policies/elder/{person_id}": READ,
    "POST /policies/elder/{person_id}": KEEP,
    "POST /policies/elder/{person_id}/preview": READ,
    # the browser phone
    "GET /phone": ACT,
    "POST /phone/calls": ACT,
    "WS /phone/line": ACT,
    # other programs
    "GET /tokens": SUPERVISE,
    "POST /tokens": SUPERVISE,
    "POST /tokens/hooks": SUPERVISE,
    "POST /tokens/hooks/{hook_id}/{act}": SUPERVISE,
    "POST /tokens/{token_id}/revoke": SUPERVISE,
    "GET /api": READ,
    "GET /api/v1/openapi.json": ANYBODY,
    **{route: Access(why="a program's token with this scope", scope=scope) for route, scope in SCOPES.items()},
    # with locks of their own
    "GET /healthz": THIS_MACHINE,
    "POST /devices/{device_id}": SIGNED,
    "WS /asterisk/media": SIGNED,
    **{
        f"{line} {trunk}{path}": lock
        for trunk in ("/twilio", "/twilio/alarm", "/twilio/browser")
        for line, path, lock in (
            ("POST", "/voice", SIGNED),
            ("POST", "/status", SIGNED),
            ("POST", "/amd", SIGNED),
            ("POST", "/verbs", SIGNED),
            ("POST", "/verbs/key", SIGNED),
            ("POST", "/verbs/recorded", SIGNED),
            ("POST", "/verbs/dialled", SIGNED),
            ("POST", "/verbs/recording", SIGNED),
            ("GET", "/audio/{call}/{turn}/{index}/{seal}/{name}", SIGNED),
            ("WS", "/media", TOKEN),
        )
    },
}


def access(method: str, path: str) -> Access:
    """UnlistedRouteError for what isn't in the table."""
    found = ROUTES.get(f"{method} {path}")
    if found is None:
        raise UnlistedRouteError(f"{method} {path} isn't in console/access.py: say there which roles may ask for it")
    return found


def may(role: Role, method: str, path: str) -> bool:
    return role in access(method, path).roles


def check(routes: Iterable[BaseRoute]) -> None:
    """UnlistedRouteError when one isn't in the table, or is listed for roles and has no guard in front of it."""
    for route in routes:
        for method in methods(route):
            listed = access(method, getattr(route, "path", ""))
            if listed not in (SIGNED, TOKEN) and not _is_guarded(route):
                raise UnlistedRouteError(f"{method} {getattr(route, 'path', '')} has no guard (console/guard.py)")


def methods(route: BaseRoute) -> list[str]:
    """GET, POST …; WS for a socket. HEAD is GET without a body."""
    if isinstance(route, WebSocketRoute):
        return ["WS"]
    if isinstance(route, Route):
        return sorted((route.methods or {"ANY"}) - {"HEAD"})
    return ["ANY"]


def _is_guarded(route: BaseRoute) -> bool:
    return bool(getattr(route, "guarded", False) or getattr(getattr(route, "endpoint", None), "guarded", False))
