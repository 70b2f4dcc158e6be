"""The core: what can be changed on a cluster and how. No I/O, no clock; pydantic and the standard library only."""
