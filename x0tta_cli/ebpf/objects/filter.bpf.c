// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * filter: drops what comes from denied networks. What no network matches passes, and so does all
 * that is not IP. Of an allowed and a denied network that both match, the narrower one decides; of
 * two that are as narrow, the allowed one.
 */
#include "dropping.bpf.h"

struct network {
	__u32 prefix_bits; /* of what follows: 32 more than its own, and for IPv4 96 more again */
	__u32 family;      /* 4 or 6, so that ::/0 is not all of IPv4 as well */
	union address address;
};

struct rule {
	__u64 packets;
	__u64 bytes;
	__u32 prefix_bits;
	__u32 unused;
};

struct {
	UINT(type, LPM_TRIE);
	UINT(max_entries, 65536);
	UINT(map_flags, NO_PREALLOC);
	TYPE(key, struct network);
	TYPE(value, struct rule);
} deny SEC(".maps");

struct {
	UINT(type, LPM_TRIE);
	UINT(max_entries, 65536);
	UINT(map_flags, NO_PREALLOC);
	TYPE(key, struct network);
	TYPE(value, struct rule);
} allow SEC(".maps");

INLINE void count_match(struct rule *rule, __u32 length)
{
	__sync_fetch_and_add(&rule->packets, 1);
	__sync_fetch_and_add(&rule->bytes, length);
}

PROGRAM int x0tta_filter(struct xdp_md *context)
{
	struct rule *denied, *allowed;
	struct network network;
	struct packet packet;

	if (deadline_passed())
		return XDP_PASS;
	parse(context, &packet);
	if (packet.family == 0 && !(strict && packet.counted == COUNTED_ARP))
		return pass(&packet);
	network.prefix_bits = 32 + 128;
	network.family = packet.family == 6 ? 6 : 4;
	network.address = packet.source;
	denied = map_lookup(&deny, &network);
	if (LIKELY(!denied))
		return pass(&packet);
	allowed = map_lookup(&allow, &network);
	if (allowed && allowed->prefix_bits >= denied->prefix_bits) {
		count_match(allowed, packet.length);
		return pass(&packet);
	}
	if (is_spared(&packet))
		return pass(&packet);
	count_match(denied, packet.length);
	return drop(context, &packet, REASON_DENIED);
}

char license_of_program[] SEC("license") = "Dual BSD/GPL";
