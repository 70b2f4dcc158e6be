"""A record's bytes carry its run and its number, and nothing else passes for one."""

import pytest

from lab.load.records import encode, sequence_of

RUN, OTHER = b"run-0001", b"run-0002"


@pytest.mark.parametrize(("sequence", "size_bytes"), [(0, 20), (7, 600), (2**40, 100_000)])
def test_a_record_returns_its_number_and_has_its_size(sequence: int, size_bytes: int) -> None:
    value = encode(run_id=RUN, sequence=sequence, size_bytes=size_bytes)
    assert sequence_of(value, run_id=RUN) == sequence
    assert len(value) == size_bytes


@pytest.mark.parametrize("value", [None, b"", b"OTLA", b"x" * 500])
def test_a_strangers_record_is_not_counted(value: bytes | None) -> None:
    assert sequence_of(value, run_id=RUN) is None


def test_a_record_of_another_run_is_not_counted() -> None:
    assert sequence_of(encode(run_id=OTHER, sequence=1, size_bytes=50), run_id=RUN) is None
