"""What people type, from a toy catalog: the grammar knows no change of its own."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, field_validator

from changes.change import Change
from changes.grammar import (
    Asked,
    BadUsage,
    Mistake,
    Question,
    Usage,
    help_text,
    parse,
    usages_of,
)


class ScaleToy(Change):
    usage: ClassVar[str] = "scale brokers <brokers>"
    examples: ClassVar[tuple[str, ...]] = ("scale brokers 6",)
    brokers: int = Field(ge=1, le=100)


class ThrottleToy(Change):
    usage: ClassVar[str] = "set throttle <rate> for <topic> [<speed>]"
    examples: ClassVar[tuple[str, ...]] = ("set throttle 5.5 for orders fast",)
    rate: Annotated[float, Field(gt=0)]
    topic: str
    speed: Literal["slow", "fast"] = "slow"

    @field_validator("topic")
    @classmethod
    def not_internal(cls, topic: str) -> str:
        if topic.startswith("__"):
            raise ValueError(f"{topic} belongs to Kafka itself.")
        return topic


QUESTIONS = (
    Usage("help [<topic...>]", "help", ("help scale brokers",), "What can be asked."),
    Usage("status [on <cluster>]", "status", ("status",), "How a cluster is. In one line."),
    Usage("show <request>", "show", ("show R-17",)),
    Usage("approve <request>", "approve", ("approve R-17",)),
    Usage("reject <request> [<reason...>]", "reject", ("reject R-17 too early",)),
)
USAGES = usages_of((ScaleToy, ThrottleToy), QUESTIONS)
CLUSTERS = ("orders-prod", "orders-staging")


def said(text: str, default: str | None = "orders-prod") -> Asked | Question | Mistake:
    return parse(text, usages=USAGES, clusters=CLUSTERS, default_cluster=default)


def mistake(text: str, default: str | None = "orders-prod") -> Mistake:
    found = said(text, default)
    assert isinstance(found, Mistake), found
    return found


def asked(text: str, default: str | None = "orders-prod") -> Asked:
    found = said(text, default)
    assert isinstance(found, Asked), found
    return found


UNDERSTOOD = [
    ("scale brokers 6", 6, "orders-prod", ""),
    ("SCALE Brokers 6", 6, "orders-prod", ""),
    ("  scale   brokers  6  ", 6, "orders-prod", ""),
    ("scale\u00a0brokers\u00a06", 6, "orders-prod", ""),
    ("scale\u3000brokers\u3000１２", 12, "orders-prod", ""),
    ("scale brokers\n6", 6, "orders-prod", ""),
    ("scale brokers 𝟲", 6, "orders-prod", ""),
    ("scale brokers 6 on orders-staging", 6, "orders-staging", ""),
    ("scale brokers 6 ON orders-staging BECAUSE lag", 6, "orders-staging", "lag"),
    ("scale brokers 6 because “Black Friday”", 6, "orders-prod", "Black Friday"),
    ("scale brokers 6 because it’s slow", 6, "orders-prod", "it's slow"),
    ("scale brokers 6 because 'lag' on orders-staging", 6, "orders-staging", "lag"),
    ("scale brokers 6 because lag on orders-prod", 6, "orders-prod", "lag on orders-prod"),
    ("scale brokers 6 because <@U1|ann> asked; `now`", 6, "orders-prod", "<@U1|ann> asked; `now`"),
]


@pytest.mark.parametrize(("text", "brokers", "cluster", "because"), UNDERSTOOD)
def test_is_understood(text: str, brokers: int, cluster: str, because: str) -> None:
    found = asked(text)
    assert found.change == ScaleToy(cluster=cluster, brokers=brokers)
    assert found.because == because


# text, where the caret stands, what the message says
REFUSED = [
    ("scale brokers -6", 14, "cannot be negative"),
    ("scale brokers −6", 14, "cannot be negative"),
    ("scale brokers 6.0", 14, "Write `6`"),
    ("scale brokers 006", 14, "Write `6`"),
    ("scale brokers 1,000", 14, "Write `1000`"),
    ("scale brokers ٦", 14, "Write `6`"),
    ("scale brokers 6²", 14, "must be a whole number"),
    ("scale brokers six", 14, "Write digits only"),
    ("scale brokers 6;rm", 15, "`;` has no meaning here"),
    ("scale brokers 6 ; rm", 16, "`;` has no meaning here"),
    ("scale brokers 6 && reboot", 16, "`&` has no meaning here"),
    ("scale brokers $(x)", 14, "`$` has no meaning here"),
    ("scale brokers `6`", 14, "shell"),
    ("scale brokers <@U1|x>", 14, "A mention cannot stand here"),
    ("scale brokers <!channel>", 14, "A mention cannot stand here"),
    ("scale brokers 6 on <#C1|ops>", 19, "A channel cannot stand here"),
    ("scale brokers 6 on <http://orders.prod|orders.prod>", 19, "A link cannot stand here"),
    ("scale brokers <brokers>", 14, "without the brackets"),
    ("scale brokers 6\u202e7", 15, "RIGHT-TO-LEFT OVERRIDE (U+202E)"),
    ("scale brokers 6\u200b", 15, "ZERO WIDTH SPACE (U+200B)"),
    ("scale brokers 6 because a\0b", 25, "NULL (U+0000)"),
    ("scale brokers 6\x1b[2J", 15, "a control character (U+001B)"),
    ("scale brokers 0", 14, "must be at least 1; `0` is not"),
    ("scale brokers 101", 14, "must be at most 100"),
    ("scale brokers 99999999999999999999999999", 14, "must be at most 100"),
    ("scale brokers", 14, "`brokers` is missing"),
    ("scale brokers 6 7", 16, "`7` is too much"),
    ("scale", 6, "After `scale` comes `brokers`"),
    ("scale borkers 6", 6, "comes `brokers`, not `borkers`"),
    ("scael brokers 6", 0, "I do not know `scael`"),
    ("; rm -rf /", 0, "`;` has no meaning here"),
    ("scale brokers 6 on", 19, "`on` needs the name of a cluster"),
    ("scale brokers 6 on orders-prod on orders-prod", 31, "twice"),
    ("scale brokers 6 on orders-prod because 'x' on orders-staging", 43, "twice"),
    ("scale brokers 6 on Orders-Prod", 19, "names are exact. Did you mean `orders-prod`"),
    ("scale brokers 6 on orders", 19, "Did you mean `orders-prod`, `orders-staging`"),
    ("scale brokers 6 on orders-*", 26, "`*` has no meaning here"),
    ("scale brokers 6 on payments", 19, "Known: `orders-prod`, `orders-staging`"),
    ("scale brokers 6 on arn:aws:kafka:eu:1:cluster/orders-prod/x", 19, "not by ARN"),
    ("scale brokers 6 because", 24, "`because` needs a reason"),
    ('scale brokers 6 because ""', 27, "`because` needs a reason"),
    ("scale brokers 6 because lag on orders-staging", 31, "part of the reason, or the cluster"),
    ("set throttle 0 for t", 13, "must be more than 0"),
    ("set throttle x for t", 13, "must be a number"),
    ("set throttle nan for t", 13, "must be a number"),
    ("set throttle 5 four t", 15, "`for` should stand here, not `four`"),
    ("set throttle 5 for t fsat", 21, "Did you mean `fast`"),
    ("set throttle 5 for __consumer_offsets", 19, "belongs to Kafka itself"),
    ("approve", 8, "`request` is missing"),
    ("approve 17", 8, "named like `R-17`"),
    ("approve #17", 8, "named like `R-17`"),
    ("approve R-0", 8, "named like `R-17`"),
    ("approve R-17 now", 13, "`now` is too much"),
    ("status on order-prod", 10, "Did you mean `orders-prod`"),
]


@pytest.mark.parametrize(("text", "caret", "message"), REFUSED)
def test_is_refused_at_its_place(text: str, caret: int, message: str) -> None:
    found = mistake(text)
    assert message in found.message
    assert found.caret == caret


def test_a_mistake_draws_its_caret_under_the_word_and_says_what_would_be_right() -> None:
    assert mistake("scale brokers 6.0").words() == (
        "scale brokers 6.0\n"
        "              ^\n"
        "`brokers` must be a whole number; `6.0` is none. Write `6`.\n"
        "Try: scale brokers 6"
    )


def test_a_caret_far_to_the_right_is_shown_in_a_window() -> None:
    shown = mistake("scale brokers 6 because " + "x" * 200 + "\u202e").words().splitlines()
    assert len(shown[0]) <= 70
    assert shown[0][len(shown[1]) - 1] == "□"


def test_a_caret_counts_the_columns_of_wide_letters() -> None:
    shown = mistake("scale brokers 六 7").words().splitlines()
    assert shown[1].index("^") == 14
    wide = mistake("scale brokers 6 because 東京\u202e").words().splitlines()
    assert wide[1].index("^") == 28


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("scael brokers 6", "scale brokers 6"),
        ("aprove R-17", "approve R-17"),
        ("staus", "status"),
        ("scale borkers 6", "scale brokers 6"),
        ("brokers 6", "scale brokers 6"),
        ("reboot everything", ""),
    ],
)
def test_an_unknown_command_gets_the_nearest_one(text: str, right: str) -> None:
    assert mistake(text).suggestion == right


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("sclae brokers 9", "scale brokers 9"),
        ("SCLAE Brokers 9 because it lags", "scale brokers 9 because it lags"),
        ("sclae brokers 9 on orders-staging", "scale brokers 9 on orders-staging"),
        ("scale broker 9", "scale brokers 9"),
        ("scalebrokers 9", "scale brokers 9"),
        ("scale 9", "scale brokers 9"),
        ("brokers 9", "scale brokers 9"),
        ("sclae brokers ９", "scale brokers 9"),
        ("aprove R-4", "approve R-4"),
        ("rejcet R-4 too late today", "reject R-4 too late today"),
        ("staus on orders-staging", "status on orders-staging"),
        ("set throtle 7 for clicks slow", "set throttle 7 for clicks slow"),
    ],
)
def test_a_suggestion_keeps_what_was_typed(text: str, right: str) -> None:
    assert mistake(text).suggestion == right
    assert not isinstance(said(right), Mistake)


@pytest.mark.parametrize(
    "text",
    [
        "sclae brokers",
        "sclae brokers nine",
        "sclae brokers 9; rm",
        "sclae brokers 9 on nowhere",
        "scale storage 9",
    ],
)
def test_what_could_not_be_read_is_answered_with_the_example(text: str) -> None:
    assert mistake(text).suggestion == "scale brokers 6"


def test_a_suggestion_is_kept_where_only_the_cluster_has_to_be_named() -> None:
    assert mistake("sclae brokers 9", default=None).suggestion == "scale brokers 9"


def test_too_long_says_how_long_it_may_be() -> None:
    found = mistake("scale brokers 6 because " + "x" * 10_000)
    assert "10024 characters" in found.message
    assert "500" in found.message
    assert len(found.words()) < 300


def test_the_channels_cluster_is_used_and_said() -> None:
    assert asked("scale brokers 6").stated == ("on orders-prod, this channel's cluster",)
    assert asked("scale brokers 6 on orders-prod").stated == ()


def test_without_a_cluster_of_the_channel_one_must_be_named() -> None:
    found = mistake("scale brokers 6", default=None)
    assert "add `on CLUSTER`" in found.message
    assert "`orders-prod`" in found.message


def test_a_reason_that_ends_on_a_cluster_names_it_where_nothing_else_could() -> None:
    found = asked("scale brokers 6 because lag on orders-prod", default=None)
    assert found.change.cluster == "orders-prod"
    assert found.stated == ("on orders-prod, which the reason ends on",)


@pytest.mark.parametrize(
    ("text", "name", "arguments"),
    [
        ("", "help", {}),
        ("help", "help", {}),
        ("Help scale brokers", "help", {"topic": "scale brokers"}),
        ("approve r-17", "approve", {"request": "R-17"}),
        ("approve R17", "approve", {"request": "R-17"}),
        ("approve R-１７", "approve", {"request": "R-17"}),
        ("status", "status", {}),
        ("status on orders-prod", "status", {"cluster": "orders-prod"}),
        ("reject R-17", "reject", {"request": "R-17"}),
        (
            "reject R-17 because “no; not now”",
            "reject",
            {"request": "R-17", "reason": "no; not now"},
        ),
    ],
)
def test_a_question_is_understood(text: str, name: str, arguments: dict[str, str]) -> None:
    assert said(text) == Question(name=name, arguments=arguments)


def test_types_and_optional_words_come_from_the_change_itself() -> None:
    found = asked("set throttle 5.5 for orders.v1 fast because x")
    assert found.change == ThrottleToy(
        cluster="orders-prod", rate=5.5, topic="orders.v1", speed="fast"
    )
    assert asked("set throttle 5 for t on orders-staging").change.cluster == "orders-staging"


@pytest.mark.parametrize("usage", USAGES, ids=lambda usage: usage.line)
def test_every_example_is_understood(usage: Usage) -> None:
    for example in usage.examples:
        assert not isinstance(said(example), Mistake)


def test_a_change_that_was_asked_for_returns_from_json_as_its_class() -> None:
    found = asked("scale brokers 6 because x")
    assert Asked.model_validate_json(found.model_dump_json()) == found


def test_help_shows_every_line_and_one_in_full() -> None:
    text = help_text(USAGES)
    assert all(usage.line in text for usage in USAGES)
    assert "on CLUSTER" in text
    assert "How a cluster is.\n" in text
    full = help_text(USAGES, "scale")
    assert "scale brokers <brokers> [on <cluster>] [because <reason...>]" in full
    assert "  scale brokers 6" in full
    assert "Did you mean `help scale brokers`" in help_text(USAGES, "scale borkers")


def test_a_usage_that_names_no_field_is_refused_at_start() -> None:
    class Wrong(Change):
        usage: ClassVar[str] = "wrong <colour>"
        examples: ClassVar[tuple[str, ...]] = ()

    with pytest.raises(BadUsage, match="colour"):
        usages_of((Wrong,))
    with pytest.raises(BadUsage, match="two usages"):
        usages_of((ScaleToy, ScaleToy))
    with pytest.raises(BadUsage, match="begin with a word"):
        usages_of((), (Usage("<what>", "what"),))


@given(st.text(max_size=60) | st.text(alphabet="scale brokers 6on;`<>\"'", max_size=40))
def test_whatever_is_typed_gets_an_answer_with_its_caret_inside(text: str) -> None:
    found = said(text)
    if isinstance(found, Mistake):
        assert found.message
        assert found.caret is None or 0 <= found.caret <= len(found.text) + 1
        assert found.words()


FOLLOWED = usages_of(
    (), (Usage(line="lag [<group>] [on <cluster>] [because <reason...>]", means="lag"),)
)


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("lag", {}),
        ("lag payments", {"group": "payments"}),
        ("lag on orders-prod", {"cluster": "orders-prod"}),
        ("lag payments on orders-prod", {"group": "payments", "cluster": "orders-prod"}),
        ("lag because it is late", {"reason": "it is late"}),
    ],
)
def test_an_optional_value_of_a_question_leaves_what_follows_it_alone(
    text: str, arguments: dict[str, str]
) -> None:
    found = parse(text, usages=FOLLOWED, clusters=("orders-prod",), default_cluster=None)
    assert found == Question(name="lag", arguments=arguments)


def test_incidents_are_named_by_a_letter_and_a_number() -> None:
    usages = usages_of((), (Usage(line="ack <incident>", means="ack"),))
    for typed in ("I-12", "i-12", "I12"):
        found = parse(f"ack {typed}", usages=usages, clusters=(), default_cluster=None)
        assert found == Question(name="ack", arguments={"incident": "I-12"})
    wrong = parse("ack R-12", usages=usages, clusters=(), default_cluster=None)
    assert isinstance(wrong, Mistake)
    assert wrong.message == "`R-12` is no incident. Incidents are named like `I-17`."
