/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * In front of everything on the public interface: drops what can only be hostile, and decides nothing else. It looks at
 * packets to the gateway's own addresses: whether their source is on the deny list and, on the WireGuard port, whether they can
 * be what WireGuard expects; and it lets nothing into the networks behind the gateway, whatever the nftables frame is just now.
 * Zero lets a packet go on; anything else is the reason to drop it.
 */
#ifndef GW_GUARD_H
#define GW_GUARD_H

#include "bpf/kernel.h"
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

#include "bpf/address.h"
#include "bpf/count.h"
#include "bpf/ethernet.h"
#include "bpf/frame.h"
#include "bpf/link.h"
#include "bpf/mac1.h"
#include "bpf/packet.h"
#include "bpf/place.h"
#include "bpf/state.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct gw_guard);
} gw_guard SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, GW_MAX_BLOCKS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct gw_prefix_key);
	__type(value, struct gw_block);
} gw_blocks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, GW_MAX_INITIATORS);
	__type(key, struct gw_addr);
	__type(value, struct gw_source);
} gw_initiators SEC(".maps");

/* Where a handshake lies while its mac1 is computed: it is too big for the stack. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct gw_handshake);
} gw_guard_scratch SEC(".maps");

#define GW_WG_INITIATION      1U
#define GW_WG_RESPONSE	      2U
#define GW_WG_COOKIE	      3U
#define GW_WG_DATA	      4U
#define GW_WG_INITIATION_SIZE 148U
#define GW_WG_RESPONSE_SIZE   92U
#define GW_WG_COOKIE_SIZE     64U
#define GW_WG_DATA_SIZE	      32U /* at least: header and tag of a keepalive */
#define GW_GUARD_SEGMENTS     128 /* UDP_MAX_SEGMENTS of the kernel */
#define GW_WG_FIRST_FRAGMENT  16U /* bytes of UDP, in the 8s that fragments are cut to, up to and with the type */

/* A packet as far as the guard has to understand it. */
struct gw_visitor {
	struct gw_addr src;
	struct gw_addr dst;
	__u32 l4;      /* offset of what follows the IP header */
	__u32 payload; /* bytes from there, as IP has it */
	__u8 proto;    /* IPv6: of the first header, until the extensions are behind us */
	__u8 fragment; /* enum gw_fragment_kind */
	__u8 ipv6;
	__u8 tagged; /* of a VLAN on this interface, not of the interface itself */
	__u8 pad[4];
};

/* Zero, or -1: what the stack will not take for IP either. */
static __always_inline int gw_visitor_ipv4(void *ctx, const int xdp, __u32 offset, struct gw_visitor *visitor)
{
	__u32 header, total, fragment;
	struct iphdr ip GW_WORDS;

	if (gw_frame_read(ctx, xdp, offset, &ip, sizeof(ip)))
		return -1;
	header = ip.ihl * 4;
	total = bpf_ntohs(ip.tot_len);
	if (!xdp && !total) /* BIG TCP: the length does not fit the field */
		total = ((struct __sk_buff *)ctx)->len - offset;
	if (ip.version != 4 || header < sizeof(ip) || total < header)
		return -1;
	gw_addr_from_v4(&visitor->src, ip.saddr);
	gw_addr_from_v4(&visitor->dst, ip.daddr);
	visitor->proto = ip.protocol;
	visitor->l4 = offset + header;
	visitor->payload = total - header;
	fragment = bpf_ntohs(ip.frag_off);
	if (fragment & (GW_IPV4_MF | GW_IPV4_OFFSET))
		visitor->fragment = fragment & GW_IPV4_OFFSET ? GW_FRAGMENT_LATER : GW_FRAGMENT_FIRST;
	return 0;
}

static __always_inline int gw_visitor_ipv6(void *ctx, const int xdp, __u32 offset, struct gw_visitor *visitor)
{
	struct ipv6hdr ip GW_WORDS;

	if (gw_frame_read(ctx, xdp, offset, &ip, sizeof(ip)) || ip.version != 6)
		return -1;
	__builtin_memcpy(&visitor->src, &ip.saddr, sizeof(ip.saddr));
	__builtin_memcpy(&visitor->dst, &ip.daddr, sizeof(ip.daddr));
	visitor->proto = ip.nexthdr;
	visitor->l4 = offset + sizeof(ip);
	visitor->payload = bpf_ntohs(ip.payload_len);
	if (!xdp && !visitor->payload) /* BIG TCP */
		visitor->payload = ((struct __sk_buff *)ctx)->len - visitor->l4;
	visitor->ipv6 = 1;
	return 0;
}

