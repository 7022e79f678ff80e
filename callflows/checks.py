"""What must hold of a whole flow: targets exist, every step can be reached, nothing goes round for ever, voice rules.

The loader has checked each field where it stands; this looks at how they hang together. The first fault is raised.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from callflows import picks
from callflows.findings import GOOD, KEY_ONLY
from callflows.flow import AGAIN, BACK, DONE, END_CALL, REPEAT, STAY, Choice, Exit, Flow, Prompt, Step
from callflows.source import Source
from callflows.wording import plain

MAX_CHOICES = 4  # PRODUCT.md, voice rules
POSITIVE = frozenset({"well", "yes"})
_PLAIN = (DONE, END_CALL)
_ANSWERS = (*_PLAIN, REPEAT, STAY, BACK)
_KEY_IN_PROMPT = re.compile(r"请按([0-9])")


def check(flow: Flow, source: Source) -> None:
    """Raises FlowError at the first fault."""
    for step in flow.steps.values():
        _targets(flow, step, source)
        _voice_rules(flow, step, source)
        _phrases(flow, step, source)
        _good_news(flow, step, source)
        _key_only(flow, step, source)
        _whole(flow, step, source)
    _goodbye(flow, source)
    _reachable(flow, source)
    _ends(flow, source)


# ── targets ──────────────────────────────────────────────────────────────────────────────────────


def _targets(flow: Flow, step: Step, source: Source) -> None:
    for what, exit_, special in _exits(flow, step):
        if exit_.go and exit_.go not in flow.steps and exit_.go not in special:
            known = ", ".join(special)
            source.fail(exit_.place, f'step {step.name}: {what} leads to "{exit_.go}", which is no step (nor {known})')


def _exits(flow: Flow, step: Step) -> Iterator[tuple[str, Exit, tuple[str, ...]]]:
    """(what, exit, targets that are no steps but allowed there) of everything that can follow `step`."""
    listed = {
        "go": (step.go, (*_PLAIN, BACK)),
        "no_input": (step.no_input, _PLAIN),
        "no_match": (step.no_match, _PLAIN),
        "any_key": (step.any_key, _ANSWERS),
        "any_speech": (step.any_speech, _ANSWERS),
        "else": (step.otherwise, _PLAIN),
        "too_often": (step.too_often, _PLAIN),
    }
    for what, (exit_, special) in listed.items():
        if exit_ is not None:
            yield what, exit_, special
    if step.pick:
        yield "go of pick", step.pick.go, ()
        yield "none of pick", step.pick.none, _PLAIN
    if step.query:
        yield "no_verdict", step.query.none, _PLAIN
        for word, exit_ in step.query.verdicts.items():
            yield f'the verdict "{word}"', exit_, _PLAIN
    if step.bridge:
        yield "accepted of hand_over", step.bridge.accepted, _PLAIN
        yield "nobody of hand_over", step.bridge.nobody, _PLAIN
    for choice in flow.offered(step):
        yield f'the answer "{choice.meaning}"', choice.exit, _ANSWERS
        if choice.unsure:
            yield f'unsure of "{choice.meaning}"', Exit(choice.unsure, place=choice.place), (*_ANSWERS, AGAIN)


# ── voice rules ──────────────────────────────────────────────────────────────────────────────────


def _voice_rules(flow: Flow, step: Step, source: Source) -> None:
    keyed = [choice for choice in step.choices if choice.key and not choice.unsaid]
    if len(keyed) > MAX_CHOICES:
        source.fail(step.place, f"step {step.name} offers {len(keyed)} choices; nobody keeps more than {MAX_CHOICES}")
    if (keyed or step.pick or step.entry) and len(step.prompts) < 3:
        source.fail(step.place, f'step {step.name} asks for a key, so it needs two reprompts, "again" and "again2"')
    _keys(flow, step, source)


def _keys(flow: Flow, step: Step, source: Source) -> None:
    """No key twice; every key that a prompt names exists; the prompt names every key."""
    keys: dict[str, str] = {}
    for choice in flow.offered(step):
        if choice.key is None:
            continue
        if choice.key in keys:
            both = f"{keys[choice.key]} and {choice.meaning}"
            source.fail(choice.place, f"step {step.name}: key {choice.key} stands for {both}")
        keys[choice.key] = choice.meaning
    for prompt in step.prompts:
        for key in _named(prompt) - keys.keys():
            source.fail(step.place, f"the prompt {prompt.name} names key {key}, which step {step.name} doesn't know")
    for choice in step.choices:
        if choice.key and not choice.unsaid and choice.key not in _named(step.prompts[0]):
            source.fail(choice.place, f"the prompt {step.name} doesn't say 请按{choice.key} ({choice.meaning})")


def _named(prompt: Prompt) -> set[str]:
    texts = ("".join(piece.text for piece in pieces if not piece.variable) for pieces in prompt.texts.values())
    return {key for text in texts for key in _KEY_IN_PROMPT.findall(text)}


def _phrases(flow: Flow, step: Step, source: Source) -> None:
    """One phrase means one thing, and distress is nothing else."""
    meanings = {plain(phrase): "distress" for phrase in flow.distress}
    for choice in _speakable(flow, step):
        for phrase in choice.phrases:
            other = meanings.setdefault(plain(phrase), choice.meaning)
            if other != choice.meaning:
                source.fail(choice.place, f'step {step.name}: "{phrase}" stands for {other} and {choice.meaning}')


def _speakable(flow: Flow, step: Step) -> Iterator[Choice]:
    """The answers whose phrases count here: an own answer replaces the one of `anytime` with its meaning."""
    own = {choice.meaning for choice in step.choices if choice.phrases}
    yield from step.choices
    yield from (choice for choice in flow.offered(step)[len(step.choices) :] if choice.meaning not in own)


def _good_news(flow: Flow, step: Step, source: Source) -> None:
    """A "well" comes from a clear answer and from nothing else."""
    exits = (step.go, step.no_input, step.no_match, step.any_key, step.any_speech, step.otherwise, step.too_often)
    talked = (step.bridge.accepted, step.bridge.nobody) if step.bridge else ()
    for exit_ in (*exits, *talked, step.hang_up):
        if exit_ and exit_.result in GOOD:
            source.fail(exit_.place, f'step {step.name}: only a clear answer may mean "{exit_.result}"')
    for choice in flow.offered(step):
        good = choice.exit.result in GOOD
        if good and choice.meaning not in POSITIVE:
            fault = f'the answer "{choice.meaning}" can\'t mean "{choice.exit.result}"'
            source.fail(choice.place, f"step {step.name}: {fault}; only {' or '.join(sorted(POSITIVE))} can")
        if (good or choice.meaning in POSITIVE) and choice.phrases and choice.unsure is None:
            fault = f'the spoken answer "{choice.meaning}" needs "unsure": where it leads when the ear isn\'t sure'
            source.fail(choice.place, f"step {step.name}: {fault}")


def _key_only(flow: Flow, step: Step, source: Source) -> None:
    """What only a key may mean stands at an answer with a key, which can't be spoken."""
    by_key = {id(choice.exit) for choice in flow.offered(step) if choice.key and not choice.phrases}
    exits = [exit_ for _, exit_, _ in _exits(flow, step)] + ([step.hang_up] if step.hang_up else [])
    for exit_ in exits:
        if exit_.result in KEY_ONLY and id(exit_) not in by_key:
            source.fail(
                exit_.place if exit_.place.line else step.place,
                f'step {step.name}: only a key may mean "{exit_.result}", never a word',
            )


