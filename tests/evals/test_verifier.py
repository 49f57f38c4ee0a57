"""Mutations make false statements, and only where they apply; the check counts them rightly."""

import pytest

from assistant.assistant import Assistant
from evals.mutations import MUTATIONS, Vocabulary
from evals.verifier import cases, check, word_overlap

MAKE = dict(MUTATIONS)


@pytest.fixture(scope="session")
def vocabulary(assistant: Assistant) -> Vocabulary:
    return Vocabulary.of(assistant.index.chunks, assistant.index.terms)


@pytest.mark.parametrize(
    ("name", "text", "lost"),
    [
        ("path", "The binaries are written to _output/bin/.", "_output/bin/"),
        ("component", "kubelet registers the node.", "kubelet"),
        ("number", "There are 3 ways to build it.", "3 ways"),
        ("number", "分为两部分，即Master和Node", "两部分"),
        ("version", "Since v1.28.0 it is gone.", "v1.28.0"),
        ("port", "It listens on port 10250 of the node.", "10250"),
        ("negation", "它负责管理节点", "它负责"),
        ("negation", "It is responsible for pods.", "is responsible"),
        ("flag", "run it with --bind-address set", "--bind-address"),
        ("flag", "$ make WHAT=cmd/kubectl", "WHAT"),
        ("opposite", "它负责创建容器", "创建"),
        ("opposite", "When the process starts, it registers.", "starts"),
        ("sides", "kubelet reports to kube-apiserver regularly.", "kubelet reports"),
    ],
)
def test_each_mutation_takes_something_true_away(vocabulary: Vocabulary, name: str, text: str, lost: str) -> None:
    changed = MAKE[name](text, vocabulary)
    assert changed is not None and lost in text and lost not in changed


def test_claims_are_added_where_there_is_nothing_to_swap(vocabulary: Vocabulary) -> None:
    assert "6443" in (MAKE["port"]("kube-apiserver是入口", vocabulary) or "")
    assert "v1.17" in (MAKE["version"]("Kubernetes is an orchestrator", vocabulary) or "")
    assert "make --keep-going" in (MAKE["flag"]("run make or make all", vocabulary) or "")


def test_mutations_that_do_not_apply_say_so(vocabulary: Vocabulary) -> None:
    plain = "没有什么"
    assert [name for name, mutation in MUTATIONS if mutation(plain, vocabulary) is not None] == []
    assert MAKE["flag"]("run build/make-clean.sh", vocabulary) is None


def test_cases_are_true_to_the_letter_or_differ_from_it(assistant: Assistant) -> None:
    found = list(cases(assistant.index))
    assert {case.change for case in found} == {"verbatim", "synonym", "rendition", *MAKE}
    for case in found:
        document = assistant.document(case.citation.source, case.citation.path)
        assert case.citation.quote == document.text[case.citation.start_char : case.citation.end_char]
        assert (case.text == case.citation.quote) == (case.change == "verbatim"), case
        assert case.true == (case.change in ("verbatim", "synonym", "rendition"))


def test_the_rates_add_up_and_the_product_lets_less_through_than_word_overlap(assistant: Assistant) -> None:
    result = check(assistant.index)
    false = [result[name] for name in MAKE]
    total = result["false accepts"]
    assert total["statements"] == sum(row["statements"] for row in false)
    assert total["shown"] == pytest.approx(sum(r["shown"] * r["statements"] for r in false) / total["statements"], abs=1e-3)
    assert total["shown"] < total["word overlap"]
    assert result["verbatim"]["supported"] == 1.0
    for change in ("path", "port", "version", "flag"):
        assert result[change]["shown"] <= 0.1, change


def test_word_overlap_by_hand(assistant: Assistant) -> None:
    case = next(c for c in cases(assistant.index) if c.change == "verbatim")
    reader = None
    assert word_overlap(case.text, [case.citation], reader)  # type: ignore[arg-type]
    assert not word_overlap("entirely unrelated giraffes", [case.citation], reader)  # type: ignore[arg-type]
