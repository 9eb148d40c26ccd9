/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Records for user space: what was dropped or rejected (sampled), and what a rule with `log` let in. */
#ifndef GW_EVENT_H
#define GW_EVENT_H

#include "bpf/kernel.h"

#include "bpf/judge.h"
#include "bpf/transport.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, GW_EVENT_BYTES);
} gw_events SEC(".maps");

/* Drops must not crowd out what rules log: a bucket for each enum gw_event_class. */
#define GW_EVENT_BURST	     64
#define GW_EVENT_INTERVAL_NS 10000000ULL /* 100 a second and CPU */

/* Per CPU and class: the time at which the bucket is empty again. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, GW_EVENT_CLASSES);
	__type(key, __u32);
	__type(value, __u64);
} gw_event_rate SEC(".maps");

/* Per CPU and class: events that were kept back by the bucket or found the ring full. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, GW_EVENT_CLASSES);
	__type(key, __u32);
	__type(value, __u64);
} gw_event_untold SEC(".maps");

static __always_inline int gw_event_allowed(__u32 class, __u64 now_ns)
{
	__u64 *empty_at = bpf_map_lookup_elem(&gw_event_rate, &class);

	if (!empty_at)
		return 0;
	if (*empty_at < now_ns)
		*empty_at = now_ns;
	if (*empty_at - now_ns > GW_EVENT_BURST * GW_EVENT_INTERVAL_NS)
		return 0;
	*empty_at += GW_EVENT_INTERVAL_NS;
	return 1;
}

static __always_inline void gw_emit(__u32 class, const struct gw_packet *packet, const struct gw_judgement *judgement,
				    __u64 now_ns)
{
	struct gw_event *event = 0;
	__u64 *untold;

	if (gw_event_allowed(class, now_ns))
		event = bpf_ringbuf_reserve(&gw_events, sizeof(*event), 0);
	if (!event) {
		untold = bpf_map_lookup_elem(&gw_event_untold, &class);
		if (untold)
			*untold += 1;
		return;
	}
	event->time_ns = now_ns;
	event->tuple = packet->tuple;
	event->ifindex = packet->ifindex;
	event->length = packet->bytes;
	event->rule = judgement->rule;
	event->client = judgement->src_client;
	event->action = judgement->action;
	event->reason = judgement->reason;
	__builtin_memset(event->pad, 0, sizeof(event->pad));
	bpf_ringbuf_submit(event, 0);
}

#endif
