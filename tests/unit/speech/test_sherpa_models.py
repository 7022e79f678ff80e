"""Which model a folder holds: published names of files, published notes, and what is no model at all."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import ModelProto

from speech.engines.sherpa_models import Plan, languages, notes, plan
from tests.unit.speech.sherpa_weights import note, only_notes, paraformer, sense_voice, tokens, wenet, zipformer_ctc

# Folder as published, its files, the notes of the first, and what it must be taken for.
PUBLISHED = [
    (
        "sherpa-onnx-zipformer-multi-zh-hans-2023-9-2",
        ("encoder-epoch-20-avg-1.int8.onnx", "decoder-epoch-20-avg-1.onnx", "joiner-epoch-20-avg-1.int8.onnx"),
        {"model_type": "zipformer2", "comment": "non-streaming zipformer2"},
        ("transducer", "from_transducer", False),
    ),
    (
        "sherpa-onnx-streaming-zipformer-zh-14M-2023-02-23",
        ("encoder-epoch-99-avg-1.int8.onnx", "decoder-epoch-99-avg-1.onnx", "joiner-epoch-99-avg-1.onnx"),
        {"model_type": "zipformer", "decode_chunk_len": "32", "T": "39"},
        ("online-transducer", "from_transducer", True),
    ),
    (
        "sherpa-onnx-lstm-zh-2023-02-20",
        ("encoder-epoch-11-avg-1.onnx", "decoder-epoch-11-avg-1.onnx", "joiner-epoch-11-avg-1.onnx"),
        {"model_type": "lstm"},
        ("online-transducer", "from_transducer", True),
    ),
    (
        "sherpa-onnx-nemo-parakeet-tdt-0.6b-v2-int8",
        ("encoder.int8.onnx", "decoder.int8.onnx", "joiner.int8.onnx"),
        {"model_type": "EncDecRNNTBPEModel"},
        ("nemo-transducer", "from_transducer", False),
    ),
    (
        "sherpa-onnx-whisper-base",
        ("base-encoder.int8.onnx", "base-decoder.int8.onnx"),
        {"model_type": "whisper-base"},
        ("whisper", "from_whisper", False),
    ),
    (
        "sherpa-onnx-fire-red-asr-large-zh_en-2025-02-16",
        ("encoder.int8.onnx", "decoder.int8.onnx"),
        {},
        ("fire-red-asr", "from_fire_red_asr", False),
    ),
    (
        "sherpa-onnx-nemo-canary-180m-flash-en-es-de-fr-int8",
        ("encoder.int8.onnx", "decoder.int8.onnx"),
        {"model_type": "EncDecMultiTaskModel"},
        ("nemo-canary", "from_nemo_canary", False),
    ),
    (
        "sherpa-onnx-streaming-paraformer-bilingual-zh-en",
        ("encoder.int8.onnx", "decoder.int8.onnx"),
        {"model_type": "paraformer"},
        ("online-paraformer", "from_paraformer", True),
    ),
    (
        "sherpa-onnx-moonshine-tiny-zh-int8",
        ("preprocess.onnx", "encode.int8.onnx", "uncached_decode.int8.onnx", "cached_decode.int8.onnx"),
        {},
        ("moonshine", "from_moonshine", False),
    ),
    (
        "sherpa-onnx-moonshine-base-zh-quantized-2026-02-27",
        ("encoder_model.ort", "decoder_model_merged.ort"),
        {},
        ("moonshine", "from_moonshine_v2", False),
    ),
    (
        "sherpa-onnx-dolphin-base-ctc-multi-lang-int8-2025-04-02",
        ("model.int8.onnx",),
        {},
        ("dolphin-ctc", "from_dolphin_ctc", False),
    ),
    (
        "sherpa-onnx-telespeech-ctc-int8-zh-2024-06-04",
        ("model.int8.onnx",),
        {},
        ("telespeech-ctc", "from_telespeech_ctc", False),
    ),
    (
        "sherpa-onnx-fire-red-asr2-ctc-zh_en-int8-2026-02-25",
        ("model.int8.onnx",),
        {},
        ("fire-red-asr-ctc", "from_fire_red_asr_ctc", False),
    ),
    (
        "sherpa-onnx-omnilingual-asr-1600-languages-300M-ctc-v2-int8-2026-02-05",
        ("model.int8.onnx",),
        {"model_type": "omnilingual-asr"},
        ("omnilingual-ctc", "from_omnilingual_asr_ctc", False),
    ),
    (
        "sherpa-onnx-nemo-ctc-giga-am-russian-2024-10-24",
        ("model.int8.onnx",),
        {"model_type": "EncDecCTCModel"},
        ("nemo-ctc", "from_nemo_ctc", False),
    ),
    (
        "sherpa-onnx-tdnn-yesno",
        ("model-epoch-14-avg-2.int8.onnx",),
        {"model_type": "tdnn_lstm"},
        ("tdnn-ctc", "from_tdnn_ctc", False),
    ),
    (
        "sherpa-onnx-streaming-zipformer-ctc-multi-zh-hans-2023-12-13",
        ("ctc-epoch-20-avg-1-chunk-16-left-128.int8.onnx",),
        {"model_type": "zipformer2", "comment": "streaming zipformer2 CTC", "decode_chunk_len": "32"},
        ("online-zipformer-ctc", "from_zipformer2_ctc", True),
    ),
    (
        "sherpa-onnx-zh-wenet-streaming",
        ("model-streaming.int8.onnx",),
        {"model_type": "wenet_ctc", "comment": "streaming", "chunk_size": "16", "left_chunks": "4"},
        ("online-wenet-ctc", "from_wenet_ctc", True),
    ),
    (
        "sherpa-onnx-qwen3-asr-0.6B-int8-2026-03-25",
        (
            "conv_frontend.onnx",
            "encoder.int8.onnx",
            "decoder.int8.onnx",
            "tokenizer/vocab.json",
            "tokenizer/merges.txt",
        ),
        {},
        ("qwen3-asr", "from_qwen3_asr", False),
    ),
    (
        "sherpa-onnx-funasr-nano-int8-2025-12-30",
        ("encoder_adaptor.int8.onnx", "llm.int8.onnx", "embedding.int8.onnx", "Q/vocab.json", "Q/merges.txt"),
        {},
        ("funasr-nano", "from_funasr_nano", False),
    ),
]


def lay(folder: Path, files: tuple[str, ...], about: Mapping[str, str]) -> Path:
    for name in files:
        only_notes(folder / name, about if name == files[0] else {})
    tokens(folder)
    return folder


@pytest.mark.parametrize(("name", "files", "about", "expected"), PUBLISHED, ids=[one[0] for one in PUBLISHED])
def test_a_published_folder_is_known(
    tmp_path: Path, name: str, files: tuple[str, ...], about: dict[str, str], expected: tuple[str, str, bool]
) -> None:
    found = plan(lay(tmp_path / name, files, about))
    assert (found.kind, found.maker, found.online) == expected
    assert found.rate == (8000 if "tdnn" in name else 16000)


def test_the_library_has_each_factory_and_takes_its_arguments(tmp_path: Path) -> None:
    plans = [plan(lay(tmp_path / name, files, about)) for name, files, about, _ in PUBLISHED]
    plans += [plan(make(tmp_path / make.__name__)) for make in (wenet, sense_voice, paraformer, zipformer_ctc)]
    calls = [[one.online, one.maker, sorted({*one.arguments, "num_threads"})] for one in plans]
    code = (
        "import inspect, json, sys, sherpa_onnx as s\n"
        "for online, maker, names in json.load(sys.stdin):\n"
        "    kind = s.OnlineRecognizer if online else s.OfflineRecognizer\n"
        "    inspect.signature(getattr(kind, maker)).bind(**dict.fromkeys(names))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], input=json.dumps(calls), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_eight_bits_come_first_and_streaming_last(tmp_path: Path) -> None:
    folder = wenet(tmp_path / "sherpa-onnx-zh-wenet-wenetspeech")
    for name in ("model.onnx", "model-streaming.int8.onnx", "model-streaming.onnx"):
        only_notes(folder / name, {"model_type": "wenet_ctc"})
    assert Path(str(plan(folder).arguments["model"])).name == "model.int8.onnx"


def test_the_operator_may_name_the_kind(tmp_path: Path) -> None:
    folder = lay(tmp_path / "sherpa-ours", ("weights.onnx",), {})
    with pytest.raises(RuntimeError, match="sherpa-ours: a model of the kind 'unknown'"):
        plan(folder)
    (folder / "wenan.toml").write_text('kind = "paraformer"\nlanguage = "wuu"\n')
    assert plan(folder).maker == "from_paraformer"
    assert languages(folder) == ("wuu",)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sherpa-onnx-wenetspeech-wu-u2pp-conformer-ctc-zh-int8-2026-02-03", ("wuu", "zh")),
        ("sherpa-onnx-sense-voice-zh-en-ja-ko-yue-int8-2024-07-17", ("zh",)),
        ("sherpa-onnx-whisper-base", ("zh",)),
        ("sherpa-onnx-zipformer-korean-ko-2024", ("ko",)),
    ],
)
def test_the_language_is_told_by_the_name(tmp_path: Path, name: str, expected: tuple[str, ...]) -> None:
    (tmp_path / name).mkdir()
    assert languages(tmp_path / name) == expected
    assert languages(tmp_path / name, ("nan",)) == ("nan",), "the catalogue knows better"
    (tmp_path / name / "wenan.toml").write_text('language = ["wuu", "zh"]')
    assert languages(tmp_path / name, ("nan",)) == ("wuu", "zh"), "the operator knows best"


def test_what_is_no_model_is_told_in_a_sentence(tmp_path: Path) -> None:
    empty, broken, half = tmp_path / "sherpa-empty", tmp_path / "sherpa-broken", tmp_path / "sherpa-half"
    empty.mkdir()
    with pytest.raises(RuntimeError, match="sherpa-empty holds no model"):
        plan(empty)
    broken.mkdir()
    tokens(broken)
    for data in (b"nonsense", b"\x0a\xff\xff\xff\x7f", b"\xff" * 20):
        (broken / "model.onnx").write_bytes(data)
        with pytest.raises(RuntimeError, match="sherpa-broken"):
            plan(broken)
    (wenet(half) / "tokens.txt").unlink()
    with pytest.raises(RuntimeError, match=r"tokens\.txt is missing"):
        plan(half)
    (broken / "wenan.toml").write_text("language = ")
    with pytest.raises(RuntimeError, match=r"wenan\.toml can't be read"):
        languages(broken)


def test_pinyin_models_are_told_from_those_that_write_characters(tmp_path: Path) -> None:
    folder = wenet(tmp_path / "sherpa-pinyin-zh")
    assert plan(folder).han
    tokens(folder, ("<blk>", "h", "ǎo"))
    found: Plan = plan(folder)
    assert not found.han


@given(st.dictionaries(st.text(min_size=1), st.text()), st.binary(max_size=2000))
def test_notes_are_read_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, about: dict[str, str], weights: bytes
) -> None:
    model = ModelProto(ir_version=8, producer_name="test", doc_string="…")
    model.graph.initializer.add(name="w", raw_data=weights)
    note(model, about)
    path = tmp_path_factory.mktemp("notes") / "model.onnx"
    path.write_bytes(model.SerializeToString())
    assert notes(path) == about


@given(st.binary(max_size=200))
def test_any_bytes_are_notes_or_an_error(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("bytes") / "model.onnx"
    path.write_bytes(data)
    with suppress(ValueError):
        assert isinstance(notes(path), dict)
