"""netlink as far as reading interfaces needs it; what else is asked of it, pyroute2 asks.

Written out here because every command reads interfaces: importing pyroute2 (measured: 100 ms)
takes longer than the rest of `x0tta ebpf attach` does, and looking at what is attached and taking
it off must need nothing that could be missing. Layouts: netlink(7), rtnetlink(7),
include/uapi/linux/{netlink,rtnetlink,if_link}.h.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterator, Mapping
from types import TracebackType

SOL_NETLINK, NETLINK_CAP_ACK, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK = 270, 10, 11, 12
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP = 0x1, 0x4, 0x300
NLM_F_CAPPED, NLM_F_ACK_TLVS = 0x100, 0x200
NLA_TYPE_MASK = 0x3FFF
RECEIVE_BYTES = 1 << 18
ANSWER_S = 5.0

Attributes = Mapping[int, bytes]


class KernelRefusal(OSError):  # noqa: N818 - the field's word
    """The kernel refused a request; `kernel_text` is its extended acknowledgement, often empty."""

    def __init__(self, number: int, kernel_text: str) -> None:
        super().__init__(number, kernel_text or os.strerror(number))
        self.kernel_text = kernel_text


class Netlink:
    """A netlink socket in the network namespace in which it was opened."""

    def __init__(self, protocol: int = socket.NETLINK_ROUTE) -> None:
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol
        )
        self._sequence = 0
        self._socket.settimeout(ANSWER_S)
        self._socket.bind((0, 0))
        for option in (NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK):
            try:
                self._socket.setsockopt(SOL_NETLINK, option, 1)
            except OSError as error:
                # Kernels before 4.12 and 4.20 have none of it; they answer without words.
                if error.errno != errno.ENOPROTOOPT:
                    raise

    def __enter__(self) -> Netlink:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._socket.close()

    def ask(self, kind: int, body: bytes, *, dump: bool = False) -> list[bytes]:
        """Send one request and give the bodies of its answers; KernelRefusal where refused.

        TimeoutError after 5 s of silence: the kernel answers within the call that sends.
        """
        self._sequence += 1
        flags = NLM_F_REQUEST | (NLM_F_DUMP if dump else NLM_F_ACK)
        header = struct.pack("=IHHII", 16 + len(body), kind, flags, self._sequence, 0)
        self._socket.send(header + body)
        answers: list[bytes] = []
        while True:
            for what, bits, answer in self._received():
                if what == NLMSG_DONE:
                    return answers
                if what == NLMSG_ERROR:
                    _raise_refusal(bits, answer)
                    return answers
                answers.append(answer)

    def _received(self) -> Iterator[tuple[int, int, bytes]]:
        data = self._socket.recv(RECEIVE_BYTES)
        offset = 0
        while offset + 16 <= len(data):
            length, kind, flags, sequence, _ = struct.unpack_from("=IHHII", data, offset)
            if length < 16:
                return
            if sequence == self._sequence:
                yield kind, flags, data[offset + 16 : offset + length]
            offset += (length + 3) & ~3


def attribute(kind: int, value: bytes) -> bytes:
    """Write one attribute, padded to 4 bytes."""
    return struct.pack("=HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)


def attributes(data: bytes, offset: int = 0) -> Attributes:
    """Read the attributes of a body from an offset on; what is cut short ends the reading."""
    found: dict[int, bytes] = {}
    while offset + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, offset)
        if length < 4 or offset + length > len(data):
            break
        found[kind & NLA_TYPE_MASK] = data[offset + 4 : offset + length]
        offset += (length + 3) & ~3
    return found


def number(value: bytes | None, default: int = 0) -> int:
    """Read an unsigned number of 1, 2, 4 or 8 bytes in the machine's order."""
    return default if value is None else int.from_bytes(value, "little" if _IS_LITTLE else "big")


def text(value: bytes | None) -> str:
    """Read a text that ends with a zero."""
    return (value or b"").split(b"\0")[0].decode("utf-8", "surrogateescape")


_IS_LITTLE = struct.pack("=H", 1) == struct.pack("<H", 1)


def _raise_refusal(flags: int, answer: bytes) -> None:
    code, length = struct.unpack_from("=iI", answer)
    if code == 0:
        return
    words = ""
    if flags & NLM_F_ACK_TLVS:
        # Without NLM_F_CAPPED the request itself stands between its header and the words.
        offset = 20 if flags & NLM_F_CAPPED else 4 + ((length + 3) & ~3)
        words = text(attributes(answer, offset).get(1))
    raise KernelRefusal(-code, words)
