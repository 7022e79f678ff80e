"""Settings: every one documented, every mistake one sentence that names the place, no secret ever shown."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

import settings
from settings import PREFIX, Settings, SettingsError

DOCUMENT = (Path(__file__).parents[2] / "docs" / "settings.md").read_text("utf-8")
TWILIO = {
    "WENAN_CARRIER": "twilio",
    "WENAN_PUBLIC_URL": "https://line.example.org",
    "WENAN_TWILIO_ACCOUNT_SID": "AC1",
    "WENAN_TWILIO_AUTH_TOKEN": "very-secret",
    "WENAN_TWILIO_FROM": "+862155500000",
}


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_every_setting_is_documented_and_nothing_else_is() -> None:
    documented = set(re.findall(r"^\| `(WENAN_\w+)`", DOCUMENT, re.M))
    assert documented == {PREFIX + name.upper() for name in Settings.model_fields}


def test_the_defaults_need_no_settings_at_all() -> None:
    loaded = settings.load()
    assert (loaded.carrier, loaded.port, loaded.models_dir) == ("virtual", 8000, Path("data/models"))


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "wenan.toml").write_text("port = 9000\nlines = 4\nlines_reserved = 1\n")
    monkeypatch.setenv("WENAN_LINES", "6")
    loaded = settings.load()
    assert (loaded.port, loaded.lines) == (9000, 6)


def test_a_real_carrier_needs_its_account(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in TWILIO.items():
        monkeypatch.setenv(name, value)
    assert settings.load().auth_tokens == ("very-secret",)
    monkeypatch.delenv("WENAN_TWILIO_FROM")
    with pytest.raises(SettingsError, match="settings: WENAN_CARRIER=twilio needs WENAN_TWILIO_FROM"):
        settings.load()


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("WENAN_PORT", "eighty", "WENAN_PORT: must be a whole number"),
        ("WENAN_LINES", "3.5", "WENAN_LINES: must be a whole number"),
        ("WENAN_PORT", "70000", "WENAN_PORT: must be at most 65535"),
        ("WENAN_LINES", "0", "WENAN_LINES: must be at least 1"),
        ("WENAN_CARRIER", "pigeon", "WENAN_CARRIER: must be 'virtual', 'twilio' or 'asterisk'"),
        ("WENAN_DATABASE_URL", "nonsense", "WENAN_DATABASE_URL: is no database URL"),
        ("WENAN_DATABASE_URL", "mysql://x/y", "'mysql'; sqlite and postgresql"),
        ("WENAN_PUBLIC_URL", "line.example.org", "WENAN_PUBLIC_URL: must look like https://"),
        ("WENAN_PUBLIC_URL", "https://x/path", "without a path"),
        ("WENAN_LINES", "2", "settings: WENAN_LINES_RESERVED (2) must be below WENAN_LINES (2)"),
        ("WENAN_CALLS_PER_SECOND", "0", "WENAN_CALLS_PER_SECOND: must be more than 0"),
        ("WENAN_CALLS_PER_SECOND", "slow", "WENAN_CALLS_PER_SECOND: must be a number"),
    ],
)
def test_a_broken_setting_names_its_place(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, complaint: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=re.escape(complaint)) as caught:
        settings.load()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        (b"prot = 9000", "wenan.toml: prot is no setting (do you mean port?)"),
        (b"port = = 1", "wenan.toml is no TOML: "),
        (b"port = 'x'", "wenan.toml: port: must be a whole number"),
        (b"data_dir = 4", "wenan.toml: data_dir: must be a path in quotes"),
        (b"twilio_from = 862155500000", "wenan.toml: twilio_from: must be text in quotes"),
        (b"[server]\nport = 1", "wenan.toml: server is a section; this file has no sections, just lines"),
        (b"[port]\nnumber = 1", "wenan.toml: port is a section"),
        (b"\xff", "wenan.toml is no UTF-8 text"),
    ],
)
def test_the_file_is_named_when_the_mistake_is_there(tmp_path: Path, written: bytes, complaint: str) -> None:
    (tmp_path / "wenan.toml").write_bytes(written)
    with pytest.raises(SettingsError, match=re.escape(complaint)):
        settings.load()


def test_the_example_of_the_document_can_be_loaded(tmp_path: Path) -> None:
    example = re.search(r"```toml\n(.*?)```", DOCUMENT, re.S)
    assert example is not None
    (tmp_path / "wenan.toml").write_text(example[1], "utf-8")
    assert settings.load().carrier == "twilio"


def test_a_folder_is_no_settings_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WENAN_SETTINGS", str(tmp_path))
    with pytest.raises(SettingsError, match="is a folder; a TOML file is wanted") as caught:
        settings.load()
    assert "Errno" not in str(caught.value)


def test_a_file_that_may_not_be_read_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(SettingsError, match=r"^wenan\.toml can't be read: permission denied$"):
        settings.load()


def test_a_named_file_must_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WENAN_SETTINGS", "nowhere.toml")
    with pytest.raises(SettingsError, match="does not exist"):
        settings.load()


def test_a_typing_error_in_the_environment_is_warned_about(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WENAN_LINE", "4")
    assert settings.unknown_variables() == ["WENAN_LINE is no setting (do you mean WENAN_LINES?); it is ignored"]


def test_secrets_are_in_no_message(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**TWILIO, "WENAN_PUBLIC_URL": ""}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        settings.load()
    assert "very-secret" not in str(caught.value)
    monkeypatch.setenv("WENAN_PUBLIC_URL", "https://line.example.org")
    assert "very-secret" not in repr(settings.load())
