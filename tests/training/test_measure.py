"""The metrics by hand-worked cases; the benchmarks and systems on the real article and model."""

import math
from pathlib import Path

import numpy as np
import pytest

from assistant.models import BundledEmbedder
from assistant.static import StaticModel
from training.benchmarks import article, sections, xquad
from training.measure import figures, table
from training.ranking import area, fuse, hit, ndcg
from training.systems import fused, late, late_scores, lexical, mean
from training.words import measure_words, read_pairs


def test_hit_and_ndcg_by_hand() -> None:
    assert [hit([4, 2, 9], {2, 7}, k) for k in (1, 2, 3)] == [0, 1, 1]
    assert hit([], {2}, 3) == 0
    assert ndcg([4, 2, 9, 7], {2, 7}) == pytest.approx((1 / math.log2(3) + 1 / math.log2(5)) / (1 + 1 / math.log2(3)))
    assert ndcg([2, 7], {2, 7}) == 1 and ndcg([1], set()) == 0
    assert ndcg([*range(10), 10], {10}) == 0  # beyond the tenth
    assert figures([[0, 1], [1, 0]], [frozenset({0}), frozenset({0})]) == f"50 / 100 / 100 / {50 * (1 + 1 / math.log2(3)):.0f}"


def test_fusing_prefers_what_both_rank_high() -> None:
    assert fuse([0, 1, 2], [1, 0]) == [0, 1, 2]  # 0 and 1 tie, the lower position first
    assert fuse([5, 3], [3, 4]) == [3, 5, 4]
    assert fuse() == []


def test_area_counts_ties_half() -> None:
    assert area([3, 2], [1, 2]) == (1 + 1 + 1 + 0.5) / 4
    assert area([1], [2]) == 0 and area([], [1]) == 0


def test_article_asks_in_four_directions_for_the_gold_lines() -> None:
    benchmarks = {b.direction: b for b in article()}
    assert set(benchmarks) == {"zh→zh", "zh→en", "en→en", "en→zh"}
    assert all(b.relevant and all(b.relevant) for b in benchmarks.values())
    assert benchmarks["en→zh"].queries == benchmarks["en→en"].queries
    assert benchmarks["en→zh"].units == benchmarks["zh→zh"].units


def test_systems_find_the_line() -> None:
    model = StaticModel.load()
    units = ("调度器为 Pod 选择节点", "镜像仓库的地址", "License of the project")
    for system in (mean(model), late(model), fused(mean(model), late(model))):
        assert [ranked[0] for ranked in system(["Which node does the scheduler choose?", "许可证"], units)] == [0, 2]
    assert lexical(["仓库地址", "nothing"], units) == [[1], []]


def test_late_interaction_is_the_weighted_greatest_cosine() -> None:
    model = StaticModel.load()
    query, unit = "delete node", "删除一个节点"
    asked, held = (model.tokenizer.encode(t, add_special_tokens=False).ids for t in (query, unit))
    rows = [[r / np.linalg.norm(r) for r in model.table[ids].astype(np.float32)] for ids in (asked, held)]
    expected = np.average([max(float(a @ b) for b in rows[1]) for a in rows[0]], weights=model.weights[asked])
    scores = late_scores(model, [query, ""], [unit, ""])
    assert scores[0, 0] == pytest.approx(float(expected), abs=1e-4)
    assert not scores[1].any() and scores[0, 1] == 0


def test_sections_and_xquad_are_read(tmp_path: Path) -> None:
    rows = "".join(
        f'{{"title_and_heading": "Page {n}", "heading": "h", "body": "body {n // 2}", "lang": "en"}}\n' for n in range(200)
    )
    (tmp_path / "sections.jsonl").write_text(rows, encoding="utf-8")
    (found,) = sections(tmp_path)
    assert 0 < len(found.queries) < 40 and all(len(wanted) == 1 for wanted in found.relevant)
    assert found.units[next(iter(found.relevant[0]))] == f"body {int(found.queries[0].split()[1]) // 2}"
    for language in ("en", "zh"):
        (tmp_path / f"xquad.{language}.json").write_text(
            f'{{"data": [{{"paragraphs": [{{"context": "{language} a", "qas": [{{"question": "{language} one?"}}]}},'
            f' {{"context": "{language} b", "qas": [{{"question": "{language} two?"}}]}}]}}]}}', encoding="utf-8",
        )
    benchmark = {b.direction: b for b in xquad(tmp_path)}["en→zh"]
    assert benchmark.queries == ("en one?", "en two?") and benchmark.units == ("zh a", "zh b")
    assert benchmark.relevant == (frozenset({0}), frozenset({1}))


def test_words_of_one_meaning_lie_closer() -> None:
    pairs = read_pairs()
    assert len(pairs) > 60 and {same for _, _, same in pairs} == {True, False}
    report = measure_words(BundledEmbedder(StaticModel.load()), pairs)
    assert report.auc > 0.99 and report.same > 0.6 and report.other < 0.1


def test_table_is_markdown() -> None:
    assert table("what", ("a",), [("row", ("1",))]) == "| what | a |\n|---|---|\n| row | 1 |"
