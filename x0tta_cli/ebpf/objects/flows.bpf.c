// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* flows: packets and bytes per source and per flow; the least recently seen make room. */
#include "x0tta.bpf.h"

struct flow {
	union address source;
	union address destination;
	__u16 source_port; /* network byte order; 0 where there is none, or in a later fragment */
	__u16 destination_port;
	__u16 vlan;
	__u8 family;
	__u8 protocol;
};

struct source {
	union address address;
	__u16 vlan;
	__u8 family;
	__u8 unused;
};

struct traffic {
	__u64 packets;
	__u64 bytes;
	__u64 last_boot_ns;
};

struct {
	UINT(type, LRU_PERCPU_HASH);
	UINT(max_entries, 131072);
	TYPE(key, struct flow);
	TYPE(value, struct traffic);
} flows SEC(".maps");

struct {
	UINT(type, LRU_PERCPU_HASH);
	UINT(max_entries, 32768);
	TYPE(key, struct source);
	TYPE(value, struct traffic);
} sources SEC(".maps");

INLINE int has_ports(__u32 protocol)
{
	return protocol == PROTOCOL_TCP || protocol == PROTOCOL_UDP ||
	       protocol == PROTOCOL_SCTP || protocol == PROTOCOL_UDPLITE;
}

INLINE void see(void *map, void *key, __u32 length, __u64 now_ns)
{
	struct traffic *known = map_lookup(map, key);
	struct traffic first = { 1, length, now_ns };

	if (known) {
		known->packets++;
		known->bytes += length;
		known->last_boot_ns = now_ns;
	} else if (map_update(map, key, &first, NO_EXIST)) {
		/* Another CPU made the entry meanwhile; this one has its own part of it. */
		known = map_lookup(map, key);
		if (known) {
			known->packets++;
			known->bytes += length;
			known->last_boot_ns = now_ns;
		}
	}
}

PROGRAM int x0tta_flows(struct xdp_md *context)
{
	struct packet packet;
	struct source source = {};
	struct flow flow = {};
	__u64 now_ns;

	if (deadline_passed())
		return XDP_PASS;
	parse(context, &packet);
	if (packet.family == 0)
		return pass(&packet);
	now_ns = boot_ns();
	source.address = flow.source = packet.source;
	source.vlan = flow.vlan = packet.vlan;
	source.family = flow.family = packet.family;
	flow.destination = packet.destination;
	flow.protocol = packet.protocol;
	if (has_ports(packet.protocol) && packet.transport &&
	    packet.transport + 4 <= packet.end) {
		flow.source_port = *(__u16 *)packet.transport;
		flow.destination_port = *(__u16 *)(packet.transport + 2);
	}
	see(&sources, &source, packet.length, now_ns);
	see(&flows, &flow, packet.length, now_ns);
	return pass(&packet);
}

char license_of_program[] SEC("license") = "Dual BSD/GPL";
