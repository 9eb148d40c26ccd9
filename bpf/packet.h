/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* From bytes to a tuple. */
#ifndef GW_PACKET_H
#define GW_PACKET_H

#include "bpf/kernel.h"
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

#include "bpf/address.h"
#include "bpf/icmp.h"
#include "bpf/transport.h"

#define GW_IPV4_MF	  0x2000
#define GW_IPV4_OFFSET	  0x1fff
#define GW_IPV6_MF	  0x0001
#define GW_IPV6_OFFSET	  0xfff8
#define GW_MAX_EXTENSIONS 6
#define GW_ND_HOP_LIMIT	  255 /* RFC 4861 section 6.1: proves that no router forwarded it */

static __noinline int gw_parse_ipv4(struct __sk_buff *skb, __u32 offset, int ethernet, struct gw_packet *packet)
{
	struct iphdr ip;
	__u32 header, total, fragment;

	if (gw_read(skb, offset, &ip, sizeof(ip)))
		return -GW_REASON_MALFORMED;
	header = ip.ihl * 4;
	total = bpf_ntohs(ip.tot_len);
	if (!total && skb->gso_size) /* BIG TCP: the length does not fit the field */
		total = skb->len - offset;
	if (ip.version != 4 || header < sizeof(ip) || total < header || total > skb->len - offset)
		return -GW_REASON_MALFORMED;
	if (gw_v4_is_multicast(ip.daddr))
		return GW_PARSED_PASS;

	gw_addr_from_v4(&packet->tuple.src, ip.saddr);
	gw_addr_from_v4(&packet->tuple.dst, ip.daddr);
	packet->tuple.proto = ip.protocol;
	packet->bytes = total;
	packet->payload = total - header;
	packet->l4 = offset + header;
	fragment = bpf_ntohs(ip.frag_off);
	if (fragment & (GW_IPV4_MF | GW_IPV4_OFFSET)) {
		packet->fragment_id = ip.id;
		packet->fragment = fragment & GW_IPV4_OFFSET ? GW_FRAGMENT_LATER : GW_FRAGMENT_FIRST;
		/* RFC 3128: an offset of 8 bytes would rewrite the flags of the TCP header before it. */
		if (ip.protocol == IPPROTO_TCP && (fragment & GW_IPV4_OFFSET) == 1)
			return -GW_REASON_FRAGMENT;
	}
	if (ip.protocol == IPPROTO_ICMPV6)
		return -GW_REASON_MALFORMED;
	return gw_parse_transport(skb, ethernet, packet);
}

/* The head that every IPv6 extension has; `rest` is the routing type, or the fragment's offset and flags. */
struct gw_extension {
	__u8 next;
	__u8 length; /* in 8 bytes, without the first */
	__be16 rest;
	__be32 id;
};

/* Follows the extension headers up to the transport. */
static __always_inline int gw_skip_extensions(struct __sk_buff *skb, __u8 next, struct gw_packet *packet)
{
	struct gw_extension head;

	for (int i = 0; i < GW_MAX_EXTENSIONS; i++) {
		__u32 length;

		packet->tuple.proto = next;
		if (next != IPPROTO_HOPOPTS && next != IPPROTO_DSTOPTS && next != IPPROTO_ROUTING &&
		    next != IPPROTO_FRAGMENT)
			return GW_PARSED_JUDGE;
		if (packet->payload < sizeof(head) || gw_read(skb, packet->l4, &head, sizeof(head)))
			return -GW_REASON_MALFORMED;
		length = next == IPPROTO_FRAGMENT ? sizeof(head) : (head.length + 1U) * 8;
		if (length > packet->payload)
			return -GW_REASON_MALFORMED;
		if (next == IPPROTO_ROUTING && !(bpf_ntohs(head.rest) >> 8)) /* type 0: RFC 5095 */
			return -GW_REASON_MALFORMED;
		packet->l4 += length;
		packet->payload -= length;
		if (next == IPPROTO_FRAGMENT) {
			__u32 flags = bpf_ntohs(head.rest);

			if (packet->fragment)
				return -GW_REASON_MALFORMED;
			packet->fragment_id = head.id;
			if (flags & GW_IPV6_OFFSET) {
				packet->fragment = GW_FRAGMENT_LATER;
				packet->tuple.proto = head.next;
				if (head.next == IPPROTO_TCP && (flags & GW_IPV6_OFFSET) == 8)
					return -GW_REASON_FRAGMENT;
				return GW_PARSED_JUDGE;
			}
			if (flags & GW_IPV6_MF)
				packet->fragment = GW_FRAGMENT_FIRST;
		}
		next = head.next;
	}
	return -GW_REASON_MALFORMED;
}

static __noinline int gw_parse_ipv6(struct __sk_buff *skb, __u32 offset, int ethernet, struct gw_packet *packet)
{
	struct ipv6hdr ip;
	__u32 payload;
	int parsed;

	if (gw_read(skb, offset, &ip, sizeof(ip)))
		return -GW_REASON_MALFORMED;
	payload = bpf_ntohs(ip.payload_len);
	if (!payload && skb->gso_size)
		payload = skb->len - offset - sizeof(ip);
	if (ip.version != 6 || payload > skb->len - offset - sizeof(ip))
		return -GW_REASON_MALFORMED;

	__builtin_memcpy(&packet->tuple.src, &ip.saddr, sizeof(ip.saddr));
	__builtin_memcpy(&packet->tuple.dst, &ip.daddr, sizeof(ip.daddr));
	/* On the wire a mapped address has no meaning; in our maps it would be an IPv4 host. */
	if (gw_addr_is_v4(&packet->tuple.src) || gw_addr_is_v4(&packet->tuple.dst))
		return -GW_REASON_MALFORMED;
	if (gw_v6_stays_on_link(&packet->tuple.dst))
		return GW_PARSED_PASS;
	packet->bytes = payload + sizeof(ip);
	packet->payload = payload;
	packet->l4 = offset + sizeof(ip);
	packet->local_hop = ip.hop_limit == GW_ND_HOP_LIMIT;
	parsed = gw_skip_extensions(skb, ip.nexthdr, packet);
	if (parsed != GW_PARSED_JUDGE)
		return parsed;
	if (packet->tuple.proto == IPPROTO_ICMP)
		return -GW_REASON_MALFORMED;
	return gw_parse_transport(skb, ethernet, packet);
}

#endif
