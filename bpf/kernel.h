/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* The kernel's side: types of the stable user API only, and libbpf's names for the helpers. */
#ifndef GW_KERNEL_H
#define GW_KERNEL_H

#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#endif
