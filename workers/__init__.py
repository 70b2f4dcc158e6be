"""Carry approved changes out, tick by tick, on RQ. Cloud role, no Slack client."""
