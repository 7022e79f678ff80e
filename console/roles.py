"""What an account may do. A person has one role; the table of routes (console/access.py) says which may what."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    WORKER = "worker"  # committee worker: listens, acts, keeps register and roster
    DUTY = "duty"  # on duty: listens and acts, changes neither register nor roster
    SUPERVISOR = "supervisor"  # of the street office: whatever a worker may
    AUDITOR = "auditor"  # reads who did what; hears nothing, changes nothing


ROLE_ZH: Mapping[Role, str] = {
    Role.WORKER: "工作人员",
    Role.DUTY: "值班人员",
    Role.SUPERVISOR: "主管",
    Role.AUDITOR: "审计",
}
