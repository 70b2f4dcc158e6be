"""Write the IAM documents of the roles from the calls that the code makes: `make docs`.

What the adapters in `cluster/` send is read from their source; what changes a cluster must also be
named by a step (`permissions`), so that nothing gets the right to change what no step changes.
The surprising truth: a Kafka request has no IAM action of its own name; the table below says which
it needs, and settings need another one for topics than for brokers.

    python deploy/generate.py                      writes deploy/iam/*.json, with placeholders
    python deploy/generate.py CLUSTER_ARN ...      prints the worker's and the watch's for these
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import changes.catalog  # noqa: F401  (a catalog file brings its steps)
from changes.ports import Metrics, MskReading
from changes.steps import Step
from changes.tagged import Tagged
from cluster.aws import action

HERE = Path(__file__).parent
ADAPTERS = HERE.parent / "cluster"
WATCH = HERE.parent / "watch"
LAG_FILES = "lag_*.py"
"""Consumer groups are looked at by the watch alone."""
PLACEHOLDER = "arn:aws:kafka:REGION:ACCOUNT:cluster/NAME/UUID"
CHANGES = re.compile(r":(Update|Alter|Create|Delete|Write|Put|Reboot)")
CONFIGS = {"DESCRIBE_CONFIGS": "resource", "INCREMENTAL_ALTER_CONFIGS": "alteration"}
"""Requests whose action depends on what they are about, and the function that says so in code."""

MESSAGES = ("cluster.wire_messages", "cluster.wire_offsets")
KAFKA_ACTIONS: Mapping[str, tuple[str, ...]] = {
    "API_VERSIONS": (),
    "MetadataRequest": ("DescribeCluster", "DescribeTopic"),
    "LIST_PARTITION_REASSIGNMENTS": ("DescribeCluster",),
    "LIST_GROUPS": ("DescribeGroup",),
    "FIND_COORDINATOR": ("DescribeGroup",),
    "OFFSET_FETCH": ("DescribeGroup", "DescribeTopic"),
    "OFFSET_FETCH_ONE": ("DescribeGroup", "DescribeTopic"),
    "DESCRIBE_GROUPS": ("DescribeGroup",),
    "CONSUMER_GROUP_DESCRIBE": ("DescribeGroup", "DescribeTopic"),
    "LIST_OFFSETS": ("DescribeTopic",),
    "DESCRIBE_LOG_DIRS": ("DescribeCluster",),
    "ALTER_PARTITION_REASSIGNMENTS": ("AlterCluster", "DescribeCluster"),
    "ELECT_LEADERS": ("AlterCluster", "DescribeCluster"),
    "DESCRIBE_CONFIGS BROKER": ("DescribeClusterDynamicConfiguration",),
    "DESCRIBE_CONFIGS TOPIC": ("DescribeTopicDynamicConfiguration",),
    "INCREMENTAL_ALTER_CONFIGS BROKER": (
        "AlterClusterDynamicConfiguration",
        "DescribeClusterDynamicConfiguration",
    ),
    "INCREMENTAL_ALTER_CONFIGS TOPIC": (
        "AlterTopicDynamicConfiguration",
        "DescribeTopicDynamicConfiguration",
    ),
}


def called(*, without: Iterable[str] = (), lag: bool = True) -> set[str]:
    """Every IAM action that the adapters need, read from their source; `without` these methods of
    the ports, and without those that ask about consumer groups unless `lag`."""
    found = {"kafka-cluster:Connect"}
    lag_files = set(ADAPTERS.glob(LAG_FILES))
    for path in sorted(set(ADAPTERS.glob("*.py")) - (set() if lag else lag_files)):
        tree = ast.parse(path.read_text())
        found |= {action(method) for method in aws_methods(tree, without=frozenset(without))}
        for sent in kafka_requests(tree):
            if sent not in KAFKA_ACTIONS:
                sys.exit(
                    f"{path.name} sends {sent}; say in KAFKA_ACTIONS which IAM actions it needs"
                )
            found |= {f"kafka-cluster:{name}" for name in KAFKA_ACTIONS[sent]}
    return found


def aws_methods(tree: ast.Module, *, without: frozenset[str]) -> Iterator[str]:
    """boto3's methods: named to `ask` and `pages`, or called on the client itself."""
    if "cluster.aws" not in dict(imports(tree)).values():
        return
    left_out = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.AsyncFunctionDef) and node.name in without
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in left_out:
            continue
        match node:
            case ast.Call(
                func=ast.Name(id="ask" | "pages"), args=[_, ast.Constant(value=str(m)), *_]
            ):
                yield m
            case ast.Attribute(value=ast.Attribute(attr="_client"), attr=method):
                yield method


