"""Which broker coordinates which group, and what to ask each coordinator.

The surprising truth: nobody has to be asked who coordinates a group. Each broker lists the groups that
it coordinates, so whoever names a group is its coordinator; only a group that no list names is asked
for by FindCoordinator.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from cluster.wire_cursor import (
    Listed,
    Topics,
    read_list_groups,
    read_list_groups_untyped,
    read_offset_fetch,
    read_offset_fetch_one,
    write_offset_fetch,
    write_offset_fetch_one,
)
from cluster.wire_offsets import LIST_GROUPS, OFFSET_FETCH, OFFSET_FETCH_ONE
from cluster.wire_requests import FirstSpoken, Ready

GROUPS_PER_REQUEST_MAX = 500
ANSWER_BYTES_MAX = 1_000_000
ENTRY_BYTES = 24
"""Of one committed offset in an answer, its share of names included."""
ENTRIES_GUESSED = 50
"""Of a group never read before."""
SHARE = "share"
"""The kind, and the protocol type, of groups that have no lag of their own to read here."""

LIST = FirstSpoken(
    (
        Ready(replace(LIST_GROUPS, version_min=5), b"\x01\x01\x00", read_list_groups),
        Ready(replace(LIST_GROUPS, version_max=4), b"\x01\x00", read_list_groups_untyped),
    )
)
"""No filter of states or types: a share group is left out here, not by an old broker's guess."""


@dataclass(frozen=True, slots=True)
class Home:
    """Where a group is coordinated, and what its coordinator said of it last."""

    broker_id: int
    state: str
    kind: str


class Groups:
    """What lists have told so far. `wanted` says of a name whether anybody wants to know its lag."""

    def __init__(self, *, keys: Topics, wanted: Callable[[str], bool]) -> None:
        self.homes: dict[str, Home] = {}
        self._keys = keys
        self._wanted = wanted
        self._of: dict[int, set[str]] = {}
        """Groups by broker; the names of `homes`, the other way round."""
        self._plans: dict[int, Sequence[Ready]] = {}
        self._single: set[int] = set()
        """Brokers that must be asked for each group by itself."""
        self._sizes: dict[str, int] = {}
        self.listed: set[int] = set()
        """Brokers whose list was read to its end, and not doubted since."""

    def learn(self, broker_id: int, rows: Iterable[Listed]) -> set[str]:
        """A broker's whole list; returns the groups that it named before and names no more."""
        self.listed.add(broker_id)
        named = {row.group: row for row in rows if SHARE not in (row.kind, row.protocol_type)}
        unwanted = {group for group in named if not self._wanted(group)}
        self.forget(unwanted)
        for group, row in named.items():
            if group not in unwanted:
                self._move(group, Home(broker_id, row.state, row.kind or "classic"))
        return self._of.get(broker_id, set()) - named.keys()

    def move(self, group: str, broker_id: int) -> None:
        """FindCoordinator knows where a group lives, not how it is."""
        self._move(group, replace(self.homes[group], broker_id=broker_id))

    def forget(self, groups: Collection[str]) -> None:
        """They were deleted."""
        for group in groups:
            home = self.homes.pop(group, None)
            if home is not None:
                self._of[home.broker_id].discard(group)
                self._plans.pop(home.broker_id, None)
            self._sizes.pop(group, None)

    def at(self, broker_ids: Iterable[int]) -> set[str]:
        """Groups that live at one of these brokers."""
        return {group for broker_id in broker_ids for group in self._of.get(broker_id, ())}

    def brokers(self) -> tuple[int, ...]:
        """Brokers that coordinate any group we want to know of."""
        return tuple(sorted(broker_id for broker_id, groups in self._of.items() if groups))

    def must_be_single(self, broker_id: int) -> None:
        """It does not speak OffsetFetch for many groups."""
        self._single.add(broker_id)
        self._plans.pop(broker_id, None)

    def is_single(self, broker_id: int) -> bool:
        return broker_id in self._single

    def hope_again(self) -> None:
        """Brokers are upgraded, too."""
        for broker_id in self._single:
            self._plans.pop(broker_id, None)
        self._single.clear()

    def outgrown(self, broker_id: int, entries: Mapping[str, int]) -> None:
        """An answer of this broker was too large: pack anew, by the entries that were read."""
        self._sizes.update(entries)
        self._plans.pop(broker_id, None)

    def standing_plan(self, broker_id: int) -> Sequence[Ready]:
        """For every group at a broker; made once for as long as its groups are the same."""
        if broker_id not in self._plans:
            self._plans[broker_id] = self.plan(broker_id, sorted(self._of.get(broker_id, ())))
        return self._plans[broker_id]

    def plan(self, broker_id: int, groups: Sequence[str]) -> Sequence[Ready]:
        if broker_id in self._single:
            return [self._one(group) for group in groups]
        read = partial(read_offset_fetch, topics=self._keys)
        return [
            Ready(OFFSET_FETCH, write_offset_fetch(part), read) for part in self._packed(groups)
        ]

    def _one(self, group: str) -> Ready:
        read = partial(read_offset_fetch_one, group=group, topics=self._keys)
        return Ready(OFFSET_FETCH_ONE, write_offset_fetch_one(group), read)

    def _packed(self, groups: Sequence[str]) -> Iterable[Sequence[str]]:
        """Parts whose answers stay below the limit, as far as sizes are known."""
        part: list[str] = []
        filled = 0
        for group in groups:
            size = ENTRY_BYTES * self._sizes.get(group, ENTRIES_GUESSED)
            if part and (filled + size > ANSWER_BYTES_MAX or len(part) == GROUPS_PER_REQUEST_MAX):
                yield part
                part, filled = [], 0
            part.append(group)
            filled += size
        if part:
            yield part

    def _move(self, group: str, home: Home) -> None:
        before = self.homes.get(group)
        self.homes[group] = home
        if before is not None and before.broker_id == home.broker_id:
            return
        if before is not None:
            self._of[before.broker_id].discard(group)
            self._plans.pop(before.broker_id, None)
        self._of.setdefault(home.broker_id, set()).add(group)
        self._plans.pop(home.broker_id, None)
