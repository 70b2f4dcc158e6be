"""Slack's side: it listens, understands and shows. It holds Slack's tokens and no cloud client."""
