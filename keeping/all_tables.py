"""The periods name tables of all rooms: these modules define them. The console's own are its own to load."""

from __future__ import annotations

from checkins import alarms, contacts, device_tables, items, office_log, outgoing_tables, pins, register_log, tables
from checkins.roster import tables as roster_tables
from community import ballot_tables, meeting_tables, notice_tables, tickets_tables
from community import tables as complaint_tables
from ivr import records
from keeping import tables as own_tables

CARE = (tables, roster_tables, items, contacts, pins, alarms, device_tables, register_log, office_log, outgoing_tables)
REST = (complaint_tables, tickets_tables, meeting_tables, notice_tables, ballot_tables, records, own_tables)
