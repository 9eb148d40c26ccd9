/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Interfaces, and the VLANs that are configured on top of them. */
#ifndef GW_LINK_H
#define GW_LINK_H

#include "bpf/kernel.h"

#include "bpf/abi.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, GW_MAX_LINKS);
	__type(key, __u32); /* ifindex */
	__type(value, struct gw_link);
} gw_links SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct gw_vlan_key);
	__type(value, __u32);
} gw_vlans SEC(".maps");

/* By value: kernel 6.1 takes a key from the stack, not out of a global function's argument. */
static __always_inline const struct gw_link *gw_link_of(__u32 ifindex)
{
	return bpf_map_lookup_elem(&gw_links, &ifindex);
}

#define GW_VLAN_VID_MASK 0x0fff

static __always_inline int gw_vlan_configured(__u32 ifindex, __u32 tci)
{
	const struct gw_link *link = gw_link_of(ifindex);
	const struct gw_vlan_key key = {.ifindex = ifindex, .vid = tci & GW_VLAN_VID_MASK};

	return link && (link->flags & GW_LINK_PARENT) && bpf_map_lookup_elem(&gw_vlans, &key);
}

#endif
