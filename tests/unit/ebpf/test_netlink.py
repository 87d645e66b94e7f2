"""Reading and writing of netlink attributes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from x0tta_cli.ebpf.netlink import attribute, attributes, number, text

values = st.dictionaries(st.integers(0, 0x3FFF), st.binary(max_size=40), max_size=8)


@given(values)
def test_attributes_are_read_back_as_they_were_written(found):
    written = b"".join(attribute(kind, value) for kind, value in found.items())
    assert attributes(written) == found
    assert len(written) % 4 == 0


@given(st.binary(max_size=200), st.integers(0, 20))
def test_no_bytes_make_the_reading_fail(data, offset):
    assert isinstance(attributes(data, offset), dict)


def test_numbers_and_texts():
    assert number(None, 7) == 7
    assert number((65534).to_bytes(2, "little")) == 65534
    assert text(b"veth\0rest") == "veth"
    assert text(None) == ""
