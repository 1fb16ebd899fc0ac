"""Write all demo files beside this package, or into the folder named as the only argument."""

from __future__ import annotations

import sys
from pathlib import Path

from assets.demo.making.made import made_files


def main(folder: Path) -> None:
    """Write every file of every builder."""
    for name, content in made_files():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        sys.stdout.write(f"{name} {len(content):,} bytes\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[1])
