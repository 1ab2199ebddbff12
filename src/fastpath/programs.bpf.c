/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The programs that the kernel runs for packets which need no thought: fast_encap where packets
 * leave the TUN device, fast_decap where they come in from outside. They have the rules of
 * docs/protocol.md, section 3, as forward has them. Whatever they cannot decide takes its usual
 * way (TC_ACT_UNSPEC), to forward: it is the reference, and the only one who answers, learns and
 * remembers. A packet that forward would drop is never passed here.
 */
#include "fastpath/decap.bpf.h"
#include "fastpath/encap.bpf.h"
#include "fastpath/packet.bpf.h"

/*
 * Where packets come out of the TUN device: nothing but IPv6. fast_encap asks the routing table on
 * behalf of this device, which the kernel answers only for one that forwards IPv4; and forward,
 * which writes into the device, is not to gain anything by that.
 */
SEC("tc")
int fast_guard(struct __sk_buff *skb)
{
	return skb->protocol == bpf_htons(ETH_P_IPV6) ? TC_ACT_UNSPEC : TC_ACT_SHOT;
}

/* Whether this kernel knows how to take IPv4 away from around IPv6: run once, on a made-up packet.
 */
SEC("tc")
int fast_try_decap(struct __sk_buff *skb)
{
	return bpf_skb_adjust_room(skb, -(__s32)IPV4, BPF_ADJ_ROOM_MAC,
				   BPF_F_ADJ_ROOM_FIXED_GSO | ADJ_ROOM_DECAP_L3_IPV6)
		       ? 0
		       : 1;
}

const char fast_license[] SEC("license") = "Dual BSD/GPL";
