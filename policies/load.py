"""A folder of files → policies that can be trusted, or every problem that was found in them.

Nothing half-read is ever handed out: one problem anywhere, a failing example included, and there
are no policies at all. `alerts.yaml` in the same folder is the watch's business.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from changes.change import Change
from changes.plan import canonical
from policies.clusters import Cluster, ClusterFile
from policies.compile import compile_policy
from policies.evaluate import CompiledPolicy
from policies.examples import failing
from policies.model import Policy, PolicyFile
from policies.policies import Policies
from policies.problems import Problem, Problems, did_you_mean
from policies.yaml_files import read_model
from policies.yaml_nodes import Document

CLUSTERS = "clusters.yaml"
NOT_POLICIES = frozenset({CLUSTERS, "alerts.yaml"})


def load(folder: Path, *, catalog: Iterable[type[Change]]) -> Policies | Problems:
    if not folder.is_dir():
        return Problems((Problem(file=str(folder), message="there is no such folder"),))
    found: list[Problem] = misnamed(folder)
    clusters = read_clusters(folder / CLUSTERS, found)
    compiled: list[CompiledPolicy] = []
    named: dict[str, str] = {}
    known = tuple(catalog)
    for file in policy_files(folder):
        read = read_model(PolicyFile, file)
        if isinstance(read, Problems):
            found += read
            continue
        for index, policy in enumerate(read[0].policies):
            found += misfits(policy, index, read[1], clusters, named)
            one = compile_policy(policy, index=index, document=read[1], catalog=known)
            found += one if isinstance(one, Problems) else failing(one, index, read[1])
            compiled += [] if isinstance(one, Problems) else [one]
    if not compiled and not found:
        message = "there is no policy in this folder, so nothing would ever be allowed"
        found.append(Problem(file=str(folder), message=message))
    if found:
        return Problems(found)
    return Policies(
        clusters=clusters, compiled=tuple(compiled), digest=digest_of(clusters, compiled)
    )


def policy_files(folder: Path) -> Sequence[Path]:
    return [file for file in sorted(folder.glob("*.yaml")) if file.name not in NOT_POLICIES]


def misnamed(folder: Path) -> list[Problem]:
    """A policy nobody reads is worse than none."""
    return [
        Problem(
            file=str(file),
            message="is not read because of its name",
            suggestion=f"rename it to {file.stem}.yaml",
        )
        for file in sorted(folder.glob("*.yml"))
    ]


def read_clusters(file: Path, found: list[Problem]) -> dict[str, Cluster]:
    read = read_model(ClusterFile, file)
    if isinstance(read, Problems):
        found += read
        return {}
    listed, document = read
    if not listed.clusters:
        found.append(document.problem(("clusters",), "no cluster is named here"))
    for key in ("name", "arn"):
        seen: set[str] = set()
        for index, cluster in enumerate(listed.clusters):
            value = str(getattr(cluster, key))
            if value in seen:
                path = ("clusters", index, key)
                found.append(document.problem(path, f"{key} `{value}` stands here twice"))
            seen.add(value)
    return {cluster.name: cluster for cluster in listed.clusters}


def misfits(
    policy: Policy,
    index: int,
    document: Document,
    clusters: Mapping[str, Cluster],
    named: dict[str, str],
) -> list[Problem]:
    """Names that do not fit together: a policy's own, its clusters', its environments'."""
    path = ("policies", index)
    found: list[Problem] = []
    if policy.name in named:
        message = f"policy name `{policy.name}` is taken, in {named[policy.name]}"
        found.append(document.problem((*path, "name"), message))
    named[policy.name] = document.file
    for place, name in enumerate(policy.match.clusters):
        if clusters and name not in clusters:
            hint = did_you_mean(name, clusters) or f"known: {', '.join(clusters)}"
            message = f"there is no cluster `{name}` in {CLUSTERS}"
            where = (*path, "match", "clusters", place)
            found.append(document.problem(where, message, suggestion=hint))
    known = {cluster.environment for cluster in clusters.values()}
    for place, name in enumerate(policy.match.environments):
        # An environment without clusters is fine (yet); one letter off a known one is a typo.
        if name not in known and (hint := did_you_mean(name, known)):
            where = (*path, "match", "environments", place)
            message = f"no cluster has the environment `{name}`"
            found.append(document.problem(where, message, suggestion=hint))
    return found


def digest_of(clusters: Mapping[str, Cluster], compiled: Sequence[CompiledPolicy]) -> str:
    """Over what the files mean: comments, examples and channels may change under an approval."""
    content = {
        "clusters": [clusters[name].ref.model_dump(mode="json") for name in sorted(clusters)],
        "policies": [
            one.policy.model_dump(mode="json", exclude={"examples"})
            for one in sorted(compiled, key=lambda one: one.policy.name)
        ],
    }
    return hashlib.sha256(canonical(content)).hexdigest()
