/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Who an address is: an exact host, else the longest prefix of the slot. */
#ifndef GW_PLACE_H
#define GW_PLACE_H

#include "bpf/kernel.h"

#include "bpf/address.h"
#include "bpf/state.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, GW_MAX_HOSTS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct gw_addr);
	__type(value, struct gw_host);
} gw_hosts SEC(".maps");

/* Inner maps are declared by size: clang leaves their types out of the BTF. User space makes them to fit the image. */
struct gw_prefix_trie {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(key_size, sizeof(struct gw_prefix_key));
	__uint(value_size, sizeof(struct gw_prefix));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, __u32);
	__array(values, struct gw_prefix_trie);
} gw_prefixes SEC(".maps");

#define GW_LINK_NOWHERE (~0U) /* the gateway's own addresses: nobody may send from them */

struct gw_place {
	__u32 class_id;
	__u32 client;
	__u32 link;   /* link id that packets from here arrive on; 0: none of ours */
	__u32 reason; /* why class_id is GW_CLASS_NONE */
	__u32 gateway;
	__u32 outside;
	__u64 valid_until_ns;
};

static __always_inline void gw_place_of_host(const struct gw_host *host, __u32 slot, __u64 wall_ns,
					     struct gw_place *place)
{
	place->client = host->client;
	place->gateway = host->flags & GW_HOST_GATEWAY;
	place->link = place->gateway ? GW_LINK_NOWHERE : GW_LINK_ID_VPN;
	place->valid_until_ns = host->valid_until_ns;
	if (wall_ns >= host->valid_until_ns) {
		place->reason = GW_REASON_EXPIRED;
		return;
	}
	place->class_id = slot ? host->class_id[1] : host->class_id[0];
	place->reason = GW_REASON_DEFAULT;
}

/* A function of its own, verified once. Returns 0 always. */
__noinline int gw_locate(const struct gw_addr *address, struct gw_place *place, __u64 word, __u64 wall_ns)
{
	struct gw_prefix_key key = {.prefixlen = 128};
	__u32 slot = gw_slot(word);
	const struct gw_prefix *prefix;
	const struct gw_host *host;
	void *trie;

	if (!address || !place)
		return 0;
	key.addr = *address;
	place->class_id = GW_CLASS_NONE;
	place->client = 0;
	place->link = 0;
	place->reason = GW_REASON_NEVER_FORWARDED;
	place->gateway = 0;
	place->outside = 0;
	place->valid_until_ns = ~0ULL;
	host = bpf_map_lookup_elem(&gw_hosts, &key.addr);
	if (host) {
		gw_place_of_host(host, slot, wall_ns, place);
		return 0;
	}
	trie = bpf_map_lookup_elem(&gw_prefixes, &slot);
	prefix = trie ? bpf_map_lookup_elem(trie, &key) : 0;
	if (!prefix)
		return 0;
	place->link = prefix->link;
	place->outside = prefix->flags & GW_PREFIX_OUTSIDE;
	if (prefix->flags & GW_PREFIX_VPN) {
		place->link = GW_LINK_ID_VPN;
		place->reason = GW_REASON_UNASSIGNED;
		return 0;
	}
	place->class_id = prefix->class_id;
	return 0;
}

#endif
