"""A step that a flow leads to and doesn't hold comes from shared.yaml."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from callflows import loader, shared
from callflows.loader import FlowError
from tests.unit.callflows.test_loader import SOUND

HELP = "  help.bye:\n    say: 来人了。\n    go: end_call\n"


def shares(monkeypatch: pytest.MonkeyPatch, folder: Path, text: str) -> None:
    file = folder / "shared.yaml"
    file.write_text(text, "utf-8")
    monkeypatch.setattr(shared, "FILE", file)
    monkeypatch.setattr(shared, "_shared", shared._shared.__wrapped__)


def said(text: str) -> dict[str, str]:
    steps = loader.parse(text, "small.yaml").steps
    return {name: "".join(piece.text for piece in step.prompts[0].texts["zh"]) for name, step in steps.items()}


def test_what_a_flow_leads_to_and_what_that_leads_to_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert HELP in SOUND
    taken = "help.bye: {say: 来人了。, go: last.say}\nlast.say: {say: 再会。, go: end_call}\n"
    shares(monkeypatch, tmp_path, f"{taken}other.say: {{say: 别的。, go: end_call}}\n")
    found = said(SOUND.replace(HELP, ""))
    assert (found["help.bye"], found["last.say"]) == ("来人了。", "再会。")
    assert "other.say" not in found


def test_a_step_of_its_own_is_said_instead(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shares(monkeypatch, tmp_path, "help.bye: {say: 别的。, go: end_call}")
    assert said(SOUND)["help.bye"] == "来人了。"


def test_a_mistake_in_a_shared_step_is_told_with_its_file_and_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shares(monkeypatch, tmp_path, "# first line\nhelp.bye:\n  say: 来人了。\n  go: nowhere.say\n")
    with pytest.raises(FlowError, match=r"^shared\.yaml:4: .*nowhere\.say"):
        said(SOUND.replace(HELP, ""))


def test_no_flow_holds_a_step_that_is_the_same_in_the_shared_ones() -> None:
    """What is said once can be changed once."""
    common = yaml.safe_load(shared.FILE.read_text("utf-8"))
    for name in loader.shipped_names():
        held = yaml.safe_load(Path(loader.shipped(name).file).read_text("utf-8"))["steps"]
        assert [step for step in held if held[step] == common.get(step)] == []


def test_every_shared_step_is_taken_by_several_flows() -> None:
    flows = [loader.shipped(name) for name in loader.shipped_names()]
    for step in yaml.safe_load(shared.FILE.read_text("utf-8")):
        takers = [flow.name for flow in flows if step in flow.steps and flow.steps[step].place.file == shared.FILE.name]
        assert len(takers) > 1, step
