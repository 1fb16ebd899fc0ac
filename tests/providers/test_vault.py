"""Sealed secrets: bound to their place, re-wrapped on rotation, never readable without the key."""

from __future__ import annotations

import base64
import stat
import threading
from pathlib import Path

import pytest

from resources.settings import Settings, SettingsError
from resources.vault import KEY_FILE, SealBroken, Vault, parse_keyring

PLACE = {"builder_id": "b1", "connection_id": "c1", "field": "access_token"}


def a_key(fill: int = 7) -> bytes:
    return bytes([fill]) * 32


def test_a_sealed_secret_opens_in_its_own_place() -> None:
    vault = Vault({"k1": a_key()})
    assert vault.open(vault.seal("a token", **PLACE), **PLACE) == "a token"


def test_a_sealed_secret_does_not_show_the_secret() -> None:
    assert "token" not in Vault({"k1": a_key()}).seal("token token token", **PLACE)


def test_the_same_secret_is_never_sealed_the_same_way_twice() -> None:
    vault = Vault({"k1": a_key()})
    assert vault.seal("a token", **PLACE) != vault.seal("a token", **PLACE)


@pytest.mark.parametrize("part", ["builder_id", "connection_id", "field"])
def test_a_sealed_secret_moved_to_another_row_or_column_does_not_open(part: str) -> None:
    vault = Vault({"k1": a_key()})
    sealed = vault.seal("a token", **PLACE)
    with pytest.raises(SealBroken):
        vault.open(sealed, **{**PLACE, part: "another"})


@pytest.mark.parametrize("part", [2, 3])
def test_a_changed_seal_does_not_open(part: int) -> None:
    vault = Vault({"k1": a_key()})
    parts = vault.seal("a token", **PLACE).split(".")
    first = "B" if parts[part][0] == "A" else "A"
    parts[part] = first + parts[part][1:]
    with pytest.raises(SealBroken):
        vault.open(".".join(parts), **PLACE)


@pytest.mark.parametrize("text", ["", "plain text", "v0.k1.a.b", "v1.k1.!!!.???"])
def test_a_text_that_was_never_sealed_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(SealBroken, match=r"stored secret .*; connect the company again"):
        Vault({"k1": a_key()}).open(text, **PLACE)


def test_an_older_key_still_opens_after_a_new_one_was_put_first() -> None:
    sealed = Vault({"k1": a_key(1)}).seal("a token", **PLACE)
    assert Vault({"k2": a_key(2), "k1": a_key(1)}).open(sealed, **PLACE) == "a token"


def test_rotation_wraps_the_data_key_anew_and_leaves_the_secret_alone() -> None:
    sealed = Vault({"k1": a_key(1)}).seal("a token", **PLACE)
    rotated = Vault({"k2": a_key(2), "k1": a_key(1)}).rewrap(sealed, **PLACE)
    assert rotated.split(".")[3] == sealed.split(".")[3]
    assert Vault({"k2": a_key(2)}).open(rotated, **PLACE) == "a token"


def test_a_seal_under_the_newest_key_is_left_as_it_is_by_rotation() -> None:
    vault = Vault({"k1": a_key()})
    sealed = vault.seal("a token", **PLACE)
    assert vault.rewrap(sealed, **PLACE) == sealed


def test_a_key_that_is_gone_is_named_in_the_sentence() -> None:
    sealed = Vault({"k1": a_key(1)}).seal("a token", **PLACE)
    with pytest.raises(SealBroken, match="'k1', which is not in TIEOUT_KEYRING"):
        Vault({"k2": a_key(2)}).open(sealed, **PLACE)


def test_a_keyring_reads_newest_first() -> None:
    one, two = (base64.b64encode(a_key(fill)).decode() for fill in (1, 2))
    assert list(parse_keyring(f"k2:{two}, k1:{one}")) == ["k2", "k1"]


@pytest.mark.parametrize(
    "text", ["k1", "k1:short", "k1:" + "A" * 44, ":" + base64.b64encode(a_key()).decode(), "k 1:AAAA"]
)
def test_a_wrong_keyring_is_refused_without_repeating_the_key(text: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        parse_keyring(text)
    assert "TIEOUT_KEYRING is wrong: entry 1" in str(refusal.value)
    assert text.partition(":")[2][:8] not in str(refusal.value) or not text.partition(":")[2]


def test_the_same_id_twice_in_a_keyring_is_refused() -> None:
    key = base64.b64encode(a_key()).decode()
    with pytest.raises(SettingsError, match="entry 2"):
        parse_keyring(f"k1:{key},k1:{key}")


def test_without_a_keyring_a_key_file_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    sealed = Vault.from_settings(settings).seal("a token", **PLACE)
    assert Vault.from_settings(settings).open(sealed, **PLACE) == "a token"
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]


def test_several_processes_starting_at_once_agree_on_one_key_file(tmp_path: Path) -> None:
    settings, vaults, barrier = Settings(home=tmp_path / "home"), [], threading.Barrier(6)

    def start() -> None:
        barrier.wait()
        vaults.append(Vault.from_settings(settings))

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sealed = vaults[0].seal("a token", **PLACE)
    assert {vault.open(sealed, **PLACE) for vault in vaults} == {"a token"}


def test_a_vault_shows_no_key_when_printed() -> None:
    assert repr(Vault({"k1": a_key()})) == "Vault(newest='k1', keys=1)"
