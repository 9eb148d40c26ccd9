/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The one header that the BPF programs and user space share: map keys and values, marks, reasons. Everything in it is
 * fixed layout, host byte order unless a type says __be. Change the layout: raise GW_ABI_VERSION.
 */
#ifndef GW_ABI_H
#define GW_ABI_H

#include <linux/bpf.h> /* struct bpf_spin_lock */
#include <linux/types.h>

#ifndef GW_ABI_VERSION /* tests build a second gatewayd with another */
#define GW_ABI_VERSION 3
#endif

/* Our bits of skb->mark (DATAPLANE "Marks"). Policy ingress clears them before it judges. */
#define GW_MARK_ALLOW  0x10000000U
#define GW_MARK_NAT    0x20000000U /* with ALLOW: left to connection tracking (masqueraded, or for the gateway itself) */
#define GW_MARK_REJECT 0x40000000U
#define GW_MARK_MASK   0x70000000U

/* Capacities. */
#define GW_MAX_HOSTS	  131072U /* addresses: clients x families, and the gateway's own */
#define GW_MAX_CLIENTS	  131072U /* client numbers, 1-based; 0 is 'no client' */
#define GW_MAX_RULES	  65536U  /* rule ids; 0 is the default rule (deny) */
#define GW_MAX_LINKS	  256U
#define GW_MAX_FLOWS	  262144U /* open TCP connections */
#define GW_MAX_ANSWERED	  65536U  /* flows of other protocols that were answered */
#define GW_MAX_NEW_FLOWS  65536U  /* what was not answered yet, and connections that have ended */
#define GW_MAX_FRAGMENTS  16384U
#define GW_MAX_SOURCES	  131072U /* addresses whose rate of new flows is remembered */
#define GW_MAX_BLOCKS	  1024U	 /* prefixes of the deny list: a trie stays small (its updates allocate under a lock) */
#define GW_MAX_INITIATORS 65536U /* addresses whose rate of handshakes is remembered */
#define GW_EVENT_BYTES	  262144U

/* An address as 16 bytes in network order, IPv4 as ::ffff:a.b.c.d. Aligned to 4: in a trie key it follows a __u32. */
struct gw_addr {
	union {
		__u8 b[16];
		__be32 w[4];
	};
};

/* Class ids are interned by user space and never renumbered. */
/* Matches no rule, not even `any`: unassigned VPN addresses, never-forwarded prefixes. */
#define GW_CLASS_NONE 0U

/* gw_hosts: HASH gw_addr -> gw_host. Exact addresses: clients and the gateway's own. */
#define GW_HOST_CLIENT	1U
#define GW_HOST_GATEWAY 2U
/*
 * User space updates an entry with BPF_F_LOCK, which writes in place: an element that a program holds is never handed to
 * another address by an update. Programs read without the lock; every field is one aligned word.
 */
struct gw_host {
	struct bpf_spin_lock lock;
	__u32 pad;
	__u32 class_id[2];    /* by slot */
	__u32 client;	      /* client number, 0 for the gateway */
	__u32 flags;	      /* GW_HOST_* */
	__u64 valid_until_ns; /* wall clock; ~0 is 'no end' */
};

/* Prefixes: per slot an LPM_TRIE gw_prefix_key -> gw_prefix. Subnets, sites, literals, special-purpose blocks, ::/0. */
struct gw_prefix_key {
	__u32 prefixlen; /* of the 128 bits: IPv4 prefixes have 96 + n */
	struct gw_addr addr;
};
#define GW_PREFIX_OUTSIDE 1U /* nothing of ours: destination of NAT */
#define GW_PREFIX_VPN	  2U /* a VPN prefix: only gw_hosts decides inside it */
struct gw_prefix {
	__u32 class_id;
	__u32 link;  /* link id that sources within it must arrive on; 0: none may send from here */
	__u32 flags; /* GW_PREFIX_* */
	__u32 pad;
};

