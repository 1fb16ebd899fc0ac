"""Runs a singer tap as it is, its calls sent elsewhere: `python launcher.py ADDRESSES MODULE [the tap's arguments]`.

The providers' addresses are constants of the taps. Nothing of a tap is changed here: what its HTTP library is about to
send to an address of ADDRESSES (a JSON object, beginnings of addresses to beginnings of addresses) goes to the other
one, and what it would send anywhere else is refused. Runs in the tap's own environment, where nothing of this project is
installed.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Mapping
from typing import Any


def moved(url: str, addresses: Mapping[str, str]) -> str:
    """Return where a call goes instead."""
    for there, here in addresses.items():
        if url.startswith(there):
            return here + url.removeprefix(there)
    raise ValueError(
        f"The tap calls {url.partition('?')[0]}, which is none of {', '.join(addresses)};"
        " name that address where the benchmark launches it."
    )


def send_elsewhere(adapter: Any, addresses: Mapping[str, str]) -> None:
    """Let every session of the HTTP library send its calls elsewhere."""
    send = adapter.send

    def sent(self: Any, request: Any, *more: Any, **options: Any) -> Any:
        request.url = moved(request.url, addresses)
        return send(self, request, *more, **options)

    adapter.send = sent


def main() -> None:
    """Run the tap."""
    addresses, module = json.loads(sys.argv[1]), sys.argv[2]
    send_elsewhere(importlib.import_module("requests.adapters").HTTPAdapter, addresses)
    sys.argv = [module, *sys.argv[3:]]
    importlib.import_module(module).main()


if __name__ == "__main__":
    main()
