from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis

from changes.lifecycle import Event
from changes.plan import canonical
from ledger import Audit, Broken, Ledger, UnreadableEntry, Verified, verify
from ledger.audit import WORDS_MAX, hash_of
from tests.ledger.conftest import Opens
from tests.ledger.toys import NOW, moved


@pytest.fixture
def lines(ledger: Ledger, opens: Opens) -> list[str]:
    """An export of six lines."""
    for _ in range(3):
        moved(ledger, opens(), Event.CANCELLED)
    return exported(ledger)


def exported(ledger: Ledger) -> list[str]:
    written = StringIO()
    ledger.export(written)
    return written.getvalue().splitlines()


def changed(text: str, **fields: object) -> str:
    return canonical({**json.loads(text), **fields}).decode()


def broken(lines: list[str]) -> Broken:
    found = verify(lines)
    assert isinstance(found, Broken), found
    assert found.sentence.startswith(f"Line {found.line} ")
    return found


class TestChain:
    def test_says_who_did_what_to_which_plan(self, ledger: Ledger, opens: Opens) -> None:
        opens(because="Black Friday")
        (line,) = ledger.audit_lines()
        assert (line.seq, line.actor, line.event, line.request_id) == (1, "U-ANA", "asked", "R-1")
        assert line.words == "polish the brokers of orders 3 times because Black Friday"

    def test_gives_the_lines_of_one_request(self, ledger: Ledger, opens: Opens) -> None:
        opens()
        moved(ledger, opens(), Event.CANCELLED)
        assert [line.seq for line in ledger.audit_lines(request_id="r-2")] == [2, 3]
        assert list(ledger.audit_lines(request_id="nonsense")) == []

    def test_holds_what_people_did_to_incidents_in_the_same_chain(
        self, ledger: Ledger, opens: Opens
    ) -> None:
        opens()
        ledger.record("I-12", audit=Audit(actor="U-GUS", event="refused: mute", words="a guest"))
        moved(ledger, opens(), Event.CANCELLED)
        (line,) = ledger.audit_lines(request_id="i-12")
        assert (line.seq, line.actor, line.request_id, line.revision) == (2, "U-GUS", "I-12", 0)
        assert verify(exported(ledger)) == Verified(
            count=4, head=json.loads(exported(ledger)[-1])["hash"]
        )

    def test_is_read_whole_over_many_pages(self, ledger: Ledger, opens: Opens) -> None:
        opens()
        for _ in range(1_000):
            ledger.refused(request_id="R-1", audit=Audit("U-ANA", "refused", "again"))
        assert [line.seq for line in ledger.audit_lines()] == list(range(1, 1_002))
        assert verify(exported(ledger)) == Verified(count=1_001, head=last_hash(ledger))

    def test_cuts_what_is_endless_and_keeps_what_is_odd(self, ledger: Ledger, opens: Opens) -> None:
        opens()
        odd = 'a\nb\u2028"\ud800\x00' + "x" * 10_000
        ledger.refused(request_id="R-1", audit=Audit("U-ANA", "refused", odd))
        line = list(ledger.audit_lines())[-1]
        assert line.words.startswith('a\nb\u2028"?\x00x')
        assert len(line.words) < WORDS_MAX + 10
        assert isinstance(verify(StringIO("\n".join(exported_raw(ledger)))), Verified)

    def test_is_not_continued_after_a_last_line_that_was_spoiled(
        self, ledger: Ledger, redis: Redis, opens: Opens
    ) -> None:
        request = opens()
        redis.xadd("ottla:audit", {"line": '{"hash":"none"}'}, id="2-0")
        with pytest.raises(UnreadableEntry, match="audit chain was changed"):
            moved(ledger, request, Event.CANCELLED)
        with pytest.raises(UnreadableEntry):
            list(ledger.audit_lines())
        assert broken(exported(ledger)).line == 2
        assert ledger.load("R-1") == request

    def test_refuses_a_line_about_a_request_nobody_asked(self, ledger: Ledger) -> None:
        with pytest.raises(ValueError, match="R-9"):
            ledger.refused(request_id="R-9", audit=Audit("U-ANA", "refused", "no"))


