"""One cluster, looked at again and again by whichever process holds its lease.

One round: read what is due, remember it, have every rule look, let what they found move the book of
alerts, save book and incidents in one go, keep the view for those who ask. The surprising truth:
while Redis is away reading goes on. What was seen meanwhile is remembered here, so that afterwards
nobody is blind; nothing is told before it can be saved.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from changes.excuses import ChangeLease
from changes.view import ClusterView
from ledger import Conflict, LedgerUnavailable, UnreadableEntry
from ledger.rings import FRAME_BYTES_MAX, weight
from policies import Cluster
from watch.broker_history import BrokerHistory
from watch.complaints import Complaints
from watch.evaluate import evaluate
from watch.forecast import forecast
from watch.frames import Skipped, pack, unpack
from watch.history import History
from watch.holding import Hold
from watch.incident_settings import IncidentSettings
from watch.lag_figures import LagSettings
from watch.lag_states import GroupVerdict, verdicts
from watch.lagging import ladder
from watch.looking import AllTuned, Failures, look_all, tuned_from
from watch.rounds import Rounds, Wants
from watch.rule import Looked, Tuned
from watch.runtime import Runtime
from watch.seen import Seen
from watch.timing import Rhythm, WallClock
from watch.view import troubled, view_of

log = logging.getLogger(__name__)

LAG_RULE = "consumer_lag"
"""Whose settings decide what is too old, for verdicts and for the ladder of ages."""
SAVE_TRIES_MAX = 5
"""Races for the book: people acknowledge and mute while a round runs."""
REMEMBERED_SCANS = 60
"""So many scans of frames are read back at a start: more than a ring holds …"""
REMEMBERED_SECONDS_MIN = 900.0
"""… and at least so long: rebalances are counted over ten minutes, however quick scans are."""
DRAIN_SECONDS_MAX = 1800.0
"""A group that needs longer than this to catch up is no reason to hold alerts back for hours."""
BROKERS_KEPT_SECONDS = 60.0
"""How often the brokers' figures are kept: a minute of them is what a crash may cost."""


