"""Where uploaded files are kept: streamed to disk as they come, capped, under the data folder, one folder per builder."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO
from uuid import UUID

from sync.refusals import TooLarge

PIECE_BYTES = 1 << 20
UPLOAD_BYTES_MAX = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Spool:
    """The folder of uploaded files. API and worker processes have to see the same one."""

    folder: Path

    def take(self, builder_id: UUID, import_id: str, stream: IO[bytes]) -> tuple[str, int]:
        """Write an upload to disk; return its fingerprint and size; raises TooLarge, leaving nothing."""
        path = self.file(builder_id, import_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        digest, size = hashlib.sha256(), 0
        with path.open("wb") as file:
            while piece := stream.read(PIECE_BYTES):
                size += len(piece)
                if size > UPLOAD_BYTES_MAX:
                    break
                digest.update(piece)
                file.write(piece)
        if size > UPLOAD_BYTES_MAX:
            path.unlink()
            raise TooLarge(what="The file", bytes_max=UPLOAD_BYTES_MAX)
        return digest.hexdigest(), size

    def keep(self, builder_id: UUID, import_id: str, source: Path) -> None:
        """Keep a copy of a file that is on this machine already."""
        path = self.file(builder_id, import_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, path)

    def forget(self, *, before: datetime) -> int:
        """Remove files that nobody has written to since a moment; return how many. No undo needs one."""
        removed = 0
        for path in self.folder.glob("*/*"):
            try:
                if datetime.fromtimestamp(path.stat().st_mtime, UTC) < before:
                    path.unlink()
                    removed += 1
            except FileNotFoundError:
                # Another process was quicker.
                continue
        return removed

    def file(self, builder_id: UUID, import_id: str) -> Path:
        """Where an import's file is, or would be."""
        return self.folder / str(builder_id) / f"{import_id}.upload"

    def problems(self, builder_id: UUID, import_id: str) -> Path:
        """Where an import's file of problems is, or would be."""
        return self.folder / str(builder_id) / f"{import_id}.problems.csv"
