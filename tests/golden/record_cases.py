"""Staff record prompts: what is typed (callflows.text_runner). 念 stands for what they read out."""

from __future__ import annotations

FOUND = "found number=三七九二六 sentence=收到。"
TO_TAKE = ["1357#", "right", "1", "noted", "2", "37926", FOUND]
TYPED: dict[str, list[str]] = {
    "published": [*TO_TAKE, "念", "good", "1", "published", "4"],
    "in_shanghainese_the_next_one": [
        *["1357#", "right", "2", "noted", "1", f"{FOUND} present=takes/1.ulaw"],
        *["念", "good", "1", "published", "1", "none", "4"],
    ],
    "again_then_another_sentence": [*TO_TAKE, "念", "good", "2", "念", "good", "3", "2", "00000", "unknown", "4"],
    "too_quiet_and_done_again": [*TO_TAKE, "念", "quiet", "1", "doubtful", "1", "念", "good", "1", "published", "4"],
    "too_short_and_published_all_the_same": [*TO_TAKE, "念", "short", "1", "doubtful", "2", "published", "4"],
    "clipped_and_left": [*TO_TAKE, "念", "clipped", "1", "doubtful", "3", "4"],
    "too_long_and_hangs_up": [*TO_TAKE, "念", "long", "hangup"],
    "nobody_speaks": [*TO_TAKE, "念", "silent", "", "", "4"],
    "it_cannot_be_heard_now": [*TO_TAKE, "念", "later"],
    "it_cannot_be_published": [*TO_TAKE, "念", "good", "1", ""],
    "a_wrong_pin": ["1111#", "wrong", "2222#", "wrong", "3333#", "wrong"],
    "the_pin_is_locked": ["1111#", "locked"],
    "hangs_up_before_the_pin": ["hangup"],
    "no_consent_to_record": ["1357#", "right"],
    "limit": [*TO_TAKE, "limit"],
}
