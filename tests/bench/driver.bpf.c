// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/*
 * What a test run of the policy lacks: BPF_PROG_TEST_RUN repeats one packet, and this makes every repetition another
 * one before it hands it on by a tail call. Packet n is of client (n * stride mod active) * spacing: with a stride that
 * has no factor in common with the number of active clients all get their turn, far from the one before in every table.
 */
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/tcp.h>

#include "bpf/kernel.h"

#define MAX_TARGETS 4
#define NO_TARGET 99 /* the tail call failed: no verdict of the policy has this number */

struct {
  __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
  __uint(max_entries, MAX_TARGETS);
  __uint(key_size, sizeof(__u32));
  __uint(value_size, sizeof(__u32));
} targets SEC(".maps");

__u32 target;
__u32 active = 1, stride = 1, spacing = 1;
__u32 first_client, subnet; /* IPv4 addresses, host order */
__u16 client_port = 40000, server_port = 443;
__u32 new_flows; /* every packet has a port and server of its own */
__u32 replies;   /* from the server, with an Ethernet header in front */
__u64 sent;

SEC("tc")
int drive(struct __sk_buff* skb) {
  void* data = (void*)(long)skb->data;
  void* end = (void*)(long)skb->data_end;
  struct iphdr* ip = replies ? data + sizeof(struct ethhdr) : data;
  struct tcphdr* tcp = (void*)(ip + 1);
  const __u64 number = sent++;
  const __be32 client = bpf_htonl(first_client + number * stride % active * spacing);
  const __be32 server = bpf_htonl(subnet + 1 + (new_flows ? 1 + (number >> 16 & 0x7fff) : 0));
  const __be16 port = bpf_htons(new_flows ? (__u16)number : client_port);

  if ((void*)(tcp + 1) > end) return NO_TARGET;
  ip->saddr = replies ? server : client;
  ip->daddr = replies ? client : server;
  tcp->source = replies ? bpf_htons(server_port) : port;
  tcp->dest = replies ? port : bpf_htons(server_port);
  bpf_tail_call(skb, &targets, target);
  return NO_TARGET;
}

/* Behind the driver alone, its own cost. */
SEC("tc")
int nothing(struct __sk_buff* skb) {
  (void)skb;
  return 0;
}

char _license[] SEC("license") = "GPL";
