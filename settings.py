"""Settings: environment variables with the prefix WENAN_, over a TOML file (WENAN_SETTINGS, default ./wenan.toml).

Every setting is documented in docs/settings.md (a test holds the two together). A broken setting ends the program
with one clear sentence that names the place; secrets never appear in messages.
"""

from __future__ import annotations

import os
import re
import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

PREFIX = "WENAN_"
FILE_VARIABLE = "WENAN_SETTINGS"
DEFAULT_FILE = Path("wenan.toml")
# Read by tests and the set-up, not by the program.
FOREIGN = {FILE_VARIABLE, "WENAN_SHARED", "WENAN_VOICES", "WENAN_SHOTS"}
FOREIGN |= {"WENAN_TEST_POSTGRES_URL", "WENAN_UPDATE_GOLDEN", "WENAN_REHEARSALS"}
# What pydantic calls a fault, as an operator says it; {…} are pydantic's own figures.
_SENTENCES = {
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a number",
    "greater_than": "must be more than {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than_equal": "must be at most {le:g}",
    "literal_error": "must be {expected}",
    "string_type": "must be text in quotes",
    "path_type": "must be a path in quotes",
}
# What is of no use without others.
_TOGETHER = {
    "alarm_mail_to": ("alarm_mail_from", "alarm_smtp_host"),
    "alarm_webhook_url": ("alarm_webhook_secret",),
    "alarm_phone_number": ("alarm_phone_name",),
    "alarm_twilio_account_sid": ("alarm_twilio_auth_token", "alarm_twilio_from"),
}
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


class SettingsError(Exception):
    """One sentence for the operator: what is wrong, where, and what to do."""


