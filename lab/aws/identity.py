"""Who the lab's cluster is: kept in the lab's folder, so that its ARN survives a restart.

`currentVersion` is kept with it, because a plan approved before a restart must still be checked
against the version it was made for.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
import string
import uuid
from dataclasses import asdict, dataclass, replace
from pathlib import Path

REGION = "us-east-1"
ACCOUNT = "123456789012"
FILE = "msk-cluster.json"
_TOKEN_ALPHABET = string.digits + string.ascii_uppercase


class BrokenIdentity(Exception):
    """The file that remembers the cluster cannot be read; its sentence names the file."""


@dataclass(frozen=True)
class Identity:
    """Name, unique part of the ARN, birthday and version token of one cluster."""

    name: str
    unique: str
    created_at: str
    current_version: str

    @property
    def arn(self) -> str:
        return f"arn:aws:kafka:{REGION}:{ACCOUNT}:cluster/{self.name}/{self.unique}"

    @property
    def created(self) -> dt.datetime:
        return dt.datetime.fromisoformat(self.created_at)

    def new_operation_arn(self) -> str:
        stem = f"arn:aws:kafka:{REGION}:{ACCOUNT}:cluster-operation/{self.name}/{self.unique}"
        return f"{stem}/{uuid.uuid4()}"

    def with_new_version(self) -> Identity:
        return replace(self, current_version=new_version())


def new_version() -> str:
    """An opaque token as MSK deals them: K and 11 to 13 capitals and digits, never a number."""
    length = 11 + secrets.randbelow(3)
    return "K" + "".join(secrets.choice(_TOKEN_ALPHABET) for _ in range(length))


def load_or_create(*, folder: Path, name: str) -> Identity:
    """The cluster of this folder and name; a new name is a new cluster."""
    file = folder / FILE
    if file.exists():
        known = _read(file)
        if known.name == name:
            return known
    fresh = Identity(
        name=name,
        unique=f"{uuid.uuid4()}-s1",
        created_at=dt.datetime.now(dt.UTC).isoformat(),
        current_version=new_version(),
    )
    save(fresh, folder=folder)
    return fresh


def _read(file: Path) -> Identity:
    try:
        identity = Identity(**json.loads(file.read_text()))
        dt.datetime.fromisoformat(identity.created_at)
    except (ValueError, TypeError) as mistake:
        raise BrokenIdentity(
            f"{file} does not describe a cluster ({mistake}); delete it to start with a new one"
        ) from mistake
    return identity


def save(identity: Identity, *, folder: Path) -> None:
    """Write in one step: a half-written identity would be a lost cluster."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"{FILE}.new"
    draft.write_text(json.dumps(asdict(identity), indent=1))
    draft.replace(folder / FILE)
