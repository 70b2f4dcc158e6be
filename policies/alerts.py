"""When to worry: `alerts.yaml`, for all clusters and for one, checked against the rules there are.

The rules' settings come as an argument, since files are read here and rules live in the watch. The
surprising truth: a missing file is a good file. Every setting has a default that is quiet on a
healthy cluster, so `alerts.yaml` says only what is different.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, BaseModel, Field, ValidationError, create_model

from changes.tagged import Value
from policies.problems import Problem, Problems
from policies.yaml_files import complaint, dotted, fitted, read_document
from policies.yaml_nodes import Document, Json
from policies.yaml_nodes import Path as Keys

FILE = "alerts.yaml"
PATTERN_LENGTH_MAX = 249
"""Kafka's own limit for a topic's name; a group's may be longer, a pattern need not be."""
PATTERNS_MAX = 500
SECTIONS = frozenset({"defaults", "clusters", "rules", "incidents", "groups"})
ONE_OFF = ("console-consumer-*", "*" + "-".join("[0-9a-f]" * n for n in (8, 4, 4, 4, 12)) + "*")
"""Groups that live for one look: Kafka's console consumer, and anything named by a UUID."""


def pattern(text: str) -> str:
    if not text.strip():
        raise ValueError("is an empty pattern, which fits no name; `*` fits every name")
    if len(text) > PATTERN_LENGTH_MAX:
        raise ValueError(f"is longer than {PATTERN_LENGTH_MAX} characters, as no name is")
    if not text.isprintable():
        raise ValueError("holds a character that cannot be printed")
    rest = text
    while "[" in rest:
        # As fnmatch reads it: a `]` right behind `[` or `[!` stands for itself.
        opened = rest.index("[")
        first = opened + 2 + (rest[opened + 1 : opened + 2] == "!")
        closed = rest.find("]", first)
        if closed < 0:
            raise ValueError(f"`{text}` has a `[` without its `]`; write `[[]` for the character")
        rest = rest[closed + 1 :]
    return text


def called(text: str) -> str:
    plain = text[1:].isalnum() and text[1:].isupper() and len(text) >= 6
    if text and text not in ("here", "channel") and not (text[0] in "SUW" and plain):
        raise ValueError(
            "must be Slack's id of a user group (S…) or a person (U…), `here` or `channel`; "
            f"found `{text}`"
        )
    return text


Pattern = Annotated[str, AfterValidator(pattern)]
Patterns = Annotated[tuple[Pattern, ...], Field(max_length=PATTERNS_MAX)]


class Groups(Value):
    """Which consumer groups are looked at."""

    include: Patterns = ("*",)
    exclude: Patterns = ()
    one_off: bool = False
    """Look at `console-consumer-…` and groups named by a UUID too."""

    def watched(self, name: str) -> bool:
        left_out = self.exclude if self.one_off else (*self.exclude, *ONE_OFF)
        return any(fnmatchcase(name, one) for one in self.include) and not any(
            fnmatchcase(name, one) for one in left_out
        )


class Common(Value):
    """What a section says beside its rules and incidents."""

    scan_seconds: float = Field(default=30.0, ge=1, le=600)
    groups: Groups = Groups()
    on_call: Annotated[str, AfterValidator(called)] = ""
    """Whom a critical incident mentions when nobody acknowledges it: Slack's id; empty = nobody."""


class TunedRule(NamedTuple):
    """One rule's settings, and those for the groups or topics whose names fit a pattern."""

    base: Value
    exceptions: tuple[tuple[str, Value], ...] = ()


@dataclass(frozen=True)
class ClusterAlerts:
    """What holds for one cluster."""

    scan_seconds: float
    groups: Groups
    on_call: str
    incidents: Value
    """Of the class that was handed to `load_alerts`."""
    rules: Mapping[str, TunedRule]


@dataclass(frozen=True)
class Alerts:
    """The file, for every cluster there is."""

    clusters: Mapping[str, ClusterAlerts]

    def of(self, cluster: str) -> ClusterAlerts:
        return self.clusters[cluster]


def load_alerts(
    file: Path,
    *,
    rules: Mapping[str, type[Value]],
    incident_settings: type[Value],
    clusters: Iterable[str],
) -> Alerts | Problems:
    """The settings of every cluster, or every mistake in the file with its place.

    `rules`: the settings class of each rule by the rule's name; every field has a default.
    """
    document = read_document(file) if file.exists() else Document(str(file), {}, ("",))
    if isinstance(document, Problems):
        return document
    names = tuple(clusters)
    document.data = with_empty_sections(document.data)
    read = fitted(shape(rules, incident_settings, names), document)
    if isinstance(read, Problems):
        return read
    return Laying(document, rules, incident_settings).all_of(read[0], names)


def with_empty_sections(data: Json, path: Keys = ()) -> Json:
    """`rules:` with nothing but comments below it is an empty section, not a mistake."""
    named = path[-1] in SECTIONS if path else False
    if data is None and (named or path[-2:-1] in (("clusters",), ("rules",))):
        return {}
    if isinstance(data, dict):
        return {key: with_empty_sections(one, (*path, key)) for key, one in data.items()}
    return data


