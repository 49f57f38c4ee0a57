"""What every answer promises, over questions of both languages."""

import dataclasses

import pytest

from assistant.assistant import Assistant
from assistant.datamodels import Answer, Turn
from assistant.reading import as_example
from assistant.scoring import Calibration, score

QUESTIONS = [
    "kubelet 是什么？", "Master 节点上有哪些组件？", "What does kube-proxy do?", "how do I build only kubectl?", "构建方式有哪几种",
    "pkg 下面有哪些目录？", "kubelet 和 kube-proxy 有什么区别？", "第三方代码在哪？", "CNI", "kube-schduler 做什么", "鉴權的代碼放在哪？",
    "哪个组件是唯一与 etcd 交互的？", "Where is the test code?",
]


@pytest.fixture(scope="module", params=QUESTIONS)
def answer(request: pytest.FixtureRequest, assistant: Assistant) -> Answer:
    return assistant.ask(request.param)


def test_every_statement_is_cited_exactly(answer: Answer, assistant: Assistant) -> None:
    assert answer.answered and answer.statements
    numbers = {citation.id for citation in answer.citations}
    for statement in answer.statements:
        assert statement.citations and set(statement.citations) <= numbers and statement.verdict != "unsupported"
    for citation in answer.citations:
        document = assistant.document(citation.source, citation.path)
        assert document.text[citation.start_char : citation.end_char] == citation.quote
        assert document.language == answer.language
        if answer.language == "en":
            assert citation.original is not None and citation.original.start_line == citation.start_line


def test_the_stream_ends_in_the_answer(assistant: Assistant) -> None:
    grown = list(assistant.stream(QUESTIONS[1]))
    assert [len(a.statements) for a in grown] == list(range(1, len(grown) + 1))
    assert dataclasses.replace(grown[-1], timings_ms={}) == dataclasses.replace(assistant.ask(QUESTIONS[1]), timings_ms={})


@pytest.mark.parametrize("question", ["write me a poem", "今天天气怎么样？", "1+1=?", "kubectl 怎么安装？", "kube-apiserver 的默认端口号是多少？", "pkg/watch 是做什么的？"])
def test_what_the_material_does_not_hold_is_declined(assistant: Assistant, question: str) -> None:
    answer = assistant.ask(question)
    assert not answer.answered and answer.declined is not None and not answer.statements and answer.answer


def test_a_follow_up_stands_on_the_question_before(assistant: Assistant) -> None:
    answer = assistant.ask("它实现了哪些接口？", [Turn("kubelet是什么？")])
    assert {citation.start_line for citation in answer.citations} == {126, 127, 128, 129}


@pytest.mark.parametrize(("question", "paths"), [("cmd 和 pkg 有什么区别", {"cmd", "pkg"}), ("hack vs staging", {"hack", "staging"})])
def test_directories_are_compared_by_their_own_entries(assistant: Assistant, question: str, paths: set[str]) -> None:
    answer = assistant.ask(question)
    assert {citation.quote.split("--")[-1].split()[0] for citation in answer.citations} == paths


@pytest.mark.parametrize(
    "question",
    ["怎么单独编译 kubelet？", "我想只编译 kube-proxy，命令怎么写？", "单独编译 kube-apiserver", "How do I build only kube-scheduler?", "How can I compile just the kubelet?"],
)
def test_a_general_pattern_is_quoted_not_extended(assistant: Assistant, question: str) -> None:
    answer = assistant.ask(question)
    assert {145, 147} == {citation.start_line for citation in answer.citations}
    assert not any(path in answer.answer for path in ("cmd/kubelet", "cmd/kube-"))


def test_a_sentence_on_any_component_is_read_as_if_its_example_were_asked_for(assistant: Assistant) -> None:
    query = assistant.query("How do I build only kube-scheduler?")
    candidates = score(query, assistant.passages(query), assistant.index, assistant.reader, Calibration.load())
    read = {candidate.text.strip(): as_example(query, candidate, assistant.reader) for candidate in candidates}
    assert {text for text, asked in read.items() if asked == "how do i build only kubectl?"} >= {"make WHAT=cmd/kubectl"}
    assert read[next(text for text in read if text.startswith("The kube-scheduler component, also"))] == query.text


def test_a_denial_is_asked_as_one(assistant: Assistant) -> None:
    assert assistant.query("Why doesn't the kubelet start, can't it?").text == "why does not the kubelet start, can not it?"


@pytest.mark.parametrize(
    ("question", "earlier", "asked"),
    [
        ("那它运行在哪类节点上？", "kube-proxy 是什么？", "kube-proxy"),
        ("and does it run on the worker?", "what is kube-proxy?", "kube-proxy"),
        ("那 kubelet 呢，它负责什么？", "kube-proxy 是什么？", "kubelet"),
        ("and kubelet, what does it do?", "what is etcd?", "kubelet"),
    ],
)
def test_it_is_what_was_asked_before_unless_another_thing_is_named_first(assistant: Assistant, question: str, earlier: str, asked: str) -> None:
    query = assistant.query(question, [Turn(earlier)])
    assert f"term:{asked}" in query.subjects
    assert not {"term:kube-proxy", "term:kubelet", "term:etcd"} - {f"term:{asked}"} & set(query.subjects)
