/* SPDX-License-Identifier: BSD-2-Clause */
#include "packets.h"

#include "forward/tos.h"

/* ECN codepoints as they are on the wire. */
#define NOT  0x0
#define ECT1 0x1
#define ECT0 0x2
#define CE   0x3
#define DROP 0xff

static void encap_copies_everything(void **state)
{
	(void)state;
	for (unsigned tos = 0; tos < 256; tos++)
		assert_int_equal(tos_encap((uint8_t)tos), tos);
}

static void class_is_split_over_two_octets(void **state)
{
	/* version 6, class 0xb9, flow label 0xfffff */
	const uint8_t packet[40] = {0x6b, 0x9f, 0xff, 0xff};

	(void)state;
	assert_int_equal(tos_class(packet), 0xb9);
}

static void decap_all_combinations(void **state)
{
	/* RFC 6040, figure 4. */
	static const struct {
		uint8_t inner, outer, result;
	} rows[16] = {
		{NOT, NOT, NOT},   {NOT, ECT0, NOT},   {NOT, ECT1, NOT},   {NOT, CE, DROP},
		{ECT0, NOT, ECT0}, {ECT0, ECT0, ECT0}, {ECT0, ECT1, ECT1}, {ECT0, CE, CE},
		{ECT1, NOT, ECT1}, {ECT1, ECT0, ECT1}, {ECT1, ECT1, ECT1}, {ECT1, CE, CE},
		{CE, NOT, CE},	   {CE, ECT0, CE},     {CE, ECT1, CE},	   {CE, CE, CE},
	};

	(void)state;
	for (size_t i = 0; i < 16; i++) {
		/* Inner DSCP 0x2e (EF), flow label 0xabcde; outer DSCP 0x08 does not count. */
		uint8_t packet[40] = {
			0x6b, (uint8_t)(0x8a | rows[i].inner << 4), 0xbc, 0xde, 0, 0, 59, 64};
		bool kept = tos_decap((uint8_t)(0x20 | rows[i].outer), packet);

		assert_int_equal(kept, rows[i].result != DROP);
		if (!kept)
			continue;
		assert_int_equal(packet[0], 0x6b);
		assert_int_equal(packet[1], 0x8a | rows[i].result << 4);
		assert_int_equal(packet[2], 0xbc);
		assert_int_equal(packet[3], 0xde);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encap_copies_everything),
		cmocka_unit_test(class_is_split_over_two_octets),
		cmocka_unit_test(decap_all_combinations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
