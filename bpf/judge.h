/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* The rules: class of the source x class of the destination -> service table -> verdict. Reads maps, writes none. */
#ifndef GW_JUDGE_H
#define GW_JUDGE_H

#include "bpf/kernel.h"
#include <linux/in.h>

#include "bpf/icmp.h"
#include "bpf/place.h"

struct gw_pair_table {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct gw_pair_key));
	__uint(value_size, sizeof(struct gw_pair));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, __u32);
	__array(values, struct gw_pair_table);
} gw_pairs SEC(".maps");

struct gw_node_table {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_INNER_MAP);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct gw_node));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, __u32);
	__array(values, struct gw_node_table);
} gw_nodes SEC(".maps");

struct gw_nat_table {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32)); /* class of the source */
	__uint(value_size, sizeof(__u32));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, __u32);
	__array(values, struct gw_nat_table);
} gw_nat SEC(".maps");

struct gw_judgement {
	__u32 action; /* GW_ACTION_* */
	__u32 reason; /* enum gw_reason; GW_REASON_NONE when allowed */
	__u32 rule;
	__u32 log;
	__u32 flags; /* GW_FLOW_NAT, GW_FLOW_GATEWAY */
	__u32 src_class;
	__u32 dst_class;
	__u32 src_client;
	__u32 dst_client;
	__u32 src_link; /* as gw_place.link */
	__u32 dst_link;
	__u32 pad;
	__u64 valid_until_ns;
};

#define GW_REF_NO_RULE GW_REF_LEAF /* deny, rule 0 */

static __always_inline enum gw_kind gw_kind_of(__u8 proto)
{
	if (proto == IPPROTO_TCP)
		return GW_KIND_TCP;
	if (proto == IPPROTO_UDP)
		return GW_KIND_UDP;
	return gw_is_icmp(proto) ? GW_KIND_ICMP : GW_KIND_OTHER;
}

/* Consumes the key 4 bits at a time, highest first. */
static __always_inline __u32 gw_walk(void *nodes, __u32 ref, __u32 key)
{
	for (int shift = 12; shift >= 0; shift -= 4) {
		const struct gw_node *node;
		__u32 digit = key >> shift;

		if (ref & GW_REF_LEAF)
			return ref;
		node = bpf_map_lookup_elem(nodes, &ref);
		if (!node)
			return GW_REF_NO_RULE;
		/* Where it knows the key's width, the compiler drops the mask that the verifier needs to see. */
		barrier_var(digit);
		ref = node->child[digit & 0xf];
	}
	return ref & GW_REF_LEAF ? ref : GW_REF_NO_RULE;
}

/* The pair's own table, else the one that the source has for all others. */
static __always_inline const struct gw_pair *gw_find_pair(void *pairs, const struct gw_pair_key *classes)
{
	const struct gw_pair_key rest = {.src = classes->src, .dst = GW_CLASS_REST};
	const struct gw_pair *pair = bpf_map_lookup_elem(pairs, classes);

	return pair ? pair : bpf_map_lookup_elem(pairs, &rest);
}

static __always_inline __u32 gw_decide(const struct gw_tuple *tuple, const struct gw_pair_key *classes, __u32 slot)
{
	const enum gw_kind kind = gw_kind_of(tuple->proto);
	void *pairs = bpf_map_lookup_elem(&gw_pairs, &slot);
	void *nodes = bpf_map_lookup_elem(&gw_nodes, &slot);
	const struct gw_pair *pair;

	if (!pairs || !nodes)
		return GW_REF_NO_RULE;
	pair = gw_find_pair(pairs, classes);
	if (!pair)
		return GW_REF_NO_RULE;
	return gw_walk(nodes, pair->root[kind], kind == GW_KIND_OTHER ? tuple->proto : bpf_ntohs(tuple->dport));
}

static __always_inline void gw_apply_ref(__u32 ref, struct gw_judgement *out)
{
	out->action = ref >> GW_REF_ACTION_SHIFT & 3;
	out->rule = ref & GW_REF_RULE_MASK;
	out->log = ref & GW_REF_LOG;
	if (out->action == GW_ACTION_ALLOW)
		out->reason = GW_REASON_NONE;
	else if (out->action == GW_ACTION_REJECT)
		out->reason = GW_REASON_REJECTED;
	else
		out->reason = out->rule ? GW_REASON_RULE : GW_REASON_DEFAULT;
}

static __always_inline int gw_masqueraded(__u32 class_id, __u32 slot)
{
	void *classes = bpf_map_lookup_elem(&gw_nat, &slot);

	return classes && bpf_map_lookup_elem(classes, &class_id);
}

/* Judges the first packet of a flow. A function of its own, verified once. Returns 0 always. */
__noinline int gw_judge(const struct gw_tuple *tuple, struct gw_judgement *out, __u64 word, __u64 wall_ns)
{
	struct gw_place src = {}, dst = {};
	struct gw_pair_key classes;
	__u32 slot = gw_slot(word);

	if (!tuple || !out)
		return 0;
	gw_locate(&tuple->src, &src, word, wall_ns);
	gw_locate(&tuple->dst, &dst, word, wall_ns);
	out->action = GW_ACTION_DENY;
	out->rule = 0;
	out->log = 0;
	out->flags = dst.gateway ? GW_FLOW_GATEWAY : 0;
	out->src_class = classes.src = src.class_id;
	out->dst_class = classes.dst = dst.class_id;
	out->src_client = src.client;
	out->dst_client = dst.client;
	out->src_link = src.link;
	out->dst_link = dst.link;
	out->valid_until_ns = src.valid_until_ns < dst.valid_until_ns ? src.valid_until_ns : dst.valid_until_ns;
	if (src.class_id == GW_CLASS_NONE || dst.class_id == GW_CLASS_NONE) {
		out->reason = src.class_id == GW_CLASS_NONE ? src.reason : dst.reason;
		return 0;
	}
	gw_apply_ref(gw_decide(tuple, &classes, slot), out);
	if (dst.outside && gw_masqueraded(src.class_id, slot))
		out->flags |= GW_FLOW_NAT;
	return 0;
}

#endif
