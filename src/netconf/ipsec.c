/* SPDX-License-Identifier: BSD-2-Clause */
#include "netconf/ipsec.h"

#include "base/log.h"
#include "netconf/netlink_talk.h"

#include <errno.h>
#include <linux/xfrm.h>
#include <string.h>

static int ipsec_on_info(const struct nlmsghdr *message, void *data)
{
	const struct nlattr *attr = netlink_find(message, sizeof(uint32_t), XFRMA_SPD_INFO);
	struct xfrmu_spdinfo info;
	uint32_t *count = data;

	if (!attr || mnl_attr_get_payload_len(attr) < sizeof(info))
		return MNL_CB_OK;
	memcpy(&info, mnl_attr_get_payload(attr), sizeof(info));
	*count = info.incnt + info.outcnt;
	return MNL_CB_OK;
}

static int ipsec_count(uint32_t *count)
{
	struct netlink_request request;
	struct nlmsghdr *header = netlink_start(&request, XFRM_MSG_GETSPDINFO, 0);
	struct netlink *netlink;
	int error = netlink_open_bus(NETLINK_XFRM, &netlink);

	*count = 0;
	if (error)
		return error;
	(void)mnl_nlmsg_put_extra_header(header, sizeof(uint32_t));
	error = netlink_get(netlink, header, ipsec_on_info, count);
	netlink_close(netlink);
	return error;
}

bool ipsec_has_policies(void)
{
	uint32_t count;
	int error = ipsec_count(&count);

	/* Built without it, or without its module. */
	if (error == -EPROTONOSUPPORT)
		return false;
	if (error) {
		errno = -error;
		log_warn("cannot ask for IPsec policies");
		return true;
	}
	return count > 0;
}
