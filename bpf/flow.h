/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * Open flows, in three maps (abi.h "Flows"). Fields that decide are replaced with the whole entry; only bookkeeping is
 * written in place, where a lost update does no harm.
 */
#ifndef GW_FLOW_H
#define GW_FLOW_H

#include "bpf/kernel.h"

#include "bpf/address.h"
#include "bpf/state.h"
#include "bpf/transport.h"

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, GW_MAX_FLOWS);
	__type(key, struct gw_flow_key);
	__type(value, struct gw_flow);
} gw_flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, GW_MAX_ANSWERED);
	__type(key, struct gw_flow_key);
	__type(value, struct gw_flow);
} gw_flows_answered SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, GW_MAX_NEW_FLOWS);
	__type(key, struct gw_flow_key);
	__type(value, struct gw_flow);
} gw_flows_new SEC(".maps");

enum gw_direction { GW_ORIGINAL = 0, GW_REPLY = 1, GW_NO_FLOW = 2 };

static __always_inline void gw_flow_key_of(const struct gw_tuple *tuple, struct gw_flow_key *key)
{
	int swap = gw_addr_after(&tuple->src, &tuple->dst);

	__builtin_memset(key, 0, sizeof(*key));
	key->proto = tuple->proto;
	if (gw_is_icmp(tuple->proto)) {
		enum gw_icmp_role role;
		__u8 query;
		int asker_is_hi;

		role = gw_icmp_role_of(tuple->proto, gw_icmp_type(tuple), &query);
		asker_is_hi = role == GW_ICMP_ANSWERS ? !swap : swap;
		key->sense = (asker_is_hi ? GW_SENSE_HI : 0) | (role == GW_ICMP_NEITHER ? GW_SENSE_ONE_WAY : 0);
		key->lo_port = tuple->sport;
		key->hi_port = role == GW_ICMP_NEITHER ? tuple->dport : query;
	} else {
		if (gw_addr_equal(&tuple->src, &tuple->dst))
			swap = tuple->sport > tuple->dport;
		key->lo_port = swap ? tuple->dport : tuple->sport;
		key->hi_port = swap ? tuple->sport : tuple->dport;
	}
	key->lo = swap ? tuple->dst : tuple->src;
	key->hi = swap ? tuple->src : tuple->dst;
}

/* The key of an answer that nobody asked for: it opens no way for the one who could have asked. */
static __always_inline void gw_flow_key_unasked(const struct gw_tuple *tuple, struct gw_flow_key *key)
{
	key->sense = (key->sense ^ GW_SENSE_HI) | GW_SENSE_ONE_WAY;
	key->hi_port = tuple->dport;
}

static __always_inline struct gw_flow *gw_flow_lookup(const struct gw_flow_key *key)
{
	struct gw_flow *flow;

	if (key->proto == IPPROTO_TCP) {
		flow = bpf_map_lookup_elem(&gw_flows, key);
	} else {
		flow = bpf_map_lookup_elem(&gw_flows_answered, key);
		/* Keeps the compiler from making one call of the two: the kernel inlines a lookup whose map it knows. */
		asm volatile("%0 = %0" : "+r"(flow));
	}
	return flow ? flow : bpf_map_lookup_elem(&gw_flows_new, key);
}

/* ICMP answers are looked for under the question's key first, then under their own. */
static __always_inline int gw_flow_answers(const struct gw_tuple *tuple)
{
	__u8 query;

	return gw_is_icmp(tuple->proto) &&
	       gw_icmp_role_of(tuple->proto, gw_icmp_type(tuple), &query) == GW_ICMP_ANSWERS;
}

static __noinline struct gw_flow *gw_flow_find(const struct gw_tuple *tuple)
{
	struct gw_flow_key key;
	struct gw_flow *flow;

	gw_flow_key_of(tuple, &key);
	flow = gw_flow_lookup(&key);
	if (flow || !gw_flow_answers(tuple))
		return flow;
	gw_flow_key_unasked(tuple, &key);
	return gw_flow_lookup(&key);
}

/* The key under which the flow of a packet lies, or is to lie, once its direction is known. */
static __always_inline void gw_flow_key_for(const struct gw_tuple *tuple, __u32 direction, struct gw_flow_key *key)
{
	gw_flow_key_of(tuple, key);
	if (direction != GW_REPLY && gw_flow_answers(tuple))
		gw_flow_key_unasked(tuple, key);
}

static __always_inline enum gw_direction gw_flow_direction(const struct gw_flow *flow, const struct gw_tuple *tuple)
{
	const struct gw_tuple *orig = &flow->orig;
	int icmp = gw_is_icmp(tuple->proto);

	if (gw_addr_equal(&tuple->src, &orig->src) && gw_addr_equal(&tuple->dst, &orig->dst) &&
	    tuple->sport == orig->sport && (icmp || tuple->dport == orig->dport))
		return GW_ORIGINAL;
	if (gw_addr_equal(&tuple->src, &orig->dst) && gw_addr_equal(&tuple->dst, &orig->src) &&
	    (icmp ? tuple->sport == orig->sport : tuple->sport == orig->dport && tuple->dport == orig->sport))
		return GW_REPLY;
	return GW_NO_FLOW; /* the element was evicted and reused under our feet */
}

static __always_inline int gw_flow_flags_end(__u32 flags)
{
	const __u32 both = GW_FLOW_FIN_ORIG | GW_FLOW_FIN_REPLY;

	return (flags & GW_FLOW_RESET) || (flags & both) == both;
}

