"""How often what happens in the invented city. Shares of 1 unless named otherwise; minutes where named so.

A number with a source says so; the others are our guesses, written here so that somebody who knows better can change
them (docs/simulation.md tells which ones matter).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rates:
    """Habits of one city."""

    # Elders, each day
    trouble: float = 1 / 2300  # falls ill or falls down; PRODUCT.md: about 1 call in 2,300 finds a real emergency
    trouble_can_answer: float = 0.4  # of those: reaches the telephone when it rings, and calls for help
    out: float = 0.05  # goes out for some hours of the morning
    away: float = 0.003  # all day, and told nobody
    # Elders, always
    silent: float = 0.25  # PRODUCT.md: about a quarter of elders say almost nothing to a machine
    corrected: float = 0.98  # of those: their answering mode has been corrected; 0 for a line that is new
    couples: float = 0.06  # two elders behind one number
    with_others: float = 0.25  # somebody else lives there, who may pick up
    human: float = 0.01  # is called by a person, not by the machine
    refused: float = 0.005
    # One call to an elder who is at home
    unheard: float = 0.06
    busy: float = 0.02
    hung_up: float = 0.008
    machine: float = 0.004
    line_error: float = 0.002
    unknown: float = 0.00005  # nobody ever says what became of it
    other_answers: float = 0.2  # where others live
    silent_call: float = 0.5  # of who says nothing to a machine and isn't corrected; then a person finds out
    not_well: float = 0.006
    wants_person: float = 0.004
    unclear: float = 0.004
    refuses: float = 0.00005
    wrong_number: float = 0.00005
    # Who is rung
    elders_per_buddy: int = 5  # PRODUCT.md
    ignoring: float = 0.1  # of buddies: never pick up
    on_leave: float = 0.05  # of buddies, on any day
    family: float = 0.6  # of elders
    picks_up_buddy: float = 0.65
    picks_up_staff: float = 0.85  # 8:00 to 21:00
    picks_up_staff_night: float = 0.7
    picks_up_family: float = 0.55
    picks_up_street: float = 0.97
    accepts_buddy: float = 0.75
    accepts_staff: float = 0.97
    accepts_family: float = 0.6
    machine_responder: float = 0.05  # an answering machine, of calls nobody picks up
    # What they do then, in minutes
    walk: tuple[int, int] = (6, 20)  # a buddy to the elder's door, and in
    family_way: tuple[int, int] = (20, 70)
    staff_call: int = 4
    staff_visit: tuple[int, int] = (12, 25)
    staff_search: tuple[int, int] = (25, 60)  # nobody opens: neighbours, hospital, locksmith
    has_key: float = 0.4  # a buddy or family gets in although nobody opens