def shape(
    rules: Mapping[str, type[Value]], incident_settings: type[Value], clusters: Iterable[str]
) -> type[BaseModel]:
    """The file as one model: names from outside are aliases, so that `copy` may be a cluster."""
    section = model(
        "Section",
        Common,
        {
            "rules": model("Rules", Value, {n: entry(kind) for n, kind in rules.items()}),
            "incidents": parts("Incidents", incident_settings),
        },
    )
    by_cluster = model("Clusters", Value, dict.fromkeys(clusters, section))
    return model("AlertFile", Value, {"defaults": section, "clusters": by_cluster})


def entry(kind: type[Value]) -> type[BaseModel]:
    one = parts("Exception_", kind, match=(Pattern, ...))
    exceptions = Annotated[tuple[one, ...], Field(max_length=PATTERNS_MAX)]  # type: ignore[valid-type]
    return parts("Entry", kind, exceptions=(exceptions, ()))


def parts(title: str, kind: type[Value], **more: Any) -> type[BaseModel]:
    """The same fields without what holds between them: that is checked once all is laid together."""
    own: dict[str, Any] = {
        name: (info.annotation, info) for name, info in kind.model_fields.items()
    }
    return create_model(title, __base__=Value, **own, **more)


def model(
    title: str, base: type[BaseModel], inner: Mapping[str, type[BaseModel]]
) -> type[BaseModel]:
    fields: dict[str, Any] = {
        f"field_{number}": (kind, Field(default_factory=kind, alias=name))
        for number, (name, kind) in enumerate(inner.items())
    }
    return create_model(title, __base__=base, **fields)


class Laying:
    """Lays the file's sections over each other; what does not fit together is kept as a problem."""

    def __init__(
        self, document: Document, rules: Mapping[str, type[Value]], incident_settings: type[Value]
    ) -> None:
        self._document = document
        self._rules = rules
        self._incidents = incident_settings
        self._problems: list[Problem] = []

    def all_of(self, file: BaseModel, clusters: Iterable[str]) -> Alerts | Problems:
        defaults = by_name(file)["defaults"]
        # Also when there is no cluster: a mistake in the defaults is a mistake.
        self._cluster(defaults, None, "")
        sections = by_name(by_name(file)["clusters"])
        found = {name: self._cluster(defaults, sections[name], name) for name in clusters}
        if self._problems:
            unlike = {one.words(): one for one in self._problems}
            return Problems(sorted(unlike.values(), key=lambda one: (one.line, one.column)))
        return Alerts(clusters=found)

    def _cluster(self, defaults: BaseModel, own: BaseModel | None, name: str) -> ClusterAlerts:
        layers: list[tuple[Keys, BaseModel]] = [(("defaults",), defaults)]
        if own is not None:
            layers.append((("clusters", name), own))
        common: Value = Common()
        incidents: Value = self._incidents()
        for path, section in layers:
            common = self._laid(common, section, path, leave=("groups",))
            groups = common.groups if isinstance(common, Common) else Groups()
            given = getattr(section, "groups")  # noqa: B009 - a model made at run time
            common = common.with_(groups=self._laid(groups, given, (*path, "groups")))
            incidents = self._laid(incidents, by_name(section)["incidents"], (*path, "incidents"))
        assert isinstance(common, Common)
        tuned = {rule: self._tuned(rule, layers) for rule in self._rules}
        return ClusterAlerts(
            scan_seconds=common.scan_seconds,
            groups=common.groups,
            on_call=common.on_call,
            incidents=incidents,
            rules=tuned,
        )

    def _tuned(self, rule: str, layers: list[tuple[Keys, BaseModel]]) -> TunedRule:
        """The cluster's exceptions come before those of the defaults: the first that fits decides."""
        entries = [
            ((*path, "rules", rule), by_name(by_name(section)["rules"])[rule])
            for path, section in layers
        ]
        base: Value = self._rules[rule]()
        for path, given in entries:
            base = self._laid(base, given, path)
        exceptions: list[tuple[str, Value]] = []
        for path, given in reversed(entries):
            exceptions += self._exceptions(base, given, (*path, "exceptions"))
        return TunedRule(base, tuple(exceptions))

    def _exceptions(self, base: Value, given: BaseModel, path: Keys) -> list[tuple[str, Value]]:
        found: dict[str, Value] = {}
        for index, one in enumerate(getattr(given, "exceptions")):  # noqa: B009 - as above
            if one.match in found:
                message = f"`{one.match}` stands here twice; only the first would count"
                self._problems.append(self._document.problem((*path, index, "match"), message))
            found.setdefault(one.match, self._laid(base, one, (*path, index)))
        return list(found.items())

    def _laid(
        self, base: Value, given: BaseModel, path: Keys, *, leave: Iterable[str] = ()
    ) -> Value:
        """`base` with what the file really says; the base again when that does not fit together."""
        known = set(type(base).model_fields) - set(leave)
        said = {name: getattr(given, name) for name in given.model_fields_set if name in known}
        try:
            return base.with_(**said) if said else base
        except ValidationError as wrong:
            for error in wrong.errors(include_url=False):
                inner = tuple(one for one in error["loc"] if one in said)
                at = (*path, *inner)
                self._problems.append(
                    self._document.problem(at, f"`{dotted(at)}` {complaint(error)}")
                )
            return base


def by_name(made: BaseModel) -> Mapping[str, BaseModel]:
    """The inner models of one that `model` made, by the names the file uses."""
    return {
        info.alias: getattr(made, name)
        for name, info in type(made).model_fields.items()
        if info.alias is not None
    }