/* From the frame to both addresses, through one VLAN tag. Zero, or -1: no IP. */
static __always_inline int gw_visitor_read(void *ctx, const int xdp, struct gw_visitor *visitor)
{
	struct gw_vlan_head vlan GW_WORDS;
	__u32 offset = ETH_HLEN;
	__be16 type GW_WORDS;

	if (gw_frame_read(ctx, xdp, ETH_HLEN - sizeof(type), &type, sizeof(type)))
		return -1;
	if (type == bpf_htons(ETH_P_8021Q)) {
		if (gw_frame_read(ctx, xdp, offset, &vlan, sizeof(vlan)))
			return -1;
		type = vlan.type;
		offset += sizeof(vlan);
		visitor->tagged = (bpf_ntohs(vlan.tci) & GW_VLAN_VID_MASK) != 0;
	}
	if (type == bpf_htons(ETH_P_IP))
		return gw_visitor_ipv4(ctx, xdp, offset, visitor);
	if (type == bpf_htons(ETH_P_IPV6))
		return gw_visitor_ipv6(ctx, xdp, offset, visitor);
	return -1;
}

/* Follows the extension headers: WireGuard sends none, but the stack would find a UDP header behind them. */
static __always_inline int gw_visitor_extensions(void *ctx, const int xdp, struct gw_visitor *visitor)
{
	int fragmented = 0;

	for (int i = 0; i < GW_MAX_EXTENSIONS; i++) {
		const __u8 next = visitor->proto;
		struct gw_extension head GW_WORDS;
		__u32 length, flags;

		if (next != IPPROTO_HOPOPTS && next != IPPROTO_DSTOPTS && next != IPPROTO_ROUTING &&
		    next != IPPROTO_FRAGMENT)
			return 0;
		if (visitor->payload < sizeof(head) || gw_frame_read(ctx, xdp, visitor->l4, &head, sizeof(head)))
			return GW_REASON_MALFORMED;
		length = next == IPPROTO_FRAGMENT ? sizeof(head) : (head.length + 1U) * 8;
		if (length > visitor->payload)
			return GW_REASON_MALFORMED;
		visitor->l4 += length;
		visitor->payload -= length;
		visitor->proto = head.next;
		if (next != IPPROTO_FRAGMENT)
			continue;
		if (fragmented++)
			return GW_REASON_MALFORMED;
		flags = bpf_ntohs(head.rest);
		if (flags & GW_IPV6_OFFSET) {
			visitor->fragment = GW_FRAGMENT_LATER;
			return 0;
		}
		if (flags & GW_IPV6_MF)
			visitor->fragment = GW_FRAGMENT_FIRST;
	}
	return GW_REASON_MALFORMED;
}

static __always_inline int gw_guard_is_ours(const struct gw_addr *address)
{
	const struct gw_host *host = bpf_map_lookup_elem(&gw_hosts, address);

	return host && (host->flags & GW_HOST_GATEWAY);
}

static __always_inline int gw_guard_blocks(const struct gw_addr *address, const struct gw_now *now)
{
	struct gw_prefix_key key = {.prefixlen = 128};
	const struct gw_block *block;

	key.addr = *address;
	block = bpf_map_lookup_elem(&gw_blocks, &key);
	return block && now->wall_ns < block->until_ns;
}

static __always_inline void gw_guard_bucket(const struct gw_visitor *visitor, struct gw_addr *key)
{
	*key = visitor->src;
	if (visitor->ipv6) /* a host has its whole /64 to send from */
		key->w[2] = key->w[3] = 0;
}

/* Nonzero when the source has no initiation left. Only looks: what is not known to be made for us uses up nobody's share. */
static __always_inline int gw_guard_exhausted(const struct gw_visitor *visitor, const struct gw_now *now)
{
	const struct gw_source *source;
	struct gw_addr key;

	gw_guard_bucket(visitor, &key);
	source = bpf_map_lookup_elem(&gw_initiators, &key);
	return source && (__s64)(source->empty_at_ns - now->mono_ns) > (__s64)GW_SECOND;
}

/* Counts an initiation of the source, which has one left. */
static __always_inline void gw_guard_charge(const struct gw_visitor *visitor, const struct gw_now *now, __u64 cost_ns)
{
	struct gw_source fresh = {.empty_at_ns = now->mono_ns + cost_ns};
	struct gw_source *source;
	struct gw_addr key;

	gw_guard_bucket(visitor, &key);
	source = bpf_map_lookup_elem(&gw_initiators, &key);
	if (!source)
		bpf_map_update_elem(&gw_initiators, &key, &fresh, BPF_ANY);
	else if (source->empty_at_ns <= now->mono_ns)
		source->empty_at_ns = fresh.empty_at_ns;
	else
		source->empty_at_ns += cost_ns;
}

