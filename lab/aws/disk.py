"""What a broker keeps on its disk, read from the folder itself.

Blocks are counted, not lengths: Kafka's index files are sparse and claim 10 MiB each.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

CANARIES = ("__amazon_msk_canary", "__amazon_msk_canary_state")
_PARTITION = re.compile(r"(?P<topic>.+)-\d+")
_NOT_USERS = (*CANARIES, "__cluster_metadata")


def used_bytes(log_dir: Path) -> int:
    """Bytes the folder takes on the disk; files that vanish while we look are gone, not errors."""
    return sum(_blocks(entry) for entry in _files(log_dir))


def _files(folder: Path | str) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            found = list(entries)
    except FileNotFoundError:
        return
    for entry in found:
        if entry.is_dir(follow_symlinks=False):
            yield from _files(entry.path)
        else:
            yield entry


def _blocks(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_blocks * 512
    except FileNotFoundError:
        return 0


def user_partition_exists(log_dir: Path) -> bool:
    """Whether any partition lies here that MSK would not move by itself; Kafka's own
    `__consumer_offsets` and `__transaction_state` count as users'."""
    try:
        names = os.listdir(log_dir)
    except FileNotFoundError:
        return False
    return any(_is_users(name) for name in names)


def _is_users(name: str) -> bool:
    matched = _PARTITION.fullmatch(name)
    return matched is not None and matched["topic"] not in _NOT_USERS
