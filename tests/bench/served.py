"""What a server in a process of its own has used: on a busy machine that tells more than the clock on the wall."""

from __future__ import annotations

import os
from pathlib import Path


def server_seconds(pid: int) -> float:
    """Processor seconds a process has used so far; not money, and 0 where the system has no /proc."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return 0.0
    parts = stat.read_text().rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")
