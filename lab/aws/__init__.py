"""A local MSK and CloudWatch endpoint in front of the lab's real brokers.

Unmodified boto3 works against it with `endpoint_url`. What it says is measured or done, never
invented: UpdateBrokerCount starts processes, and a metric exists only because somebody read it.
"""

from __future__ import annotations

from lab.aws.server import AwsServer, serve

__all__ = ["AwsServer", "serve"]
