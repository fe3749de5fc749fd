"""The sealing key: made once, whoever comes first."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from callserver.engine import sealing


def test_servers_that_start_at_once_share_one_key(tmp_path: Path) -> None:
    for number in range(20):
        path = tmp_path / str(number) / "seal.key"
        with ThreadPoolExecutor(4) as pool:
            keys = list(pool.map(sealing.load_key, [path] * 4))
        assert len({key.private_bytes_raw() for key in keys}) == 1
        public = keys[0].public_key().public_bytes_raw().hex()
        assert path.with_suffix(".pub").read_text() == public
        assert path.stat().st_mode & 0o777 == 0o600
        assert sorted(one.name for one in path.parent.iterdir()) == ["seal.key", "seal.pub"]


def test_a_server_that_dies_while_it_makes_the_key_leaves_no_torn_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(_: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(os, "fsync", dies)
        with pytest.raises(KeyboardInterrupt):
            sealing.load_key(tmp_path / "seal.key")
    assert sealing.load_key(tmp_path / "seal.key")