/* Links: HASH ifindex -> gw_link: what the program on an interface has to know. */
#define GW_LINK_VPN	 1U  /* the WireGuard device; layer 3 */
#define GW_LINK_PUBLIC	 2U  /* the public card too: foreign sources may reach the gateway itself */
#define GW_LINK_PARENT	 4U  /* has VLAN devices of ours: their tags pass unjudged (see gw_vlans) */
#define GW_LINK_FAST	 8U  /* what arrives here may take the fast path */
#define GW_LINK_FAST_OUT 16U /* and what leaves by here, through out_ifindex */
struct gw_link {
	__u32 link; /* link id, 1-based; the VPN link is always GW_LINK_ID_VPN */
	__u32 flags;
	__u32 out_ifindex; /* the card itself: for a VLAN device its parent */
	__u16 out_vid;	   /* the tag that frames leave with; 0: none */
	__u8 mac[6];	   /* that frames for the gateway carry */
};
#define GW_LINK_ID_VPN 1U

/* gw_vlans: HASH gw_vlan_key -> __u32 (1): configured VIDs of a parent device. gw_vlan_devices: their ifindex. */
struct gw_vlan_key {
	__u32 ifindex;
	__u32 vid;
};

/*
 * The decision: per slot a HASH gw_pair_key -> gw_pair, and an ARRAY of gw_node. Looked up is (src, dst); when that is
 * missing, (src, GW_CLASS_REST); when that is missing too, it is the default rule. GW_CLASS_NONE on either side is the
 * default rule without a lookup. root[kind] is a *ref*: with GW_REF_LEAF set a verdict, else the index of a node. The 16-bit
 * key (destination port; ICMP type << 8 | code; IP protocol number) is consumed 4 bits at a time, highest first: at most 4 nodes.
 */
/* As gw_pair_key.dst: every class that has no pair of its own with that source. */
#define GW_CLASS_REST 0xffffffffU
struct gw_pair_key {
	__u32 src;
	__u32 dst;
};
enum gw_kind { GW_KIND_TCP = 0, GW_KIND_UDP = 1, GW_KIND_ICMP = 2, GW_KIND_OTHER = 3, GW_KINDS = 4 };
struct gw_pair {
	__u32 root[GW_KINDS];
};
struct gw_node {
	__u32 child[16];
};
#define GW_REF_LEAF	    0x80000000U
#define GW_REF_ACTION_SHIFT 29 /* 2 bits: GW_ACTION_* */
#define GW_REF_LOG	    0x10000000U
#define GW_REF_RULE_MASK    0x0fffffffU
#define GW_ACTION_DENY	    0U
#define GW_ACTION_ALLOW	    1U
#define GW_ACTION_REJECT    2U

/* NAT sources: bit in the *pair's* world would multiply tables; it is per class. Per slot HASH __u32 class -> __u32 (1). */

/*
 * gw_state: ARRAY of one, BPF_F_MMAPABLE. User space writes a field by one aligned 8-byte store. New flows above the rate
 * are dropped with GW_REASON_RATE; a source may be a second ahead of it.
 */
struct gw_state {
	__u64 word;	      /* generation << 1 | active slot: read once per packet */
	__s64 wall_offset_ns; /* wall clock minus CLOCK_MONOTONIC */
	__u64 flow_rate;      /* new flows a second and source address (IPv6 outside gw_hosts: /64); 0 is no limit */
	__u64 abi;	      /* GW_ABI_VERSION, set by the first open */
};
#define GW_DEFAULT_FLOW_RATE 2000U

/* gw_meta: ARRAY of two, by slot: what is installed there. */
struct gw_meta {
	char fingerprint[40]; /* of the image, zero terminated; empty: none */
};

/*
 * Flows. Both directions map to one key: the lower (address, port) first. ICMP queries: lo_port is the identifier, hi_port
 * the query's type, and `sense` tells which side asks, so that nobody's own query passes for the answer to another's.
 * Other ICMP has GW_SENSE_ONE_WAY and no answer.
 *
 * Three maps, so that a flood evicts only its like: gw_flows has the open TCP connections, gw_flows_answered what else was
 * answered, gw_flows_new all other flows: unanswered ones, and connections that have ended.
 */
