/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/hello.h"

#define HELLO_PERIOD   (20000 * HELLO_MS)
#define HELLO_PATIENCE (60000 * HELLO_MS)
#define HELLO_SILENCE  (10000 * HELLO_MS)
#define HELLO_GAP      (5000 * HELLO_MS)
#define HELLO_UNPROVEN (2000 * HELLO_MS)

uint32_t hello_clock(uint64_t now)
{
	return (uint32_t)(now / HELLO_MS);
}

void hello_start(struct hello *hello, uint64_t now)
{
	*hello = (struct hello){.heard = now, .next = now};
}

/* While the process was stopped or the machine asleep, no answers were missed. */
static void hello_mind_gap(struct hello *hello, uint64_t now)
{
	/*
	 * A hello is always scheduled; other deadlines may date from long before they were checked.
	 */
	if (now < hello->next + HELLO_GAP)
		return;
	hello->heard = now;
	hello->next = now;
	hello->unanswered = 0;
	hello->asks = false;
}

void hello_hurry(struct hello *hello, uint64_t now)
{
	hello_mind_gap(hello, now);
	hello->next = now;
	hello->unanswered = 0;
}

void hello_packet_out(struct hello *hello, uint64_t now)
{
	if (hello->is_lonely)
		return;
	hello->is_lonely = true;
	hello->lonely = now;
}

void hello_packet_in(struct hello *hello)
{
	hello->is_lonely = false;
}

void hello_noticed(struct hello *hello, uint64_t when)
{
	if (when >= hello->lonely)
		hello->is_lonely = false;
}

uint64_t hello_answered(struct hello *hello, uint32_t clock, uint64_t now, bool *revived)
{
	*revived = !hello->alive;
	hello->alive = true;
	hello->dead = false;
	hello->heard = now;
	hello->next = hello->sent + HELLO_PERIOD;
	hello->unanswered = 0;
	hello->asks = false;
	hello->is_lonely = false;
	/* The clock in the packet is coarse; the last hello's time is known exactly. */
	if (clock == hello_clock(hello->sent))
		return now - hello->sent;
	return (uint32_t)(hello_clock(now) - clock) * HELLO_MS;
}

void hello_unproven(struct hello *hello)
{
	hello->next = hello->sent + HELLO_UNPROVEN;
}

/* Unanswered hellos are frequent enough without this. */
static bool hello_watches(const struct hello *hello)
{
	return hello->is_lonely && hello->unanswered == 0;
}

enum hello_action hello_step(struct hello *hello, uint64_t now)
{
	static const uint64_t gaps[] = {500 * HELLO_MS, 1000 * HELLO_MS, 2000 * HELLO_MS};
	uint32_t last = sizeof(gaps) / sizeof(gaps[0]) - 1;

	hello_mind_gap(hello, now);
	if (!hello->dead && now >= hello->heard + HELLO_PATIENCE) {
		hello->dead = true;
		hello->alive = false;
		return HELLO_DEAD;
	}
	if (hello->asks && now >= hello->asked + HELLO_SILENCE) {
		hello->asked = now;
		return HELLO_SILENT;
	}
	/* Perhaps the peer has nothing to send, or a NAT has forgotten the mapping. */
	if (hello_watches(hello) && now >= hello->lonely + HELLO_LONELY)
		hello->next = now;
	if (now < hello->next)
		return HELLO_WAIT;
	if (!hello->asks)
		hello->asked = now;
	hello->asks = true;
	hello->sent = now;
	hello->next = now + gaps[hello->unanswered < last ? hello->unanswered : last];
	hello->unanswered++;
	return HELLO_SEND;
}

uint64_t hello_deadline(const struct hello *hello)
{
	uint64_t deadline = hello->next;

	if (!hello->dead && hello->heard + HELLO_PATIENCE < deadline)
		deadline = hello->heard + HELLO_PATIENCE;
	if (hello->asks && hello->asked + HELLO_SILENCE < deadline)
		deadline = hello->asked + HELLO_SILENCE;
	if (hello_watches(hello) && hello->lonely + HELLO_LONELY < deadline)
		deadline = hello->lonely + HELLO_LONELY;
	return deadline;
}
