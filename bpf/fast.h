/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The fast path: a packet of an established flow between two Ethernet interfaces is forwarded in XDP, past the stack. It
 * decides nothing: what is not plainly current goes on to the policy at TC, which judges it. The IPv4 header's checksum is
 * updated, not verified (RFC 1624), as in the kernel's own flow offload: a damaged header would have to match a flow.
 */
#ifndef GW_FAST_H
#define GW_FAST_H

#include "bpf/kernel.h"
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

#include "bpf/count.h"
#include "bpf/ethernet.h"
#include "bpf/flow.h"
#include "bpf/link.h"

#define GW_AF_INET  2
#define GW_AF_INET6 10

/* VID and device: written with the link entry of the VLAN device, read where its frames arrive: on the parent. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct gw_vlan_key);
	__type(value, __u32); /* ifindex of the VLAN device */
} gw_vlan_devices SEC(".maps");

/* What the driver could not send, an element each: GW_FAST_REFUSED, GW_FAST_UNSENT. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, GW_FAST_ERRORS);
	__type(key, __u32);
	__type(value, __u64);
} gw_fast_errors SEC(".maps");

struct gw_frame {
	__u32 ifindex; /* the device that the frame belongs to: a VLAN device when it is tagged */
	__u32 tagged;  /* bytes of VLAN tag: 0 or 4 */
	__u32 v6;
};

/* The device of a tag; 0 when it is none of ours, and the policy says what becomes of it. */
static __always_inline __u32 gw_vlan_device(__u32 ifindex, __be16 tci)
{
	const struct gw_vlan_key key = {.ifindex = ifindex, .vid = bpf_ntohs(tci) & GW_VLAN_VID_MASK};
	const __u32 *device;

	if (!key.vid)
		return ifindex;
	device = bpf_map_lookup_elem(&gw_vlan_devices, &key);
	return device ? *device : 0;
}

/* Ethernet, at most one tag, for us. Zero when the fast path may go on. */
static __always_inline int gw_fast_ethernet(const struct xdp_md *ctx, struct gw_frame *frame)
{
	const struct ethhdr *ethernet = (void *)(long)ctx->data;
	const void *end = (void *)(long)ctx->data_end;
	const struct gw_link *link;
	__be16 type;

	if ((const void *)(ethernet + 1) > end)
		return -1;
	type = ethernet->h_proto;
	frame->ifindex = ctx->ingress_ifindex;
	if (type == bpf_htons(ETH_P_8021Q)) {
		const struct gw_vlan_head *vlan = (const void *)(ethernet + 1);

		if ((const void *)(vlan + 1) > end)
			return -1;
		frame->ifindex = gw_vlan_device(ctx->ingress_ifindex, vlan->tci);
		frame->tagged = sizeof(*vlan);
		type = vlan->type;
	}
	link = gw_link_of(frame->ifindex);
	if (!link || !(link->flags & GW_LINK_FAST))
		return -1;
	if (__builtin_memcmp(ethernet->h_dest, link->mac, ETH_ALEN))
		return -1;
	frame->v6 = type == bpf_htons(ETH_P_IPV6);
	return frame->v6 || type == bpf_htons(ETH_P_IP) ? 0 : -1;
}

/* TCP in the middle of a connection, or UDP. */
static __always_inline int gw_fast_transport(const void *l4, const void *end, struct gw_packet *packet)
{
	if (packet->tuple.proto == IPPROTO_TCP) {
		const struct gw_tcp_head *tcp = l4;

		if ((const void *)(tcp + 1) > end || packet->payload < sizeof(*tcp) || tcp->offset >> 4 < 5 ||
		    (tcp->offset >> 4) * 4U > packet->payload)
			return -1;
		packet->tcp_flags = tcp->flags;
		if ((tcp->flags & (GW_TCP_SYN | GW_TCP_FIN | GW_TCP_RST | GW_TCP_ACK)) != GW_TCP_ACK)
			return -1;
		packet->tuple.sport = tcp->sport;
		packet->tuple.dport = tcp->dport;
		return 0;
	}
	if (packet->tuple.proto == IPPROTO_UDP) {
		const struct gw_udp_head *udp = l4;

		if ((const void *)(udp + 1) > end || packet->payload < sizeof(*udp) ||
		    bpf_ntohs(udp->length) < sizeof(*udp) || bpf_ntohs(udp->length) > packet->payload)
			return -1;
		packet->tuple.sport = udp->sport;
		packet->tuple.dport = udp->dport;
		return 0;
	}
	return -1;
}

