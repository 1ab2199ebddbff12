/* SPDX-License-Identifier: BSD-2-Clause */
#include "world.h"

#include "forward/fast.h"
#include "tests/unit/base/need.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/pkt_cls.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <bpf/bpf.h>

#include <cmocka.h>

struct world world;

/* Sessions 0 and 2 go over protocol 41, 1 and 3 over UDP. */
static void world_add(uint32_t id)
{
	struct forward_session config = {
		.id = id,
		.transport = id % 2 ? FORWARD_UDP : FORWARD_PROTO41,
		.mtu = id < 2 ? 1280 : 1400,
		.peer_port = id % 2 ? PEER_PORT : 0,
		.session = id % 2 ? id : 0,
		.n_prefixes = 2,
	};
	struct session *session;
	char peer[INET_ADDRSTRLEN];

	(void)snprintf(peer, sizeof(peer), "192.0.2.%u", 10 + id);
	assert_int_equal(inet_pton(AF_INET, WORLD_HERE, &config.local), 1);
	assert_int_equal(inet_pton(AF_INET, peer, &config.peer), 1);
	assert_int_equal(inet_pton(AF_INET6, "2001:db8:1::", &config.prefixes[0].addr), 1);
	config.prefixes[0].addr.s6_addr[7] = (uint8_t)id;
	config.prefixes[0].len = 64;
	assert_int_equal(inet_pton(AF_INET6, "fe80::1234", &config.prefixes[1].addr), 1);
	config.prefixes[1].addr.s6_addr[13] = (uint8_t)id;
	config.prefixes[1].len = 128;
	assert_int_equal(table_add(world.plane.table, &config, &session), 0);
	table_set_up(world.plane.table, session);
}

static bool world_load(void)
{
	static const struct plane_reports reports = {0};
	const struct forward_config config = {.server = true, .sessions_max = SESSIONS};
	struct programs *programs = programs__open();

	if (!programs)
		return false;
	world.programs = programs;
	assert_int_equal(bpf_map__set_max_entries(programs->maps.sessions, SESSIONS), 0);
	assert_int_equal(bpf_map__set_max_entries(programs->maps.peers, SESSIONS), 0);
	assert_int_equal(bpf_map__set_max_entries(programs->maps.routes, ROUTES), 0);
	assert_int_equal(bpf_map__set_max_entries(programs->maps.counters, (SESSIONS + 1) * LANES),
			 0);
	if (programs__load(programs) != 0)
		return false;

	const struct bpf_map *const maps[FAST_MAPS] = {
		[FAST_STATE] = programs->maps.bss,
		[FAST_SESSIONS] = programs->maps.sessions,
		[FAST_COUNTERS] = programs->maps.counters,
		[FAST_ROUTES] = programs->maps.routes,
		[FAST_PEERS] = programs->maps.peers,
	};

	programs->data_root->root.lanes = LANES;
	programs->data_root->root.sessions_max = SESSIONS;
	programs->data_root->root.ingress = 1;
	programs->data_root->root.tun = LOOPBACK;
	programs->bss->state.udp_port = htons(OUR_PORT);
	world.base = event_base_new();
	assert_non_null(world.base);
	assert_int_equal(plane_open(&world.plane, &config, world.base, &reports, NULL), 0);
	for (enum fast_map map = FAST_STATE; map < FAST_MAPS; map++) {
		const struct forward_fast message = {.map = map, .lanes = LANES, .receives = 1};
		int fd = fcntl(bpf_map__fd(maps[map]), F_DUPFD_CLOEXEC, 0);

		assert_int_equal(fast_take(world.plane.fast, &message, fd), 0);
	}
	for (uint32_t id = 0; id < SESSIONS; id++)
		world_add(id);
	world.sessions = mmap(NULL, SESSIONS * sizeof(struct fast_session), PROT_READ | PROT_WRITE,
			      MAP_SHARED, bpf_map__fd(programs->maps.sessions), 0);
	assert_true(world.sessions != MAP_FAILED);
	/* As if something had gone out by the device that the packets come in by. */
	for (uint32_t id = 0; id < SESSIONS; id++) {
		assert_int_equal(world.sessions[id].flags, FAST_OUT | FAST_IN);
		world.sessions[id].way = LOOPBACK;
	}
	return true;
}