def _whole(flow: Flow, step: Step, source: Source) -> None:
    """Choosing and pressing digits lead to where they are needed."""
    if step.pick and _named(step.pick.more) != {picks.MORE}:
        source.fail(
            step.place, f'step {step.name}: "more" must say 请按{picks.MORE}, the key that leads to the next ones'
        )
    for key, each in zip(picks.KEYS, step.pick.each if step.pick else (), strict=False):
        if _named(each) != {key}:
            source.fail(step.place, f'step {step.name}: "each" must say 请按{{key}}, and no other key')
    follows = flow.steps.get(step.go.go) if step.go else None
    if step.entry and step.entry.secret and (follows is None or follows.query is None):
        source.fail(step.place, f"step {step.name}: secret digits are kept nowhere, so they must lead to a query")
    picking = any(other.pick for other in flow.steps.values())
    for what, exit_, _ in _exits(flow, step):
        if picking and exit_.go == DONE:
            source.fail(
                exit_.place, f'step {step.name}: {what} leads to "done", but persons are chosen: use "end_call"'
            )


def _goodbye(flow: Flow, source: Source) -> None:
    """What is said into the goodbye leads to a step, by words, and is never good news: nobody asks back any more."""
    for choice in flow.goodbye:
        if choice.exit.go not in flow.steps:
            source.fail(choice.place, f'goodbye: "{choice.meaning}" leads to "{choice.exit.go}", which is no step')
        if choice.key or not choice.phrases:
            source.fail(choice.place, f'goodbye: "{choice.meaning}" must be something that is said, without a key')
        if choice.exit.result is None or choice.exit.result in GOOD:
            source.fail(choice.place, f'goodbye: "{choice.meaning}" needs a result, and none that is good news')