#define GW_SENSE_HI	 1U /* the higher address asks */
#define GW_SENSE_ONE_WAY 2U
struct gw_flow_key {
	struct gw_addr lo;
	struct gw_addr hi;
	__be16 lo_port;
	__be16 hi_port;
	__u8 proto;
	__u8 sense; /* ICMP: GW_SENSE_* */
	__u8 pad[2];
};
struct gw_tuple {
	struct gw_addr src;
	struct gw_addr dst;
	__be16 sport; /* ICMP: identifier, 0 where there is none */
	__be16 dport; /* ICMP: type << 8 | code of the first packet, network order */
	__u8 proto;
	__u8 pad[3];
};
#define GW_FLOW_NAT	  1U /* first packet went to what is not configured, under a nat: entry */
#define GW_FLOW_GATEWAY	  2U /* destination is the gateway itself */
#define GW_FLOW_REPLIED	  4U /* answered, and not only by a TCP reset */
#define GW_FLOW_FIN_ORIG  8U /* TCP FIN seen in the original direction */
#define GW_FLOW_FIN_REPLY 16U
#define GW_FLOW_RESET	  32U /* TCP RST seen */
/* Idle times after which a packet is judged as if it were the first (RFC 5382 asks for 2 h 4 min at least). */
#define GW_IDLE_ESTABLISHED (5ULL * 86400 * 1000000000)
#define GW_IDLE_CLOSING	    (60 * 1000000000ULL)
#define GW_IDLE_OTHER	    (180 * 1000000000ULL)
struct gw_flow {
	struct gw_tuple orig; /* direction of the first packet: what rules judge */
	__u32 ifindex[2];     /* where each direction passed the source check, original first; 0: not yet */
	__u64 word;	      /* gw_state word the verdict was made under */
	__u64 valid_until_ns; /* wall clock; the earlier end of its clients */
	__u64 last_seen_ns;   /* coarse monotonic */
	__u32 rule;
	__u32 client[2]; /* client numbers of source and destination; 0: none */
	__u32 flags;	 /* GW_FLOW_* */
};

/* gw_fragments: LRU_HASH gw_fragment_key -> gw_fragment. What the first fragment of a datagram was granted. */
struct gw_fragment_key {
	struct gw_addr src;
	struct gw_addr dst;
	__u32 id; /* as in the packet */
	__u32 proto;
};
struct gw_fragment {
	__u64 word;
	__u64 time_ns; /* coarse monotonic */
	__u32 ifindex; /* where it arrived: the later ones have to as well */
	__u32 mark;    /* GW_MARK_* it was given */
	__u32 rule;
	__u32 client[2];
	__u32 pad;
};

/* gw_sources: LRU_HASH gw_addr -> gw_source: a bucket of new flows, kept as the time at which it is empty again. */
struct gw_source {
	__u64 empty_at_ns; /* coarse monotonic */
};

/*
 * gw_guard: ARRAY of one. What the guard knows of the gateway's WireGuard. It is not written in one piece: a handshake that
 * meets a change of the key is refused, and is sent again.
 */
struct gw_guard {
	__be16 port; /* 0: no WireGuard to guard yet, only the deny list counts */
	__u16 pad[3];
	__u64 initiations; /* a second and source address (IPv6: /64); 0 is no limit. A source may be a second ahead of it */
	__u32 mac1[8];	     /* BLAKE2s state behind the key block of mac1, from public_key */
	__u8 public_key[32]; /* the gateway's own; read by user space only */
};

/* gw_blocks: LPM_TRIE gw_prefix_key -> gw_block: the deny list. */
struct gw_block {
	__u64 until_ns; /* wall clock; ~0 is 'no end' */
};

/* gw_initiators: LRU_HASH gw_addr -> gw_source: a bucket of handshake initiations. */

