/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What all programs share: parameters, the parsing of packets, counters, and how a packet is
 * dropped so that an operator can see it.
 *
 * The parameters are read-only data that the loader fills in before the kernel verifies the
 * program, so the verifier removes every branch that they rule out.
 */
#ifndef X0TTA_BPF_H
#define X0TTA_BPF_H

#include "kernel.bpf.h"

/* Built twice: for packets in one piece, and for those in fragments (jumbo frames). */
#ifdef FRAGMENTS
#define PROGRAM SEC("xdp.frags")
#else
#define PROGRAM SEC("xdp")
#endif

#define LINK_ETHERNET 0
#define LINK_IP 1

const volatile __u64 deadline_ns = 0; /* CLOCK_BOOTTIME; past it everything passes; 0: never */
const volatile __u32 link_type = LINK_ETHERNET;
const volatile __u32 strict = 0; /* drop ARP, neighbour discovery and kept hosts as well */

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_ARP 0x0806
#define ETHERTYPE_VLAN 0x8100
#define ETHERTYPE_IPV6 0x86dd
#define ETHERTYPE_QINQ 0x88a8

#define PROTOCOL_HOP_BY_HOP 0
#define PROTOCOL_TCP 6
#define PROTOCOL_UDP 17
#define PROTOCOL_ROUTING 43
#define PROTOCOL_FRAGMENT 44
#define PROTOCOL_AH 51
#define PROTOCOL_ICMPV6 58
#define PROTOCOL_DESTINATION 60
#define PROTOCOL_SCTP 132
#define PROTOCOL_MOBILITY 135
#define PROTOCOL_UDPLITE 136

/* Protocols as they are counted: those of IP by their number, then what is not IP. */
enum { COUNTED_ARP = 256, COUNTED_OTHER, COUNTED_MALFORMED, COUNTED_PROTOCOLS };

#define MOST_VLAN_TAGS 2
#define MOST_EXTENSION_HEADERS 6

/* Aligned to 4 bytes, so that no key that holds an address has padding before or behind it. */
typedef __u64 half __attribute__((aligned(4)));

/* IPv4 addresses are kept as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2). */
union address {
	__u8 bytes[16];
	__u32 words[4];
	half halves[2];
};

struct packet {
	void *data;
	void *end;
	__u32 length;   /* in bytes, with what lies in fragments */
	__u32 counted;  /* a protocol number, or COUNTED_… */
	__u32 family;   /* 4, 6, or 0 where it is not IP */
	__u32 protocol; /* of the last header that was understood; 0 where it is not IP */
	__u32 hop_limit;
	__u32 vlan;     /* the inner tag's identifier; 0 where there is none in the packet */
	__u32 is_fragment; /* 1 where it is one of several, 2 where it is not the first of them */
	void *transport; /* behind the IP headers; 0 where nothing can be said about it */
	union address source;
	union address destination;
};

struct count {
	__u64 packets;
	__u64 bytes;
};

/* Packets and bytes by verdict (0 passed, 1 dropped) and protocol. */
struct {
	UINT(type, PERCPU_ARRAY);
	UINT(max_entries, 2 * COUNTED_PROTOCOLS);
	TYPE(key, __u32);
	TYPE(value, struct count);
} counters SEC(".maps");

INLINE void map_ipv4(union address *address, __u32 network_order)
{
	address->halves[0] = 0;
	address->words[2] = HOST32(0xffff);
	address->words[3] = network_order;
}

INLINE int deadline_passed(void)
{
	return deadline_ns != 0 && boot_ns() >= deadline_ns;
}

INLINE __u32 whole_length(struct xdp_md *context)
{
#ifdef FRAGMENTS
	return xdp_length(context);
#else
	return context->data_end - context->data;
#endif
}

INLINE void parse_ipv4(struct packet *packet, void *header)
{
	__u8 *bytes = header;

	/* Version 4 and 5 to 15 words of header, in one comparison. */
	if (header + 20 > packet->end || (__u8)(bytes[0] - 0x45) > 10)
		return;
	packet->family = 4;
	packet->counted = packet->protocol = bytes[9];
	packet->hop_limit = bytes[8];
	map_ipv4(&packet->source, *(__u32 *)(header + 12));
	map_ipv4(&packet->destination, *(__u32 *)(header + 16));
	if (*(__u16 *)(header + 6) & NET16(0x1fff))
		packet->is_fragment = 2;
	else if (*(__u16 *)(header + 6) & NET16(0x2000))
		packet->is_fragment = 1;
	if (packet->is_fragment < 2)
		packet->transport = header + (bytes[0] & 15) * 4;
}

