/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/control/retry.h"

/* The shortest delay at the slowest rate. */
#define RETRY_REST_MS ((int64_t)RETRY_MAX * 750)

/* Begins a round of attempts with this server. */
static void retry_round(struct retry *retry, size_t first)
{
	for (size_t i = 0; i < retry->n_servers; i++)
		retry->servers[i].tried = false;
	retry->hopeless = true;
	retry->current = first;
}

/* Chooses the first server from this one on that has not been tried in this round. */
static bool retry_choose(struct retry *retry, size_t first, int64_t now)
{
	for (size_t i = 0; i < retry->n_servers; i++) {
		size_t at = (first + i) % retry->n_servers;

		if (!retry->servers[at].tried && now >= retry->servers[at].rest_until) {
			retry->current = at;
			return true;
		}
	}
	return false;
}

void retry_init(struct retry *retry, size_t n_servers, uint32_t (*random)(uint32_t n))
{
	*retry = (struct retry){
		.n_servers = n_servers, .random = random, .hurried = -RETRY_HURRY_MS};
	retry_round(retry, 0);
}

void retry_begin(struct retry *retry, int64_t now)
{
	retry_round(retry, retry->home);
	/* If all have to wait, it is the one that worked. */
	(void)retry_choose(retry, retry->home, now);
}

void retry_succeeded(struct retry *retry)
{
	retry->servers[retry->current].rest_until = 0;
	retry->home = retry->current;
	retry_round(retry, retry->current);
}

void retry_moved(struct retry *retry)
{
	retry->rounds = 0;
	retry_round(retry, retry->current);
}

void retry_forget(struct retry *retry)
{
	for (size_t i = 0; i < retry->n_servers; i++)
		retry->servers[i].rest_until = 0;
	retry->rounds = 0;
	retry_round(retry, retry->home);
}

/*
 * Failures that a quick retry cannot change, such as those of this machine; and an account in use
 * elsewhere must not be contested every second.
 */
static bool retry_is_hopeless(const struct retry_failure *failure)
{
	enum client_exit status = failure->status;

	return status == CLIENT_LOCAL || status == CLIENT_AUTH || status == CLIENT_TYPE ||
	       status == CLIENT_NAT || failure->said == REASON_SUPERSEDED ||
	       failure->said == REASON_ADDRESS;
}

static void retry_pause(struct retry *retry, bool was_up, struct retry_verdict *verdict)
{
	uint32_t delay = retry->hopeless ? RETRY_MAX : RETRY_MIN;

	for (unsigned int i = 0; i < retry->rounds && delay < RETRY_MAX; i++)
		delay *= 2;
	if (delay > RETRY_MAX)
		delay = RETRY_MAX;
	retry->rounds++;
	if (was_up && delay == RETRY_MIN) {
		verdict->pause = RETRY_SPREAD_MIN_MS +
				 retry->random(RETRY_SPREAD_MAX_MS - RETRY_SPREAD_MIN_MS + 1);
		return;
	}
	/* A quarter up or down, so that the clients of a server are not synchronized. */
	verdict->pause = (int64_t)delay * 750 + (int64_t)retry->random(delay * 500 + 1);
	verdict->about = delay;
}

struct retry_verdict retry_failed(struct retry *retry, const struct retry_failure *failure,
				  int64_t now)
{
	struct retry_verdict verdict = {.hopeless = retry_is_hopeless(failure)};
	struct retry_server *server = &retry->servers[retry->current];
	bool was_up = failure->up_since >= 0;
	bool local = failure->status == CLIENT_LOCAL;

	/*
	 * A session that ends at once is treated like a failure, unless the server said that it was
	 * stopping.
	 */
	if (was_up && (now - failure->up_since >= (int64_t)RETRY_MAX * 1000 ||
		       failure->said == REASON_STOPPING))
		retry->rounds = 0;
	/* A server whose session was up has worked, and is tried first again. */
	if (was_up || local)
		retry_round(retry, retry->current);
	else
		server->tried = true;
	if (verdict.hopeless && !local)
		server->rest_until = now + RETRY_REST_MS;
	else if (!local)
		retry->hopeless = false;
	if (failure->otherwise)
		*server = (struct retry_server){.tried = false};
	verdict.hopeless &= !failure->otherwise;
	verdict.next =
		!was_up && !local && retry_choose(retry, retry->current + failure->otherwise, now);
	if (!verdict.next)
		retry_pause(retry, was_up, &verdict);
	return verdict;
}

bool retry_hurry(struct retry *retry, int64_t now, int64_t *pause_end)
{
	int64_t soonest = retry->hurried + RETRY_HURRY_MS;

	/* Only time helps there. */
	if (retry->hopeless)
		return false;
	/* The routes of some machines change all the time. */
	if (now < soonest) {
		if (soonest < *pause_end)
			*pause_end = soonest;
		return false;
	}
	retry->hurried = now;
	retry_begin(retry, now);
	return true;
}
