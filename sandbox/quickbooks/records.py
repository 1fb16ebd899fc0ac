"""One stored object: its wire form, and beside it what the outside never sees (postings, links, index keys)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from sandbox.kernel import wire
from sandbox.kernel.ledger import Posting

Body = dict[str, Any]


class Link(NamedTuple):
    """An amount by which one transaction settles another."""

    entity: str
    id: str
    amount: Decimal


class Effects(NamedTuple):
    """What an object does beyond being there: postings on a date, settlements, index keys, private notes."""

    on: date | None = None
    postings: tuple[Posting, ...] = ()
    links: tuple[Link, ...] = ()
    keys: tuple[str, ...] = ()
    hidden: Body = {}  # noqa: RUF012 - never changed in place


NOTHING = Effects()


class Record:
    """An object as it stands. Never changed in place: a change makes a new record."""

    __slots__ = ("_wire", "body", "effects", "epoch", "sequence")

    def __init__(self, body: Body, *, epoch: int, sequence: int, effects: Effects = NOTHING) -> None:
        self.body = body
        self.epoch = epoch
        self.sequence = sequence
        self.effects = effects
        self._wire: bytes | None = None

    @property
    def id(self) -> str:
        """The object's id."""
        return str(self.body["Id"])

    @property
    def wire(self) -> bytes:
        """The object's JSON, made once."""
        if self._wire is None:
            self._wire = wire.dumps(self.body)
        return self._wire

    def with_body(self, body: Body, *, epoch: int | None = None, sequence: int | None = None) -> Record:
        """Return the same record with another wire form; its effects stay."""
        return Record(
            body,
            epoch=self.epoch if epoch is None else epoch,
            sequence=self.sequence if sequence is None else sequence,
            effects=self.effects,
        )


class RecordCodec:
    """Keeps records, and the sandbox's other tables as plain JSON."""

    def encode(self, table: str, value: Any) -> bytes:
        """Return the bytes to keep."""
        if not isinstance(value, Record):
            return wire.dumps({"plain": value})
        effects = value.effects
        return wire.dumps(
            {
                "b": value.body,
                "e": value.epoch,
                "s": value.sequence,
                "o": effects.on.isoformat() if effects.on else None,
                "p": [list(posting) for posting in effects.postings],
                "l": [list(link) for link in effects.links],
                "k": list(effects.keys),
                "h": effects.hidden,
            }
        )

    def decode(self, table: str, data: bytes) -> Any:
        """Return the value those bytes stand for."""
        kept = wire.loads(data)
        if "plain" in kept:
            return kept["plain"]
        effects = Effects(
            on=date.fromisoformat(kept["o"]) if kept["o"] else None,
            postings=tuple(Posting(a, Decimal(n), party, memo) for a, n, party, memo in kept["p"]),
            links=tuple(Link(entity, number, Decimal(n)) for entity, number, n in kept["l"]),
            keys=tuple(kept["k"]),
            hidden=kept["h"],
        )
        return Record(kept["b"], epoch=kept["e"], sequence=kept["s"], effects=effects)
