/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* ICMP errors belong to the flow whose packet they quote (RFC 792, RFC 4443 section 3). */
#ifndef GW_ERROR_H
#define GW_ERROR_H

#include "bpf/kernel.h"

#include "bpf/packet.h"
#include "bpf/verdict.h"

static __always_inline int gw_quote_v4(struct __sk_buff *skb, __u32 offset, struct gw_tuple *quoted)
{
	struct iphdr ip;

	if (bpf_skb_load_bytes(skb, offset, &ip, sizeof(ip)) || ip.version != 4 || ip.ihl < 5 ||
	    ip.frag_off & bpf_htons(GW_IPV4_OFFSET))
		return -1;
	gw_addr_from_v4(&quoted->src, ip.saddr);
	gw_addr_from_v4(&quoted->dst, ip.daddr);
	quoted->proto = ip.protocol;
	return offset + ip.ihl * 4;
}

/* Without extension headers: a quoted fragment or option is judged by the rules like any other ICMP. */
static __always_inline int gw_quote_v6(struct __sk_buff *skb, __u32 offset, struct gw_tuple *quoted)
{
	struct ipv6hdr ip;

	if (bpf_skb_load_bytes(skb, offset, &ip, sizeof(ip)) || ip.version != 6)
		return -1;
	__builtin_memcpy(&quoted->src, &ip.saddr, sizeof(ip.saddr));
	__builtin_memcpy(&quoted->dst, &ip.daddr, sizeof(ip.daddr));
	quoted->proto = ip.nexthdr;
	return offset + sizeof(ip);
}

/* The tuple of the quoted packet. Routers quote 8 bytes of its payload at least. Zero, or -1 when it cannot be read. */
static __always_inline int gw_quote(struct __sk_buff *skb, const struct gw_packet *packet, struct gw_tuple *quoted)
{
	const __u32 offset = packet->l4 + sizeof(struct gw_icmp_head);
	struct gw_icmp_head head;
	int l4;

	l4 = packet->tuple.proto == IPPROTO_ICMP ? gw_quote_v4(skb, offset, quoted) : gw_quote_v6(skb, offset, quoted);
	if (l4 < 0 || bpf_skb_load_bytes(skb, l4, &head, sizeof(head)))
		return -1;
	if (gw_is_icmp(quoted->proto)) {
		__u8 query;

		if (gw_icmp_is_error(quoted->proto, head.type)) /* nobody tells of an error with an error */
			return -1;
		quoted->dport = bpf_htons((__u16)(head.type << 8 | head.code));
		if (gw_icmp_role_of(quoted->proto, head.type, &query) != GW_ICMP_NEITHER)
			quoted->sport = head.id;
	} else if (quoted->proto == IPPROTO_TCP || quoted->proto == IPPROTO_UDP) {
		const struct gw_udp_head *ports = (const struct gw_udp_head *)&head;

		quoted->sport = ports->sport;
		quoted->dport = ports->dport;
	}
	return 0;
}

/* The quoted flow is stale: `subject` has the tuple to judge. */
#define GW_STALE (-3)

/*
 * Whether the sender of an error can be one that the quoted packet met: a router that we do not know, or the end of its
 * way. Clients forward nothing, and what the gateway says itself comes in nowhere.
 */
static __always_inline int gw_error_is_plausible(const struct gw_packet *packet, const struct gw_tuple *quoted)
{
	struct gw_addr sender = packet->tuple.src;

	if (gw_addr_equal(&sender, &quoted->dst))
		return 1;
	return !gw_addr_equal(&sender, &quoted->src) && !gw_addr_sends_nothing(&sender) &&
	       !bpf_map_lookup_elem(&gw_hosts, &sender);
}

/* An error comes back by the interface that the answers come by, where one has. */
static __always_inline int gw_error_comes_back(const struct gw_flow *flow, const struct gw_packet *packet,
					       __u32 quoted_direction)
{
	const __u32 answers_by = quoted_direction == GW_REPLY ? flow->ifindex[0] : flow->ifindex[1];

	return packet->egress || !answers_by || answers_by == packet->ifindex;
}

/*
 * The mark for an ICMP error that quotes a packet of an open flow (`subject->tuple`); GW_UNDECIDED when there is no such
 * flow. A function of its own, verified once.
 */
__noinline int gw_carry_error(const struct gw_packet *packet, const struct gw_now *now, struct gw_subject *subject)
{
	const struct gw_flow *flow;
	struct gw_grant grant;
	__u32 direction;

	if (!packet || !now || !subject || !gw_error_is_plausible(packet, &subject->tuple))
		return GW_UNDECIDED;
	flow = gw_flow_find(&subject->tuple);
	direction = flow ? gw_flow_direction(flow, &subject->tuple) : GW_NO_FLOW;
	if (!flow || direction == GW_NO_FLOW || gw_flow_idle_too_long(flow, now) ||
	    !gw_error_comes_back(flow, packet, direction))
		return GW_UNDECIDED;
	if (!gw_flow_current(flow, now)) {
		subject->tuple = flow->orig;
		return GW_STALE;
	}
	gw_grant_of_flow(flow, &grant);
	return gw_carry(packet, &grant, now);
}

/* The mark when the rules allow the stale flow still; else GW_UNDECIDED. A function of its own, verified once. */
__noinline int gw_carry_stale_error(const struct gw_packet *packet, const struct gw_now *now,
				    const struct gw_subject *subject)
{
	struct gw_judgement judgement = {};
	struct gw_grant grant;

	if (!packet || !now || !subject)
		return GW_UNDECIDED;
	gw_judge(&subject->tuple, &judgement, now->word, now->wall_ns);
	if (judgement.action != GW_ACTION_ALLOW)
		return GW_UNDECIDED;
	gw_grant_of_judgement(&judgement, &grant);
	return gw_carry(packet, &grant, now);
}

/* Reads the quoted tuple of an ICMP error that is for the sender of what it quotes. True when `quoted` is filled. */
static __noinline int gw_error_quotes(struct __sk_buff *skb, const struct gw_packet *packet, struct gw_tuple *quoted)
{
	return !gw_quote(skb, packet, quoted) && gw_addr_equal(&quoted->src, &packet->tuple.dst);
}

static __always_inline int gw_packet_is_error(const struct gw_packet *packet)
{
	return gw_is_icmp(packet->tuple.proto) && gw_icmp_is_error(packet->tuple.proto, gw_icmp_type(&packet->tuple));
}

/* The mark for an ICMP error of an open flow that may pass, whoever sends it; else GW_UNDECIDED. */
static __always_inline int gw_error_verdict(struct __sk_buff *skb, const struct gw_packet *packet,
					    const struct gw_now *now, struct gw_subject *subject)
{
	int verdict;

	if (!gw_packet_is_error(packet) || !gw_error_quotes(skb, packet, &subject->tuple))
		return GW_UNDECIDED;
	verdict = gw_carry_error(packet, now, subject);
	return verdict == GW_STALE ? gw_carry_stale_error(packet, now, subject) : verdict;
}

#endif