class ClusterWatch:
    """`run` until cancelled; `step` is one try, for tests."""

    def __init__(self, *, cluster: Cluster, runtime: Runtime) -> None:
        self._cluster = cluster
        self._runtime = runtime
        self._alerts = runtime.kept.current.alerts.of(cluster.name)
        self._rhythm = Rhythm(self._alerts.scan_seconds)
        self._clock = WallClock()
        self._hold = Hold(
            ledger=runtime.ledger,
            cluster=cluster.name,
            scan_seconds=self._alerts.scan_seconds,
        )
        self._rounds = Rounds(
            cluster=cluster.ref,
            open_ports=lambda: runtime.open_cluster(cluster),
            metrics_period_seconds=cluster.metrics_period_seconds,
        )
        self._history: History | None = None
        self._trouble: tuple[str, ...] = ()
        self._leases: tuple[ChangeLease, ...] = ()
        self._brokers_kept_at: float | None = None
        self._complaints = Complaints(cluster.name)
        self._failures = Failures()

    async def run(self) -> None:
        try:
            while True:
                await asyncio.sleep(self._rhythm.wait_seconds(self._runtime.mono()))
                began = self._runtime.mono()
                await self.step()
                self._looked(began)
        finally:
            await self.close()

    async def close(self) -> None:
        await self._hold.release()
        await self._rounds.close()

    async def step(self) -> None:
        """One round if this process holds the cluster's lease. The outer edge: never raises."""
        try:
            self._follow_settings()
            if await self._hold.claim():
                await self._round()
            else:
                self._history = None
            self._complaints.end("ledger", "round")
            self._failures.over("a look")
        except LedgerUnavailable as away:
            self._complaints.say("ledger", str(away))
        except UnreadableEntry as newer:
            # Whoever wrote it can go on with it: such a process may stand by.
            self._complaints.say("ledger", str(newer))
            await self._hold.release()
        except Exception:
            # The outer edge of a round: the next one begins afresh, people get a reference.
            reference = self._failures.note("a look", f"a look at {self._cluster.name}")
            self._complaints.note("round", f"the last look failed (reference {reference})")

    async def _round(self) -> None:
        now, mono = self._runtime.clock(), self._runtime.mono()
        if self._history is None:
            self._history = await asyncio.to_thread(self._remembered, now)
        jumped = self._clock.jumped(now, mono)
        if jumped:
            self._begin_afresh(self._history, jumped)
        tuned = tuned_from(self._alerts.rules)
        seen = await self._rounds.look(now=now, mono=mono, wants=await self._wants(tuned))
        # In a thread: a plan of a large cluster takes seconds, and the lease is renewed meanwhile.
        looked, view, drain = await asyncio.to_thread(self._look, self._history, seen, now, tuned)
        # Kept before it is judged: a book that cannot be read must not cost the record too.
        await asyncio.to_thread(self._keep, self._history, seen, view, mono)
        await asyncio.to_thread(self._judge_and_save, looked, seen, now, drain, jumped)

    def _look(
        self, history: History, seen: Seen, now: datetime, tuned: AllTuned
    ) -> tuple[Looked, ClusterView, float]:
        """What all rules say of this round, what people may ask, and how long readers still catch up."""
        history.add(seen)
        groups = verdicts(history.lag, seen, now, tuned.get(LAG_RULE, Tuned(LagSettings())))
        self._trouble = troubled(groups)
        looked = look_all(self._runtime.rules, history, seen, now, tuned, failures=self._failures)
        view = view_of(
            seen,
            history=history.lag,
            groups=groups,
            forecasts=forecast(history.brokers, now=now),
            looked=looked,
            complaints=self._complaints.words,
            on_call=self._alerts.on_call,
        )
        return looked, view, drain_of(groups)

    def _judge_and_save(
        self, looked: Looked, seen: Seen, now: datetime, drain_seconds: float, set_by: timedelta
    ) -> None:
        """Rules looked once; the book is moved again when somebody else saved it meanwhile."""
        ledger, name = self._runtime.ledger, self._cluster.name
        incidents = self._alerts.incidents
        assert isinstance(incidents, IncidentSettings)
        for _ in range(SAVE_TRIES_MAX):
            if not self._hold.held:
                return
            book = ledger.watch_book(name)
            judged = evaluate(
                book,
                looked,
                rules=self._runtime.rules,
                leases=seen.leases,
                mutes=ledger.mutes(name),
                settings=incidents,
                now=now,
                drain_seconds=drain_seconds,
                scan_seconds=seen.scan_seconds,
                clock_set_by=set_by,
            )
            # Notes first: they are written once however often, and a saved book makes no more.
            for request_id, words in judged.notes:
                self._note(request_id, words, now)
            try:
                ledger.save_watch(
                    name, judged.book, judged.incidents, expected_version=book.version
                )
                return
            except Conflict:
                continue
        log.warning("the book of %s was saved by others %d times", name, SAVE_TRIES_MAX)

    def _note(self, request_id: str, words: str, now: datetime) -> None:
        """What cannot be written into a thread (the request is of another version of Ottla, or saved
        by others all the time) must not keep anybody from being told; everything else goes on."""
        try:
            self._runtime.ledger.note_on_request(request_id, words, now=now)
        except (UnreadableEntry, Conflict) as not_written:
            log.warning("no note on %s: %s", request_id, not_written)

    def _keep(self, history: History, seen: Seen, view: ClusterView, mono: float) -> None:
        """For the next start, for replay, and for those who ask."""
        ledger, name = self._runtime.ledger, self._cluster.name
        ledger.keep_view(view)
        self._keep_frame(seen)
        since = self._brokers_kept_at
        if since is None or mono - since >= BROKERS_KEPT_SECONDS:
            ledger.keep_broker_history(name, history.brokers.pack())
            ledger.keep_lag_memory(name, history.lag.pack())
            self._brokers_kept_at = mono

    def _keep_frame(self, seen: Seen) -> None:
        frame = pack(seen)
        if weight(frame) > FRAME_BYTES_MAX // 4:
            self._complaints.say(
                "frames",
                f"a look weighs {weight(frame) / 2**20:.0f} MiB, too much to be kept: "
                "a restart begins without memory",
            )
            return
        self._complaints.end("frames")
        self._runtime.ledger.keep_frame(self._cluster.name, frame, at=seen.at)

    def _remembered(self, now: datetime) -> History:
        """What was seen before this process looked, from whoever looked then."""
        ledger, name = self._runtime.ledger, self._cluster.name
        history = History()
        kept = ledger.broker_history(name)
        if kept is not None:
            history.brokers = BrokerHistory.unpack(kept)
        known_until = history.brokers.newest_at
        seconds = max(REMEMBERED_SECONDS_MIN, REMEMBERED_SCANS * self._alerts.scan_seconds)
        since = now - timedelta(seconds=seconds)
        frames = 0
        for frame in ledger.frames(name, since=since):
            seen = unpack(frame)
            if isinstance(seen, Skipped):
                log.warning("%s: %s", name, seen.words)
            elif seen.at <= now:
                history.lag.add(seen)
                # What the brokers' history knows already would look like a clock that went back.
                if seen.at.timestamp() > known_until:
                    history.brokers.add(seen)
                frames += 1
        memory = ledger.lag_memory(name)
        if memory is not None:
            history.lag.recall(memory)
        log.info("looking at %s, with %d earlier looks remembered", name, frames)
        return history

    async def _wants(self, tuned: AllTuned) -> Wants:
        # While Redis is away reading goes on; by the old leases nothing is judged that could be saved.
        with contextlib.suppress(LedgerUnavailable):
            self._leases = await asyncio.to_thread(
                self._runtime.ledger.change_leases, self._cluster.name
            )
        return Wants(
            scan_seconds=self._alerts.scan_seconds,
            watched=self._alerts.groups.watched,
            ladder=ladder(slos(tuned)),
            trouble=self._trouble,
            leases=self._leases,
        )

    def _follow_settings(self) -> None:
        """The newest good files; a broken edit is something to complain of."""
        kept = self._runtime.kept
        self._alerts = kept.refresh().alerts.clusters.get(self._cluster.name, self._alerts)
        self._rhythm.changed(self._alerts.scan_seconds)
        if kept.problem:
            first = kept.problem.splitlines()[0]
            self._complaints.note("files", f"the newest edit does not count: {first}")
        else:
            self._complaints.end("files")

    def _begin_afresh(self, history: History, by: timedelta) -> None:
        """Offsets from before a jump of the clock cannot be compared with those after it."""
        seconds = by.total_seconds()
        words = f"the clock was set by {seconds:+.0f} s: ages and rates begin afresh"
        log.warning("%s: %s", self._cluster.name, words)
        history.lag.begin_afresh(seconds=seconds)

    def _looked(self, began: float) -> None:
        ended = self._runtime.mono()
        skipped = self._rhythm.looked(began=began, ended=ended)
        if skipped:
            self._complaints.say(
                "pace",
                f"the last look took {ended - began:.0f} s, longer than the "
                f"{self._alerts.scan_seconds:g} s between looks: {skipped} skipped",
            )
        else:
            self._complaints.end("pace")


def drain_of(groups: Mapping[str, GroupVerdict]) -> float:
    """How long the slowest group that catches up still needs; none = no time at all."""
    etas = [entry.eta_seconds or 0.0 for one in groups.values() for entry in one.entries]
    return min(DRAIN_SECONDS_MAX, max(etas, default=0.0))


def slos(tuned: AllTuned) -> tuple[float, ...]:
    """Every age that some rule's settings, or an exception of them, call too old."""
    return tuple(
        settings.slo_seconds
        for one in tuned.values()
        for settings in (one.base, *(exception for _, exception in one.exceptions))
        if hasattr(settings, "slo_seconds")
    )
