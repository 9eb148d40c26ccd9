// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/*
 * A packet generator: run by BPF_PROG_TEST_RUN with live frames, each packet is written anew (the kernel recycles pages
 * with what a router did to them) and sent, so that the other end of the veth receives it as from a wire.
 */
/* bpf_helpers.h needs the types of linux/bpf.h before it. */
/* clang-format off */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
/* clang-format on */

unsigned char destination_mac[ETH_ALEN];
__be32 source, destination;
__u16 payload = 18;
__u32 flows = 1;
__u32 reverse;
__u16 ip_checksum;
__u32 sent;

SEC("xdp")
int generate(struct xdp_md* ctx) {
  void* data = (void*)(long)ctx->data;
  void* end = (void*)(long)ctx->data_end;
  struct ethhdr* eth = data;
  struct iphdr* ip = (void*)(eth + 1);
  struct udphdr* udp = (void*)(ip + 1);

  if ((void*)(udp + 1) > end) return XDP_ABORTED;
  __builtin_memcpy(eth->h_dest, destination_mac, ETH_ALEN);
  __builtin_memset(eth->h_source, 2, ETH_ALEN);
  eth->h_proto = bpf_htons(ETH_P_IP);
  __builtin_memset(ip, 0, sizeof(*ip));
  ip->version = 4;
  ip->ihl = 5;
  ip->tot_len = bpf_htons(sizeof(*ip) + sizeof(*udp) + payload);
  ip->ttl = 64;
  ip->protocol = 17;
  ip->saddr = source;
  ip->daddr = destination;
  ip->check = ip_checksum;
  __u16 port = bpf_htons(1024 + sent++ % flows);
  udp->source = reverse ? bpf_htons(9) : port;
  udp->dest = reverse ? port : bpf_htons(9);
  udp->len = bpf_htons(sizeof(*udp) + payload);
  udp->check = 0;
  return XDP_TX;
}

char _license[] SEC("license") = "GPL";
