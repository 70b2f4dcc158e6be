"""Puts the locked jars into a per-user cache and hands out the folder that brokers run from.

The surprising truth: the cache is not trusted. Every start hashes every jar again (a fraction of a
second), and a jar enters the folder by one rename after its hash was right, so neither a torn
download nor a second lab starting at once can leave a wrong one.
"""

from __future__ import annotations

import os
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from lab.kafka.locked import LockedJar, fingerprint, read, sha256_of

_DOWNLOADS_AT_ONCE = 8
_DOWNLOAD_SECONDS_MAX = 60


class BadJar(Exception):
    """A jar that cannot be had, or whose bytes are not the locked ones; named in the sentence."""


@dataclass(frozen=True)
class KafkaJars:
    """What a broker process needs from disk."""

    version: str
    folder: Path
    agent: Path

    @property
    def class_path(self) -> str:
        return f"{self.folder}/*"


def cache_folder() -> Path:
    """Where jars stay between labs: the user's cache, never the tree."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "ottla" / "kafka"


def provide(
    *, version: str, cache: Path | None = None, unwanted: threading.Event | None = None
) -> KafkaJars:
    """The verified jars of one Kafka version, downloading what is not there yet.

    `unwanted` ends the work early, between two jars.
    """
    given_up = unwanted or threading.Event()
    jars = read(version=version)
    # Named by version and list, so that jars of an older list never linger on the class path.
    root = (cache or cache_folder()) / f"{version}-{fingerprint(jars)}"
    folder = _kafka_home() or root / "libs"
    ours = [jar for jar in jars if jar.is_agent or folder.parent == root]
    targets = {jar: root / ("agents" if jar.is_agent else "libs") / jar.filename for jar in ours}
    with ThreadPoolExecutor(_DOWNLOADS_AT_ONCE) as pool:
        list(pool.map(lambda jar: _ensure(jar, targets[jar], given_up), targets))
    agent = next(path for jar, path in targets.items() if jar.is_agent)
    return KafkaJars(version=version, folder=folder, agent=agent)


def _kafka_home() -> Path | None:
    """A Kafka of the user's own; only its presence is checked, its jars are his."""
    home = os.environ.get("KAFKA_HOME")
    if not home:
        return None
    libs = Path(home) / "libs"
    if not list(libs.glob("kafka-clients-*.jar")):
        raise BadJar(
            f"KAFKA_HOME is {home}, but {libs} holds no kafka-clients jar; "
            "point it at an unpacked Kafka, or unset it to let the lab fetch its own"
        )
    return libs


def _ensure(jar: LockedJar, target: Path, unwanted: threading.Event) -> None:
    if unwanted.is_set():
        return
    if target.exists() and sha256_of(target) == jar.sha256:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent.parent, prefix="fetch-") as folder:
        fetched = _fetch(jar, Path(folder))
        found = sha256_of(fetched)
        if found != jar.sha256:
            raise BadJar(
                f"{jar.filename}: the downloaded jar has SHA-256 {found}, the locked list says "
                f"{jar.sha256}; it was not used"
            )
        os.replace(fetched, target)


def _fetch(jar: LockedJar, folder: Path) -> Path:
    # Imported here: a warm start never needs the downloader, and its import costs a third of a
    # second.
    from jgo.maven import MavenContext
    from requests import RequestException

    context = MavenContext(repo_cache=folder, timeout=_DOWNLOAD_SECONDS_MAX)
    component = context.project(jar.group, jar.artifact).at_version(jar.version)
    try:
        return Path(component.artifact(jar.classifier).resolve())
    except (RequestException, RuntimeError, OSError) as reason:
        raise BadJar(
            f"{jar.filename} is not in the cache and cannot be downloaded ({type(reason).__name__})"
            "; check the network, or set KAFKA_HOME to an unpacked Kafka"
        ) from reason
