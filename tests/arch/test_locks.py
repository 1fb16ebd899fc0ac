"""The locks: every package by hash, no address of any registry, the same versions in both."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.repository import ROOT

LOCKS = [
    ROOT / "requirements.lock",
    ROOT / "requirements-dev.lock",
    ROOT / "requirements-kubernetes.lock",
]
# What benchmarks compare with, each in an environment of its own.
PEERS = sorted((ROOT / "tests" / "bench" / "peers").glob("*.txt"))
PINNED = re.compile(
    r"^(?P<name>[a-z0-9._-]+)(?:\[[^\]]*\])?==(?P<version>[^ ;\\]+)(?P<rest>.*)$", re.MULTILINE
)


def versions(lock: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for pin in PINNED.finditer(lock.read_text()):
        found.setdefault(pin["name"], set()).add(pin["version"])
    return found


def wanted(inputs: Path) -> set[str]:
    lines = (line.split("#")[0].strip() for line in inputs.read_text().splitlines())
    return {re.split(r"[\[<>=~!; ]", line)[0].lower() for line in lines if line and not line.startswith("-")}


@pytest.mark.parametrize("lock", [*LOCKS, *PEERS], ids=lambda lock: lock.name)
def test_a_lock_names_no_address(lock: Path) -> None:
    assert (
        re.findall(r"https?://|file:|--(?:extra-)?index-url|--find-links|--trusted-host", lock.read_text())
        == []
    )


@pytest.mark.parametrize("lock", [*LOCKS, *PEERS], ids=lambda lock: lock.name)
def test_every_pin_carries_a_hash(lock: Path) -> None:
    text = lock.read_text()
    pins = list(PINNED.finditer(text))
    assert len(pins) > (0 if lock in PEERS else 50)
    without = [
        pin["name"]
        for pin, following in zip(pins, [*pins[1:], None], strict=True)
        if "--hash=sha256:" not in text[pin.start() : following.start() if following else len(text)]
    ]
    assert without == []


def test_all_locks_agree_on_every_version() -> None:
    product, tests, kubernetes = (versions(lock) for lock in LOCKS)
    for lock in (product, kubernetes):
        assert {name: found for name, found in lock.items() if tests.get(name) != found} == {}


@pytest.mark.parametrize(
    ("inputs", "lock"),
    [
        ("requirements.in", LOCKS[0]),
        ("requirements-dev.in", LOCKS[1]),
        ("requirements-kubernetes.in", LOCKS[2]),
    ],
    ids=["product", "tests", "kubernetes"],
)
def test_everything_asked_for_is_locked(inputs: str, lock: Path) -> None:
    assert wanted(ROOT / inputs) - set(versions(lock)) == set()


@pytest.mark.parametrize("lock", PEERS, ids=lambda lock: lock.name)
def test_everything_a_peer_asks_for_is_locked(lock: Path) -> None:
    assert wanted(lock.with_suffix(".in")) - set(versions(lock)) == set()


def test_the_client_that_would_replace_httpx_is_not_installed() -> None:
    # With httpx2 importable, Authlib and Starlette change to it silently.
    assert "httpx2" not in versions(LOCKS[1])
