/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Addresses as the maps hold them. */
#ifndef GW_ADDRESS_H
#define GW_ADDRESS_H

#include "bpf/kernel.h"

#include "bpf/abi.h"

static __always_inline void gw_addr_from_v4(struct gw_addr *addr, __be32 v4)
{
	addr->w[0] = 0;
	addr->w[1] = 0;
	addr->w[2] = bpf_htonl(0xffff);
	addr->w[3] = v4;
}

static __always_inline int gw_addr_is_v4(const struct gw_addr *addr)
{
	return !addr->w[0] && !addr->w[1] && addr->w[2] == bpf_htonl(0xffff);
}

static __always_inline int gw_addr_equal(const struct gw_addr *a, const struct gw_addr *b)
{
	return !((a->w[3] ^ b->w[3]) | (a->w[2] ^ b->w[2]) | (a->w[1] ^ b->w[1]) | (a->w[0] ^ b->w[0]));
}

/* Any total order will do: it only has to be the same for both directions. */
static __always_inline int gw_addr_after(const struct gw_addr *a, const struct gw_addr *b)
{
	if (a->w[3] != b->w[3])
		return a->w[3] > b->w[3];
	if (a->w[2] != b->w[2])
		return a->w[2] > b->w[2];
	if (a->w[1] != b->w[1])
		return a->w[1] > b->w[1];
	return a->w[0] > b->w[0];
}

/* Multicast and limited broadcast: heard by the gateway, forwarded by nobody. */
static __always_inline int gw_v4_is_multicast(__be32 addr)
{
	return (addr & bpf_htonl(0xf0000000)) == bpf_htonl(0xe0000000) || addr == bpf_htonl(0xffffffff);
}

/*
 * Nobody sends from these, whatever the interface: this network, loopback, multicast and broadcast (RFC 1122 section
 * 3.2.1.3, RFC 4291 sections 2.5.2, 2.5.3 and 2.7). What a link needs of them has passed before: DHCP, ND, MLD.
 */
static __always_inline int gw_addr_sends_nothing(const struct gw_addr *addr)
{
	if (gw_addr_is_v4(addr))
		return !addr->b[12] || addr->b[12] == 127 || gw_v4_is_multicast(addr->w[3]);
	return addr->b[0] == 0xff || !(addr->w[0] | addr->w[1] | addr->w[2] | (addr->w[3] & bpf_htonl(0xfffffffe)));
}

/* ff00::/8 and fe80::/10: neither leaves its link by way of a router (RFC 4291 2.5.6). */
static __always_inline int gw_v6_stays_on_link(const struct gw_addr *addr)
{
	return addr->b[0] == 0xff || (addr->w[0] & bpf_htonl(0xffc00000)) == bpf_htonl(0xfe800000);
}

#endif
