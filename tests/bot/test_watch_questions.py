"""`/kafka lag`, `balance`, `forecast`, `incidents`, `mute`: answers for the asker alone, never guessed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.answers import ANSWERS
from bot.cards.blocks import Drawn
from changes.incident import Line
from changes.view import ClusterView
from lab.slack.entities import Person as Member
from tests.bot.counter import Counter, counter
from tests.bot.incident_samples import CLUSTER, alert, incident, opened, over
from tests.bot.view_samples import crowd, view

pytestmark = pytest.mark.slow

__all__ = ["counter"]

DAN = "U0LAB0DAN1"


def dan(counter: Counter) -> Member:
    return counter.running.workspace.people[DAN]


async def ask(counter: Counter, text: str, actor: Member | None = None) -> str:
    """Everything the asker is told, and that nobody else is told anything."""
    workspace = counter.running.workspace
    known, said = (
        set(workspace.ephemerals),
        sum(len(c.messages) for c in workspace.channels.values()),
    )
    asker = actor or dan(counter)
    acknowledged = await counter.command(text, asker)
    await counter.bot.doors.tasks.drain(seconds=5)
    fresh = [entry for ts, entry in workspace.ephemerals.items() if ts not in known]
    assert {entry["user"] for entry in fresh} <= {asker.id}
    assert sum(len(c.messages) for c in workspace.channels.values()) == said
    return "\n".join([acknowledged, *(entry["message"]["text"] for entry in fresh)])


def seen(counter: Counter, one: ClusterView | None = None, *, seconds_ago: float = 20) -> None:
    at = counter.bot.doors.now() - timedelta(seconds=seconds_ago)
    counter.ledger.keep_view((one or view()).with_(at=at))


async def test_lag_shows_the_worst_and_says_of_when(counter: Counter) -> None:
    seen(counter)
    told = await ask(counter, "lag")
    assert "Lag of 4 consumer groups on orders-prod" in told
    assert "payments · 182,400 · 4 min" in told
    assert "as of 20 s ago" in told


async def test_lag_of_one_group_in_full(counter: Counter) -> None:
    seen(counter)
    told = await ask(counter, f"lag billing on {CLUSTER}")
    assert "*falling behind*" in told
    assert "Messages a second: 120 come in, 80.5 are read" in told
    assert "2 partitions could not be read" in told
    assert "audit" in await ask(counter, "lag audit:eu"), "a colon is fine in a name"


@pytest.mark.parametrize(
    ("typed", "near"),
    [("paymets", "`payments`"), ("PAYMENTS", "`payments`"), ("bill", "`billing`"), ("zzz", "")],
)
async def test_an_unknown_group_is_answered_with_the_nearest(
    counter: Counter, typed: str, near: str
) -> None:
    seen(counter)
    told = await ask(counter, f"lag {typed}")
    assert f"There is no consumer group `{typed}` on orders-prod" in told
    assert near in told
    assert ("Did you mean" in told) == bool(near)


async def test_fifty_thousand_groups_are_answered_by_the_worst_fifteen(counter: Counter) -> None:
    seen(counter, view(groups=crowd(5_000), groups_total=50_000))
    told = await ask(counter, "lag")
    assert "Lag of 50,000 consumer groups" in told
    assert told.count("falling behind") == 1 + 15
    told = await ask(counter, "lag service-4999")
    assert "Only the 5,000 worst of 50,000 are known here" in told


async def test_an_old_view_is_told_as_old_and_none_as_none(counter: Counter) -> None:
    for question in ("lag", "lag payments", "balance", "forecast"):
        told = await ask(counter, question)
        assert "The watch has not looked at orders-prod" in told, question
    seen(counter, seconds_ago=720)
    for question in ("lag", "lag payments", "balance", "forecast"):
        told = await ask(counter, question)
        assert "the watch has not looked at `orders-prod` since" in told, question
        assert "12 min ago" in told


async def test_balance_and_forecast_answer(counter: Counter) -> None:
    seen(counter)
    told = await ask(counter, "balance")
    assert "brokers 4, 5 and 6 lead nothing" in told
    assert "leaders: broker 1 200" in told
    told = await ask(counter, "forecast")
    assert "broker 1, disk: 90 % in 15 h" in told


async def test_an_unknown_cluster_is_a_mistake_with_the_known_ones(counter: Counter) -> None:
    told = await ask(counter, "lag on orders-pord")
    assert "There is no cluster `orders-pord`" in told
    assert "`orders-prod`" in told


async def test_incidents_lists_open_muted_and_past_ones(counter: Counter) -> None:
    seen(counter)
    assert "Nothing is wrong anywhere" in await ask(counter, "incidents")
    now = counter.bot.doors.now()
    (first,) = opened(counter.ledger, incident(opened_at=now - timedelta(minutes=12)))
    opened(counter.ledger, over(first))
    opened(counter.ledger, incident(alert("group b"), opened_at=now))
    await ask(counter, "mute group payments for 1h because we deploy")
    told = await ask(counter, "incidents")
    assert "1 open incident" in told
    assert "*I-2* Consumers on orders-prod" in told
    assert "*M-1* `group payments` of orders-prod until" in told
    assert "*I-1* Consumers on orders-prod, `group payments`: 12 min from" in told
    assert "Over before" not in told
    told = await ask(counter, "incidents I-1")
    assert "I-1 · Consumers on orders-prod · over" in told
    assert "There is no incident I-9" in await ask(counter, "incidents i9")


async def test_what_was_over_before_anybody_was_told_can_be_read(counter: Counter) -> None:
    seen(counter)
    past = tuple(
        Line(at=counter.bot.doors.now() - timedelta(hours=ago), text=text)
        for ago, text in ((2, "group `a` was behind; over after 2 min"), (1, "<!channel> of b"))
    )
    book = counter.ledger.watch_book(CLUSTER)
    counter.ledger.save_watch(CLUSTER, book.with_(past=past), (), expected_version=book.version)
    told = await ask(counter, "incidents")
    assert "*Over before anybody was told*" in told
    assert told.index("channel") < told.index("over after 2 min"), "newest first"
    assert "<!channel>" not in told


async def test_a_mute_that_outlived_its_incident_is_listed_and_can_be_ended(
    counter: Counter,
) -> None:
    seen(counter)
    now = counter.bot.doors.now()
    opened(counter.ledger, incident(opened_at=now - timedelta(minutes=12)))
    await ask(counter, "mute I-1 for 2d")
    muted = counter.ledger.incident("I-1")
    assert muted is not None
    opened(counter.ledger, over(muted))
    told = await ask(counter, "incidents")
    assert "Nothing is wrong" not in told, "nobody would hear of it"
    assert "*I-1* (over): consumers of orders-prod until" in told
    assert "I-1 is heard again" in await ask(counter, "unmute I-1")
    assert "(over)" not in await ask(counter, "incidents")
    assert "I-1 is over: there is nothing to unmute" in await ask(counter, "unmute I-1")


async def test_no_incident_is_no_comfort_where_nobody_looks(counter: Counter) -> None:
    told = await ask(counter, "incidents")
    assert "Nothing is wrong" not in told
    assert "No incident is open" in told
    assert "the watch has not looked at `orders-prod` yet" in told


async def test_no_incident_is_no_comfort_where_the_watch_complains(counter: Counter) -> None:
    seen(counter, view(blind=("the watch's book was written by another version of Ottla",)))
    told = await ask(counter, "incidents")
    assert "Nothing is wrong" not in told
    assert "not seen on `orders-prod`: the watch's book was written by another version" in told


@pytest.mark.parametrize(
    ("typed", "subject", "minutes"),
    [
        ("mute group payments for 2h", "group payments", 120),
        ("mute payments for 30m because we deploy", "group payments", 30),
        ("mute broker 2", "broker 2", 120),
        ("mute topic orders for 1d", "topic orders", 1440),
        ("mute topic skewed for 1d", "topic skewed", 1440),
        ("mute partition orders-3 for 1h", "partition orders-3", 60),
        ("mute refunds for 1h", "topic refunds", 60),
        ("mute everything for 90min", "", 90),
        ("mute cluster for 1h", "cluster", 60),
        ("mute skewed for 1h", "topic skewed", 60),
    ],
)
async def test_muting_one_object_or_everything(
    counter: Counter, typed: str, subject: str, minutes: int
) -> None:
    seen(counter)
    opened(counter.ledger, incident(alert("topic skewed")))
    told = await ask(counter, typed)
    assert "M-1: " in told
    assert "Lost records, offline partitions and critical disks are told all the same." in told
    (mute,) = counter.ledger.mutes(CLUSTER)
    assert (mute.subject, mute.by) == (subject, DAN)
    assert (mute.until - mute.at) == timedelta(minutes=minutes)
    assert mute.reason == ("we deploy" if "because" in typed else "")
    assert "M-1 is over" in await ask(counter, "unmute M-1")
    assert counter.ledger.mutes(CLUSTER) == ()
    assert [line.event for line in counter.ledger.audit_lines()] == [
        "mute by command",
        "unmute by command",
    ]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("mute group paymets for 2h", "There is no consumer group `paymets` on orders-prod. Did"),
        ("mute broker 9", "There is no broker `9` on orders-prod"),
        ("mute paymets", "There is no group, topic or broker `paymets` on orders-prod. Did you"),
        ("mute group payments for ever", "`ever` is no time. Write it like `30m`, `2h` or `1d`."),
        ("mute group payments for 8d", "A mute lasts 7 days at most"),
        ("mute group", "Which group?"),
        ("mute topic ordrs", "There is no topic `ordrs` on orders-prod. Did you mean `orders`?"),
        ("mute partition ordrs-3", "There is no topic `ordrs` on orders-prod. Did you mean"),
        ("mute partition orders", "`orders` is no partition: write it like `orders-3`."),
        ("mute planet mars", "`planet` cannot be muted"),
        ("mute 2", "There is no group, topic or broker `2`|is the name of several"),
        ("mute I-77", "There is no incident I-77"),
        ("unmute M-9", "There is no mute M-9 (any more)"),
        ("unmute I-9", "There is no incident I-9"),
        ("unmute payments", "`payments` is no mute. Mutes are named like `M-3`"),
    ],
)
async def test_what_cannot_be_muted_is_said_with_what_would_be_right(
    counter: Counter, typed: str, words: str
) -> None:
    seen(counter)
    if typed == "mute 2":
        opened(counter.ledger, incident(alert("topic 2")))
    told = await ask(counter, typed)
    assert any(one in told for one in words.split("|")), told
    assert counter.ledger.mutes(CLUSTER) == ()


@pytest.mark.parametrize("typed", ["mute everything", "unmute M-1", "ack I-1", "mute I-1"])
async def test_guests_are_refused_with_words_and_an_audit_line(
    counter: Counter, typed: str
) -> None:
    seen(counter)
    opened(counter.ledger, incident())
    await ask(counter, "mute broker 2")
    guest = counter.member(id="U0CASE0005", name="gusto", kind="guest")
    told = await ask(counter, typed, guest)
    assert "guests cannot act on clusters" in told
    assert len(counter.ledger.mutes(CLUSTER)) == 1
    last = list(counter.ledger.audit_lines())[-1]
    assert last.actor == guest.id
    assert last.event.startswith("refused: ")


async def test_an_answer_whose_blocks_slack_will_not_have_arrives_as_text(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def bad(*_: object) -> list[Drawn]:
        return [Drawn(text="the figures", blocks=({"type": "table", "rows": []},))]

    monkeypatch.setattr("bot.slash.ANSWERED", {"balance": bad})
    told = await ask(counter, "balance")
    assert "the figures" in told


async def test_help_names_every_question(counter: Counter) -> None:
    told = await ask(counter, "help")
    for answer in ANSWERS:
        line = answer.usage.line.replace("<", "&lt;").replace(">", "&gt;")
        assert line in told, answer.usage.line
    assert "mute group payments for 2h" in await ask(counter, "help mute")