class Settings(BaseSettings):
    """All settings. Field names are the variable names without prefix, in lower case."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    database_url: str = Field("sqlite:///data/wenan.db", description="SQLAlchemy URL of the database")
    data_dir: Path = Field(Path("data"), description="recordings, rendered prompts, the morning sheet")
    models: Path | None = Field(None, description="folder with recogniser weights (default: DATA_DIR/models)")
    human_prompts: Path | None = Field(
        None, description="folder with recordings of prompts by people (default: DATA_DIR/recorded-prompts)"
    )
    port: int = Field(8000, ge=0, le=65535, description="port on 127.0.0.1 (0: any free one)")
    public_url: str = Field("", description="URL under which the carrier reaches us, without path")
    console_url: str = Field("", description="URL under which staff open the console through a proxy with TLS")
    carrier: Literal["virtual", "twilio", "asterisk"] = Field("virtual", description="who carries the calls")
    browser_phone: bool = Field(False, description="the console's browser phone, for trials, beside a real carrier")
    media: Literal["stream", "verbs"] = Field("stream", description="audio by Media Streams or by plain TwiML verbs")
    twilio_account_sid: str = Field("", description="account SID at the Twilio-compatible carrier")
    twilio_auth_token: SecretStr = Field(SecretStr(""), description="its auth token; signs webhooks")
    twilio_auth_token_next: SecretStr = Field(SecretStr(""), description="second valid token while rotating")
    twilio_api_base: str = Field("https://api.twilio.com", description="base URL of the carrier's REST API")
    twilio_from: str = Field("", description="the line's own number, E.164")
    asterisk_url: str = Field("http://127.0.0.1:8088", description="where Asterisk's HTTP server (ARI) listens")
    asterisk_user: str = Field("wenan", description="user of ari.conf")
    asterisk_password: SecretStr = Field(SecretStr(""), description="its password")
    asterisk_media_password: SecretStr = Field(
        SecretStr(""), description="with which Asterisk opens audio to us (websocket_client.conf)"
    )
    asterisk_from: str = Field("", description="the line's own number there, E.164")
    asterisk_trunks: str = Field(
        "", description="ways out in order: PJSIP/{number}@NAME:CHANNELS=national (or e164, local), separated by commas"
    )
    lines: int = Field(8, ge=1, le=2000, description="lines of the trunk")
    lines_reserved: int = Field(2, ge=0, description="lines kept free for people ringing in")
    calls_per_second: float = Field(1.0, gt=0, le=100, description="calls started per second at most")
    calls_burst: int = Field(4, ge=0, le=100, description="calls that emergencies may start at once ahead of that")
    complaint_heard_hours: float = Field(2.0, gt=0, le=40, description="working hours until a complaint is heard")
    complaint_answer_days: int = Field(5, ge=1, le=60, description="working days until a complaint is answered")
    ticket_minutes: int = Field(10, ge=1, le=99, description="working minutes until somebody takes a ticket (key 5)")
    test_call_days: int = Field(30, ge=0, le=366, description="days without a talk until a line is tried; 0: never")
    recogniser_workers: int = Field(2, ge=1, le=64, description="threads that recognise speech")
    whisper_threads: int = Field(1, ge=1, le=64, description="processor threads per Whisper utterance")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="how much is logged")
    heartbeat_url: SecretStr = Field(SecretStr(""), description="asked after every good round of the auditor")
    alarm_mail_to: str = Field("", description="addresses that get alarms, separated by commas")
    alarm_mail_from: str = Field("", description="the sender's address")
    alarm_smtp_host: str = Field("", description="the mail server")
    alarm_smtp_port: int = Field(587, ge=1, le=65535, description="its port")
    alarm_smtp_security: Literal["starttls", "ssl", "none"] = Field("starttls", description="encryption to it")
    alarm_smtp_user: str = Field("", description="account at the mail server")
    alarm_smtp_password: SecretStr = Field(SecretStr(""), description="its password")
    alarm_webhook_url: SecretStr = Field(SecretStr(""), description="address that gets alarms as signed JSON")
    alarm_webhook_secret: SecretStr = Field(SecretStr(""), description="secret of the signature: whsec_…")
    alarm_phone_name: str = Field("", max_length=36, description="who looks after the machine, by name")
    alarm_phone_number: str = Field("", description="that person's number, E.164")
    alarm_twilio_account_sid: str = Field("", description="second account, for alarm calls while the line is down")
    alarm_twilio_auth_token: SecretStr = Field(SecretStr(""), description="its auth token")
    alarm_twilio_api_base: str = Field("https://api.twilio.com", description="base URL of its REST API")
    alarm_twilio_from: str = Field("", description="its number, E.164")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # `load` passes the file's values as init values; the environment wins over them.
        return env_settings, init_settings

    @field_validator("database_url")
    @classmethod
    def _url(cls, value: str) -> str:
        try:
            backend = make_url(value).get_backend_name()
        except ArgumentError:
            raise ValueError("is no database URL; write e.g. sqlite:///data/wenan.db") from None
        if backend not in ("sqlite", "postgresql"):
            raise ValueError(f"names the database {backend!r}; sqlite and postgresql are supported")
        return value

    @field_validator("public_url", "console_url", "twilio_api_base", "alarm_twilio_api_base", "asterisk_url")
    @classmethod
    def _base(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in ("http", "https") or not parts.netloc or parts.path.strip("/")):
            raise ValueError("must look like https://line.example.org, without a path")
        return value.rstrip("/")

    @field_validator("alarm_phone_number", "asterisk_from")
    @classmethod
    def _number(cls, value: str) -> str:
        if value and not _E164.fullmatch(value):
            raise ValueError("must look like +8613800000000")
        return value

    @field_validator("alarm_webhook_secret")
    @classmethod
    def _signing(cls, value: SecretStr) -> SecretStr:
        secret = value.get_secret_value()
        if secret and not re.fullmatch(r"whsec_[A-Za-z0-9+/]{32,}={0,2}", secret):
            raise ValueError("must be whsec_ and at least 24 bytes in base64")
        return value

    @model_validator(mode="after")
    def _whole(self) -> Settings:
        if self.lines_reserved >= self.lines:
            reserved, lines = f"{PREFIX}LINES_RESERVED ({self.lines_reserved})", f"{PREFIX}LINES ({self.lines})"
            raise ValueError(f"{reserved} must be below {lines}")
        if self.console_url and not self.console_url.startswith("https://"):
            raise ValueError(f"{PREFIX}CONSOLE_URL must begin with https://: passwords are typed there")
        if self.carrier == "twilio":
            self._need(
                f"{PREFIX}CARRIER=twilio", "public_url", "twilio_account_sid", "twilio_auth_token", "twilio_from"
            )
        if self.carrier == "asterisk":
            given = ("asterisk_password", "asterisk_media_password", "asterisk_from", "asterisk_trunks")
            self._need(f"{PREFIX}CARRIER=asterisk", *given)
        for name, needs in _TOGETHER.items():
            if self._given(name):
                self._need(PREFIX + name.upper(), *needs)
        if self.alarm_smtp_user and self.alarm_smtp_security == "none":
            raise ValueError(f"{PREFIX}ALARM_SMTP_USER: no password is sent without encryption (starttls or ssl)")
        return self

    def _need(self, why: str, *names: str) -> None:
        for name in names:
            if not self._given(name):
                raise ValueError(f"{why} needs {PREFIX}{name.upper()}")

    def _given(self, name: str) -> bool:
        value = getattr(self, name)
        return bool(value.get_secret_value() if isinstance(value, SecretStr) else value)

    @property
    def models_dir(self) -> Path:
        return self.models or self.data_dir / "models"

    @property
    def recorded_prompts(self) -> Path:
        return self.human_prompts or self.data_dir / "recorded-prompts"

    @property
    def number(self) -> str:
        """The line's own, E.164; "" for none."""
        return self.asterisk_from if self.carrier == "asterisk" else self.twilio_from

    @property
    def auth_tokens(self) -> tuple[str, ...]:
        tokens = (self.twilio_auth_token.get_secret_value(), self.twilio_auth_token_next.get_secret_value())
        return tuple(token for token in tokens if token)


