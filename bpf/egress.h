/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* What enters the tunnel and is not the gateway's own has to belong to a flow that ingress let in. */
#ifndef GW_EGRESS_H
#define GW_EGRESS_H

#include "bpf/kernel.h"

#include "bpf/verdict.h"

/* Answers that were translated on their way in are seen here first: ingress saw the gateway's address. */
static __always_inline void gw_egress_count(const struct gw_packet *packet, const struct gw_grant *grant,
					    __u32 direction, const struct gw_now *now)
{
	if ((grant->flags & GW_FLOW_NAT) && direction == GW_REPLY)
		gw_count_passed(grant->rule, grant->client[0], grant->client[1], packet, now->mono_ns);
}

/* A flow that is stale, or whose first answer this is. A function of its own, verified once. */
__noinline int gw_egress_renew(const struct gw_packet *packet, const struct gw_now *now,
			       const struct gw_subject *subject)
{
	struct gw_judgement judgement = {};
	struct gw_grant grant;

	if (!packet || !now || !subject)
		return GW_DROP;
	gw_judge(&subject->tuple, &judgement, now->word, now->wall_ns);
	if (judgement.action != GW_ACTION_ALLOW) {
		gw_flow_forget(&packet->tuple, subject->direction);
		gw_refuse(packet, &judgement, now->mono_ns);
		return GW_DROP; /* a reject mark leads nowhere behind routing */
	}
	if (gw_flow_renew(packet, now, subject, &judgement))
		return gw_drop(packet, now->mono_ns, GW_REASON_TABLE_FULL);
	gw_grant_of_judgement(&judgement, &grant);
	gw_egress_count(packet, &grant, subject->direction, now);
	return 0;
}

/* As gw_ingress: GW_DROP, GW_UNDECIDED with `subject` filled for gw_egress_renew, or 0. */
__noinline int gw_egress(const struct gw_packet *packet, const struct gw_now *now, struct gw_subject *subject)
{
	struct gw_grant grant;
	struct gw_flow *flow;

	if (!packet || !now || !subject)
		return GW_DROP;
	if (packet->fragment == GW_FRAGMENT_LATER)
		return gw_fragment_find(packet, now) ? 0 : gw_drop(packet, now->mono_ns, GW_REASON_FRAGMENT);
	flow = gw_flow_find(&packet->tuple);
	subject->entry = 1;
	subject->direction = flow ? gw_flow_match(flow, packet, now) : GW_NO_FLOW;
	if (!flow || subject->direction == GW_NO_FLOW)
		return gw_drop(packet, now->mono_ns, GW_REASON_NO_FLOW);
	if (!gw_flow_current(flow, now) || gw_flow_moves(flow, packet, subject->direction)) {
		subject->tuple = flow->orig;
		return GW_UNDECIDED;
	}
	gw_flow_touch(flow, packet, subject->direction, now);
	gw_grant_of_flow(flow, &grant);
	gw_egress_count(packet, &grant, subject->direction, now);
	return 0;
}

/*
 * Ingress has remembered the first fragment already, unless the stack put the datagram together and cut it anew under
 * another identification. Returns 0 always.
 */
__noinline int gw_egress_fragments(const struct gw_packet *packet, const struct gw_now *now)
{
	if (packet && now && !gw_fragment_find(packet, now))
		gw_lead_fragments(packet, 0, packet->mark, now);
	return 0;
}

#endif
