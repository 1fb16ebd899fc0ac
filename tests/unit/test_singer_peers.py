"""The pure parts of running singer's taps as peers; their packages are not needed."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.bench.peer_environments import NotInstalled, _run, python_of
from tests.bench.peers.launcher import moved, send_elsewhere
from tests.bench.singer import chosen

ADDRESSES = {
    "https://api.example.com": "http://127.0.0.1:9",
    "https://login.example.com": "http://127.0.0.1:8",
}


@dataclass
class Asked:
    url: str


def test_a_call_keeps_its_path_and_goes_to_the_other_address() -> None:
    assert moved("https://login.example.com/token?a=1", ADDRESSES) == "http://127.0.0.1:8/token?a=1"


def test_a_call_to_an_address_that_was_not_named_is_refused_without_its_query() -> None:
    with pytest.raises(
        ValueError, match=r"calls https://collector\.example\.com/i, which is none of"
    ) as refused:
        moved("https://collector.example.com/i?secret=1", ADDRESSES)
    assert "secret" not in str(refused.value)


def test_every_session_of_the_library_sends_its_calls_elsewhere() -> None:
    class Adapter:
        def send(self, request: Asked, *, timeout: int) -> tuple[str, int]:
            return request.url, timeout

    send_elsewhere(Adapter, ADDRESSES)
    assert Adapter().send(Asked("https://api.example.com/v3"), timeout=5) == ("http://127.0.0.1:9/v3", 5)


def test_a_catalog_is_reduced_to_the_streams_that_are_compared_with_every_field_of_them() -> None:
    def stream(name: str) -> dict[str, Any]:
        return {
            "tap_stream_id": name,
            "metadata": [
                {"breadcrumb": [], "metadata": {}},
                {"breadcrumb": ["properties", "Id"], "metadata": {}},
            ],
        }

    kept = chosen({"streams": [stream("bills"), stream("budgets")]}, ("bills",))["streams"]
    assert [each["tap_stream_id"] for each in kept] == ["bills"]
    assert [entry["metadata"] for entry in kept[0]["metadata"]] == [{"selected": True}, {"selected": True}]


def test_a_peer_that_cannot_be_installed_is_left_out_with_one_sentence() -> None:
    fails = "import sys; sys.exit('WARNING: retrying\\nERROR: No matching distribution found for tap-x==1.0')"
    with pytest.raises(NotInstalled) as problem:
        _run("tap-x", sys.executable, "-c", fails)
    assert str(problem.value) == (
        "tap-x could not be installed (ERROR: No matching distribution found for tap-x==1.0); it is left out."
    )


def test_an_environment_made_from_the_same_lock_is_used_again(tmp_path: Path) -> None:
    (tmp_path / "build.txt").write_text("a")
    (tmp_path / "tap-x.txt").write_text("b")
    home = tmp_path / "made" / "tap-x"
    home.mkdir(parents=True)
    (home / "installed").write_text(hashlib.sha256(b"ab" + sys.version.encode()).hexdigest())
    assert python_of("tap-x", locks=tmp_path, folder=tmp_path / "made") == home / "bin" / "python"
