"""The frozen format of a case and of a plan: files in, values out, files written.

The surprising truth: a plan file holds broker ids and nothing else. Line n belongs to partition n of
the case it was made for, so a plan read beside another case is refused by its number of lines.
"""

from __future__ import annotations

import lzma
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, StrictInt, StrictStr, TypeAdapter, ValidationError

from changes.placement.model import Broker, Partition, Placement, ReplicaLists

FILE_BYTES_MAX = 512 * 1024**2  # unpacked; a case of a million partitions has a tenth of it

Bytes = Annotated[float, Field(ge=0, le=2**62, allow_inf_nan=False, strict=True)]


@dataclass(frozen=True, slots=True)
class Mistake:
    """Why a file cannot be used: which file, where in it, and what would be right."""

    words: str


# Slotted dataclasses, not models: 200,000 partitions take a quarter of the memory.
@dataclass(frozen=True, slots=True)
class _Broker:
    id: StrictInt
    rack: StrictStr
    capacity: Bytes


@dataclass(frozen=True, slots=True)
class _Partition:
    t: Annotated[StrictStr, Field(min_length=1)]
    p: Annotated[StrictInt, Field(ge=0)]
    r: Annotated[tuple[StrictInt, ...], Field(min_length=1)]
    s: Bytes


@dataclass(frozen=True, slots=True)
class _Case:
    brokers: Annotated[tuple[_Broker, ...], Field(min_length=1)]
    partitions: tuple[_Partition, ...]


_CASE = TypeAdapter(_Case)


def read_case(path: Path) -> Placement | Mistake:
    """A placement from `.json` or `.json.xz`."""
    content = _read(path)
    if isinstance(content, Mistake):
        return content
    try:
        case = _CASE.validate_json(content)
    except ValidationError as mistakes:
        return Mistake(f"{path}: {_first(mistakes)}")
    wrong = _inconsistent(case)
    if wrong:
        return Mistake(f"{path}: {wrong}")
    return Placement(
        brokers=tuple(Broker(b.id, b.rack, round(b.capacity)) for b in case.brokers),
        partitions=tuple(Partition(p.t, p.p, p.r, round(p.s)) for p in case.partitions),
    )


def read_plan(path: Path, *, case: Placement) -> tuple[tuple[int, ...], ...] | Mistake:
    """Replica lists from a plan file, one line for each of the case's partitions."""
    content = _read(path)
    if isinstance(content, Mistake):
        return content
    lines = content.decode("utf-8", errors="replace").splitlines()
    if len(lines) != len(case.partitions):
        return Mistake(
            f"{path}: {len(lines)} lines for {len(case.partitions)} partitions; a plan has one line "
            "for each, in the order of its case."
        )
    plan = []
    for number, line in enumerate(lines, start=1):
        words = line.split()
        if not words or not all(word.isascii() and word.isdigit() for word in words):
            return Mistake(
                f"{path}, line {number}: {line[:60]!r} is not a list of broker ids; "
                "write them split by blanks, preferred leader first, like 3 1 2."
            )
        plan.append(tuple(int(word) for word in words))
    return tuple(plan)


def write_plan(path: Path, plan: ReplicaLists) -> Mistake | None:
    """A line per partition, broker ids split by blanks; packed where the name ends in `.xz`."""
    content = "".join(" ".join(map(str, replicas)) + "\n" for replicas in plan).encode()
    try:
        path.write_bytes(lzma.compress(content) if path.suffix == ".xz" else content)
    except OSError as trouble:
        return Mistake(
            f"{path}: cannot be written ({trouble.strerror}); name a file in a folder that exists."
        )
    return None


def _read(path: Path) -> bytes | Mistake:
    try:
        if path.suffix == ".xz":
            with lzma.open(path) as packed:
                content = packed.read(FILE_BYTES_MAX + 1)
        else:
            with path.open("rb") as plain:
                content = plain.read(FILE_BYTES_MAX + 1)
    except (lzma.LZMAError, EOFError):
        return Mistake(
            f"{path}: is not a whole .xz file; pack it again, or name the unpacked file."
        )
    except OSError as trouble:
        return Mistake(
            f"{path}: cannot be read ({trouble.strerror}); name a .json or .json.xz file."
        )
    if len(content) > FILE_BYTES_MAX:
        limit = FILE_BYTES_MAX // 1024**2
        return Mistake(f"{path}: is larger than {limit} MiB unpacked, which no real case is.")
    return content


def _first(mistakes: ValidationError) -> str:
    """pydantic's first finding, with the place written as people write it: partitions[3].r[0]."""
    found = mistakes.errors(include_url=False)[0]
    place = ""
    for part in found["loc"]:
        place += f"[{part}]" if isinstance(part, int) else f".{part}"
    message = found["msg"].removeprefix("Value error, ")
    if found["type"] == "json_invalid":
        return f"is not JSON: {found['ctx']['error']}."
    more = mistakes.error_count() - 1
    rest = f" ({more} more like this)" if more else ""
    return f"at {place.removeprefix('.') or 'the top'}: {message}{rest}; {_FORMAT}"


_FORMAT = (
    'a case is {"brokers": [{"id": 1, "rack": "az0", "capacity": bytes}], '
    '"partitions": [{"t": "topic", "p": 0, "r": [3, 1, 2], "s": bytes}]}.'
)


def _inconsistent(case: _Case) -> str | None:
    """What the shape alone cannot show."""
    ids = [broker.id for broker in case.brokers]
    for index, broker in enumerate(ids):
        if broker in ids[:index]:
            return f"brokers[{index}] has id {broker} again; every broker needs an id of its own."
    seen: set[tuple[str, int]] = set()
    known = set(ids)
    for index, partition in enumerate(case.partitions):
        name = f"partitions[{index}] ({partition.t}-{partition.p})"
        if (partition.t, partition.p) in seen:
            return f"{name} is listed twice; every partition needs one entry."
        seen.add((partition.t, partition.p))
        wrong = _wrong_replicas(partition.r, known)
        if wrong:
            return f"{name} {wrong}"
    return None


def _wrong_replicas(replicas: Sequence[int], known: set[int]) -> str | None:
    for broker in replicas:
        if broker not in known:
            return f"lists broker {broker}, which is not among the brokers; add it or take it out."
        if replicas.count(broker) > 1:
            return f"lists broker {broker} twice; a broker can hold one replica of a partition."
    return None
