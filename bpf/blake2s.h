/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * BLAKE2s (RFC 7693), as much of it as WireGuard's mac1 needs: programs compress, user space prepares the state that
 * follows from the key with the same code. Little-endian machines only: words of the message are taken as they lie.
 */
#ifndef GW_BLAKE2S_H
#define GW_BLAKE2S_H

#include <linux/types.h>

#define GW_BLAKE2S_BLOCK 64U
#define GW_BLAKE2S_WORDS 16U /* of a block */
#define GW_BLAKE2S_HASH	 8U  /* words of the state */

struct gw_blake2s {
	__u32 h[GW_BLAKE2S_HASH];
};

#define GW_BLAKE2S_IV0 0x6a09e667U
#define GW_BLAKE2S_IV1 0xbb67ae85U
#define GW_BLAKE2S_IV2 0x3c6ef372U
#define GW_BLAKE2S_IV3 0xa54ff53aU
#define GW_BLAKE2S_IV4 0x510e527fU
#define GW_BLAKE2S_IV5 0x9b05688cU
#define GW_BLAKE2S_IV6 0x1f83d9abU
#define GW_BLAKE2S_IV7 0x5be0cd19U

/* Section 3.1: the function G on four words of the state. */
#define GW_BLAKE2S_ROTATE(x, n) ((x) >> (n) | (x) << (32 - (n)))
#define GW_BLAKE2S_G(a, b, c, d, x, y)                                                                                 \
	do {                                                                                                           \
		(a) += (b) + (x);                                                                                      \
		(d) = GW_BLAKE2S_ROTATE((d) ^ (a), 16);                                                                \
		(c) += (d);                                                                                            \
		(b) = GW_BLAKE2S_ROTATE((b) ^ (c), 12);                                                                \
		(a) += (b) + (y);                                                                                      \
		(d) = GW_BLAKE2S_ROTATE((d) ^ (a), 8);                                                                 \
		(c) += (d);                                                                                            \
		(b) = GW_BLAKE2S_ROTATE((b) ^ (c), 7);                                                                 \
	} while (0)

/* One round; the arguments are a row of the table SIGMA (section 2.7). */
#define GW_BLAKE2S_ROUND(s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, sa, sb, sc, sd, se, sf)                               \
	do {                                                                                                           \
		GW_BLAKE2S_G(v0, v4, v8, vc, m[s0], m[s1]);                                                            \
		GW_BLAKE2S_G(v1, v5, v9, vd, m[s2], m[s3]);                                                            \
		GW_BLAKE2S_G(v2, v6, va, ve, m[s4], m[s5]);                                                            \
		GW_BLAKE2S_G(v3, v7, vb, vf, m[s6], m[s7]);                                                            \
		GW_BLAKE2S_G(v0, v5, va, vf, m[s8], m[s9]);                                                            \
		GW_BLAKE2S_G(v1, v6, vb, vc, m[sa], m[sb]);                                                            \
		GW_BLAKE2S_G(v2, v7, v8, vd, m[sc], m[sd]);                                                            \
		GW_BLAKE2S_G(v3, v4, v9, ve, m[se], m[sf]);                                                            \
	} while (0)

/*
 * Section 3.2: takes one block into the state. `bytes` is how many have been hashed with it, `last` tells that none
 * follows. Unrolled: in a program, an index that the verifier does not know would cost more than the hash.
 */
static inline __attribute__((always_inline)) void gw_blake2s_take(struct gw_blake2s *state, const __u32 *block,
								  __u32 bytes, int last)
{
	/* Volatile: read where they are used, or the compiler would keep copies of all on a program's small stack. */
	const volatile __u32 *m = block;
	volatile __u32 *h = state->h;
	__u32 v0 = h[0], v1 = h[1], v2 = h[2], v3 = h[3], v4 = h[4], v5 = h[5], v6 = h[6], v7 = h[7];
	__u32 v8 = GW_BLAKE2S_IV0, v9 = GW_BLAKE2S_IV1, va = GW_BLAKE2S_IV2, vb = GW_BLAKE2S_IV3;
	__u32 vc = GW_BLAKE2S_IV4 ^ bytes, vd = GW_BLAKE2S_IV5;
	__u32 ve = last ? ~GW_BLAKE2S_IV6 : GW_BLAKE2S_IV6, vf = GW_BLAKE2S_IV7;

	GW_BLAKE2S_ROUND(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
	GW_BLAKE2S_ROUND(14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3);
	GW_BLAKE2S_ROUND(11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4);
	GW_BLAKE2S_ROUND(7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8);
	GW_BLAKE2S_ROUND(9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13);
	GW_BLAKE2S_ROUND(2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9);
	GW_BLAKE2S_ROUND(12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11);
	GW_BLAKE2S_ROUND(13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10);
	GW_BLAKE2S_ROUND(6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5);
	GW_BLAKE2S_ROUND(10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0);

	h[0] = h[0] ^ v0 ^ v8;
	h[1] = h[1] ^ v1 ^ v9;
	h[2] = h[2] ^ v2 ^ va;
	h[3] = h[3] ^ v3 ^ vb;
	h[4] = h[4] ^ v4 ^ vc;
	h[5] = h[5] ^ v5 ^ vd;
	h[6] = h[6] ^ v6 ^ ve;
	h[7] = h[7] ^ v7 ^ vf;
}

/* The state before the first block: sequential mode, `digest` and `key` in bytes (section 2.5). */
static inline __attribute__((always_inline)) void gw_blake2s_begin(struct gw_blake2s *state, __u32 digest, __u32 key)
{
	state->h[0] = GW_BLAKE2S_IV0 ^ 0x01010000U ^ key << 8 ^ digest;
	state->h[1] = GW_BLAKE2S_IV1;
	state->h[2] = GW_BLAKE2S_IV2;
	state->h[3] = GW_BLAKE2S_IV3;
	state->h[4] = GW_BLAKE2S_IV4;
	state->h[5] = GW_BLAKE2S_IV5;
	state->h[6] = GW_BLAKE2S_IV6;
	state->h[7] = GW_BLAKE2S_IV7;
}

#endif
