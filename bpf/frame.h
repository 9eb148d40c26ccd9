/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Reading a frame where it may be an skb's or a driver's: `xdp` is a constant, so that the other half is compiled away. */
#ifndef GW_FRAME_H
#define GW_FRAME_H

#include "bpf/kernel.h"

#include "bpf/read.h"

#define GW_WORDS __attribute__((aligned(4)))

static __always_inline const __u8 *gw_frame_start(void *ctx, const int xdp)
{
	return (const __u8 *)(long)(xdp ? ((struct xdp_md *)ctx)->data : ((struct __sk_buff *)ctx)->data);
}

static __always_inline const __u8 *gw_frame_end(void *ctx, const int xdp)
{
	return (const __u8 *)(long)(xdp ? ((struct xdp_md *)ctx)->data_end : ((struct __sk_buff *)ctx)->data_end);
}

/*
 * As gw_read, into an object that is aligned to 4; `size` is even. For kernels that read unaligned words (x86, arm64).
 */
static __always_inline int gw_frame_read(void *ctx, const int xdp, __u32 offset, void *to, const __u32 size)
{
	const __u8 *from = gw_frame_start(ctx, xdp);
	const __u8 *end = gw_frame_end(ctx, xdp);

	if (offset <= GW_NEAR) {
		from += offset;
		if (from + size <= end) {
			/* Whole words: told nothing of the alignment, the compiler would move single bytes. */
			__u32 done = 0;
#pragma unroll
			for (; done + 4 <= size; done += 4)
				*(__u32 *)((__u8 *)to + done) = *(const __u32 *)(from + done);
			if (done + 2 <= size)
				*(__u16 *)((__u8 *)to + done) = *(const __u16 *)(from + done);
			return 0;
		}
	}
	return xdp ? bpf_xdp_load_bytes(ctx, offset, to, size) : bpf_skb_load_bytes(ctx, offset, to, size) ? -1 : 0;
}

#endif
