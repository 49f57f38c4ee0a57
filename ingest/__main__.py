"""Command line of the ingest: `python -m ingest [--rebuild]`."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path

from assistant.errors import AssistantError
from assistant.settings import Settings
from ingest.pipeline import ingest


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m ingest", description="Build or update the index.")
    parser.add_argument("--rebuild", action="store_true", help="make the index anew, whatever is there")
    parser.add_argument("--index", type=Path, help="folder of the index (default: ASSISTANT_INDEX, or the user's data folder)")
    options = parser.parse_args(arguments)
    try:
        settings = Settings.from_environment()
        if options.index:
            settings = dataclasses.replace(settings, index=options.index)
        print(ingest(settings, options.rebuild))
    except AssistantError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
