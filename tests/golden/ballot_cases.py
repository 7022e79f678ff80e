"""Conversations about ballots: what is typed (callflows.text_runner)."""

from __future__ import annotations

OPEN, OWNERS = "open title=电梯", "owners title=选物业"
LIFT = "topic place=一共两件,第一件。 question=要不要装电梯? options=要,请按1;不要,请按2。"
BIKES = "topic place=第二件。 question=自行车棚要不要搬? options=赞成,请按1;反对,请按2。 before=反对"
RESULT = "result title=电梯 question=要不要装电梯? tally=要,一百零二;不要,三。"
PROPOSALS = (
    "topic question=有两个提议,请选一个。第一个是李福根提的。 options=楼下装一排长凳,请按1;活动室添一台饮水机,请按2。"
)
CHOSE = ["noted chosen=要", BIKES, "1", "noted chosen=赞成", "done", ""]
BALLOT: dict[str, list[str]] = {
    "chooses": ["1", OPEN, LIFT, "1", *CHOSE, "", ""],
    "chooses_anew": ["1", OPEN, LIFT, "2", "noted chosen=不要", "done", "1", "noted", LIFT, "1", *CHOSE, "", ""],
    "presses_what_is_none": ["1", OPEN, LIFT, "4", "again", "*", "1", *CHOSE, "", ""],
    "goes_on_another_time": ["1", OPEN, LIFT, "1", "noted chosen=要", "more", "2"],
    "somebody_of_the_household_has_chosen": ["1", OPEN, LIFT, "1", "closed why=您家已经有人选过了,一户只选一次。"],
    "chooses_nothing": ["1", OPEN, LIFT, "", "", ""],
    "an_owner": ["1", OWNERS, "10001", "known", "246813", "right", LIFT, "1", *CHOSE, "", ""],
    "an_owner_s_pin_is_guessed": [
        *["1", OWNERS, "10001", "known", "111111", "wrong"],
        *["10001", "known", "222222", "wrong", "10001", "known", "333333", "wrong"],
    ],
    "a_letter_of_four_digits": ["1", OWNERS, "1001", "", "known", "246813", "right", LIFT, "1", *CHOSE, "", ""],
    "a_letter_is_locked": ["1", OWNERS, "10001", "known", "246813", "locked"],
    "hears_the_result": ["1", "result", RESULT, "*", "1", "none"],
    "cannot_be_written_down": ["1", OPEN, LIFT, "1", ""],
    "refuses": ["1", OPEN, LIFT, "9", "1"],
    "wants_a_person": ["1", OPEN, LIFT, "0", ""],
    "zero_twice": ["1", OPEN, LIFT, "00", "", "hangup"],
    "another_is_there": ["2", "2"],
    "machine": ["beep"],
    "nothing_is_open": ["1", "none"],
}
RINGS_IN: dict[str, list[str]] = {
    "chooses_in_a_ballot": ["6", OPEN, LIFT, "1", *CHOSE, "", "", "4"],
    "chooses_a_proposal": [
        *["4", "none board=1", "4", "open title=重阳节", PROPOSALS, "2", "noted chosen=活动室添一台饮水机", "done"],
        *["", "", "", "4"],
    ],
    "hears_of_no_proposal_any_more": ["4", "none", "选提议", "none", "", "", "", "4"],
    "opens_a_letter_after_her_own": [
        *["6", OPEN, LIFT, "1", "noted chosen=要", "owners", "1", "10001", "known", "246813", "right", BIKES, "1"],
        *["noted chosen=赞成", "done", "", "", "", "4"],
    ],
    "has_no_letter": ["6", OPEN, LIFT, "1", "noted chosen=要", "owners", "2", "done", "", "", "", "4"],
    "hears_a_ballot_s_result": ["6", "result", RESULT, "1", "none", "4"],
}
STRANGER: dict[str, list[str]] = {
    "an_owner_chooses": ["6", OWNERS, "10001", "known", "246813", "right", LIFT, "1", *CHOSE, "", ""],
}
OFFERED = {"ballot": "现在有打钩,要选,请按6。", "proposals": "1"}
