"""The acoustic model on its real weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from speech.pronunciation.tokens import SIZE, TOKENS
from speech.recogniser import SAMPLE_RATE
from speech.zipformer import BLANK, DIM, FRAME_S, Zipformer
from tests.unit.speech.audio import prompt, silence
from tests.unit.speech.zipformer_weights import folder, scorer

THANKS = "好的,谢谢您告诉我们。"


@pytest.fixture(scope="module")
def model() -> Zipformer:
    return scorer().model


def frames(model: Zipformer, pcm: bytes, piece: int) -> NDArray[np.float32]:
    """Fed in pieces of so many bytes."""
    listening = model.listen()
    found = [listening.feed(pcm[at : at + piece]) for at in range(0, len(pcm), piece)]
    return np.concatenate([*found, listening.finish()])


@pytest.mark.parametrize("piece", [320, 1600, 1602, 50_000])
def test_pieces_make_no_difference(model: Zipformer, piece: int) -> None:
    pcm = prompt(THANKS)
    whole, pieces = frames(model, pcm, len(pcm)), frames(model, pcm, piece)
    assert whole.shape == pieces.shape
    assert np.abs(whole - pieces).max() < 1e-3


def test_utterances_do_not_hear_each_other(model: Zipformer) -> None:
    pcm, other = prompt(THANKS), prompt("收到。")
    alone = frames(model, pcm, 1600)
    first, second = model.listen(), model.listen()
    mixed = []
    for at in range(0, len(pcm), 1600):
        mixed.append(first.feed(pcm[at : at + 1600]))
        second.feed(other[at : at + 1600])
    assert np.array_equal(np.concatenate([*mixed, first.finish()]), alone)


def test_who_goes_on_after_a_pause_is_heard_as_if_nobody_had_asked(model: Zipformer) -> None:
    pcm = prompt(THANKS)
    listening, half = model.listen(), len(pcm) // 4 * 2
    first = listening.feed(pcm[:half])
    assert len(listening.rest()) == 8
    second = listening.feed(pcm[half:])
    assert np.array_equal(np.concatenate([first, second, listening.finish()]), frames(model, pcm, half))


def test_what_was_judged_at_a_pause_stands_when_nothing_follows(
    model: Zipformer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last words are heard at the pause as they are at the end, and the end asks the encoder for nothing."""
    pcm = prompt(THANKS) + silence(200)
    listening = model.listen()
    heard = np.concatenate([listening.feed(pcm), rest := listening.rest()])
    steps: list[int] = []
    monkeypatch.setattr(model, "encode", lambda *_: steps.append(1))
    assert listening.finish() is rest
    assert not steps
    monkeypatch.undo()
    whole = frames(model, pcm, len(pcm))
    assert heard.shape == whole.shape
    told, at_the_end = (model.probabilities(one, model.contexts[3:]) for one in (heard, whole))
    # The resampler holds back a few samples of the silence, and whole numbers inside the encoder round otherwise by
    # that (how, differs from processor to processor).
    assert np.abs(told - at_the_end).max() < 0.2
    assert np.abs(told - at_the_end).mean() < 1e-4


def test_a_frame_is_40_ms(model: Zipformer) -> None:
    pcm = prompt(THANKS) + silence(400)
    seconds = len(pcm) / 2 / SAMPLE_RATE
    assert len(frames(model, pcm, 1600)) * FRAME_S == pytest.approx(seconds, abs=0.33)


def test_less_than_a_step_waits_and_nothing_is_nothing(model: Zipformer) -> None:
    listening = model.listen()
    assert listening.feed(silence(100)).shape == (0, DIM)
    assert listening.feed(b"").shape == (0, DIM)
    assert model.listen().finish().shape == (0, DIM)


def test_chances_add_up_and_do_not_depend_on_who_else_is_asked_about(model: Zipformer) -> None:
    heard = frames(model, prompt(THANKS), 1600)
    contexts = model.contexts[3:40]
    together, alone = model.probabilities(heard, contexts), model.probabilities(heard[5:6], contexts[:1])
    assert together.shape == (len(heard), 37, SIZE)
    assert together.sum(axis=2) == pytest.approx(1, abs=1e-4)
    assert together[5, 0] == pytest.approx(alone[0, 0], abs=0.02)  # its whole numbers are scaled by what comes together


def test_the_model_hears_what_is_said(model: Zipformer) -> None:
    """The initials of 好的,谢谢您 one after the other; and next to nothing before somebody speaks."""
    heard = model.probabilities(frames(model, silence(1000) + prompt(THANKS), 1600), model.contexts[3:])
    best = heard.mean(axis=1).argmax(axis=1)
    assert (best[:20] == BLANK).mean() > 0.9
    said = "".join(TOKENS[token] for token in best if token != BLANK)
    assert said.startswith("hdxxn")


def test_another_token_list_is_refused(tmp_path: Path) -> None:
    for file in folder().iterdir():
        if file.is_file():
            (tmp_path / file.name).symlink_to(file)
    (tmp_path / "tokens.txt").unlink()
    lines = (folder() / "tokens.txt").read_text("utf-8").splitlines()
    lines[10], lines[11] = lines[11], lines[10]
    (tmp_path / "tokens.txt").write_text("\n".join(lines), "utf-8")
    with pytest.raises(ValueError, match=r"tokens\.txt is not the list"):
        Zipformer(tmp_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"tokens\.txt"):
        Zipformer(tmp_path)
    (tmp_path / "tokens.txt").symlink_to(folder() / "tokens.txt")
    with pytest.raises(FileNotFoundError, match="encoder"):
        Zipformer(tmp_path)
