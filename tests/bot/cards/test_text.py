"""The one escaper: whatever comes from outside stays words."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cards.text import (
    LETTERS_MAX,
    as_typed,
    clean,
    code,
    code_block,
    inert,
    pieces,
    plain,
    prose,
    when,
)
from tests.bot.samples import HOSTILE

MARKUP = set("*_~`|")
hostile_letters = st.text(alphabet=st.sampled_from("<>&*_~`|@!#:/\\ \n\t\u202e\u200b\u0301aZ9S^"))


@given(st.one_of(hostile_letters, st.text()))
def test_nothing_from_outside_is_markup(text: str) -> None:
    words = inert(text)
    assert not MARKUP & set(words)
    assert not re.search(r"[<>]|&(?!amp;|lt;|gt;)", words)
    assert not words.startswith("&gt;"), "a line that begins with > is a quote"
    assert not re.search(r"@(here|channel|everyone)\b", words, re.I)
    assert not re.search(r":[a-z0-9_+'-]+:", words)
    assert "://" not in words
    assert "\n" not in words


@given(st.text())
def test_nothing_invisible_and_nothing_too_long(text: str) -> None:
    words = clean(text)
    assert not re.search("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\x00-\x1f\u3164]", words)
    assert len(inert(text).replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")) <= (
        LETTERS_MAX
    )


@given(st.text(), st.integers(min_value=1, max_value=150))
def test_plain_text_is_never_empty_and_never_too_long(text: str, letters_max: int) -> None:
    assert 1 <= len(plain(text, letters_max=letters_max)) <= letters_max


@given(st.text())
def test_code_has_no_way_out(text: str) -> None:
    words = code(text)
    assert "`" not in words[1:-1]
    assert "<" not in words


@given(hostile_letters)
def test_a_sentence_of_ours_mentions_only_by_exact_id(text: str) -> None:
    shown = prose(text, mentions=True)
    assert not re.search(r"[<>]", prose(text))
    for token in re.findall(r"<[^>]*>", shown):
        assert re.fullmatch(r"<(@[UW][A-Z0-9]+|!subteam\^S[A-Z0-9]+|#[CG][A-Z0-9]+)>", token)


def test_a_sentence_of_ours_keeps_what_it_means() -> None:
    words = "Approved by <@U0ANN>; see `/kafka show R-1` in <#C0KAFKA> <!subteam^S0APPR> a_b"
    assert prose(words, mentions=True) == words.replace("a_b", "aˍb")
    assert [piece.kind for piece in pieces(words) if piece.kind != "words"] == [
        "user",
        "code",
        "channel",
        "group",
    ]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("lag &gt; 5 min &amp; rising", "lag > 5 min & rising"),
        ("ask <@U0ANN|ann> first", "ask @ann first"),
        ("<!channel> now", "@channel now"),
        ("<!subteam^S1|@kafka-approvers>", "@kafka-approvers"),
        ("see <https://a.example/x|the page>", "see the page"),
        ("see <https://a.example/x>", "see https://a.example/x"),
        ("&lt;@U0ANN&gt;", "@U0ANN"),
        ("&amp;lt;@U0ANN&amp;gt;", "&lt;@U0ANN&gt;"),
        ("a\u202eb\u200bc\nd", "abc d"),
    ],
)
def test_what_a_person_typed_is_read_out_of_slacks_wire_form(typed: str, meant: str) -> None:
    assert as_typed(typed) == meant


@given(hostile_letters)
def test_a_stored_reason_never_mentions_anybody_later(text: str) -> None:
    assert not re.search(r"<[@!#]", prose(as_typed(text), mentions=True))


def test_a_hostile_string_as_people_see_it() -> None:
    assert inert(HOSTILE) == (
        "&lt;!channel&gt; &lt;@U0BOB&gt; &lt;https:∕∕evil.example∣docs&gt; ∗bold∗ ˍitˍ ∼no∼ ˋrmˋ"
        " &amp; ＠here ∶smile: &gt; quoted gnp.exe https:∕∕evil.example/x"
    )


def test_a_caret_keeps_its_place_in_a_code_block() -> None:
    block = code_block("scale  brokers six\n               ^\n`x`")
    assert block == "```\nscale  brokers six\n               ^\nˋxˋ\n```"


def test_a_moment_is_shown_in_each_readers_zone() -> None:
    berlin = timezone(timedelta(hours=1))
    moment = datetime(2026, 11, 23, 13, 0, tzinfo=berlin)
    assert when(moment) == when(moment.astimezone(UTC))
    assert when(moment, shape="{time}") == "<!date^1795435200^{time}|2026-11-23 12:00 UTC>"