# ── the graph ────────────────────────────────────────────────────────────────────────────────────


def _next(flow: Flow, step: Step) -> list[str]:
    """The steps that can follow directly. BACK means any step that was left by an answer of `anytime`."""
    targets: list[str] = []
    for _, exit_, _ in _exits(flow, step):
        if exit_.go == BACK:
            targets += [other.name for other in flow.steps.values() if _can_leave(flow, other, step.name)]
        elif exit_.go in flow.steps:
            targets.append(exit_.go)
    return targets


def _can_leave(flow: Flow, step: Step, to: str) -> bool:
    return any(choice.exit.go == to and choice.meaning in step.anytime for choice in flow.anytime)


def _reachable(flow: Flow, source: Source) -> None:
    seen: set[str] = set()
    todo = [flow.start, *flow.moments.values(), *(choice.exit.go for choice in flow.goodbye)]
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo += _next(flow, flow.steps[name])
    for step in flow.steps.values():
        if step.name not in seen:
            source.fail(step.place, f"step {step.name} can never be reached")


def _ends(flow: Flow, source: Source) -> None:
    """Bounded: when every `at_most` is used up, no way leads round in a circle (and before that, each use counts)."""
    graph = {step.name: _exhausted(flow, step) for step in flow.steps.values()}
    circle = _circle(graph)
    if circle:
        way = " → ".join([*circle, circle[0]])
        source.fail(
            flow.steps[circle[0]].place,
            f'these steps can go round for ever: {way}; give one of them "at_most" and "too_often"',
        )


def _exhausted(flow: Flow, step: Step) -> list[str]:
    if step.too_often is None:
        return _next(flow, step)
    return [step.too_often.go] if step.too_often.go in flow.steps else []


def _circle(graph: Mapping[str, list[str]]) -> list[str]:
    """The first circle found, as the steps on it; empty when there is none."""
    done: set[str] = set()
    for start in graph:
        path: list[str] = []
        stack = [(start, iter(graph[start]))] if start not in done else []
        if stack:
            path.append(start)
        while stack:
            name, successors = stack[-1]
            following = next((other for other in successors if other not in done), None)
            if following is None:
                done.add(name)
                path.pop()
                stack.pop()
            elif following in path:
                return path[path.index(following) :]
            else:
                path.append(following)
                stack.append((following, iter(graph[following])))
    return []
