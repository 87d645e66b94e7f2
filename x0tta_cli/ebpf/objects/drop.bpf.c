// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* drop: loses packets by lot, for drills; of all senders, or of the neighbours that are listed. */
#include "dropping.bpf.h"

const volatile __u64 threshold = 0; /* of 2^32 draws, how many lose the packet */
const volatile __u32 only_listed = 0;

struct neighbour {
	union address address; /* a MAC address fills the first six bytes */
	__u32 family;          /* 0: a MAC address; 4, 6 */
};

struct {
	UINT(type, HASH);
	UINT(max_entries, 256);
	TYPE(key, struct neighbour);
	TYPE(value, __u8);
} neighbours SEC(".maps");

INLINE int is_listed(struct packet *packet)
{
	struct neighbour neighbour = {};

	if (packet->family != 0) {
		neighbour.address = packet->source;
		neighbour.family = packet->family;
		if (map_lookup(&neighbours, &neighbour))
			return 1;
	}
	if (link_type != LINK_ETHERNET || packet->data + 14 > packet->end)
		return 0;
	neighbour.address.halves[0] = neighbour.address.halves[1] = 0;
	neighbour.family = 0;
#pragma unroll
	for (int i = 0; i < 6; i++)
		neighbour.address.bytes[i] = *(__u8 *)(packet->data + 6 + i);
	return map_lookup(&neighbours, &neighbour) != 0;
}

PROGRAM int x0tta_drop(struct xdp_md *context)
{
	struct packet packet;

	if (deadline_passed())
		return XDP_PASS;
	parse(context, &packet);
	if (only_listed && !is_listed(&packet))
		return pass(&packet);
	if (is_spared(&packet))
		return pass(&packet);
	if (random_u32() >= threshold)
		return pass(&packet);
	return drop(context, &packet, REASON_INJECTED);
}

char license_of_program[] SEC("license") = "Dual BSD/GPL";
