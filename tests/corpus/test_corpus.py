"""The article, its rendition and the term table hold together."""

import re
from collections import Counter

from assistant.datamodels import sha256_of
from assistant.text import CJK, fold
from ingest.corpus import bundled_folder, read_corpus

ARTICLE_SHA256 = "e1cf4901daab4069a72a74c47f347ccbd52ec5eab261663ffe580ce7e4a464a1"
corpus = read_corpus(bundled_folder())
original, rendition = corpus.documents
LINES = list(zip(original.text.split("\n"), rendition.text.split("\n"), strict=True))


def test_the_article_is_as_it_was_given() -> None:
    assert sha256_of(original.text) == ARTICLE_SHA256


def test_the_rendition_keeps_the_shape_of_every_line() -> None:
    shape = re.compile(r"\s*(#+ |- |\||```|\$ |---)?")
    for number, (chinese, english) in enumerate(LINES, 1):
        assert bool(chinese.strip()) == bool(english.strip()), number
        assert shape.match(chinese).group() == shape.match(english).group(), number  # type: ignore[union-attr]


def test_the_rendition_keeps_the_tree_names_commands_and_addresses() -> None:
    kept = re.compile(r"^\|-+[^\s/]\S*|https?://[^\s\])]+|^\$ .*|_output(?:/[a-z]+)*|/registry")
    for number, (chinese, english) in enumerate(LINES, 1):
        assert kept.findall(chinese) == kept.findall(english), number


def test_the_rendition_is_english() -> None:
    assert not CJK.search(rendition.text)


def test_the_term_table_is_well_formed() -> None:
    terms = corpus.terms.terms
    assert len(terms) >= 150
    assert len({term.id for term in terms}) == len(terms)
    owners = Counter(name for term in terms for name in {re.sub(r"\s+", "", fold(n)) for n in term.names})
    assert [name for name, count in owners.items() if count > 1] == []
    assert [term.id for term in terms if not term.en] == []
    assert [term.id for term in terms if term.kind == "concept" and not term.zh] == []
