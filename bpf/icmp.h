/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Which ICMP messages ask, which answer, and which tell of an error (RFC 792, RFC 4443). */
#ifndef GW_ICMP_H
#define GW_ICMP_H

#include "bpf/kernel.h"
#include <linux/in.h>

#include "bpf/abi.h"

/* The kernel's headers of these names drag in the C library, which has no BPF side. */
enum {
	ICMP_ECHOREPLY = 0,
	ICMP_DEST_UNREACH = 3,
	ICMP_ECHO = 8,
	ICMP_TIME_EXCEEDED = 11,
	ICMP_PARAMETERPROB = 12,
	ICMP_TIMESTAMP = 13,
	ICMP_TIMESTAMPREPLY = 14,
	ICMP_INFO_REQUEST = 15,
	ICMP_INFO_REPLY = 16,
	ICMP_ADDRESS = 17,
	ICMP_ADDRESSREPLY = 18,
};
enum {
	IPPROTO_ICMPV6 = 58,
};
enum {
	ICMPV6_DEST_UNREACH = 1,
	ICMPV6_PARAMPROB = 4,
	ICMPV6_ECHO_REQUEST = 128,
	ICMPV6_ECHO_REPLY = 129,
	ICMPV6_ROUTER_SOLICITATION = 133,
	ICMPV6_REDIRECT = 137,
};

enum gw_icmp_role { GW_ICMP_NEITHER, GW_ICMP_ASKS, GW_ICMP_ANSWERS };

static __always_inline int gw_is_icmp(__u8 proto)
{
	return proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6;
}

/* The role of `type`; `query` gets the type of the question it belongs to. */
static __always_inline enum gw_icmp_role gw_icmp_role_of(__u8 proto, __u8 type, __u8 *query)
{
	*query = type;
	if (proto == IPPROTO_ICMPV6) {
		*query = ICMPV6_ECHO_REQUEST;
		return type == ICMPV6_ECHO_REQUEST ? GW_ICMP_ASKS
		       : type == ICMPV6_ECHO_REPLY ? GW_ICMP_ANSWERS
						   : GW_ICMP_NEITHER;
	}
	switch (type) {
	case ICMP_ECHO:
	case ICMP_TIMESTAMP:
	case ICMP_INFO_REQUEST:
	case ICMP_ADDRESS:
		return GW_ICMP_ASKS;
	case ICMP_ECHOREPLY:
		*query = ICMP_ECHO;
		return GW_ICMP_ANSWERS;
	case ICMP_TIMESTAMPREPLY:
	case ICMP_INFO_REPLY:
	case ICMP_ADDRESSREPLY:
		*query = type - 1;
		return GW_ICMP_ANSWERS;
	default:
		return GW_ICMP_NEITHER;
	}
}

static __always_inline int gw_icmp_is_error(__u8 proto, __u8 type)
{
	if (proto == IPPROTO_ICMP)
		return type == ICMP_DEST_UNREACH || type == ICMP_TIME_EXCEEDED || type == ICMP_PARAMETERPROB;
	return proto == IPPROTO_ICMPV6 && type >= ICMPV6_DEST_UNREACH && type <= ICMPV6_PARAMPROB;
}

static __always_inline __u8 gw_icmp_type(const struct gw_tuple *tuple)
{
	return bpf_ntohs(tuple->dport) >> 8;
}

#endif
