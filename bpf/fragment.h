/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Later fragments carry no ports: they get what their first was granted, or nothing. */
#ifndef GW_FRAGMENT_H
#define GW_FRAGMENT_H

#include "bpf/kernel.h"

#include "bpf/state.h"
#include "bpf/transport.h"

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, GW_MAX_FRAGMENTS);
	__type(key, struct gw_fragment_key);
	__type(value, struct gw_fragment);
} gw_fragments SEC(".maps");

#define GW_FRAGMENT_PATIENCE (60 * GW_SECOND) /* RFC 8200 section 4.5 */

static __always_inline void gw_fragment_key_of(const struct gw_packet *packet, struct gw_fragment_key *key)
{
	key->src = packet->tuple.src;
	key->dst = packet->tuple.dst;
	key->id = packet->fragment_id;
	key->proto = packet->fragment_proto;
}

static __always_inline long gw_fragment_remember(const struct gw_packet *packet, const struct gw_fragment *granted)
{
	struct gw_fragment_key key;

	gw_fragment_key_of(packet, &key);
	return bpf_map_update_elem(&gw_fragments, &key, granted, BPF_ANY);
}

/* What the first fragment was granted; null when it is not known, came from elsewhere, long ago or under another word.
 */
static __always_inline const struct gw_fragment *gw_fragment_find(const struct gw_packet *packet,
								  const struct gw_now *now)
{
	const struct gw_fragment *first;
	struct gw_fragment_key key;

	gw_fragment_key_of(packet, &key);
	first = bpf_map_lookup_elem(&gw_fragments, &key);
	if (!first || first->word != now->word || first->ifindex != packet->from ||
	    now->mono_ns - first->time_ns > GW_FRAGMENT_PATIENCE)
		return 0;
	return first;
}

#endif
