"""Corpus and sources → documents → chunks → a new index generation; nothing is written when nothing changed.

One writer at a time holds `<index>/lock`; the system lets it go when the process ends, however it ends.
"""

from __future__ import annotations

import dataclasses
import re
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from filelock import FileLock, Timeout

from assistant.crossencoder import CrossEncoder
from assistant.datamodels import ARTICLE, Chunk, Folder, Source, Visit
from assistant.errors import AssistantError, CorpusError, IndexMismatchError, IndexNotFoundError, SettingsError
from assistant.generation import fingerprint, generation_id, write_generation
from assistant.index import Index, remembered_sources
from assistant.models import Embedder, load_embedder
from assistant.records import LineNote
from assistant.settings import Settings
from ingest.checkout import Reading, Wanted, read_source
from ingest.corpus import Corpus, bundled_folder, read_corpus
from ingest.drift import Check, TreeView, drift, notes_of
from ingest.markdown import CHUNKER, chunk_markdown
from ingest.patterns import Choice
from ingest.report import Report, SourceReport

__all__ = ["Report", "check_drift", "ingest", "list_sources", "wanted_source"]

LOCK_SECONDS = 120
NAME = re.compile(r"[\w.+][\w.+-]{0,63}")


def wanted_source(folder: Path, name: str | None = None, choice: Choice | None = None) -> Wanted:
    """A source as asked for; its name is the folder's where none is given. Raises SettingsError for a name that cannot be one."""
    root = folder.expanduser().resolve()
    name = name or re.sub(r"[^\w.+-]+", "-", root.name).strip("-") or "source"
    if not NAME.fullmatch(name) or name == ARTICLE:
        raise SettingsError(f"{name!r} cannot name a source; give --name with letters, digits and . _ + -, for example --name v1.28")
    return Wanted(name, root, choice or Choice())


def ingest(
    settings: Settings,
    rebuild: bool = False,
    corpus: Path | None = None,
    sources: Sequence[Wanted] = (),
    remove: Iterable[str] = (),
    refresh: bool = False,
    progress: Callable[[str, int], None] = lambda what, count: None,
    wait: float = LOCK_SECONDS,
) -> Report:
    """Bring the index up to date: the bundled material, and `sources` as they are now; other sources stay as they were.

    With `refresh` the other sources are read again as well, from where they were. One writer at a
    time: a second one waits `wait` seconds. Raises CorpusError, ModelError, or SettingsError when
    the index folder cannot be written, is locked for longer, or holds no source to be removed.
    """
    begin = time.perf_counter()
    root = settings.index
    material = read_corpus(corpus or bundled_folder())
    embedder, encoder = load_embedder(settings.embeddings), CrossEncoder.load()
    try:
        root.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(root / "lock", timeout=wait):
                return _update(settings, embedder, encoder, material, rebuild, sources, tuple(remove), refresh, progress, begin)
        except Timeout as exc:
            raise SettingsError(f"another ingest holds {root / 'lock'}; wait until it ends, then run this again") from exc
    except OSError as exc:
        raise SettingsError(
            f"the index in {root} cannot be written ({exc.strerror or exc}); the one before is still in use; make room, or set ASSISTANT_INDEX to a folder of yours"
        ) from exc


def list_sources(settings: Settings) -> tuple[Source, ...]:
    """The sources of the index; raises the errors of `Index.open`."""
    return Index.open(settings.index, load_embedder(settings.embeddings), settings.chroma_url).sources