/* Counters: PERCPU_ARRAYs. */
struct gw_counter {
	__u64 packets;
	__u64 bytes;
	__u64 flows;	    /* rules: new flows judged; clients: flows opened */
	__u64 denied;	    /* clients: packets denied */
	__u64 last_seen_ns; /* coarse monotonic; 0 never */
};

/* Why a packet was dropped: number and key of the counter gw_reasons. The names are in bpf/reasons.h. */
#define GW_REASONS(X)                                                                                                  \
	X(NONE, "passed")                                                                                              \
	X(RULE, "denied by a rule")                                                                                    \
	X(DEFAULT, "no rule allows it")                                                                                \
	X(REJECTED, "rejected by a rule")                                                                              \
	X(SOURCE, "source address does not belong to this interface")                                                  \
	X(UNASSIGNED, "VPN address of no client, or access has ended")                                                 \
	X(EXPIRED, "certificate has ended")                                                                            \
	X(MALFORMED, "malformed packet")                                                                               \
	X(FRAGMENT, "fragment without its first, or a tiny one")                                                       \
	X(VLAN, "unknown VLAN")                                                                                        \
	X(NEVER_FORWARDED, "link-local, loopback or multicast is never forwarded")                                     \
	X(NO_FLOW, "towards the tunnel without a current flow")                                                        \
	X(PROTOCOL, "unknown network protocol")                                                                        \
	X(NO_LINK, "interface without a link entry")                                                                   \
	X(TABLE_FULL, "flow table full")                                                                               \
	X(RATE, "too many new flows from this address")                                                                \
	X(LAND, "source and destination are the same address")                                                         \
	X(TCP_FLAGS, "TCP flags that no stack sends together")                                                         \
	X(SOURCE_ROUTE, "source-routed: meant for another than its destination")                                       \
	X(BLOCKED, "source is on the deny list")                                                                       \
	X(WG_TYPE, "to the WireGuard port, but no WireGuard message")                                                  \
	X(WG_LENGTH, "WireGuard message of a wrong length")                                                            \
	X(WG_FRAGMENT, "fragmented WireGuard handshake")                                                               \
	X(WG_MAC1, "WireGuard handshake made without the gateway's public key")                                        \
	X(WG_RATE, "too many WireGuard handshakes from this address")                                                  \
	X(OUTSIDE, "from the public side into a network behind the gateway")

enum gw_reason {
#define GW_X(name, text) GW_REASON_##name,
	GW_REASONS(GW_X)
#undef GW_X
		GW_REASON_COUNT
};

/* Index of the events' buckets, and of the counter of those that were not told. */
enum gw_event_class { GW_EVENT_DROP, GW_EVENT_LOG, GW_EVENT_CLASSES };

/* gw_fast_errors, PERCPU_ARRAY of packets: why the fast path lost them. */
enum gw_fast_error {
	GW_FAST_REFUSED, /* the redirect itself failed */
	GW_FAST_UNSENT,	 /* the driver of the other card failed */
	GW_FAST_ERRORS
};

/* Record of the ring buffer gw_events: denied packets (sampled) and rules with log. */
struct gw_event {
	__u64 time_ns; /* coarse monotonic */
	struct gw_tuple tuple;
	__u32 ifindex;
	__u32 length;
	__u32 rule;
	__u32 client;
	__u8 action; /* GW_ACTION_* */
	__u8 reason; /* enum gw_reason */
	__u8 pad[6];
};

/* Result of the unattached explain program. */
struct gw_explanation {
	__u32 action; /* GW_ACTION_*; deny with GW_REASON_SOURCE when the source may not send from that interface */
	__u32 reason;
	__u32 rule;
	__u32 src_class;
	__u32 dst_class;
	__u32 flags; /* GW_FLOW_NAT, GW_FLOW_GATEWAY */
};
/* What explain is run on as its packet (BPF_PROG_TEST_RUN): user space asks, the program answers in place. */
struct gw_question {
	struct gw_tuple tuple;
	__u32 ifindex; /* 0: whatever interface the source belongs to */
	struct gw_explanation answer;
};

#endif
