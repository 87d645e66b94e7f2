/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* For programs that can drop: whom they spare, and how they tell what they dropped and why. */
#ifndef X0TTA_DROPPING_BPF_H
#define X0TTA_DROPPING_BPF_H

#include "x0tta.bpf.h"

const volatile __u32 samples_per_second = 100; /* on each CPU */

enum reason {
	REASON_DENIED = 1,     /* by an entry of the map deny */
	REASON_OVER_RATE,      /* its source sent more than the rate */
	REASON_OVER_RATE_FULL, /* so did those for whom the table had no room, taken together */
	REASON_INJECTED,       /* by lot, for a drill */
	REASONS,
};

#define SAMPLE_BYTES 96

struct sample {
	__u64 boot_ns;
	__u32 interface;
	__u32 length;   /* of the packet, in bytes */
	__u16 captured; /* bytes of the packet that follow */
	__u8 reason;
	__u8 link_type;
	__u32 unsampled; /* drops on this CPU since its last sample that left none */
	__u8 header[SAMPLE_BYTES];
};

/* Hosts whose packets are never dropped. */
struct {
	UINT(type, HASH);
	UINT(max_entries, 256);
	TYPE(key, union address);
	TYPE(value, __u8);
} keep SEC(".maps");

/* Packets and bytes dropped, by reason; complete, whatever becomes of the samples. */
struct {
	UINT(type, PERCPU_ARRAY);
	UINT(max_entries, REASONS);
	TYPE(key, __u32);
	TYPE(value, struct count);
} reasons SEC(".maps");

/* Headers of some of the dropped packets. */
struct {
	UINT(type, RINGBUF);
	UINT(max_entries, 1 << 18);
} samples SEC(".maps");

struct pace {
	__u64 second;
	__u32 taken;
	__u32 unsampled;
};

struct {
	UINT(type, PERCPU_ARRAY);
	UINT(max_entries, 1);
	TYPE(key, __u32);
	TYPE(value, struct pace);
} sample_pace SEC(".maps");

INLINE int is_neighbour_discovery(struct packet *packet)
{
	__u8 *type = packet->transport;

	/* From this link alone (RFC 4861, 7.1) and unfragmented (RFC 6980). */
	if (packet->family != 6 || packet->protocol != PROTOCOL_ICMPV6)
		return 0;
	if (!type || packet->is_fragment || packet->hop_limit != 255)
		return 0;
	return (void *)(type + 1) <= packet->end && *type >= 133 && *type <= 137;
}

/* Whether dropping this packet could cut off the host, or one that must stay reachable. */
INLINE int is_spared(struct packet *packet)
{
	if (strict)
		return 0;
	if (packet->counted == COUNTED_ARP || is_neighbour_discovery(packet))
		return 1;
	return packet->family != 0 && map_lookup(&keep, &packet->source) != 0;
}

INLINE int may_sample(struct pace *pace, __u64 now_ns)
{
	__u64 second = now_ns / 1000000000;

	if (pace->second != second) {
		pace->second = second;
		pace->taken = 0;
	}
	return pace->taken < samples_per_second;
}

INLINE void copy_header(struct packet *packet, struct sample *sample)
{
	void *from = packet->data;
	__u32 copied = 0;

	/* In pieces whose size the verifier knows: what a packet has beyond the last is left out. */
#pragma unroll
	for (int i = 0; i < SAMPLE_BYTES; i += 2) {
		if (from + i + 2 > packet->end)
			break;
		*(__u16 *)(sample->header + i) = *(__u16 *)(from + i);
		copied = i + 2;
	}
	sample->captured = copied;
}

INLINE void take_sample(struct xdp_md *context, struct packet *packet, enum reason reason)
{
	__u32 only = 0;
	struct pace *pace = map_lookup(&sample_pace, &only);
	__u64 now_ns = boot_ns();
	struct sample *sample;

	if (!pace)
		return;
	sample = may_sample(pace, now_ns) ? ring_reserve(&samples, sizeof(*sample), 0) : 0;
	if (!sample) {
		pace->unsampled++;
		return;
	}
	sample->boot_ns = now_ns;
	sample->interface = context->ingress_ifindex;
	sample->length = packet->length;
	sample->reason = reason;
	sample->link_type = link_type;
	sample->unsampled = pace->unsampled;
	pace->unsampled = 0;
	pace->taken++;
	copy_header(packet, sample);
	ring_submit(sample, 0);
}

INLINE int drop(struct xdp_md *context, struct packet *packet, enum reason reason)
{
	__u32 key = reason;
	struct count *count = map_lookup(&reasons, &key);

	if (count) {
		count->packets++;
		count->bytes += packet->length;
	}
	add(COUNTED_PROTOCOLS + packet->counted, packet->length);
	take_sample(context, packet, reason);
	return XDP_DROP;
}

#endif
