"""One MSK cluster operation: what was asked, how far it is, how it ended."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from lab.aws.shapes import Fields

PENDING = "PENDING"
IN_PROGRESS = "UPDATE_IN_PROGRESS"
COMPLETE = "UPDATE_COMPLETE"
FAILED = "UPDATE_FAILED"


@dataclass(frozen=True)
class Operation:
    """A count change, in whichever state it is; a new value for each state."""

    arn: str
    kind: str
    created_at: dt.datetime
    source_brokers: int
    target_brokers: int
    state: str = PENDING
    ended_at: dt.datetime | None = None
    created_ids: tuple[int, ...] = ()
    deleted_ids: tuple[int, ...] = ()
    error_code: str | None = None
    error_text: str | None = None

    def source_info(self) -> Fields:
        return {"NumberOfBrokerNodes": self.source_brokers}

    def target_info(self) -> Fields:
        """The only place where MSK names the brokers a count change touched."""
        return {
            "NumberOfBrokerNodes": self.target_brokers,
            "BrokerCountUpdateInfo": {
                "CreatedBrokerIds": list(self.created_ids),
                "DeletedBrokerIds": list(self.deleted_ids),
            },
        }

    def error_info(self) -> Fields | None:
        if self.error_code is None:
            return None
        return {"ErrorCode": self.error_code, "ErrorString": self.error_text or ""}

    def summary(self, *, cluster_arn: str) -> Fields:
        """What both API generations and both lists show."""
        return {
            "ClusterArn": cluster_arn,
            "OperationArn": self.arn,
            "OperationType": self.kind,
            "OperationState": self.state,
            "EndTime": self.ended_at,
        }

    def described_v1(self, *, cluster_arn: str) -> Fields:
        return self.summary(cluster_arn=cluster_arn) | {
            "CreationTime": self.created_at,
            "ErrorInfo": self.error_info(),
            "SourceClusterInfo": self.source_info(),
            "TargetClusterInfo": self.target_info(),
        }

    def listed_v2(self, *, cluster_arn: str) -> Fields:
        """V2 calls the creation time a start time, and its list has no source and target."""
        return self.summary(cluster_arn=cluster_arn) | {
            "ClusterType": "PROVISIONED",
            "StartTime": self.created_at,
        }

    def described_v2(self, *, cluster_arn: str) -> Fields:
        return self.listed_v2(cluster_arn=cluster_arn) | {
            "ErrorInfo": self.error_info(),
            "Provisioned": {
                "SourceClusterInfo": self.source_info(),
                "TargetClusterInfo": self.target_info(),
            },
        }
