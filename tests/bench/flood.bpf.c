// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/*
 * A flood towards a gateway's WireGuard port: run by BPF_PROG_TEST_RUN with live frames on the other end of its cable,
 * so that what it sends arrives there as from a card. Sources, ports and contents change with every packet.
 */
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/udp.h>

#include "bpf/kernel.h"

#define INITIATION 148
#define GARBAGE 18 /* what fills a frame of 60 bytes */

unsigned char destination_mac[ETH_ALEN], source_mac[ETH_ALEN];
__be32 destination;
__u32 first_source, sources = 1; /* host order; how many addresses from there on */
__be16 port;
__u32 mixed; /* every second frame is garbage, every other a forged initiation; else by the size of the frame */
__u64 sent;

static __always_inline __u16 header_checksum(const struct iphdr* ip) {
  const __u16* word = (const __u16*)ip;
  __u32 sum = 0;
#pragma unroll
  for (int i = 0; i < 10; i++) sum += word[i];
  sum = (sum & 0xffff) + (sum >> 16);
  return ~(__u16)(sum + (sum >> 16));
}

static __always_inline void write_headers(struct ethhdr* eth, __u64 number, __u32 payload) {
  struct iphdr* ip = (void*)(eth + 1);
  struct udphdr* udp = (void*)(ip + 1);

  __builtin_memcpy(eth->h_dest, destination_mac, ETH_ALEN);
  __builtin_memcpy(eth->h_source, source_mac, ETH_ALEN);
  eth->h_proto = bpf_htons(ETH_P_IP);
  __builtin_memset(ip, 0, sizeof(*ip));
  ip->version = 4;
  ip->ihl = 5;
  ip->tot_len = bpf_htons(sizeof(*ip) + sizeof(*udp) + payload);
  ip->ttl = 64;
  ip->protocol = 17;
  ip->saddr = bpf_htonl(first_source + (__u32)number % sources);
  ip->daddr = destination;
  ip->check = header_checksum(ip);
  udp->source = bpf_htons(1024 + (number & 0x7fff));
  udp->dest = port;
  udp->len = bpf_htons(sizeof(*udp) + payload);
  udp->check = 0;
}

SEC("xdp")
int flood(struct xdp_md* ctx) {
  struct ethhdr* eth = (void*)(long)ctx->data;
  void* end = (void*)(long)ctx->data_end;
  const __u32 headers = sizeof(struct ethhdr) + sizeof(struct iphdr) + sizeof(struct udphdr);
  __u8* message = (__u8*)eth + headers;
  const __u64 number = sent++;

  if (message + GARBAGE > (__u8*)end) return XDP_ABORTED;
  if (message + INITIATION > (__u8*)end || (mixed && (number & 1))) {
    write_headers(eth, number, GARBAGE);
    *(__u64*)message = number * 0x9e3779b97f4a7c15ULL;
    return XDP_TX;
  }
  write_headers(eth, number, INITIATION);
  *(__u32*)message = 1;
  *(__u64*)(message + 4) = number * 0x9e3779b97f4a7c15ULL;
  return XDP_TX;
}

/* The least that a receiver can do: what is left is the sender's own cost. */
SEC("xdp")
int sink(struct xdp_md* ctx) {
  (void)ctx;
  return XDP_DROP;
}

char _license[] SEC("license") = "GPL";