/* Zero when the type fits the length. `covered`: how many bytes are under mac1; 0: the type has none. */
static __always_inline int gw_guard_shape(__u32 type, __u32 length, __u32 *covered)
{
	*covered = 0;
	switch (type) {
	case GW_WG_INITIATION:
		*covered = GW_MAC1_INITIATION;
		return length == GW_WG_INITIATION_SIZE ? 0 : GW_REASON_WG_LENGTH;
	case GW_WG_RESPONSE:
		*covered = GW_MAC1_RESPONSE;
		return length == GW_WG_RESPONSE_SIZE ? 0 : GW_REASON_WG_LENGTH;
	case GW_WG_COOKIE:
		return length == GW_WG_COOKIE_SIZE ? 0 : GW_REASON_WG_LENGTH;
	case GW_WG_DATA:
		return length >= GW_WG_DATA_SIZE ? 0 : GW_REASON_WG_LENGTH;
	default:
		return GW_REASON_WG_TYPE;
	}
}

static __always_inline int gw_guard_mac1(void *ctx, const int xdp, __u32 offset, __u32 covered,
					 const struct gw_guard *guard)
{
	const __u32 zero = 0;
	struct gw_handshake *message = bpf_map_lookup_elem(&gw_guard_scratch, &zero);
	int unread;

	if (!message) /* never: the array has one element */
		return 0;
	if (covered == GW_MAC1_INITIATION) {
		unread = gw_frame_read(ctx, xdp, offset, message->block, GW_MAC1_INITIATION);
		message->block[1].word[13] = message->block[1].word[14] = message->block[1].word[15] = 0;
	} else {
		unread = gw_frame_read(ctx, xdp, offset, message->block, GW_MAC1_RESPONSE);
		message->block[0].word[15] = 0;
	}
	if (unread || gw_frame_read(ctx, xdp, offset + covered, message->mac1, GW_MAC1_SIZE))
		return GW_REASON_WG_LENGTH;
	return gw_mac1_right(guard, message, covered) ? 0 : GW_REASON_WG_MAC1;
}

/* One message of `length` bytes at `offset`, cheap questions first. */
static __always_inline int gw_guard_message(void *ctx, const int xdp, const struct gw_visitor *visitor,
					    const struct gw_now *now, __u32 offset, __u32 length)
{
	const struct gw_guard *guard;
	const __u32 zero = 0;
	__u32 type, covered;
	int reason, limited;

	if (length < sizeof(type) || gw_frame_read(ctx, xdp, offset, &type, sizeof(type)))
		return GW_REASON_WG_LENGTH;
	reason = gw_guard_shape(type, length, &covered);
	guard = bpf_map_lookup_elem(&gw_guard, &zero);
	if (reason || !covered || !guard)
		return reason;
	limited = guard->initiations && type == GW_WG_INITIATION;
	if (limited && gw_guard_exhausted(visitor, now))
		return GW_REASON_WG_RATE;
	reason = gw_guard_mac1(ctx, xdp, offset, covered, guard);
	if (!reason && limited)
		gw_guard_charge(visitor, now, GW_SECOND / guard->initiations);
	return reason;
}

/* Functions of their own, verified once: the first is called in a loop. */
__noinline int gw_guard_skb_message(struct __sk_buff *skb, const struct gw_visitor *visitor, const struct gw_now *now,
				    __u32 offset, __u32 length)
{
	return visitor && now ? gw_guard_message(skb, 0, visitor, now, offset, length) : 0;
}

__noinline int gw_guard_xdp_message(struct xdp_md *ctx, const struct gw_visitor *visitor, const struct gw_now *now,
				    __u32 offset, __u32 length)
{
	return visitor && now ? gw_guard_message(ctx, 1, visitor, now, offset, length) : 0;
}

/*
 * A fragment of a datagram to the WireGuard port. Data may be fragmented on its way; a handshake fits every link, so that only
 * who wants to hide it sends it in pieces. What the first fragment shows is what the stack will see: it refuses overlaps.
 */
static __always_inline int gw_guard_first_fragment(void *ctx, const int xdp, const struct gw_visitor *visitor)
{
	__u32 type;

	if (visitor->payload < GW_WG_FIRST_FRAGMENT ||
	    gw_frame_read(ctx, xdp, visitor->l4 + sizeof(struct gw_udp_head), &type, sizeof(type)))
		return GW_REASON_WG_FRAGMENT;
	return type == GW_WG_DATA ? 0 : GW_REASON_WG_FRAGMENT;
}

