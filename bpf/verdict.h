/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* What becomes of a packet: granted, unmarked, rejected or dropped; and what is counted and told for it. */
#ifndef GW_VERDICT_H
#define GW_VERDICT_H

#include "bpf/kernel.h"

#include "bpf/count.h"
#include "bpf/event.h"
#include "bpf/flow.h"
#include "bpf/fragment.h"
#include "bpf/judge.h"

/*
 * A verdict is the mark that the packet gets (0: unmarked), or GW_DROP. Functions below the entries know no skb: so
 * they can be global, and the verifier looks at each once.
 */
#define GW_DROP	     (-1)
#define GW_UNDECIDED (-2) /* the fast path does not know: judge */

/*
 * What goes to the gateway itself is tracked as translated flows are: only so can its input chain tell a packet that a rule
 * allowed from a reply to what the gateway began (netlink/nftables.h).
 */
static __always_inline __u32 gw_flow_mark(__u32 flow_flags)
{
	return flow_flags & (GW_FLOW_NAT | GW_FLOW_GATEWAY) ? GW_MARK_ALLOW | GW_MARK_NAT : GW_MARK_ALLOW;
}

/* Counts and tells a refusal: `judgement` has action, reason, rule and the client that sent the packet. */
__noinline int gw_refuse(const struct gw_packet *packet, const struct gw_judgement *judgement, __u64 now_ns)
{
	if (!packet || !judgement)
		return GW_DROP;
	gw_count_reason(judgement->reason, packet->packets);
	gw_count_denied(judgement->rule, judgement->src_client, packet, now_ns);
	gw_emit(judgement->log ? GW_EVENT_LOG : GW_EVENT_DROP, packet, judgement, now_ns);
	return judgement->action == GW_ACTION_REJECT ? (int)GW_MARK_REJECT : GW_DROP;
}

/* A drop that no rule decided. */
__noinline int gw_drop(const struct gw_packet *packet, __u64 now_ns, __u32 reason)
{
	const struct gw_judgement judgement = {.action = GW_ACTION_DENY, .reason = reason};

	return gw_refuse(packet, &judgement, now_ns);
}

/* What counting and marking need to know of a flow, out of its entry or of the judgement that makes it. */
struct gw_grant {
	__u32 rule;
	__u32 client[2];
	__u32 flags; /* GW_FLOW_* */
};

static __always_inline void gw_grant_of_flow(const struct gw_flow *flow, struct gw_grant *grant)
{
	grant->rule = flow->rule;
	grant->client[0] = flow->client[0];
	grant->client[1] = flow->client[1];
	grant->flags = flow->flags;
}

static __always_inline void gw_grant_of_judgement(const struct gw_judgement *judgement, struct gw_grant *grant)
{
	grant->rule = judgement->rule;
	grant->client[0] = judgement->src_client;
	grant->client[1] = judgement->dst_client;
	grant->flags = judgement->flags;
}

/* Lets the later fragments of a datagram have what its first one gets. `grant` is null where there is no flow. */
static __noinline int gw_lead_fragments(const struct gw_packet *packet, const struct gw_grant *grant, __u32 mark,
					const struct gw_now *now)
{
	struct gw_fragment granted = {
		.word = now->word,
		.time_ns = now->mono_ns,
		.ifindex = packet->from,
		.mark = mark,
	};

	if (grant) {
		granted.rule = grant->rule;
		granted.client[0] = grant->client[0];
		granted.client[1] = grant->client[1];
	}
	return gw_fragment_remember(packet, &granted);
}

/* To the stack without a mark: nftables' input chain decides, and forwarding drops it. */
static __always_inline int gw_pass_unmarked(const struct gw_packet *packet, const struct gw_now *now)
{
	if (packet->fragment == GW_FRAGMENT_FIRST)
		gw_lead_fragments(packet, 0, 0, now);
	return 0;
}

/* A packet of a flow that may pass. */
static __always_inline int gw_carry(const struct gw_packet *packet, const struct gw_grant *grant,
				    const struct gw_now *now)
{
	const __u32 mark = gw_flow_mark(grant->flags);

	if (!packet->egress) /* there it was counted on its way in */
		gw_count_passed(grant->rule, grant->client[0], grant->client[1], packet, now->mono_ns);
	if (packet->fragment == GW_FRAGMENT_FIRST)
		gw_lead_fragments(packet, grant, mark, now);
	return mark;
}

/*
 * Opens or renews the flow of a packet that the rules allow. The entry is replaced whole, so that no other CPU sees half of
 * a verdict. Zero, or GW_DROP when the table cannot take it. A function of its own, verified once.
 */
__noinline int gw_flow_renew(const struct gw_packet *packet, const struct gw_now *now, const struct gw_subject *subject,
			     const struct gw_judgement *judgement)
{
	struct gw_flow flow = {}; /* on this stack: kernel 6.1 stores no value out of a global function's argument */
	const struct gw_flow *found;
	struct gw_flow_key key;

	if (!packet || !now || !subject || !judgement)
		return GW_DROP;
	gw_flow_key_for(&packet->tuple, subject->direction, &key);
	found = subject->direction == GW_NO_FLOW ? 0 : gw_flow_lookup(&key);
	if (found)
		flow = *found;
	flow.orig = subject->tuple;
	flow.word = now->word;
	flow.valid_until_ns = judgement->valid_until_ns;
	flow.last_seen_ns = now->mono_ns;
	flow.rule = judgement->rule;
	flow.client[0] = judgement->src_client;
	flow.client[1] = judgement->dst_client;
	flow.flags = (flow.flags & ~(GW_FLOW_NAT | GW_FLOW_GATEWAY)) | judgement->flags;
	flow.flags |= gw_flow_flags(packet, subject->direction);
	if (!packet->egress && subject->direction == GW_REPLY)
		flow.ifindex[1] = packet->ifindex;
	else if (!packet->egress)
		flow.ifindex[0] = packet->ifindex;
	return gw_flow_store(&key, &flow, subject->entry) ? GW_DROP : 0;
}

#endif
