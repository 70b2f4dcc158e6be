"""YAML as a policy reads it: places kept, traps defused."""

from __future__ import annotations

import pytest

from policies.problems import Problems
from policies.yaml_nodes import BYTES_MAX, Document, Place, read_yaml


def read(text: str) -> Document:
    found = read_yaml(text, file="f.yaml")
    assert isinstance(found, Document), found
    return found


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("010", "010"),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("yes", "yes"),
        ("on", "on"),
        ("No", "No"),
        (".nan", ".nan"),
        ("-.inf", "-.inf"),
        ("1e400", "1e400"),
        ("2026-12-20", "2026-12-20"),
        ("true", True),
        ("null", None),
        ("", None),
        ("-6", -6),
        ("6.0", 6.0),
        ("'6'", "6"),
        ('"true"', "true"),
        ("9" * 30, "9" * 30),
    ],
)
def test_a_scalar_is_what_it_looks_like_to_people(text: str, value: object) -> None:
    found = read(f"a: {text}").data
    assert found == {"a": value}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\nb: 2\na: 3", "f.yaml:3:1: `a` stands here twice; first on line 1"),
        ("a: &x [1]\nb: *x", "f.yaml:1:4: anchors and aliases (& and *) are not read here"),
        ("a: !!python/object/apply:os.system [ls]", "f.yaml:1:4: tags (!) are not read here"),
        ("? [a, b]\n: 1", "f.yaml:1:3: a key must be a plain word"),
        ("a: " + "[" * 40 + "]" * 40, "nested deeper than 30 levels"),
        ("a: [1", "this is not YAML"),
        ("a: 1\n\tb: 2", "indent with blanks, not tabs"),
        ("a: \x00", "this is not YAML"),
        ("a: 1\n---\nb: 2", "this is not YAML"),
        ("x" * (BYTES_MAX + 1), "larger than 256 KiB"),
    ],
)
def test_what_could_hide_something_is_refused(text: str, words: str) -> None:
    found = read_yaml(text, file="f.yaml")
    assert isinstance(found, Problems)
    assert words in found.words()


def test_a_bomb_of_anchors_is_refused_before_it_unfolds() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    assert isinstance(read_yaml("\n".join(lines), file="f.yaml"), Problems)


def test_every_value_knows_its_place() -> None:
    document = read("a:\n  - b: 1\n    c: [x, y]\n")
    assert document.place(("a", 0, "c", 1)) == Place(3, 12)
    assert document.keys[("a", 0, "c")] == Place(3, 5)
    assert document.place(("a", 0, "missing")) == Place(2, 5)


@pytest.mark.parametrize(
    ("text", "line", "column", "place"),
    [
        ("e: one two", 1, 5, Place(1, 8)),
        ("e: 'one two'", 1, 5, Place(1, 9)),
        ("e: |\n\n    one two\n    three", 2, 5, Place(3, 9)),
        ("e: |\n  one two\n  three", 2, 3, Place(3, 5)),
        ("e: >\n  one\n  two", 1, 6, Place(1, 4)),
        ('e: "one \\"two"', 1, 6, Place(1, 4)),
    ],
)
def test_a_place_inside_a_text_is_found_or_falls_back_to_its_start(
    text: str, line: int, column: int, place: Place
) -> None:
    document = read(text)
    assert isinstance(document.data, dict)
    assert document.inside(("e",), str(document.data["e"]), line, column) == place
