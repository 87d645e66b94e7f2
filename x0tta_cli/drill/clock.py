"""Times the stages of a loop and tells the terminal and the log where it is."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from x0tta_cli.core.progress import Progress
from x0tta_cli.drill.model import Stage

log = logging.getLogger(__name__)


class StageClock:
    """Collects the duration of each stage that ended without an error."""

    def __init__(self, progress: Progress) -> None:
        self.stages: list[Stage] = []
        self._progress = progress

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time one stage."""
        log.info("stage started", extra={"stage": name})
        started = time.perf_counter()
        with self._progress.stage(name):
            yield
        self.stages.append(Stage(name, round((time.perf_counter() - started) * 1000, 3)))

    @property
    def total_ms(self) -> float:
        """The duration of all stages together."""
        return sum(stage.duration_ms for stage in self.stages)
