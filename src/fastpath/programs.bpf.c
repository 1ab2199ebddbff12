/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's programs for packets that need no decision by forward: fast_encap where packets
 * leave the TUN device, fast_decap where they come in from outside. They apply the rules of
 * docs/protocol.md, section 3, as forward does. Whatever they cannot decide is passed on
 * (TC_ACT_UNSPEC) to forward, which is the reference, and alone sends answers, learns peers and
 * keeps state. A packet that forward would drop is never passed here.
 */
#include "fastpath/decap.bpf.h"
#include "fastpath/encap.bpf.h"
#include "fastpath/packet.bpf.h"

/*
 * Where packets come out of the TUN device: drops everything but IPv6. fast_encap looks up routes
 * on behalf of this device, which the kernel permits only if the device forwards IPv4; forward,
 * which writes into the device, must not be able to use that.
 */
SEC("tc")
int fast_guard(struct __sk_buff *skb)
{
	return skb->protocol == bpf_htons(ETH_P_IPV6) ? TC_ACT_UNSPEC : TC_ACT_SHOT;
}

/*
 * Tests whether this kernel can remove an IPv4 header around IPv6: run once, on an artificial
 * packet.
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