def _update(
    settings: Settings, embedder: Embedder, encoder: CrossEncoder, material: Corpus, rebuild: bool, sources: Sequence[Wanted],
    remove: tuple[str, ...], refresh: bool, progress: Callable[[str, int], None], begin: float,
) -> Report:
    root = settings.index
    index = _open(settings, embedder, encoder)
    held = {s.name: s for s in index.sources} if index else remembered_sources(root)
    if ARTICLE in remove:
        raise SettingsError("the bundled article is always part of the index; it cannot be removed")
    if unknown := [name for name in remove if name not in held]:
        known = ", ".join(name for name in held if name != ARTICLE) or "none besides the article"
        raise SettingsError(f"the index holds no source {unknown[0]!r}; it holds: {known}")
    chunks = [chunk for document in material.documents for chunk in chunk_markdown(document)]
    asked = {wanted.name: wanted for wanted in sources}
    again = refresh or rebuild or index is None or index.made != CHUNKER
    readings: list[Reading] = []
    kept: list[Source] = []
    lost: list[str] = []
    for source in held.values():
        if source.name == ARTICLE or source.name in asked or source.name in remove:
            continue
        if again and source.root:
            try:
                wanted = Wanted(source.name, Path(source.root), Choice(source.include, source.exclude))
                readings.append(read_source(wanted, None if rebuild else index, progress))
                continue
            except AssistantError as error:
                if index is None or index.made != CHUNKER:
                    lost.append(f"{source.name} ({error})")
                    continue
        kept.append(source)
    readings += [read_source(wanted, None if rebuild else index, progress) for wanted in asked.values()]
    if rebuild:
        readings = [dataclasses.replace(reading, changed=True) for reading in readings]
    order = list(dict.fromkeys([*held, *asked]))
    now = sorted([*kept, *(reading.source for reading in readings)], key=lambda source: order.index(source.name))
    everything = [material.source, *now]
    generation = generation_id(chunks, material.documents, material.terms, fingerprint(embedder, encoder), CHUNKER, everything)
    changed = rebuild or index is None or index.id != generation
    if changed or index is None:
        _write(settings, embedder, encoder, material, chunks, everything, readings, None if rebuild else index, progress)
        index = Index.open(root, embedder, settings.chroma_url)
    counts = sum(index.records.document_count(source.name) for source in everything)
    return Report(
        generation, changed, counts, index.records.chunk_count, time.perf_counter() - begin,
        tuple(SourceReport.of(reading) for reading in readings), remove, tuple(lost),
    )


def _write(
    settings: Settings, embedder: Embedder, encoder: CrossEncoder, material: Corpus, chunks: list[Chunk], everything: list[Source],
    readings: list[Reading], index: Index | None, progress: Callable[[str, int], None],
) -> None:
    documents = list(material.documents)
    chunks = list(chunks)
    folders: list[Folder] = []
    visits: dict[str, list[Visit]] = {}
    by_name = {reading.source.name: reading for reading in readings if reading.changed}
    for source in everything[1:]:
        reading = by_name.get(source.name)
        if reading is not None:
            documents += reading.documents
            chunks += reading.chunks
            folders += reading.folders
            visits[source.name] = list(reading.visits)
            continue
        if index is None:
            raise CorpusError(f"the source {source.name!r} is not in the index; run `python -m ingest --source {source.root}`")
        documents += index.records.documents(source.name)
        chunks += index.records.chunks(source.name)
        folders += index.records.folders(source.name)
        visits[source.name] = list(index.records.visits(source.name).values())
    notes: list[LineNote] = []
    for source in everything[1:]:
        view = TreeView(source.name, (f for f in folders if f.source == source.name), (d for d in documents if d.source == source.name))
        notes += _notes(material, chunks, view)
    write_generation(
        settings.index, everything, documents, chunks, material.terms, embedder, encoder, CHUNKER, settings.chroma_url,
        folders=folders, visits=visits, notes=notes, reuse=index, progress=progress,
    )


def _notes(material: Corpus, chunks: Sequence[Chunk], view: TreeView) -> list[LineNote]:
    """Notes on the article's lines against one tree."""
    found: list[LineNote] = []
    for document in material.documents:
        if document.renders is None:
            own = [chunk for chunk in chunks if (chunk.source, chunk.path) == (document.source, document.path)]
            same = [document, *(other for other in material.documents if other.renders == document.path)]
            found += notes_of(drift(document, own, material.terms, view), view.name, same)
    return found


def check_drift(settings: Settings, name: str | None = None) -> tuple[str, list[Check]]:
    """Hold the article against a source of the index (the only one, where none is named); gives its name and the checks.

    Raises SettingsError when there is no such source or it is no Kubernetes tree, and the errors of `Index.open`.
    """
    index = Index.open(settings.index, load_embedder(settings.embeddings), settings.chroma_url)
    names = [source.name for source in index.sources if source.kind != "article"]
    if name is None and len(names) == 1:
        name = names[0]
    if name is None or name not in names:
        known = ", ".join(names) or "none yet; add one with: python -m ingest --source DIR"
        raise SettingsError(f"name one source with --source NAME; the index holds: {known}")
    view = TreeView(name, index.records.folders(name), index.records.documents(name))
    for document in index.records.documents(ARTICLE):
        if document.renders is None and (checks := drift(document, index.of_document(ARTICLE, document.path), index.terms, view)):
            return name, checks
    raise SettingsError(f"{name!r} is no Kubernetes tree (it lacks most of the directories the article lists); give another with --source NAME")


def _open(settings: Settings, embedder: Embedder, encoder: CrossEncoder) -> Index | None:
    """The index as it is, read whole; None when there is none, it is damaged or of another version."""
    try:
        index = Index.open(settings.index, embedder, settings.chroma_url)
        index.check_encoder(encoder)
        index.check()
    except (IndexMismatchError, IndexNotFoundError):
        return None
    return index
