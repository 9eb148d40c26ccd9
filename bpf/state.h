/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* The word {generation, slot} and the clocks, read once per packet. */
#ifndef GW_STATE_H
#define GW_STATE_H

#include "bpf/kernel.h"

#include "bpf/abi.h"

#define GW_SECOND 1000000000ULL

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct gw_state);
} gw_state SEC(".maps");

/* User space's own note of what is installed; no program reads it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct gw_meta);
} gw_meta SEC(".maps");

/* One packet's view of the world. */
struct gw_now {
	__u64 word;
	__u64 mono_ns;
	__u64 wall_ns;
	__u64 flow_rate;
};

static __always_inline __u32 gw_slot(__u64 word)
{
	return word & 1;
}

static __always_inline void gw_read_now(struct gw_now *now)
{
	const __u32 zero = 0;
	const volatile struct gw_state *state = bpf_map_lookup_elem(&gw_state, &zero);

	now->mono_ns = bpf_ktime_get_coarse_ns();
	if (!state) /* never: the array has one element */
		return;
	now->word = state->word;
	now->wall_ns = now->mono_ns + state->wall_offset_ns;
	now->flow_rate = state->flow_rate;
}

#endif
