"""What a token of the JSON API may do, and which of it each address needs. A route that isn't here doesn't start."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

API = "/api/v1"


class Scope(StrEnum):
    STATUS_READ = "status:read"
    CASES_READ = "cases:read"
    CASES_ACT = "cases:act"
    RECORDINGS_LISTEN = "recordings:listen"
    ITEMS_READ = "items:read"
    ITEMS_ACT = "items:act"
    ELDERS_READ = "elders:read"
    ELDERS_ACT = "elders:act"
    COMPLAINTS_READ = "complaints:read"
    COMPLAINTS_ACT = "complaints:act"
    TICKETS_READ = "tickets:read"
    TICKETS_ACT = "tickets:act"
    NOTICES_READ = "notices:read"
    NOTICES_ACT = "notices:act"
    BALLOTS_READ = "ballots:read"
    BALLOTS_ACT = "ballots:act"
    ROSTER_READ = "roster:read"
    ROSTER_ACT = "roster:act"


SCOPE_ZH: Mapping[Scope, str] = {
    Scope.STATUS_READ: "看机器和线路的状态",
    Scope.CASES_READ: "看个案",
    Scope.CASES_ACT: "接手、办结个案",
    Scope.RECORDINGS_LISTEN: "听录音",
    Scope.ITEMS_READ: "看待办",
    Scope.ITEMS_ACT: "办待办",
    Scope.ELDERS_READ: "看老人登记",
    Scope.ELDERS_ACT: "改老人的状态",
    Scope.COMPLAINTS_READ: "看诉求",
    Scope.COMPLAINTS_ACT: "办诉求",
    Scope.TICKETS_READ: "看一键通",
    Scope.TICKETS_ACT: "办一键通",
    Scope.NOTICES_READ: "看公告",
    Scope.NOTICES_ACT: "发布、撤回公告",
    Scope.BALLOTS_READ: "看打钩",
    Scope.BALLOTS_ACT: "登记纸质打钩",
    Scope.ROSTER_READ: "看值班表",
    Scope.ROSTER_ACT: "改请假、顶班",
}

SCOPES: Mapping[str, Scope] = {
    f"{method} {API}{path}": scope
    for scope, routes in {
        Scope.STATUS_READ: ("GET /status", "GET /neighbourhoods", "GET /devices"),
        Scope.CASES_READ: (
            *("GET /cases", "GET /cases/{case_id}", "GET /emergencies"),
            "GET /cases/{case_id}/recordings",
        ),
        Scope.CASES_ACT: ("POST /cases/{case_id}/take-over", "POST /cases/{case_id}/close"),
        Scope.RECORDINGS_LISTEN: ("GET /cases/{case_id}/recordings/{number}",),
        Scope.ITEMS_READ: ("GET /items",),
        Scope.ITEMS_ACT: ("POST /items/{item_id}/done",),
        Scope.ELDERS_READ: ("GET /elders", "GET /elders/{elder_id}", "GET /elders/{elder_id}/contacts"),
        Scope.ELDERS_ACT: ("POST /elders/{elder_id}/state",),
        Scope.COMPLAINTS_READ: ("GET /complaints", "GET /complaints/{number}"),
        Scope.COMPLAINTS_ACT: tuple(
            f"POST /complaints/{{number}}/{act}" for act in ("assign", "reply", "discuss", "level-above", "publish")
        ),
        Scope.TICKETS_READ: ("GET /tickets", "GET /tickets/{number}"),
        Scope.TICKETS_ACT: tuple(f"POST /tickets/{{number}}/{act}" for act in ("take", "book", "told", "cannot")),
        Scope.NOTICES_READ: ("GET /notices", "GET /notices/{number}", "GET /notices/{number}/unheard"),
        Scope.NOTICES_ACT: ("POST /notices", "POST /notices/{number}/withdraw"),
        Scope.BALLOTS_READ: ("GET /ballots", "GET /ballots/{number}"),
        Scope.BALLOTS_ACT: ("POST /ballots/{number}/papers",),
        Scope.ROSTER_READ: (
            "GET /neighbourhoods/{place}/duty",
            "GET /neighbourhoods/{place}/people",
            "GET /neighbourhoods/{place}/gaps",
            "GET /neighbourhoods/{place}/leave",
        ),
        Scope.ROSTER_ACT: (
            "POST /neighbourhoods/{place}/leave",
            "POST /neighbourhoods/{place}/leave/{leave_id}/end",
            "POST /neighbourhoods/{place}/overrides",
            "POST /neighbourhoods/{place}/overrides/{override_id}/end",
        ),
    }.items()
    for method, path in (route.split(" ", 1) for route in routes)
}
