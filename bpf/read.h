/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Reading headers: in place where they lie in the skb's linear part, else by the helper, which costs ten times as much. */
#ifndef GW_READ_H
#define GW_READ_H

#include "bpf/kernel.h"

#define GW_NEAR 256U /* headers further in are read by the helper: the verifier wants a bound */

/* Copies `size` bytes, a constant, from `offset`. Zero, or -1 when the packet ends before. */
static __always_inline int gw_read(struct __sk_buff *skb, __u32 offset, void *to, __u32 size)
{
	const __u8 *from = (const __u8 *)(long)skb->data;
	const __u8 *end = (const __u8 *)(long)skb->data_end;

	if (offset <= GW_NEAR) {
		from += offset;
		if (from + size <= end) {
			__builtin_memcpy(to, from, size);
			return 0;
		}
	}
	return bpf_skb_load_bytes(skb, offset, to, size) ? -1 : 0;
}

#endif
