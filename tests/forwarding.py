"""An address whose server can be changed, as a name or a balancer in front of Redis does after a failover."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType


class Forwarding:
    """Hands every new connection to whoever is behind it now; those that stand stay where they are."""

    def __init__(self, port: int) -> None:
        self.behind = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Forwarding:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listening.close()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def _accept(self) -> None:
        with suppress(OSError):  # closed: the end
            while True:
                near, _ = self._listening.accept()
                with suppress(OSError):
                    far = socket.create_connection(("127.0.0.1", self.behind))
                    for one, other in ((near, far), (far, near)):
                        threading.Thread(target=copy, args=(one, other), daemon=True).start()
                    continue
                near.close()


def copy(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(65_536):
            other.sendall(data)
    for end in (one, other):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
