"""The gate of continuous integration: figures that must not fall below what is committed in `floor.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assistant.errors import SettingsError
from evals.metrics import BY_NAME

FLOOR = Path(__file__).parent / "floor.toml"
LOWER = frozenset({"false accepts", "false rejects"})
"""Rates of the verifier; of metrics, `better` says it."""


def read_floor(path: Path = FLOOR) -> dict[str, dict[str, float]]:
    """Group → figure → its floor (or ceiling); raises SettingsError for a file that is none."""
    try:
        floor = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as exc:
        raise SettingsError(f"{path} cannot be read ({exc})") from exc
    for group, figures in floor.items():
        for name, value in figures.items():
            if name not in BY_NAME and name not in LOWER:
                raise SettingsError(f"{path}: [{group}] {name!r} is no metric; one of {', '.join(BY_NAME)}")
            if not isinstance(value, int | float):
                raise SettingsError(f"{path}: [{group}] {name} is {value!r}, no number")
    return floor


def below(summary: Mapping[str, Mapping[str, Any]], floor: Mapping[str, Mapping[str, float]]) -> list[str]:
    """What falls short, one line each; a figure that was not measured falls short too."""
    found = []
    for group, figures in floor.items():
        for name, limit in figures.items():
            value = summary.get(group, {}).get(name)
            lower = name in LOWER or BY_NAME[name].better == "lower"
            if value is None:
                found.append(f"{group}: {name} was not measured; the floor is {limit}")
            elif (value > limit) if lower else (value < limit):
                found.append(f"{group}: {name} is {value}, {'above' if lower else 'below'} {limit}")
    return found
