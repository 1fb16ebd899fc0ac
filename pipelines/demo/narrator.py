"""What the demo tells while it works: one line per step, a moving one while it lasts, and tables at the end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, RenderableType

# Without a terminal a moving line is no use; a line now and then is.
QUIET_SECONDS = 5.0
# What a file or a pipe is written for.
LOG_COLUMNS = 140


class Step:
    """One step under way."""

    def __init__(self, console: Console, title: str) -> None:
        self._console = console
        self._title = title
        self._started = self._spoken = time.monotonic()
        self._status = console.status(title) if console.is_terminal else None
        self.result = ""

    def say(self, progress: str) -> None:
        """Tell how far it is."""
        if self._status is not None:
            self._status.update(f"{self._title}: {progress}")
        elif time.monotonic() - self._spoken > QUIET_SECONDS:
            self._spoken = time.monotonic()
            self._console.print(f"  … {self._title}: {progress}", style="dim", highlight=False)

    def begin(self) -> None:
        """Show that it has begun."""
        if self._status is not None:
            self._status.start()

    def end(self, *, is_done: bool) -> None:
        """Replace the moving line by what came of it."""
        if self._status is not None:
            self._status.stop()
        seconds = time.monotonic() - self._started
        mark = "[green]✓[/green]" if is_done else "[red]✗[/red]"
        result = f": {self.result}" if self.result else ""
        self._console.print(f"{mark} {self._title}{result} [dim]({seconds:.1f} s)[/dim]", highlight=False)


class Narrator:
    """Speaks to the person who started the demo."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console()
        if not self.console.is_terminal:
            self.console.width = LOG_COLUMNS

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Tell about one step, from its beginning to its end, however it ends."""
        step = Step(self.console, title)
        step.begin()
        try:
            yield step
        except BaseException:
            step.end(is_done=False)
            raise
        step.end(is_done=True)

    def show(self, *renderables: RenderableType) -> None:
        """Print tables and lines."""
        for renderable in renderables:
            self.console.print(renderable, highlight=False)
