"""BPF programs in C that more than one test compiles."""

from __future__ import annotations

# `entering` calls whatever stands at 1 of a prog array: `dropping`, as long as somebody holds that.
TAIL_CALL = """
SEC("xdp") int dropping(struct xdp_md *context) { return 1; }
struct { int (*type)[3]; int (*max_entries)[2]; int (*key_size)[4];
         int (*values[])(struct xdp_md *); } table SEC(".maps") = {
	.values = { [1] = dropping },
};
static long (*tail_call)(void *context, void *map, unsigned index) = (void *)12;
SEC("xdp") int entering(struct xdp_md *context) {
	tail_call(context, &table, 1);
	return 2;
}
"""