class TestVerify:
    def test_finds_an_untouched_export_whole(self, ledger: Ledger, lines: list[str]) -> None:
        assert verify(lines) == Verified(count=6, head=last_hash(ledger))
        assert verify([]) == Verified(count=0, head="0" * 64)

    @pytest.mark.parametrize(
        "field", ["actor", "words", "at", "event", "request_id", "fingerprint"]
    )
    def test_names_a_changed_line(self, lines: list[str], field: str) -> None:
        lines[2] = changed(lines[2], **{field: "somebody else"})
        assert broken(lines) == Broken(3, "Line 3 was changed: its hash does not fit its content.")

    def test_names_the_line_after_one_whose_hash_was_made_to_fit(self, lines: list[str]) -> None:
        forged = {**json.loads(lines[2]), "actor": "U-MALLORY"}
        lines[2] = canonical({**forged, "hash": hash_of(forged)}).decode()
        assert broken(lines).line == 4
        assert "does not follow from the line before" in broken(lines).sentence

    @pytest.mark.parametrize("gone", range(5))
    def test_names_where_a_line_is_missing(self, lines: list[str], gone: int) -> None:
        del lines[gone]
        assert broken(lines).line == gone + 1
        assert f"entry {gone + 1} is missing before it" in broken(lines).sentence

    def test_names_how_many_lines_are_missing(self, lines: list[str]) -> None:
        assert "entries 1 to 3 are missing" in broken(lines[3:]).sentence

    @pytest.mark.parametrize("first", range(5))
    def test_names_lines_that_changed_places(self, lines: list[str], first: int) -> None:
        lines[first], lines[first + 1] = lines[first + 1], lines[first]
        assert broken(lines).line == first + 1

    def test_names_a_line_that_is_there_twice(self, lines: list[str]) -> None:
        assert broken([*lines[:2], *lines[1:]]).sentence == (
            "Line 3 is out of order: it holds entry 2, after entry 2."
        )

    @pytest.mark.parametrize(
        "text",
        ["", "nonsense", "[]", "{}", "null", '{"seq":1}', "[" * 100_000, '"\\ud800"', "1e999"],
    )
    def test_names_what_is_no_audit_line(self, lines: list[str], text: str) -> None:
        assert broken([*lines, text]).line == 7

    def test_is_not_fooled_by_a_key_that_stands_there_twice(self, lines: list[str]) -> None:
        lines[1] = lines[1].replace('{"actor"', '{"actor":"U-MALLORY","actor"')
        assert broken(lines).line == 2

    @pytest.mark.parametrize("seq", [True, 2.0, "2", None, -1, 10**40])
    def test_is_not_fooled_by_a_number_that_is_none(self, lines: list[str], seq: object) -> None:
        lines[1] = changed(lines[1], seq=seq)
        assert broken(lines).line == 2

    @given(position=st.integers(0, 400), letter=st.characters(codec="ascii", categories=["L", "N"]))
    def test_notices_any_single_changed_character(self, position: int, letter: str) -> None:
        line: dict[str, object] = {
            "seq": 1,
            "at": NOW.isoformat(),
            "actor": "U-ANA",
            "event": "asked",
            "request_id": "R-1",
            "revision": 0,
            "words": "polish",
            "fingerprint": "",
            "previous": "0" * 64,
        }
        text = canonical({**line, "hash": hash_of(line)}).decode()
        at = position % len(text)
        spoiled = text[:at] + letter + text[at + 1 :]
        assert isinstance(verify([spoiled]), Verified) == (spoiled == text)


class TestExport:
    def test_writes_a_file_whole_or_not_at_all(
        self, ledger: Ledger, opens: Opens, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        opens()
        target = tmp_path / "audit.jsonl"
        assert ledger.export(target) == 1
        before = target.read_text()

        def fail() -> object:
            yield "half a"
            raise OSError("no space left")

        monkeypatch.setattr(ledger, "_texts", fail)
        with pytest.raises(OSError, match="no space"):
            ledger.export(target)
        assert target.read_text() == before
        assert list(tmp_path.iterdir()) == [target]


def last_hash(ledger: Ledger) -> str:
    return list(ledger.audit_lines())[-1].hash


def exported_raw(ledger: Ledger) -> list[str]:
    """Split at line feeds alone, as files are read: U+2028 is no end of a line."""
    written = StringIO()
    ledger.export(written)
    return written.getvalue().removesuffix("\n").split("\n")
