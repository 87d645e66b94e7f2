/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What these programs use of the kernel's interface, declared here so that building them needs no
 * headers of any system: the same sources give the same bytes everywhere. UAPI alone (linux/bpf.h,
 * linux/if_ether.h, linux/ip.h, linux/ipv6.h), whose layouts never change.
 */
#ifndef X0TTA_KERNEL_BPF_H
#define X0TTA_KERNEL_BPF_H

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef int __s32;
typedef unsigned long long __u64;

#define SEC(name) __attribute__((section(name), used))
#define INLINE static inline __attribute__((always_inline))
#define NOINLINE static __attribute__((noinline))
#define LIKELY(x) __builtin_expect(!!(x), 1)
/* The compiler must know x here, and may not merge what it is compared with before and behind. */
#define SETTLE(x) asm volatile("" : "+r"(x))

/* How libbpf reads the definition of a map out of BTF. */
#define UINT(name, value) int(*name)[value]
#define TYPE(name, type) typeof(type) *name

enum map_type {
	HASH = 1,
	ARRAY = 2,
	PERCPU_ARRAY = 6,
	LRU_PERCPU_HASH = 10,
	LPM_TRIE = 11,
	RINGBUF = 27,
};

#define NO_PREALLOC 1 /* BPF_F_NO_PREALLOC */
#define NO_EXIST 1    /* BPF_NOEXIST */

enum xdp_action { XDP_ABORTED, XDP_DROP, XDP_PASS, XDP_TX, XDP_REDIRECT };

struct xdp_md {
	__u32 data;
	__u32 data_end;
	__u32 data_meta;
	__u32 ingress_ifindex;
	__u32 rx_queue_index;
	__u32 egress_ifindex;
};

struct bpf_spin_lock {
	__u32 val;
};

static void *(*map_lookup)(void *map, const void *key) = (void *)1;
static long (*map_update)(void *map, const void *key, const void *value, __u64 flags) = (void *)2;
static __u32 (*random_u32)(void) = (void *)7;
static long (*spin_lock)(struct bpf_spin_lock *lock) = (void *)93;
static long (*spin_unlock)(struct bpf_spin_lock *lock) = (void *)94;
static __u64 (*boot_ns)(void) = (void *)125;
static void *(*ring_reserve)(void *ring, __u64 size, __u64 flags) = (void *)131;
static void (*ring_submit)(void *data, __u64 flags) = (void *)132;
static __u64 (*xdp_length)(struct xdp_md *context) = (void *)188;

#define SWAP16(x) __builtin_bswap16(x)
#define SWAP32(x) __builtin_bswap32(x)
/* Network byte order, on hosts of either order. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define NET16(x) ((__u16)((((x) & 0xff) << 8) | (((x) >> 8) & 0xff)))
#define HOST16(x) SWAP16(x)
#define HOST32(x) SWAP32(x)
#else
#define NET16(x) (x)
#define HOST16(x) (x)
#define HOST32(x) (x)
#endif

#endif
