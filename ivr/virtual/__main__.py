"""The virtual carrier on its own: `python -m ivr.virtual --script elders.yaml --clips DIR`.

The script file is a list of elders (see ivr.virtual.elder); clips are raw 8 kHz μ-law files `DIR/NAME.ulaw`, named
without the ending. Prints what happens, one line per event.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import yaml

from .behaviour import Clips, ElderDirectory
from .carrier import VirtualCarrier
from .elder import ElderScript, ScriptError
from .observation import Observation


def read_elders(file: Path, clips: Path) -> tuple[ElderScript, ...]:
    """The elders of a YAML file; ScriptError names the place."""
    try:
        data = yaml.safe_load(file.read_text("utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ScriptError(f"{file}: {error}") from error
    if not isinstance(data, list):
        raise ScriptError(f"{file}: must be a list of elders")
    exists = _exists_in(clips)
    return tuple(
        ElderScript.from_mapping(each, where=f"{file}[{i}]", clip_exists=exists) for i, each in enumerate(data)
    )


def _exists_in(clips: Path) -> Callable[[str], bool]:
    return lambda name: (clips / f"{name}.ulaw").is_file()


def _clips_in(clips: Path) -> Clips:
    return lambda name: (clips / f"{name}.ulaw").read_bytes()


def _show(seen: Observation) -> None:
    sys.stdout.write(f"{seen.call_sid[-6:]} {seen.at_ms / 1000:7.2f} s  {seen.kind} {seen.detail}\n")


async def _serve(arguments: argparse.Namespace) -> None:
    elders = ElderDirectory(read_elders(arguments.script, arguments.clips), _clips_in(arguments.clips))
    carrier = VirtualCarrier(arguments.account, arguments.token, elders, hurry=arguments.hurry, observe=_show)
    base = await carrier.start(port=arguments.port)
    sys.stdout.write(f"virtual carrier at {base}, account {arguments.account}\n")
    try:
        await asyncio.Event().wait()
    finally:
        await carrier.stop()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m ivr.virtual", description="A virtual Twilio-compatible carrier.")
    parser.add_argument("--script", type=Path, required=True, help="YAML list of virtual elders")
    parser.add_argument("--clips", type=Path, default=Path(), help="folder of .ulaw files")
    parser.add_argument("--port", type=int, default=8095)
    parser.add_argument("--account", default="AC" + "0" * 32)
    parser.add_argument("--token", default="virtual", help="auth token, for REST and signatures")
    parser.add_argument("--hurry", type=float, default=1.0, help="rings so many times faster")
    try:
        asyncio.run(_serve(parser.parse_args()))
    except ScriptError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