/* A whole datagram, or the several of one size (the last may be shorter) that the stack has made one of. */
static __always_inline int gw_guard_datagram(void *ctx, const int xdp, const struct gw_visitor *visitor,
					     const struct gw_now *now, __u32 length)
{
	const __u32 size = xdp ? 0 : ((struct __sk_buff *)ctx)->gso_size;
	__u32 offset = visitor->l4 + sizeof(struct gw_udp_head);

	if (xdp)
		return gw_guard_xdp_message(ctx, visitor, now, offset, length);
	for (int i = 0; i < GW_GUARD_SEGMENTS; i++) {
		int reason;

		if (!size || length <= size)
			return gw_guard_skb_message(ctx, visitor, now, offset, length);
		reason = gw_guard_skb_message(ctx, visitor, now, offset, size);
		if (reason)
			return reason;
		offset += size;
		length -= size;
	}
	return GW_REASON_WG_LENGTH;
}

static __always_inline int gw_guard_udp(void *ctx, const int xdp, const struct gw_visitor *visitor,
					const struct gw_now *now)
{
	const struct gw_guard *guard;
	const __u32 zero = 0;
	struct gw_udp_head udp GW_WORDS;
	__u32 length;

	if (visitor->fragment == GW_FRAGMENT_LATER)
		return 0;
	if (visitor->payload < sizeof(udp) || gw_frame_read(ctx, xdp, visitor->l4, &udp, sizeof(udp)))
		return visitor->fragment ? GW_REASON_FRAGMENT : GW_REASON_MALFORMED;
	guard = bpf_map_lookup_elem(&gw_guard, &zero);
	if (!guard || !guard->port || udp.dport != guard->port)
		return 0;
	if (visitor->fragment)
		return gw_guard_first_fragment(ctx, xdp, visitor);
	length = bpf_ntohs(udp.length);
	if (!length) /* RFC 2675: as long as IP says */
		length = visitor->payload;
	if (length < sizeof(udp) || length > visitor->payload)
		return GW_REASON_WG_LENGTH;
	return gw_guard_datagram(ctx, xdp, visitor, now, length - sizeof(udp));
}

static __always_inline __u32 gw_guard_ifindex(void *ctx, const int xdp)
{
	return xdp ? ((struct xdp_md *)ctx)->ingress_ifindex : ((struct __sk_buff *)ctx)->ifindex;
}

/* The tag may have been taken out of the frame by the card. */
static __always_inline int gw_guard_tagged(void *ctx, const int xdp, const struct gw_visitor *visitor)
{
	const struct __sk_buff *skb = ctx;

	return visitor->tagged || (!xdp && skb->vlan_present && (skb->vlan_tci & GW_VLAN_VID_MASK));
}

/*
 * To another than the gateway. Replies to what left by NAT are to the gateway itself, so that nobody on the public side has
 * business with an address behind it; the frame says so too. Where a subnet shares the interface the policy judges.
 */
static __always_inline int gw_guard_passer_by(void *ctx, const int xdp, const struct gw_visitor *visitor)
{
	struct gw_place place = {};
	struct gw_now now = {};

	if (gw_guard_tagged(ctx, xdp, visitor) || gw_link_of(gw_guard_ifindex(ctx, xdp)))
		return 0;
	gw_read_now(&now);
	gw_locate(&visitor->dst, &place, now.word, now.wall_ns);
	return place.link ? GW_REASON_OUTSIDE : 0;
}

static __always_inline int gw_guard_judge(void *ctx, const int xdp)
{
	struct gw_visitor visitor = {};
	struct gw_now now = {};
	int reason;

	if (gw_visitor_read(ctx, xdp, &visitor))
		return 0;
	if (!gw_guard_is_ours(&visitor.dst))
		return gw_guard_passer_by(ctx, xdp, &visitor);
	gw_read_now(&now);
	if (gw_guard_blocks(&visitor.src, &now))
		return GW_REASON_BLOCKED;
	if (visitor.ipv6) {
		/* On the wire a mapped address has no meaning; in our maps it would be an IPv4 host. */
		if (gw_addr_is_v4(&visitor.src) || gw_addr_is_v4(&visitor.dst))
			return GW_REASON_MALFORMED;
		reason = gw_visitor_extensions(ctx, xdp, &visitor);
		if (reason)
			return reason;
	}
	return visitor.proto == IPPROTO_UDP ? gw_guard_udp(ctx, xdp, &visitor, &now) : 0;
}

/* What the entries call: zero, or the reason for which the packet is dropped; that is counted. */
__noinline int gw_guard_frame(struct xdp_md *ctx)
{
	const int reason = gw_guard_judge(ctx, 1);

	if (reason)
		gw_count_reason(reason, 1);
	return reason;
}

__noinline int gw_guard_skb(struct __sk_buff *skb)
{
	const int reason = gw_guard_judge(skb, 0);
	const __u32 segments = skb->gso_segs;

	if (reason)
		gw_count_reason(reason, segments ? segments : 1);
	return reason;
}

#endif
