/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * WireGuard's mac1 (whitepaper section 5.4.4): a hash of a handshake message, keyed with the public key of whom it is for.
 * Who does not know that key cannot make one.
 */
#ifndef GW_MAC1_H
#define GW_MAC1_H

#include "bpf/kernel.h"

#include "bpf/abi.h"
#include "bpf/blake2s.h"

#define GW_MAC1_SIZE	    16U
#define GW_MAC1_INITIATION  116U /* bytes in front of mac1 */
#define GW_MAC1_RESPONSE    60U
#define GW_MAC1_MAX_BLOCKS  2U
#define GW_MAC1_COVERED_MAX (GW_MAC1_MAX_BLOCKS * GW_BLAKE2S_BLOCK)

struct gw_mac1_block {
	__u32 word[GW_BLAKE2S_WORDS];
};

/* A handshake message as the hash takes it: what mac1 covers, zeros up to whole blocks, and mac1 as it came. */
struct gw_handshake {
	struct gw_mac1_block block[GW_MAC1_MAX_BLOCKS];
	__u32 mac1[GW_MAC1_SIZE / 4];
};

/* A function of its own: the unrolled hash is long. Returns 0 always. */
__noinline int gw_mac1_take(struct gw_blake2s *state, const struct gw_mac1_block *block, __u32 bytes, __u32 last)
{
	if (!state || !block)
		return 0;
	gw_blake2s_take(state, block->word, bytes, last);
	return 0;
}

/* Nonzero when `message`, of which mac1 covers `covered` bytes, was made with our public key. */
__noinline int gw_mac1_right(const struct gw_guard *guard, const struct gw_handshake *message, __u32 covered)
{
	struct gw_blake2s state;

	if (!guard || !message)
		return 0;
	__builtin_memcpy(state.h, guard->mac1, sizeof(state.h));
	if (covered > GW_BLAKE2S_BLOCK)
		gw_mac1_take(&state, &message->block[0], 2 * GW_BLAKE2S_BLOCK, 0);
	/* The key was a block of its own. */
	gw_mac1_take(&state, covered > GW_BLAKE2S_BLOCK ? &message->block[1] : &message->block[0],
		     GW_BLAKE2S_BLOCK + covered, 1);
	return !((state.h[0] ^ message->mac1[0]) | (state.h[1] ^ message->mac1[1]) | (state.h[2] ^ message->mac1[2]) |
		 (state.h[3] ^ message->mac1[3]));
}

#endif
