"""`python -m sandbox quickbooks --port 8101` starts an emulator."""

from __future__ import annotations

from sandbox.launch import main

if __name__ == "__main__":
    raise SystemExit(main())
