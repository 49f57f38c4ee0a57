"""Re-reads the citations of an answer's JSON: does the cited text still stand where it was cited?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from assistant.verify import recheck

if TYPE_CHECKING:
    from assistant.assistant import Assistant


def recheck_answer(record: Mapping[str, Any], assistant: Assistant) -> list[dict[str, Any]]:
    """Judge every citation of an answer, originals and nearest passages included.

    Each row has the citation's `id`, its `standing` ('exact', 'moved', 'changed' or 'missing') and
    its `place` now. Raises KeyError, TypeError or ValueError when the record is no answer.
    """
    return [_row(citation, assistant) for citation in _citations(record)]


def _citations(record: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    declined = record["declined"]
    for citation in [*record["citations"], *(declined["nearest"] if declined else [])]:
        yield citation
        if citation.get("original"):
            yield citation["original"]


def _row(citation: Mapping[str, Any], assistant: Assistant) -> dict[str, Any]:
    if citation["start_line"] is None:
        return _directory(citation, assistant)
    try:
        document = assistant.document(citation["source"], citation["path"])
    except KeyError:
        document = None
    text = document.text if document else None
    standing, start = recheck(citation["quote"], citation["start_char"], text)
    place = f"{citation['source']} {citation['path']}"
    if document is not None and start is not None:
        first, last = document.line_at(start), document.line_at(start + max(0, len(citation["quote"]) - 1))
        place += f":{first}" if first == last else f":{first}-{last}"
        if standing == "exact" and first != citation["start_line"]:
            standing = "moved"
    return {"id": citation["id"], "standing": standing, "place": place}


def _directory(citation: Mapping[str, Any], assistant: Assistant) -> dict[str, Any]:
    """A directory's citation is exact while it holds every name that is quoted of it, whatever else it holds."""
    folder = assistant.index.records.folder(citation["source"], citation["path"].rstrip("/") or ".")
    standing = "missing"
    if folder is not None:
        standing = "exact" if set(citation["quote"].split("\n")) <= {*folder.listing.split("\n"), ""} else "changed"
    return {"id": citation["id"], "standing": standing, "place": f"{citation['source']} {citation['path']}"}
