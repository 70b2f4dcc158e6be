from __future__ import annotations

import pytest
from redis import Redis

from ledger import Ledger


class TestPictures:
    def test_come_back_byte_for_byte(self, ledger: Ledger, redis: Redis) -> None:
        content = b"\x89PNG\r\n\x1a\n\x00\xff" * 1_000
        key = ledger.keep_picture(content=content, days=2)
        assert ledger.picture(key) == content
        assert 86_400 < redis.ttl(f"ottla:picture:{key}") <= 2 * 86_400

    def test_are_kept_once_however_often_a_tick_repeats(self, ledger: Ledger, redis: Redis) -> None:
        assert ledger.keep_picture(content=b"same") == ledger.keep_picture(content=b"same")
        assert redis.dbsize() == 1

    @pytest.mark.parametrize("key", ["", "0" * 64, "../../etc/passwd", "R-1"])
    def test_are_none_when_never_kept(self, ledger: Ledger, key: str) -> None:
        assert ledger.picture(key) is None

    @pytest.mark.parametrize("content", [b"", b"x" * (5 * 1024 * 1024 + 1)])
    def test_have_a_size(self, ledger: Ledger, content: bytes) -> None:
        with pytest.raises(ValueError, match="a picture has"):
            ledger.keep_picture(content=content)

    @pytest.mark.parametrize("days", [0, 401])
    def test_have_a_lifetime(self, ledger: Ledger, days: int) -> None:
        with pytest.raises(ValueError, match="kept for 1 to 400 days"):
            ledger.keep_picture(content=b"x", days=days)
