"""A real receiver of webhooks, and the hands that write events and send them."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from resources.store.webhooks import write_events
from resources.webhooks import WebhookSender
from tests.api.world import Client, House, World, exact


class Receiver:
    """A real receiver that keeps what it gets and answers as it is told."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], str]] = []
        self.status = 204
        self.location: str | None = None
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                receiver.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(receiver.status)
                if receiver.location:
                    self.send_header("Location", receiver.location)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def sender_of(world: World) -> WebhookSender:
    return WebhookSender(
        world.database, world.settings, vault=world.tieout.vault, clock=world.clock, jitter=lambda: 0
    )


def deliver(world: World) -> tuple[int, int]:
    sender = sender_of(world)
    try:
        return sender.send_due()
    finally:
        sender.close()


def wrote(house: House) -> int:
    return write_events(house.world.database, house.id, now=house.world.clock.now())


def an_endpoint(client: Client, receiver: Receiver, **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = exact(client.post("/webhooks", {"url": receiver.url, **more}))
    return made
