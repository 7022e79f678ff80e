"""A conversation: the flow, the call's context, and a state that every event moves on. No clock, no audio, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from callflows import state as states
from callflows import transitions
from callflows.events import Answer, CallContext, Dictate, HandOver, Input, Listen, Output
from callflows.findings import Finding, Standing
from callflows.flow import Flow
from callflows.move import last_words, wait_of
from callflows.state import Phase

__all__ = ["Finding", "Session", "SessionError"]


class SessionError(ValueError):
    """A session can't be begun or taken up again; the message says why."""


class Session:
    """`feed` it what happened, do what it returns. `findings` are right at any moment."""

    def __init__(self, flow: Flow, context: CallContext) -> None:
        if not context.people:
            raise SessionError("a session needs at least one person to ask after")
        self._flow = flow
        self._context = context
        self._state = transitions.begin(len(context.people))

    def feed(self, event: Input) -> tuple[Output, ...]:
        """Outputs that end with exactly one of Listen, Dictate, Query, HandOver, Hangup; () when nothing changes for
        the line."""
        self._state, outputs = transitions.step(self._flow, self._context, self._state, event)
        return outputs

    @property
    def tells_secrets(self) -> frozenset[str]:
        """See `Flow.tells_secrets`."""
        return self._flow.tells_secrets

    @property
    def over(self) -> bool:
        """Nothing more will be said or asked. A cry for help during the goodbye opens the call again."""
        return self._state.phase in (Phase.ENDING, Phase.GONE)

    @property
    def wait(self) -> Listen | Dictate | None:
        """The open wait for the person on the line."""
        if self._state.phase not in (Phase.LISTENING, Phase.DICTATING, Phase.ENTERING):
            return None
        return wait_of(self._flow, self._context, self._state)

    @property
    def dictating(self) -> tuple[str, str] | None:
        """The person who is dictating now, and what it is kept as."""
        step = self._flow.steps.get(self._state.step)
        if self._state.phase is not Phase.DICTATING or step is None or step.dictation is None:
            return None
        return self._context.people[self._state.person].id, step.dictation.keep_as

    @property
    def recorded(self) -> frozenset[str]:
        """The flow's variables whose values are recordings."""
        return self._flow.recorded

    @property
    def optional(self) -> frozenset[str]:
        """The flow's texts without which it goes another way."""
        return self._flow.optional

    @property
    def asking(self) -> bool:
        """A Query is out, and only its Verdict (or what any moment may bring) leads on."""
        return self._state.phase is Phase.ASKING

    @property
    def handing(self) -> HandOver | None:
        """A human being is to talk to the person, and only HandedOver (or what any moment may bring) leads on."""
        if self._state.phase is not Phase.HANDING:
            return None
        state = self._state
        return HandOver(self._context.people[state.person].id, state.handed, state.standing.result or "")

    @property
    def last_words(self) -> tuple[Answer, ...]:
        """What still counts, spoken, while the goodbye is being played (no wait is open then); a Heard of it may open
        the goodbye again. Empty at any other time."""
        return last_words(self._flow, self._context, self._state) if self._state.phase is Phase.ENDING else ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """One per person of the context: what counts if the line dropped now."""
        state, words = self._state, self._flow.results
        return tuple(
            self._standing(at).finding(person.id, state.last if at == state.person else {}, words)
            for at, person in enumerate(self._context.people)
        )

    def _standing(self, at: int) -> Standing:
        """With the hang-up exit of the current step, when it says more than is known."""
        standing, step = self._state.people[at], self._flow.steps.get(self._state.step)
        if at != self._state.person or step is None or step.hang_up is None or step.hang_up.result is None:
            return standing
        words = self._flow.results
        stronger = standing.result is None or words.index(step.hang_up.result) > words.index(standing.result)
        return standing.with_result(step.hang_up.result, self._state.last, words) if stronger else standing

    def to_json(self) -> dict[str, Any]:
        """Plain data; personal."""
        return {
            "flow": self._flow.name,
            "version": self._flow.version,
            "context": states.context_to_dict(self._context),
            "state": states.to_dict(self._state),
        }

    @classmethod
    def from_json(cls, flow: Flow, data: Mapping[str, Any]) -> Session:
        """The session that `to_json` gave. SessionError when it isn't one, or is another flow's or version's."""
        written = (data.get("flow"), data.get("version"))
        if written != (flow.name, flow.version):
            raise SessionError(
                f"the session is of flow {written[0]} version {written[1]}, not {flow.name} version {flow.version}"
            )
        try:
            session = cls(flow, states.context_from_dict(data["context"]))
            session._state = states.from_dict(data["state"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise SessionError(f"the session can't be read: {type(error).__name__}: {error}") from None
        if session._state.step and session._state.step not in flow.steps:
            raise SessionError(f'the session is at step "{session._state.step}", which the flow does not have')
        return session
