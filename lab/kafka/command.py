"""The command lines of Kafka's Java programs; pure.

The surprising truth: Java's default code cache alone costs 60 MB a broker. With these flags a broker
full of data takes 180 MB, a controller 140 MB, and six brokers fit a laptop.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lab.addresses import HOST
from lab.kafka.jars import KafkaJars

_SMALL = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Xss256k",
    "-XX:ReservedCodeCacheSize=64m",
    "-XX:+ExitOnOutOfMemoryError",
    "-XX:-UsePerfData",
    # Threads would keep a direct buffer as large as the largest record they ever saw.
    "-Djdk.nio.maxCachedBufferSize=262144",
)
# The serial collector grows to its limit before it looks for garbage in the old part, so the limit
# is what a process takes in the end. A broker with 60 partitions keeps 35 MB alive.
BROKER_HEAP_MIB = 88
CONTROLLER_HEAP_MIB = 64
# Few arenas: glibc would otherwise give nearly every thread one of its own, 10 MB a broker.
ENVIRONMENT = {"MALLOC_ARENA_MAX": "2"}
_LOGGING = (
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSS",
    "-Dorg.slf4j.simpleLogger.showThreadName=false",
    # The whole configuration, printed at every start and change, drowns everything else.
    "-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaConfig=warn",
    "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config.AbstractConfig=warn",
    "-Dlog4j2.StatusLogger.level=OFF",
)


@dataclass(frozen=True)
class KafkaPrograms:
    """Kafka's programs on this machine: which Java, which jars."""

    java: Path
    jars: KafkaJars

    def server(self, *, properties: Path, jolokia_port: int, heap_mib: int) -> tuple[str, ...]:
        """A controller or a broker, with the agent that answers for its metrics."""
        heap = (f"-Xmx{heap_mib}m", "-Xms32m", "-XX:MaxNewSize=12m")
        main = ("-cp", self.jars.class_path, "kafka.Kafka", str(properties))
        return (str(self.java), *heap, *_SMALL, *_LOGGING, self._agent(jolokia_port), *main)

    def tool(self, main_class: str, *arguments: str) -> tuple[str, ...]:
        """One of Kafka's own command-line tools."""
        quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
        main = ("-cp", self.jars.class_path, main_class, *arguments)
        return (str(self.java), "-Xmx128m", *_SMALL, *_LOGGING, quiet, *main)

    def _agent(self, port: int) -> str:
        return f"-javaagent:{self.jars.agent}=port={port},host={HOST},discoveryEnabled=false"
