"""What README and CONTRIBUTING say is so: settings, commands, folders, make targets."""

import re
import subprocess
import sys
from pathlib import Path

from assistant.settings import VARIABLES

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_settings_table_is_the_programs_own() -> None:
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| (.*) \|$", README, re.M))
    assert rows == VARIABLES


def test_every_command_of_the_faces_table_exists() -> None:
    commands = re.findall(r"^\| `python -m (\w+)([^`]*)` \|", README, re.M)
    assert len(commands) >= 10
    helps: dict[str, str] = {}
    for module, rest in commands:
        words = [word for word in rest.split() if re.fullmatch(r"--[a-z-]+|[a-z]+", word)]
        if module not in helps:
            subcommands = re.findall(rf"^\| `python -m {module} ([a-z]+)", README, re.M)
            runs = [[module, "--help"], *([module, sub, "--help"] for sub in dict.fromkeys(subcommands))]
            helps[module] = "".join(
                subprocess.run([sys.executable, "-m", *run], capture_output=True, text=True, cwd=ROOT, check=True).stdout for run in runs
            )
        for word in words:
            assert word in helps[module], (module, word)


def test_the_folders_and_make_targets_exist() -> None:
    tree = re.search(r"## Files\n\n```\n(.*?)```", README, re.S)
    assert tree is not None
    folders = re.findall(r"^(\w+)/ ", tree.group(1), re.M)
    assert len(folders) == 6 and all((ROOT / folder).is_dir() for folder in folders)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    texts = README + (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for target in set(re.findall(r"`make ([a-z-]+)", texts)) | set(re.findall(r"^make ([a-z-]+) ", texts, re.M)):
        assert re.search(rf"^{target}:", makefile, re.M), target


def test_files_that_are_named_exist() -> None:
    for path in re.findall(r"`((?:assistant|ingest|evals|tests|corpus|training)/[\w./-]+)`", README):
        assert (ROOT / path).exists(), path
