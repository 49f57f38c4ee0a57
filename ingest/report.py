"""What an ingest did, for people and for programs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from assistant.datamodels import Source, Visit
from ingest.checkout import REPEATS, Reading

SHOWN = 10
"""Skipped files that are named; the rest is counted."""


@dataclass(frozen=True)
class SourceReport:
    """What was done with one source."""

    source: Source
    changed: bool
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    skipped: tuple[Visit, ...] = ()
    left_out: tuple[tuple[str, int], ...] = ()
    modified: bool | None = False

    @classmethod
    def of(cls, reading: Reading) -> SourceReport:
        return cls(
            reading.source, reading.changed, reading.added, reading.updated, reading.unchanged, reading.removed,
            tuple(reading.skipped), tuple(sorted(reading.left_out.items())), reading.modified,
        )

    def lines(self) -> list[str]:
        source = self.source
        state = {True: ", with modified files", False: "", None: ", modified or not: unknown"}[self.modified]
        lines = [
            f"{source.name}: {source.kind} {source.title}, revision {source.label}{state}",
            f"  files: {self.added} added, {self.updated} changed, {self.unchanged} unchanged, {self.removed} removed",
        ]
        if self.left_out:
            counts = ", ".join(f"{count} {reason}" for reason, count in self.left_out)
            lines.append(f"  left out by default: {counts} (--include PATTERN brings files back, `python -m ingest --help` lists the patterns)")
        repeated = sum(1 for visit in self.skipped if visit.reason.startswith(REPEATS))
        if repeated:
            lines.append(f"  repeated: {repeated} files have the same text as another one")
        problems = [visit for visit in self.skipped if not visit.reason.startswith(REPEATS)]
        lines += [f"  skipped {visit.path!r}: {visit.reason}" for visit in problems[:SHOWN]]
        if len(problems) > SHOWN:
            lines.append(f"  skipped {len(problems) - SHOWN} more (--json names all)")
        return lines


@dataclass(frozen=True)
class Report:
    """What an ingest did."""

    index: str
    changed: bool
    documents: int
    chunks: int
    seconds: float
    sources: tuple[SourceReport, ...] = ()
    removed: tuple[str, ...] = ()
    """Sources taken out of the index."""
    lost: tuple[str, ...] = ()
    """Sources that a damaged index held and that could not be read again, with the reason."""

    def __str__(self) -> str:
        what = f"{self.documents} documents, {self.chunks} chunks"
        head = f"{what} in {self.seconds:.1f} s, index {self.index}" if self.changed else f"nothing changed: {what}, index {self.index}"
        return "\n".join([
            head, *(f"removed: {name}" for name in self.removed), *(f"lost: {text}" for text in self.lost),
            *(line for source in self.sources for line in source.lines()),
        ])

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