INLINE void parse_ipv6(struct packet *packet, void *header)
{
	__u8 *bytes = header;
	__u32 next;

	if (header + 40 > packet->end || bytes[0] >> 4 != 6)
		return;
	packet->family = 6;
	packet->hop_limit = bytes[7];
	packet->source = *(union address *)(header + 8);
	packet->destination = *(union address *)(header + 24);
	next = bytes[6];
	header += 40;
	/* An unknown or cut-off chain ends at the last header that could be read. */
#pragma unroll
	for (int i = 0; i < MOST_EXTENSION_HEADERS; i++) {
		__u32 size;

		/* What most packets are is asked first: the set of headers below takes longer to ask. */
		if (LIKELY(next == PROTOCOL_TCP || next == PROTOCOL_UDP)) {
			packet->transport = header;
			break;
		}
		SETTLE(next);
		if (next != PROTOCOL_HOP_BY_HOP && next != PROTOCOL_ROUTING &&
		    next != PROTOCOL_FRAGMENT && next != PROTOCOL_AH &&
		    next != PROTOCOL_DESTINATION && next != PROTOCOL_MOBILITY) {
			packet->transport = header;
			break;
		}
		if (header + 8 > packet->end)
			break;
		bytes = header;
		size = (bytes[1] + 1) * 8;
		if (next == PROTOCOL_FRAGMENT) {
			size = 8;
			packet->is_fragment = 1;
			if (*(__u16 *)(header + 2) & NET16(0xfff8))
				packet->is_fragment = 2;
		} else if (next == PROTOCOL_AH) {
			size = (bytes[1] + 2) * 4;
		}
		next = bytes[0];
		/* Behind the header of a later fragment lies payload, whatever it looks like. */
		if (packet->is_fragment == 2)
			break;
		header += size;
	}
	packet->counted = packet->protocol = next;
}

/* Reads what a program may look at; never beyond the packet, and nothing it can't be sure of. */
INLINE void parse_link(struct xdp_md *context, struct packet *packet, __u32 link)
{
	void *data = (void *)(long)context->data;
	void *header = data;
	__u16 type;

	packet->data = data;
	packet->end = (void *)(long)context->data_end;
	packet->length = whole_length(context);
	packet->counted = COUNTED_MALFORMED;
	packet->family = packet->protocol = packet->hop_limit = 0;
	packet->vlan = packet->is_fragment = 0;
	packet->transport = 0;
	packet->source.halves[0] = packet->source.halves[1] = 0;
	packet->destination.halves[0] = packet->destination.halves[1] = 0;
	if (link == LINK_IP) {
		if (header + 1 > packet->end)
			return;
		type = *(__u8 *)header >> 4 == 4 ? NET16(ETHERTYPE_IPV4) : NET16(ETHERTYPE_IPV6);
	} else {
		if (header + 14 > packet->end)
			return;
		type = *(__u16 *)(header + 12);
		header += 14;
		/* Most packets have no tag. */
		if (LIKELY(type == NET16(ETHERTYPE_IPV4) || type == NET16(ETHERTYPE_IPV6)))
			goto network;
		SETTLE(type);
#pragma unroll
		for (int i = 0; i < MOST_VLAN_TAGS; i++) {
			if (type != NET16(ETHERTYPE_VLAN) && type != NET16(ETHERTYPE_QINQ))
				break;
			if (header + 4 > packet->end)
				return;
			packet->vlan = HOST16(*(__u16 *)header) & 0xfff;
			type = *(__u16 *)(header + 2);
			header += 4;
		}
	}
network:
	if (LIKELY(type == NET16(ETHERTYPE_IPV4))) {
		parse_ipv4(packet, header);
	} else if (type == NET16(ETHERTYPE_IPV6)) {
		parse_ipv6(packet, header);
	} else if (type == NET16(ETHERTYPE_ARP)) {
		/* For IPv4 over Ethernet the sender's address is at 14 (RFC 826). */
		if (header + 28 > packet->end)
			return;
		packet->counted = COUNTED_ARP;
		map_ipv4(&packet->source, *(__u32 *)(header + 14));
	} else {
		packet->counted = COUNTED_OTHER;
	}
}

INLINE void parse(struct xdp_md *context, struct packet *packet)
{
	parse_link(context, packet, link_type);
}

INLINE void add(__u32 slot, __u32 length)
{
	struct count *count;

	/* One register to keep over the call instead of the two that the length is made of. */
	SETTLE(length);
	count = map_lookup(&counters, &slot);
	if (count) {
		count->packets++;
		count->bytes += length;
	}
}

INLINE int pass(struct packet *packet)
{
	add(packet->counted, packet->length);
	return XDP_PASS;
}

#endif
