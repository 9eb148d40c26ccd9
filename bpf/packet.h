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

#define GW_IPV4_MF	       0x2000
#define GW_IPV4_OFFSET	       0x1fff
#define GW_IPV6_MF	       0x0001
#define GW_IPV6_OFFSET	       0xfff8
#define GW_MAX_EXTENSIONS      6
#define GW_LONGEST_DATAGRAM    65535U

#define GW_MAX_OPTION_BYTES    40
#define GW_OPTION_END	       0
#define GW_OPTION_NOTHING      1
#define GW_OPTION_LOOSE_ROUTE  131
#define GW_OPTION_STRICT_ROUTE 137
#define GW_ND_HOP_LIMIT	       255 /* RFC 4861 section 6.1: proves that no router forwarded it */

/*
 * What holds for a piece of a datagram whatever its protocol: all but the last are cut at 8 bytes (RFC 791, RFC 8200
 * section 4.5), none ends behind the longest datagram, and none begins 8 bytes into a TCP header, whose flags it would
 * rewrite (RFC 3128). `offset` in bytes.
 */
static __always_inline int gw_fragment_is_bad(const struct gw_packet *packet, __u32 offset, int more)
{
	return !packet->payload || (more && packet->payload & 7) || offset + packet->payload > GW_LONGEST_DATAGRAM ||
	       (packet->fragment_proto == IPPROTO_TCP && offset == 8);
}

/*
 * One IPv4 option (RFC 791 section 3.1): the offset of the next one, 0 behind the last, or a reason to drop as a negative
 * value. A source route would lead the packet on to an address that no rule was asked about. A function of its own,
 * verified once.
 */
__noinline int gw_next_option(struct __sk_buff *skb, __u32 offset, __u32 end)
{
	struct {
		__u8 kind;
		__u8 length;
	} option = {};

	if (!skb || bpf_skb_load_bytes(skb, offset, &option.kind, sizeof(option.kind)))
		return -GW_REASON_MALFORMED;
	if (option.kind == GW_OPTION_END)
		return 0;
	if (option.kind == GW_OPTION_NOTHING)
		return offset + 1;
	if (offset + sizeof(option) > end || bpf_skb_load_bytes(skb, offset, &option, sizeof(option)) ||
	    option.length < sizeof(option) || offset + option.length > end)
		return -GW_REASON_MALFORMED;
	if (option.kind == GW_OPTION_LOOSE_ROUTE || option.kind == GW_OPTION_STRICT_ROUTE)
		return -GW_REASON_SOURCE_ROUTE;
	return offset + option.length;
}

static __noinline int gw_check_options(struct __sk_buff *skb, __u32 offset, __u32 end)
{
	int next = offset;

	for (int i = 0; i < GW_MAX_OPTION_BYTES; i++) {
		if (next <= 0 || (__u32)next >= end)
			break;
		next = gw_next_option(skb, next, end);
	}
	return next < 0 ? next : GW_PARSED_JUDGE;
}

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
		packet->fragment_proto = ip.protocol;
		if (gw_fragment_is_bad(packet, (fragment & GW_IPV4_OFFSET) * 8, fragment & GW_IPV4_MF))
			return -GW_REASON_FRAGMENT;
	}
	if (header > sizeof(ip)) {
		int checked = gw_check_options(skb, offset + sizeof(ip), packet->l4);

		if (checked)
			return checked;
	}
	if (ip.protocol == IPPROTO_ICMPV6)
		return -GW_REASON_MALFORMED;
	return gw_parse_transport(skb, ethernet, packet);
}

/*
 * The head that every IPv6 extension has; `rest` is the routing type and how many segments are left, or the fragment's
 * offset and flags.
 */
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
			return gw_too_short(packet); /* RFC 7112: the first fragment has the whole chain */
		length = next == IPPROTO_FRAGMENT ? sizeof(head) : (head.length + 1U) * 8;
		if (length > packet->payload)
			return gw_too_short(packet);
		if (next == IPPROTO_HOPOPTS && i) /* only right behind the IP header: RFC 8200 section 4.1 */
			return -GW_REASON_MALFORMED;
		/* Type 0 (RFC 5095), and whatever is to go on to another address from its destination. */
		if (next == IPPROTO_ROUTING && (!(bpf_ntohs(head.rest) >> 8) || bpf_ntohs(head.rest) & 0xff))
			return -GW_REASON_SOURCE_ROUTE;
		packet->l4 += length;
		packet->payload -= length;
		if (next == IPPROTO_FRAGMENT) {
			__u32 flags = bpf_ntohs(head.rest);

			if (packet->fragment_proto) /* one is enough */
				return -GW_REASON_MALFORMED;
			packet->fragment_id = head.id;
			packet->fragment_proto = head.next;
			if (flags & (GW_IPV6_OFFSET | GW_IPV6_MF)) {
				packet->fragment = flags & GW_IPV6_OFFSET ? GW_FRAGMENT_LATER : GW_FRAGMENT_FIRST;
				if (gw_fragment_is_bad(packet, flags & GW_IPV6_OFFSET, flags & GW_IPV6_MF))
					return -GW_REASON_FRAGMENT;
			}
			if (packet->fragment == GW_FRAGMENT_LATER) {
				packet->tuple.proto = head.next;
				return GW_PARSED_JUDGE;
			}
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
