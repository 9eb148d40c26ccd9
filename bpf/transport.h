/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* The parsed packet, and the part of it above IP. */
#ifndef GW_TRANSPORT_H
#define GW_TRANSPORT_H

#include "bpf/kernel.h"
#include <linux/in.h>

#include "bpf/icmp.h"
#include "bpf/read.h"

/* What parsing came to; a negative value is a reason to drop. */
enum gw_parsed {
	GW_PARSED_JUDGE = 0, /* `packet` is filled */
	GW_PARSED_PASS = 1,  /* stays on the link: to the stack, unmarked */
};

enum gw_fragment_kind { GW_FRAGMENT_NONE, GW_FRAGMENT_FIRST, GW_FRAGMENT_LATER };

#define GW_TCP_FIN 0x01
#define GW_TCP_SYN 0x02
#define GW_TCP_RST 0x04
#define GW_TCP_PSH 0x08
#define GW_TCP_ACK 0x10
#define GW_TCP_URG 0x20

/*
 * The sets of flags that RFC 9293 knows, a bit for each; PSH says nothing of the state and is masked out, the bits above URG
 * are congestion's. Scanners tell systems apart by their answers to the other sets.
 */
#define GW_TCP_SET(flags) (1ULL << (flags))
#define GW_TCP_SETS_MASK  (GW_TCP_FIN | GW_TCP_SYN | GW_TCP_RST | GW_TCP_ACK | GW_TCP_URG)
#define GW_TCP_SETS                                                                                                    \
	(GW_TCP_SET(GW_TCP_SYN) | GW_TCP_SET(GW_TCP_SYN | GW_TCP_URG) | GW_TCP_SET(GW_TCP_SYN | GW_TCP_ACK) |          \
	 GW_TCP_SET(GW_TCP_RST) | GW_TCP_SET(GW_TCP_RST | GW_TCP_ACK) | GW_TCP_SET(GW_TCP_ACK) |                       \
	 GW_TCP_SET(GW_TCP_ACK | GW_TCP_URG) | GW_TCP_SET(GW_TCP_FIN | GW_TCP_ACK) |                                   \
	 GW_TCP_SET(GW_TCP_FIN | GW_TCP_ACK | GW_TCP_URG))

struct gw_packet {
	struct gw_tuple tuple; /* of a later fragment: without ports */
	__u32 bytes;	       /* from the IP header on */
	__u32 packets;	       /* that a GSO super-packet stands for, else 1 */
	__u32 ifindex;	       /* where the program runs */
	__u32 from;	       /* interface that the packet entered by; 0: made by the gateway itself */
	__u32 mark;	       /* our bits, as the packet brought them */
	__u32 payload;	       /* bytes from l4 to the end */
	__u32 l4;	       /* offset of the transport header in the skb */
	__u32 fragment_id;
	__u8 fragment; /* enum gw_fragment_kind */
	__u8 tcp_flags;
	__u8 local_hop;	     /* IPv6 hop limit is 255 */
	__u8 egress;	     /* judged on its way out: the source check is behind it */
	__u8 fragment_proto; /* what the fragments of a datagram have in common: IPv6 may have options before `proto` */
	__u8 pad[3];
};

struct gw_tcp_head {
	__be16 sport;
	__be16 dport;
	__be32 seq;
	__be32 ack;
	__u8 offset; /* in 4 bytes, in the high nibble */
	__u8 flags;
	__be16 window;
	__be16 check;
	__be16 urgent;
};

struct gw_udp_head {
	__be16 sport;
	__be16 dport;
	__be16 length;
	__be16 check;
};

struct gw_icmp_head {
	__u8 type;
	__u8 code;
	__be16 check;
	__be16 id;
	__be16 sequence;
};

/* RFC 1858: a first fragment that cuts the transport header would leave its end to a later one. */
static __always_inline int gw_too_short(const struct gw_packet *packet)
{
	return packet->fragment == GW_FRAGMENT_FIRST ? -GW_REASON_FRAGMENT : -GW_REASON_MALFORMED;
}

static __always_inline int gw_parse_tcp(struct __sk_buff *skb, struct gw_packet *packet)
{
	struct gw_tcp_head tcp;

	if (packet->payload < sizeof(tcp) || gw_read(skb, packet->l4, &tcp, sizeof(tcp)))
		return gw_too_short(packet);
	if (tcp.offset >> 4 < 5)
		return -GW_REASON_MALFORMED;
	if ((tcp.offset >> 4) * 4U > packet->payload)
		return gw_too_short(packet);
	if (!(GW_TCP_SETS >> (tcp.flags & GW_TCP_SETS_MASK) & 1))
		return -GW_REASON_TCP_FLAGS;
	packet->tuple.sport = tcp.sport;
	packet->tuple.dport = tcp.dport;
	packet->tcp_flags = tcp.flags;
	return GW_PARSED_JUDGE;
}

/* DHCP (RFC 2131) and DHCPv6 (RFC 8415) between a host on the link and the gateway's own client or server. */
static __always_inline int gw_is_dhcp(const struct gw_tuple *tuple)
{
	const __u16 from = bpf_ntohs(tuple->sport), to = bpf_ntohs(tuple->dport);

	return ((from == 67 || from == 68) && (to == 67 || to == 68)) || (from == 546 && to == 547) ||
	       (from == 547 && to == 546);
}

static __always_inline int gw_parse_udp(struct __sk_buff *skb, int ethernet, struct gw_packet *packet)
{
	struct gw_udp_head udp;
	__u32 length;

	if (packet->payload < sizeof(udp) || gw_read(skb, packet->l4, &udp, sizeof(udp)))
		return gw_too_short(packet);
	length = bpf_ntohs(udp.length); /* shorter than the payload is no fault: RFC 9868 */
	if (length < sizeof(udp) || (!packet->fragment && length > packet->payload))
		return -GW_REASON_MALFORMED;
	packet->tuple.sport = udp.sport;
	packet->tuple.dport = udp.dport;
	return ethernet && gw_is_dhcp(&packet->tuple) ? GW_PARSED_PASS : GW_PARSED_JUDGE;
}

static __always_inline int gw_parse_icmp(struct __sk_buff *skb, int ethernet, struct gw_packet *packet)
{
	struct gw_icmp_head icmp;
	__u8 query;

	if (packet->payload < sizeof(icmp) || gw_read(skb, packet->l4, &icmp, sizeof(icmp)))
		return gw_too_short(packet);
	packet->tuple.dport = bpf_htons((__u16)(icmp.type << 8 | icmp.code));
	if (gw_icmp_role_of(packet->tuple.proto, icmp.type, &query) != GW_ICMP_NEITHER)
		packet->tuple.sport = icmp.id;
	/* Neighbour discovery, RFC 4861. */
	if (ethernet && packet->tuple.proto == IPPROTO_ICMPV6 && packet->local_hop &&
	    icmp.type >= ICMPV6_ROUTER_SOLICITATION && icmp.type <= ICMPV6_REDIRECT)
		return GW_PARSED_PASS;
	return GW_PARSED_JUDGE;
}

static __always_inline int gw_parse_transport(struct __sk_buff *skb, int ethernet, struct gw_packet *packet)
{
	if (packet->fragment == GW_FRAGMENT_LATER)
		return GW_PARSED_JUDGE;
	switch (packet->tuple.proto) {
	case IPPROTO_TCP:
		return gw_parse_tcp(skb, packet);
	case IPPROTO_UDP:
		return gw_parse_udp(skb, ethernet, packet);
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return gw_parse_icmp(skb, ethernet, packet);
	default:
		return GW_PARSED_JUDGE;
	}
}

#endif
