"""What x0tta sees and does beside a dispatcher that is pinned as bpfman pins it; prints it as JSON.

    unshare --mount python beside_bpfman.py NETNS FILESYSTEM INDEX

The part is the link of an XDP program on another interface: a kernel without programs of type ext
takes no real one, and what is read of the two is the same. Layout: bpfman, utils.rs.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from x0tta_cli.core.errors import OperatorError
from x0tta_cli.ebpf import attachments, namespaces, syscalls
from x0tta_cli.ebpf.attaching import attach
from x0tta_cli.ebpf.detaching import DetachRequest, detach
from x0tta_cli.ebpf.interfaces import MODE_FLAG, find_interface
from x0tta_cli.ebpf.model import Mode
from x0tta_cli.ebpf.requests import AttachRequest

RUN = Path("/run/bpfman")


def main(netns: str, filesystem: Path, place: str) -> None:
    """Pin a part where bpfman would, look, and try to attach, to replace and to detach."""
    pin_part(netns, place)
    [found] = attachments.find("near", netns, filesystem=filesystem)

    def request(replace: int | None = None) -> AttachRequest:
        return AttachRequest(
            ("near",), "count", netns=netns, filesystem=filesystem, replace=replace
        )

    seen = {
        "owner": found.owner.value,
        "parts": [(part.program, part.pinned_at) for part in found.parts],
        "attach": problem(lambda: attach(request())),
        "replace": problem(lambda: attach(request(found.id))),
        "detach": problem(
            lambda: detach(DetachRequest(("near",), found.id, None, netns, filesystem))
        ),
    }
    json.dump(seen, sys.stdout)


def pin_part(netns: str, place: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(RUN)], check=True)
    (RUN / "fs").mkdir()
    subprocess.run(["mount", "-t", "bpf", "none", str(RUN / "fs")], check=True)
    with namespaces.entered(netns):
        index = find_interface("near").index
        folder = RUN / "fs/xdp" / place.format(netns=namespaces.identity(), index=index)
        folder.mkdir(parents=True)
        second = find_interface("near2").index
        program = syscalls.load_bare_program("counting_part")
        link = syscalls.create_link(program, second, MODE_FLAG[Mode.GENERIC])
        syscalls.pin(link, str(folder / "link_7"))


def problem(call: Callable[[], object]) -> dict[str, Any]:
    try:
        call()
    except OperatorError as error:
        return {"code": error.code, "what": str(error), "fix": error.fix}
    return {}


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
