"""Webhooks go to public addresses alone, however an inner one is dressed up."""

from __future__ import annotations

import pytest

from resources.targets import UnsafeTarget, is_public, safe_target
from resources.webhooks import WebhookSender
from tests.api.webhooks.receiver import Receiver, an_endpoint, wrote
from tests.api.world import House, World, exact


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "192.0.2.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2001:0:0:0:0:0:80ff:fffe",
    ],
)  # fmt: skip
def test_no_inner_address_is_called_however_it_is_written(address: str) -> None:
    assert not is_public(address)
    with pytest.raises(UnsafeTarget, match="private network"):
        safe_target(
            "https://hook.example/", allow_loopback=False, resolver=lambda *_: ["93.184.216.34", address]
        )


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:93.184.216.34"]
)
def test_public_addresses_are_called(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://hook.example/", "ftp://hook.example/", "https://", "https:///path", "https://user:pw@hook.example/",
        "https://hook.example:22/", "https://hook.example:99999/", "https://hook.example/a b", "https://[::1", "hook.example",
        "https://hook.example\\@127.0.0.1/", "file:///etc/passwd", "https://hook.example/\n",
    ],
)  # fmt: skip
def test_what_is_no_public_https_address_is_refused(url: str) -> None:
    with pytest.raises(UnsafeTarget):
        safe_target(url, allow_loopback=False, resolver=lambda *_: ["93.184.216.34"])


@pytest.mark.parametrize(
    "url",
    ["https://2130706433/", "https://0x7f.1/", "https://127.1/", "https://localhost/", "https://[::1]/"],
)
def test_loopback_in_disguise_is_refused_by_what_it_resolves_to(url: str) -> None:
    with pytest.raises(UnsafeTarget):
        safe_target(url, allow_loopback=False)


def test_a_name_is_asked_once_and_the_checked_address_is_called() -> None:
    asked: list[str] = []

    def turncoat(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["93.184.216.34"] if len(asked) == 1 else ["127.0.0.1"]

    target = safe_target("https://hook.example:8443/a?b=1", allow_loopback=False, resolver=turncoat)
    assert (target.url, target.host_header) == ("https://93.184.216.34:8443/a?b=1", "hook.example:8443")
    assert asked == ["hook.example"]


def test_an_address_that_turned_inward_after_it_was_added_is_not_called(
    world: World, house: House, receiver: Receiver
) -> None:
    made = an_endpoint(house.client(), receiver)
    house.a_waiting_record()
    wrote(house)
    strict = world.settings.model_copy(update={"webhook_allow_loopback": False})
    sender = WebhookSender(world.database, strict, vault=world.tieout.vault, clock=world.clock)
    assert sender.send_due() == (0, 1)
    sender.close()
    assert receiver.got == []
    (logged,) = exact(house.client().get(f"/webhooks/{made['id']}/deliveries"))["items"]
    assert "unencrypted" in logged["last_error"]
