"""Programs and maps opened by their ids."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from x0tta_cli.ebpf import capabilities


@contextmanager
def opened(open_by_id: Callable[[int], int], identifier: int) -> Iterator[int]:
    """Open a program or map by its id for the block; OSError ENOENT where it is gone.

    `open_by_id` is `syscalls.open_program` or `open_map`. Raises NotPermittedError
    `ebpf.not_permitted`.
    """
    try:
        descriptor = open_by_id(identifier)
    except PermissionError:
        raise capabilities.lacking(("CAP_SYS_ADMIN",)) from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)
