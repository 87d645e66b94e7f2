// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* count: packets and bytes per protocol. Passes everything. */
#include "x0tta.bpf.h"

/* Ethernet and no deadline. One constant to load instead of two: a fifth of the program's time. */
const volatile __u32 is_plain = 0;

INLINE int count(struct xdp_md *context, __u32 link)
{
	struct packet packet;

	parse_link(context, &packet, link);
	return pass(&packet);
}

/*
 * Apart, because the registers that have to outlive the call of the clock would cost every packet
 * two nanoseconds. Where the program is plain the kernel removes this.
 */
NOINLINE int count_until_deadline(struct xdp_md *context)
{
	return deadline_passed() ? XDP_PASS : count(context, link_type);
}

PROGRAM int x0tta_count(struct xdp_md *context)
{
	return is_plain ? count(context, LINK_ETHERNET) : count_until_deadline(context);
}

char license_of_program[] SEC("license") = "Dual BSD/GPL";
