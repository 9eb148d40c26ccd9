// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* The entries of the policy; one object, so that all share the maps. */
#include <linux/pkt_cls.h>

#include "bpf/egress.h"
#include "bpf/error.h"
#include "bpf/ethernet.h"
#include "bpf/explain.h"
#include "bpf/fast.h"
#include "bpf/guard.h"
#include "bpf/ingress.h"

/* The kernel knows no Apache-2.0: it is loaded under the other of the two. */
char gw_license[] SEC("license") = "GPL";

static __always_inline void gw_begin(struct __sk_buff *skb, struct gw_packet *packet, struct gw_now *now)
{
	const __u32 segments = skb->gso_segs;

	gw_read_now(now);
	packet->packets = segments ? segments : 1;
	packet->ifindex = skb->ifindex;
	packet->from = skb->ingress_ifindex;
	packet->mark = skb->mark & GW_MARK_MASK;
}

/* Marks the packet as the verdict says; nobody's own mark of ours survives. */
static __always_inline int gw_finish(struct __sk_buff *skb, int verdict)
{
	if (verdict == GW_DROP)
		return TC_ACT_SHOT;
	skb->mark = (skb->mark & ~GW_MARK_MASK) | verdict;
	return TC_ACT_OK;
}

static __always_inline int gw_enter(struct __sk_buff *skb, struct gw_packet *packet, const struct gw_now *now,
				    int parsed)
{
	struct gw_subject subject = {};
	int verdict;

	packet->from = packet->ifindex;
	if (parsed < 0)
		return gw_finish(skb, gw_drop(packet, now->mono_ns, -parsed));
	if (parsed == GW_PARSED_PASS)
		return gw_finish(skb, 0);
	/* Routers on the way are no hosts of ours: an error of an open flow passes whoever sends it. */
	verdict = gw_error_verdict(skb, packet, now, &subject);
	if (verdict == GW_UNDECIDED)
		verdict = gw_ingress(packet, now, &subject);
	if (verdict == GW_UNDECIDED)
		verdict = gw_judge_packet(packet, now, &subject);
	return gw_finish(skb, verdict);
}

SEC("tc")
int vpn_ingress(struct __sk_buff *skb)
{
	struct gw_packet packet = {};
	struct gw_now now = {};

	gw_begin(skb, &packet, &now);
	return gw_enter(skb, &packet, &now, gw_parse_layer3(skb, &packet));
}

SEC("tc")
int subnet_ingress(struct __sk_buff *skb)
{
	struct gw_packet packet = {};
	struct gw_now now = {};

	gw_begin(skb, &packet, &now);
	return gw_enter(skb, &packet, &now, gw_parse_ethernet(skb, &packet));
}

/* The verdict on a packet that enters the tunnel; its mark stays. */
static __always_inline int gw_leave(struct __sk_buff *skb, const struct gw_packet *packet, const struct gw_now *now)
{
	struct gw_subject subject = {};
	int verdict = gw_error_verdict(skb, packet, now, &subject);
	if (verdict == GW_UNDECIDED)
		verdict = gw_egress(packet, now, &subject);
	if (verdict == GW_UNDECIDED)
		verdict = gw_egress_renew(packet, now, &subject);
	if (verdict == GW_DROP)
		return TC_ACT_SHOT;
	if (packet->fragment == GW_FRAGMENT_FIRST)
		gw_egress_fragments(packet, now);
	return TC_ACT_OK;
}

SEC("tc")
int vpn_egress(struct __sk_buff *skb)
{
	struct gw_packet packet = {};
	struct gw_now now = {};
	int parsed;

	if (!skb->ingress_ifindex) /* the gateway's own */
		return TC_ACT_OK;
	gw_begin(skb, &packet, &now);
	packet.egress = 1;
	parsed = gw_parse_layer3(skb, &packet);
	if (parsed == GW_PARSED_PASS) /* nobody forwards multicast into the tunnel */
		parsed = -GW_REASON_NEVER_FORWARDED;
	if (parsed < 0) {
		gw_drop(&packet, now.mono_ns, -parsed);
		return TC_ACT_SHOT;
	}
	return gw_leave(skb, &packet, &now);
}

SEC("xdp")
int xdp_ingress(struct xdp_md *ctx)
{
	return gw_fast_forward(ctx);
}

/* TP_PROTO(dev, xdp, tgt, err, map_type, map_id, index) */
SEC("raw_tracepoint/xdp_redirect_err")
int redirect_error(struct bpf_raw_tracepoint_args *ctx)
{
	(void)ctx;
	gw_fast_count_error(GW_FAST_REFUSED, 1);
	return 0;
}

/* TP_PROTO(from_dev, to_dev, sent, drops, err) */
SEC("raw_tracepoint/xdp_devmap_xmit")
int transmit_error(struct bpf_raw_tracepoint_args *ctx)
{
	if ((int)ctx->args[4] < 0)
		gw_fast_count_error(GW_FAST_UNSENT, (__u32)ctx->args[3]);
	return 0;
}

/* Never attached: user space runs it with a gw_question for a packet. */
SEC("tc")
int explain(struct __sk_buff *skb)
{
	struct gw_now now = {};

	gw_read_now(&now);
	return gw_answer(skb, &now);
}

SEC("tc")
int guard_ingress(struct __sk_buff *skb)
{
	return gw_guard_skb(skb) ? TC_ACT_SHOT : TC_ACT_UNSPEC;
}

/* A function of its own: the stack is shared with what is called, and the guard needs most of it. */
__noinline int gw_fast_frame(struct xdp_md *ctx)
{
	return gw_fast_forward(ctx);
}

SEC("xdp")
int guard_xdp(struct xdp_md *ctx)
{
	return gw_guard_frame(ctx) ? XDP_DROP : gw_fast_frame(ctx);
}
