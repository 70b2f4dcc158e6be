"""On the lab: asked, refused, decided, taken back, forgotten. No broker is added here."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

import pytest

from changes.lifecycle import State
from tests.scenarios.labs import Lab, until

pytestmark = pytest.mark.lab


def waiting(lab: Lab, because: str) -> str:
    """A request of ann's that waits for an approval."""
    request_id = lab.ask("ann", f"scale brokers 6 because {because}")
    lab.until_state(request_id, State.AWAITING_APPROVAL)
    lab.card_says(request_id, "awaiting approval")
    return request_id


def by_button(lab: Lab, name: str, request_id: str) -> None:
    lab.click(name, lab.card(request_id), "Approve")


def by_thread(lab: Lab, name: str, request_id: str) -> None:
    lab.write(name, "approve", thread=str(lab.card(request_id)["ts"]))


def by_slash(lab: Lab, name: str, request_id: str) -> None:
    lab.command(name, f"/kafka approve {request_id}")


SURFACES = {"button": by_button, "thread": by_thread, "slash": by_slash}


def test_five_brokers_are_refused_and_six_are_offered(lab: Lab) -> None:
    request_id = lab.ask("ann", "scale brokers 5")
    card = lab.card_says(request_id, "denied")
    assert "4 or 5 cannot be spread; 6 can" in card["text"]
    assert not card["buttons"]


def test_thirty_brokers_are_denied_with_the_rules_message(lab: Lab) -> None:
    request_id = lab.ask("ann", "scale brokers 30")
    card = lab.card_says(request_id, "denied")
    assert "30 brokers are more than the 12 that the lab allows" in card["text"]


@pytest.mark.parametrize("surface", SURFACES)
def test_the_requesters_own_approval_is_refused(lab: Lab, surface: str) -> None:
    request_id = waiting(lab, f"own {surface}")
    since = lab.newest("ann")
    SURFACES[surface](lab, "ann", request_id)
    thread = str(lab.card(request_id)["ts"]) if surface == "thread" else None
    refusal = until(
        lambda: lab.told("ann", since=since, thread=thread), what="ann to be told", seconds=20
    )
    assert "a second engineer has to approve it" in refusal
    assert lab.request(request_id).state is State.AWAITING_APPROVAL
    audit = lab.run("ledger", "export")
    assert any("refused" in line and request_id in line for line in audit.splitlines())
    lab.command("ann", f"/kafka cancel {request_id}")
    lab.until_state(request_id, State.CANCELLED)


@pytest.mark.parametrize("surface", SURFACES)
def test_a_second_engineer_approves(lab: Lab, surface: str) -> None:
    """The worker is stopped meanwhile, so that approving is all that happens."""
    request_id = waiting(lab, f"second {surface}")
    lab.signal_role("worker", signal.SIGSTOP)
    try:
        SURFACES[surface](lab, "bob", request_id)
        approved = lab.until_state(request_id, State.QUEUED)
        assert [v.person.name for v in approved.votes] == ["bob"]
        lab.card_says(request_id, "queued")
        lab.command("ann", f"/kafka cancel {request_id}")
        lab.until_state(request_id, State.CANCELLED)
    finally:
        lab.signal_role("worker", signal.SIGCONT)


@pytest.mark.parametrize("name", ["gus", "eve"])
def test_guests_and_people_who_left_cannot_approve(lab: Lab, name: str) -> None:
    request_id = waiting(lab, f"not {name}")
    since = lab.newest("ann")
    if name == "eve":
        # A deactivated person cannot even press: the workspace itself refuses.
        with pytest.raises(Exception, match="eve"):
            by_button(lab, name, request_id)
    else:
        by_button(lab, name, request_id)
        refusal = until(lambda: lab.told(name, since=since), what="a refusal", seconds=20)
        assert "cannot approve" in refusal
    assert lab.request(request_id).state is State.AWAITING_APPROVAL
    lab.command("ann", f"/kafka cancel {request_id}")


def test_cancel_before_approval_ends_it(lab: Lab) -> None:
    request_id = waiting(lab, "cancel me")
    assert "ann" in lab.command("bob", f"/kafka cancel {request_id}")
    lab.command("ann", f"/kafka cancel {request_id}")
    card = lab.card_says(request_id, "cancelled")
    assert not card["buttons"]


def test_a_rejection_says_its_reason(lab: Lab) -> None:
    request_id = waiting(lab, "reject me")
    lab.write("carol", "reject not before the sale", thread=str(lab.card(request_id)["ts"]))
    lab.until_state(request_id, State.REJECTED)
    card = lab.card_says(request_id, "rejected")
    thread = lab.messages(thread=str(card["ts"]))
    assert any("not before the sale" in m["text"] for m in thread if m["is_app"])


def test_nobody_deciding_lets_it_expire(lab: Lab) -> None:
    rules = lab.folder / "policies" / "lab.yaml"
    normal = rules.read_text()
    rules.write_text(normal.replace("expires_after_minutes: 60", "expires_after_minutes: 1"))
    try:
        request_id = waiting(lab, "forget me")
    finally:
        rules.write_text(normal)
    lab.until_state(request_id, State.EXPIRED, seconds=90)
    card = lab.card_says(request_id, "expired")
    assert not card["buttons"]


def test_no_broker_was_added_by_all_this(lab: Lab) -> None:
    assert len(lab.reload()["brokers"]) == 3
    first_line = lab.run("ledger", "export").splitlines()[0]
    assert "R-1" in first_line


def test_mistakes_are_answered_to_the_asker_alone(lab: Lab) -> None:
    before = time.time()
    rows: list[tuple[str, Callable[[str], bool]]] = [
        ("/kafka scale brokers six", lambda said: "whole number" in said.lower()),
        ("/kafka scale broker 6", lambda said: "scale brokers" in said),
        ("/kafka scale brokers 6 on orders", lambda said: "orders-lab" in said),
    ]
    for text, fits in rows:
        said = lab.command("ann", text)
        assert fits(said), said
    assert not [m for m in lab.messages() if float(m["ts"]) > before and "six" in m["text"]]
