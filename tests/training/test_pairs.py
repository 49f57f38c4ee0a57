"""Aligned blocks from parallel pages, on small trees."""

import json
from pathlib import Path

import pytest

from training.pairs import blocks, main, trees, website

PAGE = """---
title: Nodes
---
<!--
## What a node is

A node runs [Pods](/docs/pods), and the **kubelet**.
-->
## 节点是什么

节点运行 [Pod](/zh/docs/pods) 和 **kubelet**。

<!--
- one thing
- another thing
-->
- 一件事
- 另一件事

<!-- only a remark -->

```
kubectl get nodes
```
"""


def test_comments_give_the_english_of_each_block(tmp_path: Path) -> None:
    page = tmp_path / "content" / "zh-cn" / "docs" / "nodes.md"
    page.parent.mkdir(parents=True)
    page.write_text(PAGE, encoding="utf-8")
    assert [(r["kind"], r["en"], r["zh"]) for r in website(tmp_path)] == [
        ("heading", "What a node is", "节点是什么"),
        ("paragraph", "A node runs Pods, and the kubelet.", "节点运行 Pod 和 kubelet。"),
        ("item", "one thing", "一件事"), ("item", "another thing", "另一件事"),
    ]


def test_only_pages_of_one_structure_are_paired(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, english, chinese in (
        ("same.md", "# Title\n\nSome text.\n\n- item\n", "# 标题\n\n一些文字。\n\n- 条目\n"),
        ("other.md", "# Title\n\nSome text.\n", "# 标题\n\n一些文字。\n\n多出来的一段。\n"),
        ("alone.md", "", "# 只有中文\n"),
    ):
        for folder, text in (("en", english), ("zh", chinese)):
            (tmp_path / folder).mkdir(exist_ok=True)
            if text:
                (tmp_path / folder / name).write_text(text, encoding="utf-8")
    assert [r["path"] for r in trees(tmp_path / "en", tmp_path / "zh")] == ["same.md"] * 3
    assert main(["trees", str(tmp_path / "en"), str(tmp_path / "zh")]) == 0
    out = capsys.readouterr()
    assert [json.loads(line)["zh"] for line in out.out.splitlines()] == ["标题", "一些文字。", "条目"] and "3 pairs" in out.err


def test_code_and_tables_are_blocks_of_their_own() -> None:
    assert [kind for kind, _ in blocks("text\n\n```\nx\n```\n\n| a |\n|---|\n| b |\n")] == ["paragraph", "code", "table"]