static __always_inline int gw_flow_closing(const struct gw_flow *flow)
{
	return gw_flow_flags_end(flow->flags);
}

static __always_inline __u64 gw_flow_patience(const struct gw_flow *flow)
{
	if (gw_flow_closing(flow))
		return GW_IDLE_CLOSING;
	return flow->orig.proto == IPPROTO_TCP && flow->flags & GW_FLOW_REPLIED ? GW_IDLE_ESTABLISHED : GW_IDLE_OTHER;
}

static __always_inline int gw_flow_idle_too_long(const struct gw_flow *flow, const struct gw_now *now)
{
	return (__s64)(now->mono_ns - flow->last_seen_ns) > (__s64)gw_flow_patience(flow);
}

/*
 * The direction in which `packet` belongs to `flow`; GW_NO_FLOW when it has to be judged as a first packet: the flow
 * has been idle too long, or the packet is a SYN that the flow's own client did not send or sends after the end.
 */
static __always_inline enum gw_direction gw_flow_match(const struct gw_flow *flow, const struct gw_packet *packet,
						       const struct gw_now *now)
{
	enum gw_direction direction = gw_flow_direction(flow, &packet->tuple);

	if (direction == GW_NO_FLOW || gw_flow_idle_too_long(flow, now))
		return GW_NO_FLOW;
	if (packet->tuple.proto == IPPROTO_TCP && (packet->tcp_flags & (GW_TCP_SYN | GW_TCP_ACK)) == GW_TCP_SYN &&
	    (direction == GW_REPLY || gw_flow_closing(flow)))
		return GW_NO_FLOW;
	return direction;
}

static __always_inline int gw_flow_current(const struct gw_flow *flow, const struct gw_now *now)
{
	return flow->word == now->word && now->wall_ns < flow->valid_until_ns;
}

/* Flags that this packet adds. */
static __always_inline __u32 gw_flow_flags(const struct gw_packet *packet, enum gw_direction direction)
{
	__u32 flags = 0;

	if (packet->tcp_flags & GW_TCP_RST) /* a refused connection was never one */
		return GW_FLOW_RESET;
	if (direction == GW_REPLY)
		flags = GW_FLOW_REPLIED;
	if (packet->tcp_flags & GW_TCP_FIN)
		flags |= direction == GW_REPLY ? GW_FLOW_FIN_REPLY : GW_FLOW_FIN_ORIG;
	return flags;
}

/* Whether the packet moves its flow to another map: the first answer, or the end. */
static __always_inline int gw_flow_moves(const struct gw_flow *flow, const struct gw_packet *packet,
					 enum gw_direction direction)
{
	__u32 flags;

	if (!(packet->tcp_flags & (GW_TCP_FIN | GW_TCP_RST))) /* nearly always */
		return direction == GW_REPLY && !(flow->flags & GW_FLOW_REPLIED);
	flags = flow->flags | gw_flow_flags(packet, direction);
	return (flags ^ flow->flags) & GW_FLOW_REPLIED || gw_flow_flags_end(flags) != gw_flow_closing(flow);
}

/* Writes only what has changed: a flow's cache line is shared by the CPUs of its two directions. */
static __always_inline void gw_flow_touch(struct gw_flow *flow, const struct gw_packet *packet,
					  enum gw_direction direction, const struct gw_now *now)
{
	const __u32 flags = gw_flow_flags(packet, direction);

	if (now->mono_ns - flow->last_seen_ns > GW_SECOND)
		flow->last_seen_ns = now->mono_ns;
	if ((flow->flags & flags) != flags)
		flow->flags |= flags;
}

/*
 * What the rules have to judge for a packet: the original tuple of its flow, or its own. Found once, since lookups are
 * what a packet costs.
 */
struct gw_subject {
	struct gw_tuple tuple;
	__u32 direction; /* enum gw_direction of the packet */
	__u32 entry;	 /* the key has an entry, whether or not the packet belongs to it */
};

static __always_inline void gw_flow_delete_open(const struct gw_flow_key *key)
{
	if (key->proto == IPPROTO_TCP)
		bpf_map_delete_elem(&gw_flows, key);
	else
		bpf_map_delete_elem(&gw_flows_answered, key);
}

/* Puts `flow` where it belongs, and out of the other map. Zero, or a negative errno. */
static __always_inline long gw_flow_store(const struct gw_flow_key *key, const struct gw_flow *flow, int entry)
{
	long error;

	if (!(flow->flags & GW_FLOW_REPLIED) || gw_flow_closing(flow)) {
		error = bpf_map_update_elem(&gw_flows_new, key, flow, BPF_ANY);
		if (entry)
			gw_flow_delete_open(key);
		return error;
	}
	if (key->proto == IPPROTO_TCP)
		error = bpf_map_update_elem(&gw_flows, key, flow, BPF_ANY);
	else
		error = bpf_map_update_elem(&gw_flows_answered, key, flow, BPF_ANY);
	if (entry)
		bpf_map_delete_elem(&gw_flows_new, key);
	return error;
}

/* A flow that may no longer pass. A function of its own, verified once. Returns 0 always. */
__noinline int gw_flow_forget(const struct gw_tuple *tuple, __u32 direction)
{
	struct gw_flow_key key;

	if (!tuple)
		return 0;
	gw_flow_key_for(tuple, direction, &key);
	gw_flow_delete_open(&key);
	bpf_map_delete_elem(&gw_flows_new, &key);
	return 0;
}

#endif
