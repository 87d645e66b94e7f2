// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * meter: what arrives from each neighbour of a mesh link, and what is missing.
 *
 * A neighbour is a sender on this link: its MAC address, or the IP source where the link has no
 * such addresses or by_address asks for it. Loss is estimated from a sequence number that the
 * mesh carries: UDP to destination port `port`, at `offset` bytes into the payload 32 bits in
 * network byte order, one more for each packet that the neighbour sends on this link. Gaps are
 * counted as RFC 3550 (A.1, A.3) does.
 */
#include "x0tta.bpf.h"

const volatile __u32 port = 0; /* 0: the mesh carries no sequence numbers */
const volatile __u32 offset = 0;
const volatile __u32 by_address = 0;

#define MOST_SKIPPED 3000 /* MAX_DROPOUT of RFC 3550, A.1 */
#define MOST_LATE 100     /* MAX_MISORDER */
#define MOST_OFFSET 1024
#define BUCKETS 24 /* of jitter: bucket n holds 2^(n-1) up to 2^n - 1 microseconds, 0 none */

struct neighbour {
	union address address; /* a MAC address fills the first six bytes */
	__u32 family;          /* 0: a MAC address; 4, 6 */
};

struct link {
	struct bpf_spin_lock lock;
	__u32 highest; /* sequence number */
	__u64 packets;
	__u64 bytes;
	__u64 sequenced; /* packets that had a sequence number */
	__u64 expected;  /* as many as their numbers say that there were */
	__u64 late;      /* came after a higher number, or twice */
	__u64 restarts;  /* of the numbering */
	__u64 last_boot_ns;
	__u64 last_gap_ns;
	__u32 jitter[BUCKETS]; /* how much one gap between packets differs from the gap before */
};

/* A plain hash: those that forget by themselves can't hold a lock. */
struct {
	UINT(type, HASH);
	UINT(max_entries, 1024);
	TYPE(key, struct neighbour);
	TYPE(value, struct link);
} links SEC(".maps");

/* What came from neighbours for whom there was no room. */
struct {
	UINT(type, PERCPU_ARRAY);
	UINT(max_entries, 1);
	TYPE(key, __u32);
	TYPE(value, struct count);
} unmetered SEC(".maps");

/* Zeroes, from which new entries are made: they are too large for the stack. */
struct blank {
	__u8 bytes[sizeof(struct link)];
};

struct {
	UINT(type, ARRAY);
	UINT(max_entries, 1);
	TYPE(key, __u32);
	TYPE(value, struct blank);
} new_link SEC(".maps");

INLINE int identify(struct packet *packet, struct neighbour *neighbour)
{
	if (link_type == LINK_ETHERNET && !by_address) {
		if (packet->data + 14 > packet->end)
			return 0;
#pragma unroll
		for (int i = 0; i < 6; i++)
			neighbour->address.bytes[i] = *(__u8 *)(packet->data + 6 + i);
		return 1;
	}
	neighbour->address = packet->source;
	neighbour->family = packet->family;
	return packet->family != 0;
}

INLINE int find_sequence(struct packet *packet, __u32 *sequence)
{
	void *udp = packet->transport;
	void *place;

	if (port == 0 || packet->protocol != PROTOCOL_UDP || !udp || packet->is_fragment == 2)
		return 0;
	if (udp + 8 > packet->end || *(__u16 *)(udp + 2) != HOST16((__u16)port))
		return 0;
	place = udp + 8 + (offset & (MOST_OFFSET - 1));
	if (place + 4 > packet->end)
		return 0;
	*sequence = HOST32(*(__u32 *)place);
	return 1;
}

INLINE void follow_sequence(struct link *link, __u32 sequence)
{
	__s32 step = sequence - link->highest;

	link->sequenced++;
	if (link->sequenced == 1) {
		link->highest = sequence;
		link->expected = 1;
	} else if (step > 0 && step <= MOST_SKIPPED) {
		link->highest = sequence;
		link->expected += step;
	} else if (step <= 0 && step > -MOST_LATE) {
		link->late++;
	} else {
		link->restarts++;
		link->highest = sequence;
		link->expected++;
	}
}

INLINE __u32 bucket_of(__u64 difference_us)
{
	__u32 bucket = 0;

#pragma unroll
	for (int i = 0; i < BUCKETS - 1; i++)
		bucket += difference_us >> i != 0;
	return bucket;
}

PROGRAM int x0tta_meter(struct xdp_md *context)
{
	struct neighbour neighbour = {};
	__u64 now_ns, gap_ns, difference_ns;
	__u32 only = 0, sequence = 0, has_sequence, bucket;
	struct packet packet;
	struct link *link;

	if (deadline_passed())
		return XDP_PASS;
	parse(context, &packet);
	if (!identify(&packet, &neighbour))
		return pass(&packet);
	link = map_lookup(&links, &neighbour);
	if (!link) {
		struct blank *blank = map_lookup(&new_link, &only);

		if (!blank)
			return pass(&packet);
		map_update(&links, &neighbour, blank, NO_EXIST);
		link = map_lookup(&links, &neighbour);
		if (!link) {
			struct count *count = map_lookup(&unmetered, &only);

			if (count) {
				count->packets++;
				count->bytes += packet.length;
			}
			return pass(&packet);
		}
	}
	has_sequence = find_sequence(&packet, &sequence);
	now_ns = boot_ns();
	spin_lock(&link->lock);
	/* CPUs read the clock before they have the lock: a gap is never negative. */
	gap_ns = link->packets && now_ns > link->last_boot_ns ? now_ns - link->last_boot_ns : 0;
	difference_ns = gap_ns > link->last_gap_ns ? gap_ns - link->last_gap_ns
						   : link->last_gap_ns - gap_ns;
	if (link->packets > 1) {
		bucket = bucket_of(difference_ns / 1000);
		if (bucket < BUCKETS)
			link->jitter[bucket]++;
	}
	link->last_gap_ns = gap_ns;
	link->last_boot_ns = now_ns;
	link->packets++;
	link->bytes += packet.length;
	if (has_sequence)
		follow_sequence(link, sequence);
	spin_unlock(&link->lock);
	return pass(&packet);
}

char license_of_program[] SEC("license") = "Dual BSD/GPL";
