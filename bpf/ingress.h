/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* The verdict on what enters the gateway, in the order of DATAPLANE "The verdict". */
#ifndef GW_INGRESS_H
#define GW_INGRESS_H

#include "bpf/kernel.h"

#include "bpf/link.h"
#include "bpf/source.h"
#include "bpf/verdict.h"

/* Drops for `reason` what `judgement` was about. */
static __always_inline int gw_overrule(const struct gw_packet *packet, struct gw_judgement *judgement, __u64 now_ns,
				       enum gw_reason reason)
{
	judgement->action = GW_ACTION_DENY;
	judgement->reason = reason;
	judgement->rule = 0;
	judgement->log = 0;
	return gw_refuse(packet, judgement, now_ns);
}

/* A packet whose source does not belong to the interface. */
static __always_inline int gw_foreign_source(const struct gw_packet *packet, const struct gw_now *now, __u32 link_flags,
					     __u32 source_link, struct gw_judgement *judgement)
{
	/* The outside world may speak to the gateway itself: nftables decides. But not as one of our own. */
	if ((link_flags & GW_LINK_PUBLIC) && !source_link && (judgement->flags & GW_FLOW_GATEWAY) &&
	    !gw_addr_sends_nothing(&packet->tuple.src))
		return gw_pass_unmarked(packet, now);
	judgement->src_client = 0; /* whoever sent it, it was not this client */
	return gw_overrule(packet, judgement, now->mono_ns, GW_REASON_SOURCE);
}

static __always_inline int gw_not_allowed(const struct gw_packet *packet, const struct gw_now *now,
					  const struct gw_judgement *judgement)
{
	if ((judgement->flags & GW_FLOW_GATEWAY) && judgement->reason == GW_REASON_DEFAULT)
		return gw_pass_unmarked(packet, now);
	return gw_refuse(packet, judgement, now->mono_ns);
}

static __always_inline void gw_tell_new_flow(const struct gw_packet *packet, const struct gw_now *now,
					     const struct gw_judgement *judgement)
{
	gw_count_flow(judgement->rule, judgement->src_client, judgement->dst_client);
	if (judgement->log)
		gw_emit(GW_EVENT_LOG, packet, judgement, now->mono_ns);
}

/* Lets a packet in that the rules allow, and remembers its flow. */
static __always_inline int gw_let_in(const struct gw_packet *packet, const struct gw_now *now,
				     const struct gw_subject *subject, struct gw_judgement *judgement)
{
	struct gw_grant grant;

	if (gw_flow_renew(packet, now, subject, judgement))
		return gw_overrule(packet, judgement, now->mono_ns, GW_REASON_TABLE_FULL);
	gw_grant_of_judgement(judgement, &grant);
	return gw_carry(packet, &grant, now);
}

/*
 * Everything but the established packet: no flow, a stale one, or one that comes by another interface than before.
 * A function of its own, verified once.
 */
__noinline int gw_judge_packet(const struct gw_packet *packet, const struct gw_now *now,
			       const struct gw_subject *subject)
{
	struct gw_judgement judgement = {};
	const struct gw_link *link;
	__u32 source_link;

	if (!packet || !now || !subject)
		return GW_DROP;
	link = gw_link_of(packet->ifindex);
	if (!link)
		return gw_drop(packet, now->mono_ns, GW_REASON_NO_LINK);
	if (gw_addr_equal(&packet->tuple.src, &packet->tuple.dst)) /* no flow was ever opened by such a one */
		return gw_drop(packet, now->mono_ns, GW_REASON_LAND);
	gw_judge(&subject->tuple, &judgement, now->word, now->wall_ns);

	source_link = subject->direction == GW_REPLY ? judgement.dst_link : judgement.src_link;
	if (source_link != link->link)
		return gw_foreign_source(packet, now, link->flags, source_link, &judgement);
	if (judgement.action != GW_ACTION_ALLOW) {
		if (subject->direction != GW_NO_FLOW)
			gw_flow_forget(&packet->tuple, subject->direction);
		return gw_not_allowed(packet, now, &judgement);
	}
	if (subject->direction == GW_NO_FLOW) {
		if (!gw_source_may_open(&packet->tuple.src, judgement.src_client, now))
			return gw_overrule(packet, &judgement, now->mono_ns, GW_REASON_RATE);
		gw_tell_new_flow(packet, now, &judgement);
	}
	return gw_let_in(packet, now, subject, &judgement);
}

static __always_inline int gw_ingress_later_fragment(const struct gw_packet *packet, const struct gw_now *now)
{
	const struct gw_fragment *first = gw_fragment_find(packet, now);

	if (!first)
		return gw_drop(packet, now->mono_ns, GW_REASON_FRAGMENT);
	if (first->mark & GW_MARK_ALLOW)
		gw_count_passed(first->rule, first->client[0], first->client[1], packet, now->mono_ns);
	return first->mark;
}

/*
 * The verdict on a parsed packet that is no ICMP error, where a current flow or a first fragment knows it already; else
 * GW_UNDECIDED, and `subject` is filled for gw_judge_packet. A function of its own, verified once.
 */
__noinline int gw_ingress(const struct gw_packet *packet, const struct gw_now *now, struct gw_subject *subject)
{
	struct gw_grant grant;
	struct gw_flow *flow;

	if (!packet || !now || !subject)
		return GW_DROP;
	if (packet->fragment == GW_FRAGMENT_LATER)
		return gw_ingress_later_fragment(packet, now);
	flow = gw_flow_find(&packet->tuple);
	subject->entry = !!flow;
	subject->direction = flow ? gw_flow_match(flow, packet, now) : GW_NO_FLOW;
	if (!flow || subject->direction == GW_NO_FLOW) {
		subject->tuple = packet->tuple;
		return GW_UNDECIDED;
	}
	/* The interface stands for the source check, which the same tuple passed there. */
	if (gw_flow_current(flow, now) && !gw_flow_moves(flow, packet, subject->direction) &&
	    (subject->direction == GW_REPLY ? flow->ifindex[1] : flow->ifindex[0]) == packet->ifindex) {
		gw_flow_touch(flow, packet, subject->direction, now);
		gw_grant_of_flow(flow, &grant);
		return gw_carry(packet, &grant, now);
	}
	subject->tuple = flow->orig;
	return GW_UNDECIDED;
}

#endif
