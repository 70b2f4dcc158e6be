"""What the brokers are told, as far as MSK's behaviour hangs on it."""

from pathlib import Path

from lab.kafka import properties


def parsed(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines())


def broker(**changes: object) -> dict[str, str]:
    given = {
        "broker_id": 4,
        "az_id": "use1-az1",
        "port": 19_001,
        "controller_port": 19_000,
        "log_dir": Path("data"),
    }
    return parsed(properties.broker(**{**given, **changes}))  # type: ignore[arg-type]  # rows of mixed types


def test_a_broker_has_its_az_as_rack_and_listens_on_loopback_only() -> None:
    settings = broker()
    assert settings["broker.rack"] == "use1-az1"
    assert (
        settings["listeners"] == settings["advertised.listeners"] == "PLAINTEXT://127.0.0.1:19001"
    )


def test_broker_and_controller_share_msks_defaults() -> None:
    controller = parsed(properties.controller(port=19_000, log_dir=Path("data")))
    for settings in (broker(), controller):
        assert settings["default.replication.factor"] == "3"
        assert settings["min.insync.replicas"] == "2"
        assert settings["unclean.leader.election.enable"] == "true"
        assert settings["auto.create.topics.enable"] == "false"


def test_ids_are_22_characters_and_never_look_like_an_option() -> None:
    ids = {properties.new_id() for _ in range(300)}
    assert len(ids) == 300
    assert all(len(one) == 22 and not one.startswith("-") for one in ids)
