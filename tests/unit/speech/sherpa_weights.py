"""Tiny models with the inputs, outputs and notes of the published ones, so that sherpa-onnx really loads and decodes.

What goes in and out, and the notes, are as the export scripts of k2-fsa/sherpa-onnx write them (scripts/wenet,
scripts/sense-voice, scripts/paraformer; icefall's export-onnx-ctc.py). The weights know one thing: where sound is loud
they say the unit 好, where it isn't the blank.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper, save

UNITS = ("<blk>", "好", "的", "嗯", "<unk>", "</s>", "<|zh|>", "<|NEUTRAL|>", "<|Speech|>", "<|withitn|>")
FLOAT, INT32, INT64 = TensorProto.FLOAT, TensorProto.INT32, TensorProto.INT64
LOUD_16, LOUD_1 = 9.0, -6.0  # mean log energy of a mel bin, for samples of ±32768 and of ±1
Info = tuple[str, int, Sequence[Any]]


def wenet(folder: Path, said: str = "好") -> Path:
    """WeNet's U2++ conformer CTC, as sherpa-onnx-wenetspeech-wu-u2pp-conformer-ctc-zh-int8-2026-02-03 is made."""
    about = {
        "model_type": "wenet_ctc",
        "version": "1",
        "model_author": "wenet",
        "comment": "non-streaming",
        "subsampling_factor": 4,
        "vocab_size": len(UNITS),
        "url": "",
    }
    return _ctc(folder, about, LOUD_16, "log_probs_lens", said=said)


def zipformer_ctc(folder: Path) -> Path:
    """icefall's zipformer CTC."""
    about = {
        "model_type": "zipformer2_ctc",
        "version": "1",
        "model_author": "k2-fsa",
        "comment": "non-streaming zipformer2 CTC",
        "vocab_size": len(UNITS),
    }
    return _ctc(folder, about, LOUD_1, "log_probs_len")


def sense_voice(folder: Path) -> Path:
    """SenseVoice small: four frames of language, feeling, event and text form come before the speech."""
    about = {
        "lfr_window_size": 7,
        "lfr_window_shift": 6,
        "normalize_samples": 0,
        "neg_mean": ",".join(["0"] * 560),
        "inv_stddev": ",".join(["1"] * 560),
        "model_type": "sense_voice_ctc",
        "version": "2",
        "model_author": "iic",
        "maintainer": "k2-fsa",
        "vocab_size": len(UNITS),
        "comment": "iic/SenseVoiceSmall",
        "lang_auto": 0,
        "lang_zh": 3,
        "lang_en": 4,
        "lang_yue": 7,
        "lang_ja": 11,
        "lang_ko": 12,
        "lang_nospeech": 13,
        "with_itn": 14,
        "without_itn": 15,
        "url": "https://huggingface.co/FunAudioLLM/SenseVoiceSmall",
    }
    before = np.full((1, 4, len(UNITS)), -10, np.float32)
    before[0, range(4), range(6, 10)] = 10
    weights = _loud(560, LOUD_16)
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["scaled"]),
        helper.make_node("Add", ["scaled", "b"], ["speech"]),
        helper.make_node("Concat", ["before", "speech"], ["logits"], axis=1),
    ]
    return _write(
        folder,
        nodes,
        [
            ("x", FLOAT, ["N", "T", 560]),
            ("x_length", INT32, ["N"]),
            ("language", INT32, ["N"]),
            ("text_norm", INT32, ["N"]),
        ],
        [("logits", FLOAT, ["N", "L", len(UNITS)])],
        {**weights, "before": before},
        about,
    )