/* No options, no fragments, hops left: what costs nothing to forward. `lookup` gets what routing depends on. */
static __always_inline int gw_fast_ipv4(const struct iphdr *ip, const void *end, struct gw_packet *packet,
					struct bpf_fib_lookup *lookup)
{
	__u32 total;

	if ((const void *)(ip + 1) > end || ip->version != 4 || ip->ihl != 5 || ip->ttl <= 1 ||
	    (ip->frag_off & bpf_htons(GW_IPV4_MF | GW_IPV4_OFFSET)))
		return -1;
	total = bpf_ntohs(ip->tot_len);
	if (total < sizeof(*ip) || total > (__u32)((long)end - (long)ip))
		return -1;
	gw_addr_from_v4(&packet->tuple.src, ip->saddr);
	gw_addr_from_v4(&packet->tuple.dst, ip->daddr);
	packet->tuple.proto = ip->protocol;
	packet->bytes = total;
	packet->payload = total - sizeof(*ip);
	lookup->family = GW_AF_INET;
	lookup->tos = ip->tos;
	lookup->tot_len = total;
	lookup->ipv4_src = ip->saddr;
	lookup->ipv4_dst = ip->daddr;
	return gw_fast_transport(ip + 1, end, packet);
}

static __always_inline int gw_fast_ipv6(const struct ipv6hdr *ip, const void *end, struct gw_packet *packet,
					struct bpf_fib_lookup *lookup)
{
	__u32 payload;

	if ((const void *)(ip + 1) > end || ip->version != 6 || ip->hop_limit <= 1)
		return -1;
	payload = bpf_ntohs(ip->payload_len);
	if (payload > (__u32)((long)end - (long)(ip + 1)))
		return -1;
	__builtin_memcpy(&packet->tuple.src, &ip->saddr, sizeof(ip->saddr));
	__builtin_memcpy(&packet->tuple.dst, &ip->daddr, sizeof(ip->daddr));
	if (gw_addr_is_v4(&packet->tuple.src) || gw_addr_is_v4(&packet->tuple.dst))
		return -1;
	packet->tuple.proto = ip->nexthdr;
	packet->bytes = payload + sizeof(*ip);
	packet->payload = payload;
	lookup->family = GW_AF_INET6;
	lookup->flowinfo = *(const __be32 *)ip & bpf_htonl(0x0fffffff);
	lookup->tot_len = packet->bytes;
	__builtin_memcpy(lookup->ipv6_src, &ip->saddr, sizeof(ip->saddr));
	__builtin_memcpy(lookup->ipv6_dst, &ip->daddr, sizeof(ip->daddr));
	return gw_fast_transport(ip + 1, end, packet);
}

/* The flow of `packet` when it may pass without a judgement: seen both ways, current, on its own interface, no NAT. */
static __always_inline struct gw_flow *gw_fast_flow(const struct gw_packet *packet, const struct gw_now *now)
{
	enum gw_direction direction;
	struct gw_flow_key key;
	struct gw_flow *flow;

	gw_flow_key_of(&packet->tuple, &key);
	flow = gw_flow_lookup(&key);
	if (!flow || (flow->flags & (GW_FLOW_NAT | GW_FLOW_GATEWAY | GW_FLOW_REPLIED)) != GW_FLOW_REPLIED ||
	    gw_flow_closing(flow) || !gw_flow_current(flow, now))
		return 0;
	direction = gw_flow_match(flow, packet, now);
	if (direction == GW_NO_FLOW)
		return 0;
	if ((direction == GW_REPLY ? flow->ifindex[1] : flow->ifindex[0]) != packet->ifindex)
		return 0;
	gw_flow_touch(flow, packet, direction, now);
	return flow;
}

static __always_inline void gw_fast_decrement_ttl(struct iphdr *ip)
{
	__u32 check = (__u32)ip->check + bpf_htons(0x0100);

	ip->check = (__u16)(check + (check >= 0xffff));
	ip->ttl--;
}

