/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* How fast one address may open flows: one that scans must not empty the table of new flows for all. */
#ifndef GW_SOURCE_H
#define GW_SOURCE_H

#include "bpf/kernel.h"

#include "bpf/address.h"
#include "bpf/state.h"

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, GW_MAX_SOURCES);
	__type(key, struct gw_addr);
	__type(value, struct gw_source);
} gw_sources SEC(".maps");

/* Takes one flow out of the bucket of `address`; 0 when it is used up. `client`: a client number, 0 for any other host.
 */
static __always_inline int gw_source_may_open(const struct gw_addr *address, __u32 client, const struct gw_now *now)
{
	struct gw_addr key = *address;
	struct gw_source fresh;
	struct gw_source *source;

	if (!now->flow_rate)
		return 1;
	if (!client && !gw_addr_is_v4(&key)) /* a host has its whole /64 to send from */
		key.w[2] = key.w[3] = 0;
	fresh.empty_at_ns = now->mono_ns + GW_SECOND / now->flow_rate;
	source = bpf_map_lookup_elem(&gw_sources, &key);
	if (!source)
		return !bpf_map_update_elem(&gw_sources, &key, &fresh, BPF_ANY);
	if (source->empty_at_ns <= now->mono_ns) {
		source->empty_at_ns = fresh.empty_at_ns;
		return 1;
	}
	if (source->empty_at_ns - now->mono_ns > GW_SECOND)
		return 0;
	source->empty_at_ns += GW_SECOND / now->flow_rate;
	return 1;
}

#endif
