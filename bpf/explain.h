/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* The same judgement as for a packet, for a tuple that user space asks about. Writes no map. */
#ifndef GW_EXPLAIN_H
#define GW_EXPLAIN_H

#include "bpf/kernel.h"

#include "bpf/judge.h"
#include "bpf/link.h"

static __always_inline int gw_answer(struct __sk_buff *skb, const struct gw_now *now)
{
	struct gw_judgement judgement = {};
	struct gw_question question;
	const struct gw_link *link;

	if (bpf_skb_load_bytes(skb, 0, &question, sizeof(question)))
		return -1;
	gw_judge(&question.tuple, &judgement, now->word, now->wall_ns);
	link = question.ifindex ? gw_link_of(question.ifindex) : 0;
	if (question.ifindex && (!link || link->link != judgement.src_link)) {
		judgement.action = GW_ACTION_DENY;
		judgement.reason = link ? GW_REASON_SOURCE : GW_REASON_NO_LINK;
		judgement.rule = 0;
	}
	question.answer.action = judgement.action;
	question.answer.reason = judgement.reason;
	question.answer.rule = judgement.rule;
	question.answer.src_class = judgement.src_class;
	question.answer.dst_class = judgement.dst_class;
	question.answer.flags = judgement.flags;
	return bpf_skb_store_bytes(skb, 0, &question, sizeof(question), 0);
}

#endif
