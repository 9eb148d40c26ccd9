/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Counters by rule, by client and by reason. */
#ifndef GW_COUNT_H
#define GW_COUNT_H

#include "bpf/kernel.h"

#include "bpf/transport.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, GW_MAX_RULES);
	__type(key, __u32);
	__type(value, struct gw_counter);
} gw_rule_count SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, GW_MAX_CLIENTS);
	__type(key, __u32);
	__type(value, struct gw_counter);
} gw_client_count SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, GW_REASON_COUNT);
	__type(key, __u32);
	__type(value, __u64);
} gw_reasons SEC(".maps");

static __always_inline void gw_counter_add(struct gw_counter *counter, const struct gw_packet *packet, __u64 now_ns)
{
	if (!counter)
		return;
	counter->packets += packet->packets;
	counter->bytes += packet->bytes;
	counter->last_seen_ns = now_ns;
}

static __always_inline void gw_count_passed(__u32 rule, __u32 source, __u32 destination, const struct gw_packet *packet,
					    __u64 now_ns)
{
	gw_counter_add(bpf_map_lookup_elem(&gw_rule_count, &rule), packet, now_ns);
	if (source)
		gw_counter_add(bpf_map_lookup_elem(&gw_client_count, &source), packet, now_ns);
	if (destination)
		gw_counter_add(bpf_map_lookup_elem(&gw_client_count, &destination), packet, now_ns);
}

static __always_inline void gw_count_flow(__u32 rule, __u32 source, __u32 destination)
{
	struct gw_counter *counter;

	counter = bpf_map_lookup_elem(&gw_rule_count, &rule);
	if (counter)
		counter->flows++;
	counter = source ? bpf_map_lookup_elem(&gw_client_count, &source) : 0;
	if (counter)
		counter->flows++;
	counter = destination ? bpf_map_lookup_elem(&gw_client_count, &destination) : 0;
	if (counter)
		counter->flows++;
}

static __always_inline void gw_count_denied(__u32 rule, __u32 source, const struct gw_packet *packet, __u64 now_ns)
{
	struct gw_counter *counter = source ? bpf_map_lookup_elem(&gw_client_count, &source) : 0;

	gw_counter_add(bpf_map_lookup_elem(&gw_rule_count, &rule), packet, now_ns);
	if (counter)
		counter->denied += packet->packets;
}

static __always_inline void gw_count_reason(__u32 reason, __u32 packets)
{
	__u64 *count = bpf_map_lookup_elem(&gw_reasons, &reason);

	if (count)
		*count += packets;
}

#endif
