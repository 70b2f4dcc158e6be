"""The tally against plain sets: whatever the order of acknowledgements and readings."""

from hypothesis import given
from hypothesis import strategies as st

from lab.load.tally import Tally

EVENTS = st.lists(
    st.tuples(st.sampled_from(["acknowledged", "read"]), st.integers(0, 40)), max_size=200
)


@given(EVENTS)
def test_the_tally_agrees_with_sets(events: list[tuple[str, int]]) -> None:
    tally = Tally()
    acknowledged: set[int] = set()
    read: list[int] = []
    for kind, sequence in events:
        if kind == "acknowledged":
            tally.acknowledged(sequence)
            acknowledged.add(sequence)
        else:
            tally.read(sequence)
            read.append(sequence)
    counts = tally.counts()
    assert counts.acknowledged == len(acknowledged)
    assert counts.read_back == len(set(read))
    assert counts.missing == len(acknowledged - set(read))
    assert counts.unconfirmed == len(set(read) - acknowledged)
    assert counts.duplicates == len(read) - len(set(read))


def test_sequences_are_handed_out_once_each() -> None:
    tally = Tally()
    assert [tally.next_sequence() for _ in range(3)] == [0, 1, 2]
    assert tally.counts().sent == 3


def test_a_far_sequence_is_kept_apart_from_its_neighbours() -> None:
    tally = Tally()
    tally.acknowledged(1_000_003)
    tally.read(1_000_002)
    assert tally.counts().missing == 1