def load() -> Settings:
    """The settings of this process. Raises SettingsError with one sentence that names the place."""
    file = Path(os.environ.get(FILE_VARIABLE, DEFAULT_FILE))
    values = _read(file)
    _refuse_unknown(file, values)
    try:
        return Settings(**values)
    except ValidationError as error:
        raise SettingsError(_sentence(error, file, values)) from None


def unknown_variables() -> list[str]:
    """One warning for each WENAN_ variable that no setting knows (a typing error, most likely)."""
    known = {PREFIX + name.upper() for name in Settings.model_fields} | FOREIGN
    strange = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)
    return [f"{name} is no setting{_near(name, known)}; it is ignored" for name in strange]


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        if FILE_VARIABLE in os.environ:
            raise SettingsError(f"{FILE_VARIABLE} names {file}, which does not exist") from None
        return {}
    except IsADirectoryError:
        raise SettingsError(f"{file} is a folder; a TOML file is wanted") from None
    except OSError as error:
        raise SettingsError(f"{file} can't be read: {(error.strerror or 'unknown reason').lower()}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{file} is no UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file} is no TOML: {error}") from None


def _refuse_unknown(file: Path, values: dict[str, Any]) -> None:
    for name, value in values.items():
        if isinstance(value, dict):
            raise SettingsError(f"{file}: {name} is a section; this file has no sections, just lines: port = 8000")
        if name not in Settings.model_fields:
            raise SettingsError(f"{file}: {name} is no setting{_near(name, set(Settings.model_fields))}")


def _near(name: str, known: set[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f" (do you mean {near[0]}?)" if near else ""


def _sentence(error: ValidationError, file: Path, values: dict[str, Any]) -> str:
    """The first problem only: one at a time is easier to mend. Never repeats the value (it may be a secret)."""
    first = error.errors(include_input=False, include_url=False)[0]
    message = str(first["msg"]).removeprefix("Value error, ")
    if first["type"] in _SENTENCES:
        message = _SENTENCES[first["type"]].format_map(first.get("ctx", {}))
    if not first["loc"]:
        return f"settings: {message}"
    name = str(first["loc"][0]).removeprefix(PREFIX.lower())
    variable = PREFIX + name.upper()
    place = variable if variable in os.environ or name not in values else f"{file}: {name}"
    return f"{place}: {message}"
