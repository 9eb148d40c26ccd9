/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* From an Ethernet frame to its IP header: types and VLAN tags (IEEE 802.1Q). */
#ifndef GW_ETHERNET_H
#define GW_ETHERNET_H

#include "bpf/kernel.h"
#include <linux/if_ether.h>

#include "bpf/link.h"
#include "bpf/packet.h"

struct gw_vlan_head {
	__be16 tci;
	__be16 type;
};

/* A tag: VID 0 carries only a priority; a configured one is judged on its own device; any other drops. */
static __always_inline int gw_judge_vlan(__u32 ifindex, __u32 tci)
{
	if (!(tci & GW_VLAN_VID_MASK))
		return GW_PARSED_JUDGE;
	return gw_vlan_configured(ifindex, tci) ? GW_PARSED_PASS : -GW_REASON_VLAN;
}

static __noinline int gw_parse_ethernet(struct __sk_buff *skb, struct gw_packet *packet)
{
	__u32 offset = ETH_HLEN;
	int parsed;
	__be16 type;

	/* A tag that the card or the stack took off the frame. Service tags (802.1ad) are nobody's here. */
	if (skb->vlan_present) {
		if (skb->vlan_proto != bpf_htons(ETH_P_8021Q))
			return -GW_REASON_VLAN;
		parsed = gw_judge_vlan(skb->ifindex, skb->vlan_tci);
		if (parsed != GW_PARSED_JUDGE)
			return parsed;
	}
	if (gw_read(skb, ETH_HLEN - sizeof(type), &type, sizeof(type)))
		return -GW_REASON_MALFORMED;
	if (type == bpf_htons(ETH_P_8021Q)) {
		struct gw_vlan_head vlan;

		if (skb->vlan_present) /* the second tag */
			return -GW_REASON_VLAN;
		if (gw_read(skb, offset, &vlan, sizeof(vlan)))
			return -GW_REASON_MALFORMED;
		parsed = gw_judge_vlan(skb->ifindex, bpf_ntohs(vlan.tci));
		if (parsed != GW_PARSED_JUDGE)
			return parsed;
		type = vlan.type;
		offset += sizeof(vlan);
	}
	switch (bpf_ntohs(type)) {
	case ETH_P_IP:
		return gw_parse_ipv4(skb, offset, 1, packet);
	case ETH_P_IPV6:
		return gw_parse_ipv6(skb, offset, 1, packet);
	case ETH_P_ARP:
		return GW_PARSED_PASS;
	case ETH_P_8021Q:
	case ETH_P_8021AD:
		return -GW_REASON_VLAN;
	default:
		return -GW_REASON_PROTOCOL;
	}
}

/* A layer-3 device: data starts at the IP header, whose first nibble tells the family. */
static __always_inline int gw_parse_layer3(struct __sk_buff *skb, struct gw_packet *packet)
{
	__u8 first;

	if (gw_read(skb, 0, &first, sizeof(first)))
		return -GW_REASON_MALFORMED;
	if (first >> 4 == 4)
		return gw_parse_ipv4(skb, 0, 0, packet);
	if (first >> 4 == 6)
		return gw_parse_ipv6(skb, 0, 0, packet);
	return -GW_REASON_PROTOCOL;
}

#endif
