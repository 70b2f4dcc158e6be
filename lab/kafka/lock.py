"""`python -m lab.kafka.lock VERSION` writes the locked list of jars of one Kafka version.

The surprising truth: Kafka's own jars name no logging backend, so without the small slf4j binding
added here a broker would start, and fail, in silence.
"""

from __future__ import annotations

import re
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
from jgo.maven import MavenContext, Model

from lab.kafka.locked import LOCKS, LockedJar, sha256_of

JOLOKIA = ("org.jolokia", "jolokia-agent-jvm", "2.2.9", "javaagent")
_ROOTS = ("kafka_2.13", "kafka-tools")
_DOWNLOADS_AT_ONCE = 8

Coordinate = tuple[str, str, str, str]


def closure(*, version: str, context: MavenContext) -> set[Coordinate]:
    """Everything a broker and Kafka's command-line tools need at runtime."""
    found: set[Coordinate] = {JOLOKIA}
    for artifact in _ROOTS:
        component = context.project("org.apache.kafka", artifact).at_version(version)
        found.add(("org.apache.kafka", artifact, version, ""))
        dependencies, _ = Model(component.pom(), context).dependencies()
        wanted = [one for one in dependencies if one.scope in ("compile", "runtime")]
        found |= {(one.groupId, one.artifactId, one.version, one.classifier) for one in wanted}
    return found | {_logging_binding(found)}


def _logging_binding(found: set[Coordinate]) -> Coordinate:
    """The binding must have exactly the version of the slf4j API it binds."""
    api = next(version for _, artifact, version, _ in found if artifact == "slf4j-api")
    return ("org.slf4j", "slf4j-simple", api, "")


def conflicts(found: set[Coordinate]) -> list[str]:
    """Jars wanted in two versions: a class path with both would be a lottery."""
    seen: dict[tuple[str, str, str], set[str]] = {}
    for group, artifact, version, classifier in found:
        seen.setdefault((group, artifact, classifier), set()).add(version)
    return sorted(f"{key[1]}: {sorted(wanted)}" for key, wanted in seen.items() if len(wanted) > 1)


def locked(coordinate: Coordinate, *, context: MavenContext) -> LockedJar:
    group, artifact, version, classifier = coordinate
    component = context.project(group, artifact).at_version(version)
    path = component.artifact(classifier).resolve()
    return LockedJar(group, artifact, version, classifier, sha256_of(path))


@click.command()
@click.argument("version")
def main(version: str) -> None:
    """Resolve Kafka VERSION anew and write its locked list (for maintainers)."""
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        raise click.BadParameter(f"{version!r} is not a Kafka version such as 4.1.2")
    with tempfile.TemporaryDirectory() as folder:
        context = MavenContext(repo_cache=Path(folder), timeout=60)
        found = closure(version=version, context=context)
        if clash := conflicts(found):
            raise click.ClickException(f"two versions of one jar: {'; '.join(clash)}")
        with ThreadPoolExecutor(_DOWNLOADS_AT_ONCE) as pool:
            jars = list(pool.map(lambda one: locked(one, context=context), sorted(found)))
    header = f"# Kafka {version} for the lab. Written by `python -m lab.kafka.lock {version}`.\n"
    path = LOCKS / f"{version}.lock"
    path.write_text(header + "".join(f"{jar.line()}\n" for jar in jars), encoding="utf-8")
    click.echo(f"{path}: {len(jars)} jars")


if __name__ == "__main__":
    main()
