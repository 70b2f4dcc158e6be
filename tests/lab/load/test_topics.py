"""The data that the lab starts with: enough to move, skewed, and small enough for a laptop."""

from lab.load.topics import (
    PRELOAD_RECORD_BYTES,
    REPLICATION_FACTOR,
    TOPICS,
    records_per_partition,
)


def test_the_data_takes_150_to_200_megabytes_with_its_replicas() -> None:
    records = sum(sum(records_per_partition(topic)) for topic in TOPICS)
    assert 150e6 <= records * PRELOAD_RECORD_BYTES * REPLICATION_FACTOR <= 200e6


def test_the_sizes_are_skewed_and_always_the_same() -> None:
    for topic in TOPICS:
        assert records_per_partition(topic) == records_per_partition(topic)
    orders = records_per_partition(TOPICS[0])
    assert len(orders) == TOPICS[0].partitions
    assert max(orders) >= 4 * min(orders) >= 4


def test_there_are_some_ten_topics_of_sixty_partitions_and_a_modest_rate() -> None:
    assert len(TOPICS) == 10
    assert sum(topic.partitions for topic in TOPICS) == 60
    assert 50 <= sum(topic.records_per_second for topic in TOPICS) <= 100