/* Gives the frame the tag, or none, that `link` wants. Zero, or -1: the frame has no room for one. */
static __always_inline int gw_fast_retag(struct xdp_md *ctx, const struct gw_frame *frame, const struct gw_link *link)
{
	const int wanted = link->out_vid ? sizeof(struct gw_vlan_head) : 0;

	return wanted == (int)frame->tagged ? 0 : (int)bpf_xdp_adjust_head(ctx, (int)frame->tagged - wanted);
}

/* Writes the link-layer header anew, and one hop less into the IP header. The frame's bounds are asked again: it moved. */
static __always_inline int gw_fast_rewrite(const struct xdp_md *ctx, const struct gw_link *link, int v6,
					   const struct bpf_fib_lookup *route)
{
	struct ethhdr *ethernet = (void *)(long)ctx->data;
	const void *end = (void *)(long)ctx->data_end;
	const __be16 type = v6 ? bpf_htons(ETH_P_IPV6) : bpf_htons(ETH_P_IP);
	void *ip = ethernet + 1;

	if (ip > end)
		return -1;
	__builtin_memcpy(ethernet->h_dest, route->dmac, ETH_ALEN);
	__builtin_memcpy(ethernet->h_source, route->smac, ETH_ALEN);
	ethernet->h_proto = type;
	if (link->out_vid) {
		struct gw_vlan_head *vlan = ip;

		if ((void *)(vlan + 1) > end)
			return -1;
		ethernet->h_proto = bpf_htons(ETH_P_8021Q);
		vlan->tci = bpf_htons(link->out_vid);
		vlan->type = type;
		ip = vlan + 1;
	}
	if (v6) {
		struct ipv6hdr *head = ip;

		if ((void *)(head + 1) > end)
			return -1;
		head->hop_limit--;
	} else {
		struct iphdr *head = ip;

		if ((void *)(head + 1) > end)
			return -1;
		gw_fast_decrement_ttl(head);
	}
	return 0;
}

/* XDP_PASS: not for the fast path. */
static __always_inline int gw_fast_forward(struct xdp_md *ctx)
{
	const void *end = (void *)(long)ctx->data_end;
	struct bpf_fib_lookup route = {};
	struct gw_packet packet = {};
	struct gw_frame frame = {};
	const struct gw_link *link;
	struct gw_now now = {};
	struct gw_flow *flow;
	const void *ip;

	if (gw_fast_ethernet(ctx, &frame))
		return XDP_PASS;
	ip = (const void *)(long)ctx->data + (frame.tagged ? ETH_HLEN + sizeof(struct gw_vlan_head) : ETH_HLEN);
	if (frame.v6 ? gw_fast_ipv6(ip, end, &packet, &route) : gw_fast_ipv4(ip, end, &packet, &route))
		return XDP_PASS;
	packet.packets = 1;
	packet.ifindex = frame.ifindex;
	gw_read_now(&now);
	flow = gw_fast_flow(&packet, &now);
	if (!flow)
		return XDP_PASS;
	route.l4_protocol = packet.tuple.proto;
	route.sport = packet.tuple.sport;
	route.dport = packet.tuple.dport;
	route.ifindex = frame.ifindex;
	/* No neighbour, no route, too big: the stack knows what to do, and whom to tell. */
	if (bpf_fib_lookup(ctx, &route, sizeof(route), 0) != BPF_FIB_LKUP_RET_SUCCESS)
		return XDP_PASS;
	link = gw_link_of(route.ifindex);
	if (!link || !(link->flags & GW_LINK_FAST_OUT))
		return XDP_PASS;
	gw_count_passed(flow->rule, flow->client[0], flow->client[1], &packet, now.mono_ns);
	if (gw_fast_retag(ctx, &frame, link))
		return XDP_DROP; /* a driver without headroom: redirects to it would fail as well */
	if (gw_fast_rewrite(ctx, link, frame.v6, &route))
		return XDP_DROP; /* never: its bounds were asked before */
	return (int)bpf_redirect(link->out_ifindex, 0);
}

/*
 * What drivers did not take. Called by the kernel's own trace points (include/trace/events/xdp.h), whose packet is already
 * gone. A full queue is no error of theirs; a negative code is.
 */
static __always_inline void gw_fast_count_error(__u32 kind, __u64 packets)
{
	__u64 *count = bpf_map_lookup_elem(&gw_fast_errors, &kind);

	if (count)
		*count += packets;
}

#endif
