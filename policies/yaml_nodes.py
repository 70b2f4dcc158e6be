"""YAML with the line and column of every key and value, and without YAML 1.1's traps.

The surprising truths: to YAML 1.1 `010` is 8, `yes` is true and `1:30` is 90. Here they are text,
and the file's shape says what it wanted instead. Only true, false, null, decimal integers and
decimals are read as anything else. Anchors, aliases and merge keys are refused: nine lines of them
can unfold into gigabytes, and a policy must say on its own line what it means.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import yaml

from policies.problems import Problem, Problems

BYTES_MAX = 256 * 1024
"""A thousand rules fit; whatever is larger is not a policy file."""
DEPTH_MAX = 30

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
Path = tuple[str | int, ...]

WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}
INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,18})")
DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+([eE][-+]?[0-9]{1,3})?")
BLOCK = ("|", ">")


class Mark(Protocol):
    """PyYAML's marks count from 0."""

    line: int
    column: int


class Place(NamedTuple):
    line: int
    column: int


@dataclass
class Document:
    """What a file says, and where it says it."""

    file: str
    data: Json
    source: tuple[str, ...]
    keys: dict[Path, Place] = field(default_factory=dict)
    values: dict[Path, Place] = field(default_factory=dict)

    def place(self, path: Path) -> Place:
        """The value's place, or that of the nearest thing around it."""
        while path:
            if path in self.values:
                return self.values[path]
            path = path[:-1]
        return self.values.get((), Place(1, 1))

    def problem(
        self, path: Path, message: str, *, suggestion: str = "", at_key: bool = False
    ) -> Problem:
        place = self.keys.get(path) if at_key else None
        line, column = place or self.place(path)
        return Problem(
            file=self.file, line=line, column=column, message=message, suggestion=suggestion
        )

    def inside(self, path: Path, text: str, line: int, column: int) -> Place:
        """Where line and column of a text stand in the file; its beginning when YAML folded it."""
        start = self.place(path)
        wanted = text.splitlines()[line - 1 : line] or [""]
        header = self.source[start.line - 1][start.column - 1 :]
        if header.startswith(BLOCK):
            row = start.line + line - 1
            found = self.source[row].find(wanted[0]) if row < len(self.source) else -1
            return Place(row + 1, found + column) if found >= 0 else start
        quote = 1 if header[:1] in "\"'" else 0
        if line == 1 and header[quote:].startswith(wanted[0]):
            return Place(start.line, start.column + quote + column - 1)
        return start


def read_yaml(text: str, *, file: str) -> Document | Problems:
    if len(text.encode()) > BYTES_MAX:
        message = f"the file is larger than {BYTES_MAX // 1024} KiB"
        return Problems((Problem(file=file, message=message),))
    try:
        refuse_magic(text)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except Refused as refused:
        place = refused.place
        return Problems(
            (Problem(file=file, line=place.line, column=place.column, message=str(refused)),)
        )
    except yaml.YAMLError as wrong:
        return Problems((syntax_problem(wrong, file),))
    reader = Reader(Document(file, None, tuple(text.splitlines()) or ("",)))
    reader.document.data = reader.value(root, ()) if root is not None else None
    return Problems(reader.problems) if reader.problems else reader.document


class Refused(Exception):
    """Inside this module only."""

    def __init__(self, message: str, place: Place) -> None:
        super().__init__(message)
        self.place = place


def refuse_magic(text: str) -> None:
    """Looked for in the stream of events, where nothing is unfolded yet."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        place = place_of(event.start_mark)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise Refused("anchors and aliases (& and *) are not read here: write it out", place)
        if getattr(event, "tag", None):
            raise Refused("tags (!) are not read here: write the plain value", place)
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEPTH_MAX:
            raise Refused(f"nested deeper than {DEPTH_MAX} levels", place)


def syntax_problem(wrong: yaml.YAMLError, file: str) -> Problem:
    mark = getattr(wrong, "problem_mark", None)
    said = getattr(wrong, "problem", None) or getattr(wrong, "reason", None) or "cannot be read"
    line, column = place_of(mark) if mark else (0, 0)
    hint = "indent with blanks, not tabs" if "'\\t'" in said else ""
    return Problem(
        file=file, line=line, column=column, message=f"this is not YAML: {said}", suggestion=hint
    )


def place_of(mark: Mark | None) -> Place:
    return Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)


class Reader:
    """Walks the nodes once, noting places; every problem is kept, not only the first."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[Problem] = []

    def value(self, node: yaml.Node, path: Path) -> Json:
        self.document.values[path] = place_of(node.start_mark)
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(one, (*path, index)) for index, one in enumerate(node.value)]
        return scalar(node) if isinstance(node, yaml.ScalarNode) else None

    def mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Json]:
        found: dict[str, Json] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self.complain(key_node, "a key must be a plain word")
                continue
            key = key_node.value
            here = (*path, key)
            if key in found:
                first = self.document.keys[here].line
                self.complain(key_node, f"`{key}` stands here twice; first on line {first}")
                continue
            self.document.keys[here] = place_of(key_node.start_mark)
            found[key] = self.value(value_node, here)
        return found

    def complain(self, node: yaml.Node, message: str) -> None:
        line, column = place_of(node.start_mark)
        self.problems.append(
            Problem(file=self.document.file, line=line, column=column, message=message)
        )


def scalar(node: yaml.ScalarNode) -> Json:
    text = str(node.value)
    if node.style is not None:  # quoted, or a block: text whatever it looks like
        return text
    if text in WORDS:
        return WORDS[text]
    if INTEGER.fullmatch(text):
        return int(text)
    return float(text) if DECIMAL.fullmatch(text) else text


def keys_of(data: Json) -> Mapping[str, Json]:
    return data if isinstance(data, dict) else {}
