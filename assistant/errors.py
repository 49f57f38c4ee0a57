"""The five errors this project cannot serve through, one for each decision a caller can take.

    AssistantError
    ├── SettingsError        a setting, an option or an input is wrong: change it
    ├── CorpusError          material cannot be read: give other material
    ├── IndexNotFoundError   nothing has been ingested here: run `python -m ingest`
    ├── IndexMismatchError   the index is damaged, or made by another model or version: rebuild it
    └── ModelError           a model cannot be loaded or does not answer: install or configure it

Each message says what happened, where, and what to type. Errors of other libraries become one of
these in the one module that imports the library. Only command lines print them.
"""

REBUILD = "run `python -m ingest --rebuild`"
"""What to type where an index is damaged or another model's."""


class AssistantError(Exception):
    """Base of all errors that a command line prints as one line, with exit status 1."""


class SettingsError(AssistantError):
    """A setting, option or input has a value that cannot be used."""


class CorpusError(AssistantError):
    """A document, manifest or source folder is missing or cannot be read."""


class IndexNotFoundError(AssistantError):
    """There is no index at the configured place."""


class IndexMismatchError(AssistantError):
    """The index is damaged, or its model, tokenizer or format is not the one in use."""


class ModelError(AssistantError):
    """An embedding model, reranker or language model cannot be loaded or does not answer."""
