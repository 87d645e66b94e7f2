// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * ratelimit: a token bucket per source address.
 *
 * A bucket is one number, the time at which it will be full again (the theoretical arrival time of
 * the generic cell rate algorithm, ITU-T I.371). A bucket that is full says no more than one that
 * does not exist, so its place may be taken by another source and nothing is forgotten. Places are
 * found by hash, WAYS to a set. Sources for whom their set has no place share its one spare bucket:
 * a table that is full limits more than it should, never less, and counts that as a reason of its
 * own. What is not IP passes.
 */
#include "dropping.bpf.h"

#define WAYS 4

const volatile __u64 cost_scaled = 0; /* ns of a bucket's time per packet (or byte), times 1024 */
const volatile __u64 depth_ns = 0;    /* what a full bucket holds, in its time */
const volatile __u32 counts_bytes = 0;
const volatile __u32 last_set = 0; /* number of sets less one; a power of two less one */
const volatile __u32 seed = 0;     /* so that nobody can foretell which sources share a set */

struct bucket {
	union address source;
	__u64 full_at_ns;
};

struct set {
	struct bpf_spin_lock lock;
	__u32 unused;
	__u64 spare_full_at_ns;
	__u64 spare_packets; /* how many came from sources without a place */
	struct bucket buckets[WAYS];
};

struct {
	UINT(type, ARRAY);
	UINT(max_entries, 16384);
	TYPE(key, __u32);
	TYPE(value, struct set);
} buckets SEC(".maps");

INLINE __u32 mix(__u64 value)
{
	/* The finaliser of MurmurHash3 (64 bits). */
	value ^= value >> 33;
	value *= 0xff51afd7ed558ccdULL;
	value ^= value >> 33;
	value *= 0xc4ceb9fe1a85ec53ULL;
	return value ^ value >> 33;
}

INLINE __u32 set_of(union address *source)
{
	__u64 first = source->halves[0] + ((__u64)seed << 32 | seed);

	return mix(source->halves[1] ^ ((__u64)mix(first) << 32 | mix(first ^ seed))) & last_set;
}

/* Takes the cost out of a bucket that is full again at this time; 0 where there is too little. */
INLINE __u64 take(__u64 full_at_ns, __u64 now_ns, __u64 cost_ns)
{
	__u64 full = (full_at_ns > now_ns ? full_at_ns : now_ns) + cost_ns;

	return full - now_ns <= depth_ns ? full : 0;
}

PROGRAM int x0tta_ratelimit(struct xdp_md *context)
{
	__u64 now_ns, cost_ns, taken = 0;
	__u32 number, has_place = 0;
	struct packet packet;
	struct set *set;

	if (deadline_passed())
		return XDP_PASS;
	parse(context, &packet);
	if (packet.family == 0 && !(strict && packet.counted == COUNTED_ARP))
		return pass(&packet);
	if (is_spared(&packet))
		return pass(&packet);
	number = set_of(&packet.source);
	set = map_lookup(&buckets, &number);
	if (!set)
		return pass(&packet);
	now_ns = boot_ns();
	cost_ns = (counts_bytes ? packet.length : 1) * cost_scaled >> 10;
	spin_lock(&set->lock);
#pragma unroll
	for (int i = 0; i < WAYS; i++) {
		struct bucket *bucket = &set->buckets[i];

		if (!has_place && bucket->source.halves[0] == packet.source.halves[0] &&
		    bucket->source.halves[1] == packet.source.halves[1]) {
			taken = take(bucket->full_at_ns, now_ns, cost_ns);
			bucket->full_at_ns = taken ? taken : bucket->full_at_ns;
			has_place = 1;
		}
	}
#pragma unroll
	for (int i = 0; i < WAYS; i++) {
		struct bucket *bucket = &set->buckets[i];

		if (!has_place && bucket->full_at_ns <= now_ns) {
			bucket->source = packet.source;
			taken = take(0, now_ns, cost_ns);
			bucket->full_at_ns = taken;
			has_place = 1;
		}
	}
	if (!has_place) {
		taken = take(set->spare_full_at_ns, now_ns, cost_ns);
		set->spare_full_at_ns = taken ? taken : set->spare_full_at_ns;
		set->spare_packets++;
	}
	spin_unlock(&set->lock);
	if (taken)
		return pass(&packet);
	return drop(context, &packet, has_place ? REASON_OVER_RATE : REASON_OVER_RATE_FULL);
}

char license_of_program[] SEC("license") = "Dual BSD/GPL";