def paraformer(folder: Path) -> Path:
    """Paraformer: as many tokens as it thinks there are, here two, whatever is said."""
    about = {
        "vocab_size": len(UNITS),
        "model_type": "paraformer",
        "lfr_window_size": 7,
        "lfr_window_shift": 6,
        "neg_mean": ",".join(["0"] * 560),
        "inv_stddev": ",".join(["1"] * 560),
        "model_author": "damo",
        "maintainer": "k2-fsa",
    }
    weights = _loud(560, LOUD_16)
    nodes = [
        helper.make_node("ReduceMax", ["speech"], ["most"], axes=[1], keepdims=1),
        helper.make_node("Concat", ["most", "most"], ["twice"], axis=1),
        helper.make_node("MatMul", ["twice", "w"], ["scaled"]),
        helper.make_node("Add", ["scaled", "b"], ["logits"]),
        helper.make_node("Mul", ["speech_lengths", "none"], ["zero"]),
        helper.make_node("Add", ["zero", "two"], ["token_num"]),
    ]
    return _write(
        folder,
        nodes,
        [("speech", FLOAT, ["N", "T", 560]), ("speech_lengths", INT32, ["N"])],
        [("logits", FLOAT, ["N", "L", len(UNITS)]), ("token_num", INT32, ["N"])],
        {**weights, "none": np.array([0], np.int32), "two": np.array([2], np.int32)},
        about,
    )


def _ctc(folder: Path, about: Mapping[str, object], loud: float, lengths: str, said: str = "好") -> Path:
    """Every fourth frame, straight into the units."""
    nodes = [
        helper.make_node("Slice", ["x", "zero", "end", "axis", "four"], ["fewer"]),
        helper.make_node("MatMul", ["fewer", "w"], ["scaled"]),
        helper.make_node("Add", ["scaled", "b"], ["logits"]),
        helper.make_node("LogSoftmax", ["logits"], ["log_probs"], axis=2),
        helper.make_node("Add", ["x_lens", "three"], ["more"]),
        helper.make_node("Div", ["more", "four"], [lengths]),
    ]
    numbers = {
        "zero": np.array([0]),
        "end": np.array([1 << 40]),
        "axis": np.array([1]),
        "four": np.array([4]),
        "three": np.array([3]),
    }
    return _write(
        folder,
        nodes,
        [("x", FLOAT, ["N", "T", 80]), ("x_lens", INT64, ["N"])],
        [("log_probs", FLOAT, ["N", "L", len(UNITS)]), (lengths, INT64, ["N"])],
        {**_loud(80, loud, said), **numbers},
        about,
    )


def _loud(size: int, threshold: float, said: str = "好") -> dict[str, np.ndarray[Any, Any]]:
    """Weights and bias: the unit's score is the mean energy above the threshold, the blank's is zero."""
    unit = UNITS.index(said)
    weights = np.random.default_rng(1).normal(0, 1e-3, (size, len(UNITS))).astype(np.float32)
    weights[:, 0], weights[:, unit] = 0, 1 / size
    bias = np.full(len(UNITS), -30, np.float32)
    bias[0], bias[unit] = 0, -threshold
    return {"w": weights, "b": bias}


def _write(
    folder: Path,
    nodes: Sequence[Any],
    inputs: Sequence[Info],
    outputs: Sequence[Info],
    weights: Mapping[str, np.ndarray[Any, Any]],
    about: Mapping[str, object],
) -> Path:
    graph = helper.make_graph(
        list(nodes),
        "tiny",
        [helper.make_tensor_value_info(*one) for one in inputs],
        [helper.make_tensor_value_info(*one) for one in outputs],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    note(model, about)
    folder.mkdir(parents=True, exist_ok=True)
    save(model, folder / "model.int8.onnx")
    tokens(folder)
    return folder


def note(model: ModelProto, about: Mapping[str, object]) -> None:
    for key, value in about.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, str(value)


def tokens(folder: Path, units: Sequence[str] = UNITS) -> None:
    lines = "".join(f"{unit} {number}\n" for number, unit in enumerate(units))
    (folder / "tokens.txt").write_text(lines, "utf-8")


def only_notes(path: Path, about: Mapping[str, object]) -> None:
    """A file that has the notes, and a graph that does nothing."""
    info = helper.make_tensor_value_info("x", FLOAT, [1])
    out = helper.make_tensor_value_info("y", FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "empty", [info], [out])
    model = helper.make_model(graph)
    note(model, about)
    path.parent.mkdir(parents=True, exist_ok=True)
    save(model, path)