void world_open(void)
{
	need(world_load(), "privilege to load programs, or the kernel is too old");
}

void world_join(unsigned int uplink, bool finishes)
{
	const uint32_t value = finishes ? FAST_JOINED | FAST_FINISHES : FAST_JOINED;
	const uint32_t look = 1;
	struct in_addr here;

	assert_int_equal(bpf_map_update_elem(bpf_map__fd(world.programs->maps.devices), &uplink,
					     &value, BPF_ANY),
			 0);
	assert_int_equal(inet_pton(AF_INET, WORLD_HERE, &here), 1);
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(world.programs->maps.addresses), &here,
					     &look, BPF_ANY),
			 0);
	for (uint32_t id = 0; id < SESSIONS; id++) {
		world.sessions[id].told = 1;
		world.sessions[id].shown = INT64_MAX;
		world.sessions[id].came = uplink;
		world.sessions[id].seen = INT64_MAX;
	}
}

int world_close(void **state)
{
	(void)state;
	if (world.sessions)
		(void)munmap(world.sessions, SESSIONS * sizeof(struct fast_session));
	if (world.base) {
		plane_close(&world.plane);
		event_base_free(world.base);
	}
	programs__destroy(world.programs);
	memset(&world, 0, sizeof(world));
	return 0;
}

uint32_t chance(uint32_t below)
{
	static uint64_t state = 20200;

	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state >> 33) % below;
}

void put16(uint8_t *out, size_t number)
{
	out[0] = (uint8_t)(number >> 8);
	out[1] = (uint8_t)number;
}

uint32_t sum16(const uint8_t *data, size_t n)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)(data[i] << 8 | data[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

bool run_program(const struct bpf_program *program, const uint8_t *packet, size_t n,
		 uint8_t out[static PACKET_MAX], size_t *out_n)
{
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = packet, .data_size_in = (uint32_t)n,
		    .data_out = out, .data_size_out = PACKET_MAX);

	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(program), &run), 0);
	*out_n = run.data_size_out;
	if (run.retval == TC_ACT_REDIRECT)
		return true;
	assert_int_equal((int)run.retval, TC_ACT_UNSPEC);
	return false;
}

void check_counters(bool out)
{
	size_t size = (size_t)(SESSIONS + 1) * LANES * sizeof(struct fast_counters);
	struct fast_counters *lanes = mmap(NULL, size, PROT_READ, MAP_SHARED,
					   bpf_map__fd(world.programs->maps.counters), 0);
	const struct counters_kernel kernel = {lanes, LANES};

	struct carried_counters carried;
	uint64_t packets = 0, octets = 0;

	assert_true(lanes != MAP_FAILED);
	for (uint32_t id = 0; id < SESSIONS; id++) {
		struct session_counters sum = {0};

		counters_kernel_add(&kernel, id, &sum);
		assert_int_equal(out ? sum.out_packets : sum.in_packets, world.packets[id]);
		assert_int_equal(out ? sum.out_bytes : sum.in_bytes, world.octets[id]);
		assert_int_equal(out ? sum.in_packets : sum.out_packets, 0);
		assert_int_equal(sum.dropped, 0);
		packets += world.packets[id];
		octets += world.octets[id];
	}
	counters_kernel_carried(&kernel, SESSIONS, &carried);
	assert_int_equal(out ? carried.out_packets : carried.in_packets, packets);
	assert_int_equal(out ? carried.out_bytes : carried.in_bytes, octets);
	assert_int_equal(munmap(lanes, size), 0);
}
