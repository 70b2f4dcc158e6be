"""A Slack workspace on one loopback port: Web API, Socket Mode and a page for several people.

It reads the app manifest that is installed in Slack, so a missing scope or event fails here as it would there.
"""

from lab.slack.server import Running, create_workspace, serve

__all__ = ["Running", "create_workspace", "serve"]