def unused_by_watch() -> set[str]:
    """Methods of the AWS ports that no file of the watch calls."""
    trees = [ast.parse(path.read_text()) for path in WATCH.rglob("*.py")]
    used = {
        node.func.attr
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    methods = {name for port in (MskReading, Metrics) for name in vars(port) if name[0] != "_"}
    return methods - used


def kafka_requests(tree: ast.Module) -> Iterator[str]:
    """Requests that a module imports; those about settings with TOPIC or BROKER behind them."""
    about = {
        (node.func.id, node.args[0].id)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.args
        and isinstance(node.args[0], ast.Name)
    }
    for name, module in imports(tree):
        if name in CONFIGS:
            yield from (f"{name} {kind}" for function, kind in about if function == CONFIGS[name])
        elif (module in MESSAGES and name.isupper()) or name == "MetadataRequest":
            yield name


def imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from ((alias.name, node.module) for alias in node.names)


def of_steps() -> set[str]:
    """What the steps say they need."""
    kinds = [kind for kind in Tagged.kinds.values() if issubclass(kind, Step)]
    return {one for kind in kinds for one in kind.permissions}


def worker_actions() -> set[str]:
    """Reads, and of what changes a cluster only what a step names."""
    return {one for one in called(lag=False) if not CHANGES.search(one) or one in of_steps()}


def watch_actions() -> set[str]:
    return {one for one in called(without=unused_by_watch()) if not CHANGES.search(one)}


def document(actions: Iterable[str], arns: Sequence[str] = (PLACEHOLDER,)) -> dict[str, Any]:
    """An IAM policy: one statement for each kind of resource."""
    statements: dict[str, list[str]] = {}
    for one in sorted(actions):
        statements.setdefault(kind_of(one), []).append(one)
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": kind, "Effect": "Allow", "Action": some, "Resource": resources(kind, arns)}
            for kind, some in sorted(statements.items())
        ],
    }


def kind_of(one: str) -> str:
    if one.startswith("cloudwatch:"):
        return "Metrics"
    if one.startswith("kafka:DescribeClusterOperation"):
        return "Operations"
    if "Topic" in one:
        return "KafkaTopics"
    if "Group" in one:
        return "KafkaGroups"
    if CHANGES.search(one):
        return "KafkaChanges" if one.startswith("kafka-cluster:") else "MskChanges"
    return "Kafka" if one.startswith("kafka-cluster:") else "Msk"


def resources(kind: str, arns: Sequence[str]) -> list[str]:
    """CloudWatch and operations know no cluster; topics and groups have ARNs of their own."""
    if kind in ("Metrics", "Operations"):
        return ["*"]
    if kind == "KafkaTopics":
        return [f"{arn.replace(':cluster/', ':topic/')}/*" for arn in arns]
    if kind == "KafkaGroups":
        return [f"{arn.replace(':cluster/', ':group/')}/*" for arn in arns]
    return list(arns)


def documents(arns: Sequence[str] = (PLACEHOLDER,)) -> dict[str, dict[str, Any]]:
    """By role. The bot and the ticker ask AWS nothing: everything is denied."""
    nothing = {"Sid": "NothingAtAll", "Effect": "Deny", "Action": "*", "Resource": "*"}
    return {
        "bot": {"Version": "2012-10-17", "Statement": [nothing]},
        "worker": document(worker_actions(), arns),
        "watch": document(watch_actions(), arns),
    }


def main(arns: Sequence[str]) -> None:
    for arn in arns:
        if not re.fullmatch(
            r"arn:aws[a-z-]*:kafka:[a-z0-9-]+:[0-9]{12}:cluster/[^/*]+/[^/*]+", arn
        ):
            sys.exit(f"{arn!r} is not the ARN of an MSK cluster; it looks like {PLACEHOLDER}")
    for role, content in documents(arns or (PLACEHOLDER,)).items():
        text = json.dumps(content, indent=2) + "\n"
        if arns:
            print(f"{role}:\n{text}")
            continue
        path = HERE / "iam" / f"{role}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        print(f"wrote {path.relative_to(HERE.parent)}")


if __name__ == "__main__":
    main(sys.argv[1:])
