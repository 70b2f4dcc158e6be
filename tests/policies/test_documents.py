"""The files Ottla ships and the page about the language: what they show works."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

import policies as room
from changes.catalog import CATALOG
from policies import Policies, Problems, load
from policies.vocabulary import BUILT_IN

SHIPPED = Path(room.__file__).parent
PAGE = (SHIPPED / "README.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def shipped() -> Policies:
    found = load(SHIPPED, catalog=CATALOG)
    assert isinstance(found, Policies), found.words()
    return found


def test_the_shipped_files_load_and_every_policy_has_examples() -> None:
    for policy in shipped().compiled:
        assert len(policy.policy.examples) >= 2, policy.policy.name


def test_every_rule_shipped_is_needed_by_one_of_its_examples(tmp_path: Path) -> None:
    """Turn each rule's expression into `true`: unless it only warns, an example must notice."""
    for policy in shipped().compiled:
        for number, rule in enumerate(policy.policy.rules):
            if rule.severity == "warn":
                continue
            shutil.copy(SHIPPED / "clusters.yaml", tmp_path)
            text = Path(policy.file).read_text(encoding="utf-8")
            where = [found.span(1) for found in re.finditer(r"expression: (.*)", text)][number]
            (tmp_path / "mutant.yaml").write_text(text[: where[0]] + "'true'" + text[where[1] :])
            found = load(tmp_path, catalog=CATALOG)
            assert isinstance(found, Problems), f"{rule.name} could be dropped unnoticed"
            assert "example" in found.words()


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_every_example_of_the_page_loads(tmp_path: Path, snippet: str) -> None:
    shutil.copy(SHIPPED / "clusters.yaml", tmp_path)
    (tmp_path / "page.yaml").write_text(snippet)
    found = load(tmp_path, catalog=CATALOG)
    assert isinstance(found, Policies), found.words()


def test_the_page_lists_every_fact_with_its_type() -> None:
    assert len(SNIPPETS) >= 4
    listed = dict(re.findall(r"^\| `([a-z_.]+)` \| ([a-z<>]+) \|", PAGE, re.MULTILINE))
    assert listed == dict(BUILT_IN)
