"""Where a sandbox keeps its objects: dictionaries in memory for speed, a SQLite file behind them for keeping.

Memory is the truth while the process runs, so reading costs a dictionary look-up. Each outermost transaction
writes the objects it changed to SQLite (WAL) before the answer leaves, so a killed process loses nothing that was
acknowledged. Without a folder the same code runs in memory only.

Values are treated as immutable: put a new value, never change one in place. That makes roll-back and snapshots a
matter of remembering references. A listener hears of every change, roll-backs and loading included, and keeps
indexes and the ledger in step.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from sandbox.kernel import wire
from sandbox.kernel.memory import filling

Listener = Callable[[str, str, Any, Any], None]
BOOKS_FILE = "books.sqlite3"


class Codec(Protocol):
    """Turns a stored value into bytes and back."""

    def encode(self, table: str, value: Any) -> bytes:
        """Return the bytes to keep."""
        ...

    def decode(self, table: str, data: bytes) -> Any:
        """Return the value those bytes stand for."""
        ...


class JsonCodec:
    """Keeps plain JSON values, Decimals exact."""

    def encode(self, table: str, value: Any) -> bytes:
        """Return compact JSON."""
        return wire.dumps(value)

    def decode(self, table: str, data: bytes) -> Any:
        """Return the parsed JSON."""
        return wire.loads(data)


class Store:
    """Named tables of keyed values, with transactions, snapshots and an optional file behind them."""

    def __init__(
        self, *, folder: Path | None = None, codec: Codec | None = None, listener: Listener | None = None
    ) -> None:
        self._codec: Codec = codec or JsonCodec()
        self._listener: Listener = listener or _nobody_listens
        self._tables: dict[str, dict[str, Any]] = {}
        self._undo: list[tuple[str, str, Any]] = []
        self._depth = 0
        self._snapshots: dict[str, dict[str, dict[str, Any]]] = {}
        self._folder = folder
        self._file = _open_file(folder) if folder is not None else None
        self._last_order = 0

    def load(self) -> int:
        """Read the file into memory, telling the listener of each object; return how many there were."""
        if self._file is None:
            return 0
        with filling():
            return self._load(self._file)

    def _load(self, file: sqlite3.Connection) -> int:
        count = 0
        for table, key, order, data in file.execute("select tab, key, ord, val from objects order by ord"):
            self._set(table, key, self._codec.decode(table, data))
            self._last_order = order
            count += 1
        return count

    def get(self, table: str, key: str) -> Any:
        """Return a value, or None."""
        rows = self._tables.get(table)
        return None if rows is None else rows.get(key)

    def rows(self, table: str) -> Mapping[str, Any]:
        """Return a read-only view of a table, in order of first entry."""
        return MappingProxyType(self._tables.setdefault(table, {}))

    def put(self, table: str, key: str, value: Any) -> None:
        """Enter or replace a value; only inside a transaction."""
        self._require_transaction()
        self._undo.append((table, key, self.get(table, key)))
        self._set(table, key, value)

    def remove(self, table: str, key: str) -> None:
        """Remove a value if it is there; only inside a transaction."""
        self._require_transaction()
        old = self.get(table, key)
        if old is not None:
            self._undo.append((table, key, old))
            self._set(table, key, None)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep all changes or, when the block raises, none; a nested block can fail alone."""
        mark = len(self._undo)
        self._depth += 1
        try:
            yield
        except BaseException:
            while len(self._undo) > mark:
                self._set(*self._undo.pop())
            raise
        finally:
            self._depth -= 1
        if self._depth == 0:
            self._write()

    def clear(self, *, prefix: str = "") -> None:
        """Remove every table whose name begins with `prefix`; only inside a transaction."""
        for table in [name for name in self._tables if name.startswith(prefix)]:
            # Last first: indexes that are sorted lists lose their end, which costs nothing.
            for key in reversed(list(self._tables[table])):
                self.remove(table, key)

    def take_snapshot(self, name: str) -> int:
        """Remember the present state under a name; return the number of objects."""
        self._snapshots[name] = {table: dict(rows) for table, rows in self._tables.items()}
        if self._file is not None and self._folder is not None:
            target = _snapshot_path(self._folder, name)
            target.unlink(missing_ok=True)
            self._file.execute("vacuum into ?", (str(target),))
        return sum(len(rows) for rows in self._tables.values())

    def restore_snapshot(self, name: str) -> int:
        """Return to a remembered state; KeyError when there is none of that name."""
        tables = self._snapshots.get(name) or self._read_snapshot(name)
        with self.transaction():
            self.clear()
            for table, rows in tables.items():
                for key, value in rows.items():
                    self.put(table, key, value)
        return sum(len(rows) for rows in tables.values())

    def snapshot_names(self) -> list[str]:
        """Return the names that can be restored."""
        kept = set(self._snapshots)
        if self._folder is not None:
            kept |= {
                path.name[len("snapshot-") : -len(".sqlite3")]
                for path in self._folder.glob("snapshot-*.sqlite3")
            }
        return sorted(kept)

    def close(self) -> None:
        """Close the file; the store is not usable afterwards."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _require_transaction(self) -> None:
        if not self._depth:
            raise AssertionError("A change outside a transaction would not be kept.")

    def _set(self, table: str, key: str, value: Any) -> None:
        rows = self._tables.setdefault(table, {})
        old = rows.get(key)
        if value is None:
            rows.pop(key, None)
        else:
            rows[key] = value
        self._listener(table, key, old, value)

    def _write(self) -> None:
        changed = dict.fromkeys((table, key) for table, key, _ in self._undo)
        self._undo.clear()
        if self._file is None or not changed:
            return
        puts: list[tuple[str, str, int, bytes]] = []
        removals: list[tuple[str, str]] = []
        for table, key in changed:
            value = self.get(table, key)
            if value is None:
                removals.append((table, key))
            else:
                self._last_order += 1
                puts.append((table, key, self._last_order, self._codec.encode(table, value)))
        with self._file:
            self._file.execute("begin")
            self._file.executemany("delete from objects where tab = ? and key = ?", removals)
            self._file.executemany(
                "insert into objects (tab, key, ord, val) values (?, ?, ?, ?)"
                " on conflict (tab, key) do update set val = excluded.val",
                puts,
            )

    def _read_snapshot(self, name: str) -> dict[str, dict[str, Any]]:
        if self._folder is None or not _snapshot_path(self._folder, name).exists():
            raise KeyError(name)
        tables: dict[str, dict[str, Any]] = {}
        file = sqlite3.connect(_snapshot_path(self._folder, name))
        try:
            for table, key, data in file.execute("select tab, key, val from objects order by ord"):
                tables.setdefault(table, {})[key] = self._codec.decode(table, data)
        finally:
            file.close()
        return tables


def _nobody_listens(*_change: Any) -> None:
    return None


def _snapshot_path(folder: Path, name: str) -> Path:
    return folder / f"snapshot-{name}.sqlite3"


def _open_file(folder: Path) -> sqlite3.Connection:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / BOOKS_FILE
    # One event loop uses the connection, but tests may build the app in one thread and serve it in another.
    file = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=2)
    try:
        file.execute("pragma locking_mode = exclusive")
        file.execute("pragma journal_mode = wal")
        file.execute("pragma synchronous = normal")
        file.execute(
            "create table if not exists objects (tab text not null, key text not null, ord integer not null,"
            " val blob not null, primary key (tab, key)) without rowid"
        )
        file.execute("begin immediate")
        file.execute("commit")
    except sqlite3.OperationalError as error:
        file.close()
        raise OSError(f"{path} is in use by another sandbox, or cannot be written ({error})") from error
    return file
