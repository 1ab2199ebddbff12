/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/metrics.h"

#include "tests/unit/web/said.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char server_status[] =
	"{'program':'dtcps','release':'0.1.0','interface':'dtcps0','started':1000.5,'ready':true,"
	"'sessions':{'now':3,'limit':100,'tunnelonly':0,'host':1,'network':2,'ipv6':1,'udp':2,"
	"'dead_paths':1},'connections':{'now':4,'limit':200},"
	"'logins':{'granted':9,'auth':1,'a\\nb':2},"
	"'login_seconds':{'count':9,'sum':0.5,'le':[[0.001,5],['+Inf',9]]},"
	"'database':{'users':12},'limits':{'connections_dropped':6},"
	"'pools':[{'kind':'network','prefix':'2001:db8::/32','length':56,'size':255,'used':9}],"
	"'traffic':{'user':{'in_packets':1,'in_octets':10,'out_packets':2,'out_octets':20},"
	"'kernel':{'in_packets':3,'in_octets':30,'out_packets':4,'out_octets':40}},"
	"'drops':[{'reason':'src-ingress','count':3,'text':'x'}],'fast':{'active':false}}";

static const char client_status[] =
	"{'program':'dtcpclient','release':'0.1.0','state':'waiting','since':5,'user':'al\\\"ice',"
	"'server':{'name':'broker.example.org'},'mtu':1280,'rtt':0.0123,'path':'dead',"
	"'in_packets':1,'in_octets':10,'out_packets':2,'out_octets':20,'dropped':5,'drops':[]}";

static struct evbuffer *out;

static const char *written(const struct metrics_daemon *list, size_t count)
{
	struct exposition exposition;

	exposition_init(&exposition, EXPOSITION_OPENMETRICS, out);
	metrics_write(&exposition, list, count);
	assert_false(exposition.failed);
	return said_text(out);
}

static void a_server(void **state)
{
	json_t *status = said_json(server_status);
	const struct metrics_daemon daemon = {
		.program = "dtcps", .interface = "dtcps0", .status = status};
	const char *text = written(&daemon, 1);
	static const char *const lines[] = {
		"\ndtcp_up{daemon=\"dtcps\",interface=\"dtcps0\"} 1\n",
		"\ndtcp_build_info{daemon=\"dtcps\",interface=\"dtcps0\",release=\"0.1.0\"} 1\n",
		"\ndtcp_server_start_time_seconds{interface=\"dtcps0\"} 1000.5\n",
		"\ndtcp_server_sessions{interface=\"dtcps0\"} 3\n",
		"\ndtcp_server_sessions_by_type{interface=\"dtcps0\",type=\"network\"} 2\n",
		"\ndtcp_server_sessions_by_transport{interface=\"dtcps0\",transport=\"udp\"} 2\n",
		"\ndtcp_server_logins_total{interface=\"dtcps0\",result=\"granted\"} 9\n",
		"\ndtcp_server_logins_total{interface=\"dtcps0\",result=\"a\\nb\"} 2\n",
		"\ndtcp_server_login_duration_seconds_bucket{interface=\"dtcps0\",le=\"0.001\"} "
		"5\n",
		"\ndtcp_server_login_duration_seconds_count{interface=\"dtcps0\"} 9\n",
		"\ndtcp_server_database_failing{interface=\"dtcps0\"} 0\n",
		"\ndtcp_server_limited_total{interface=\"dtcps0\",limit=\"connections_dropped\"} "
		"6\n",
		"\ndtcp_server_pool_used{interface=\"dtcps0\",kind=\"network\","
		"prefix=\"2001:db8::/32\",length=\"56\"} 9\n",
		"\ndtcp_server_traffic_bytes_total{interface=\"dtcps0\",path=\"kernel\","
		"direction=\"out\"} 40\n",
		"\ndtcp_server_traffic_packets_total{interface=\"dtcps0\",path=\"user\","
		"direction=\"in\"} 1\n",
		"\ndtcp_server_drops_total{interface=\"dtcps0\",reason=\"src-ingress\"} 3\n",
		"\ndtcp_server_fast_path_active{interface=\"dtcps0\"} 0\n",
		"\n# UNIT dtcp_server_traffic_bytes bytes\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		said_expect(text, lines[i], 1);
	said_expect(text, "dtcp_client", 0);
	said_expect(text, "dtcp_server_user", 0);
	/* What a member is there for is not a type of tunnel. */
	said_expect(text, "type=\"now\"", 0);
	assert_string_equal(text + strlen(text) - 6, "# EOF\n");
	json_decref(status);
}

static void a_client(void **state)
{
	json_t *status = said_json(client_status);
	const struct metrics_daemon daemon = {
		.program = "dtcpclient", .interface = "gif0", .client = true, .status = status};
	const char *text = written(&daemon, 1);
	static const char *const lines[] = {
		"\ndtcp_up{daemon=\"dtcpclient\",interface=\"gif0\"} 1\n",
		"\ndtcp_client_state{interface=\"gif0\",dtcp_client_state=\"waiting\"} 1\n",
		"\ndtcp_client_state{interface=\"gif0\",dtcp_client_state=\"up\"} 0\n",
		"\ndtcp_client_tunnel_info{interface=\"gif0\",user=\"al\\\"ice\"} 1\n",
		"\ndtcp_client_server_info{interface=\"gif0\",name=\"broker.example.org\"} 1\n",
		"\ndtcp_client_round_trip_seconds{interface=\"gif0\"} 0.0123\n",
		"\ndtcp_client_traffic_bytes_total{interface=\"gif0\",direction=\"out\"} 20\n",
		"\ndtcp_client_dropped_total{interface=\"gif0\"} 5\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		said_expect(text, lines[i], 1);
	said_expect(text, "dtcp_server", 0);
	said_expect(text, "dtcp_client_next_try_time_seconds{", 0);
	json_decref(status);
}

/* All samples of a family stand together, and one that is silent only is not up. */
static void several(void **state)
{
	json_t *status = said_json(server_status);
	const struct metrics_daemon list[] = {
		{.program = "dtcpclient", .interface = "gif0", .client = true},
		{.program = "dtcps", .interface = "dtcps0", .status = status},
		{.program = "dtcps", .interface = "other", .status = status},
	};
	const char *text = written(list, 3);

	(void)state;
	said_expect(text, "dtcp_up{daemon=\"dtcpclient\",interface=\"gif0\"} 0\n", 1);
	said_expect(text, "# TYPE dtcp_server_sessions gauge\n", 1);
	said_expect(text,
		    "\ndtcp_server_sessions{interface=\"dtcps0\"} 3\n"
		    "dtcp_server_sessions{interface=\"other\"} 3\n",
		    1);
	said_expect(text, "gif0", 1);
	json_decref(status);
}

static void nothing(void **state)
{
	(void)state;
	assert_string_equal(written(NULL, 0),
			    "# HELP dtcp_up Whether the daemon answers at its control socket.\n"
			    "# TYPE dtcp_up gauge\n# EOF\n");
}

/* Values of other types than they should have are left out, and nothing else is. */
static void nonsense(void **state)
{
	json_t *status = said_json("{'sessions':'many','logins':[1],'pools':{'a':1},'drops':[7,{}],"
				   "'traffic':[],'fast':5,'login_seconds':7,'started':'now'}");
	const struct metrics_daemon daemon = {
		.program = "dtcps", .interface = "dtcps0", .status = status};
	const char *text = written(&daemon, 1);

	(void)state;
	said_expect(text, "dtcp_up{daemon=\"dtcps\",interface=\"dtcps0\"} 1\n", 1);
	said_expect(text, "dtcp_server_sessions{", 0);
	said_expect(text, "dtcp_server_drops_total{", 0);
	said_expect(text, "dtcp_server_login_duration_seconds_count", 0);
	json_decref(status);
}

/* A sample comes once, however often it was said: else all that was scraped would be worth nothing.
 */
static void rows_of_one_kind(void **state)
{
	json_t *status = said_json("{'drops':[{'reason':'a','count':1},{'reason':'a','count':2},"
				   "{'reason':'b','count':3},{'count':4},{'count':5}],"
				   "'pools':[{'kind':'host','length':1,'size':1},"
				   "{'kind':'host','length':'1','size':2},"
				   "{'kind':'host','length':2,'size':3}]}");
	const struct metrics_daemon daemon = {
		.program = "dtcps", .interface = "dtcps0", .status = status};
	const char *text = written(&daemon, 1);

	(void)state;
	said_expect(text, "dtcp_server_drops_total{", 3);
	said_expect(text, "reason=\"a\"} 1\n", 1);
	said_expect(text, "reason=\"b\"} 3\n", 1);
	said_expect(text, "{interface=\"dtcps0\"} 4\n", 1);
	said_expect(text, "dtcp_server_pool_size{", 2);
	json_decref(status);
}

static void add(struct sessions *sessions, const char *row)
{
	json_t *json = said_json(row);

	sessions_add(sessions, json);
	json_decref(json);
}

/* A user who has just logged in again has two sessions, and one series. */
static void users(void **state)
{
	json_t *status = said_json(server_status);
	struct sessions *sessions = sessions_new();
	const struct metrics_daemon daemon = {
		.program = "dtcps", .interface = "dtcps0", .status = status, .sessions = sessions};
	const char *text;

	(void)state;
	sessions_begin(sessions);
	add(sessions,
	    "{'session':{'id':1,'user':'alice','since':50,'in_octets':7,'out_octets':1}}");
	add(sessions, "{'session':{'id':2,'user':'b\\\"ob','since':40,'dropped':3}}");
	add(sessions,
	    "{'session':{'id':3,'user':'alice','since':60,'in_octets':5,'out_octets':2}}");
	sessions_end(sessions, 1000);
	text = written(&daemon, 1);
	said_expect(text,
		    "\ndtcp_server_user_traffic_bytes_total{interface=\"dtcps0\",user=\"alice\","
		    "direction=\"in\"} 12\n"
		    "dtcp_server_user_traffic_bytes_total{interface=\"dtcps0\",user=\"alice\","
		    "direction=\"out\"} 3\n",
		    1);
	said_expect(text,
		    "\ndtcp_server_user_dropped_total{interface=\"dtcps0\",user=\"b\\\"ob\"} 3\n",
		    1);
	said_expect(text,
		    "\ndtcp_server_user_session_start_time_seconds{interface=\"dtcps0\","
		    "user=\"alice\"} 60\n",
		    1);
	sessions_free(sessions);
	json_decref(status);
}

static int make_buffer(void **state)
{
	(void)state;
	out = evbuffer_new();
	return out ? 0 : -1;
}

static int free_buffer(void **state)
{
	(void)state;
	evbuffer_free(out);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_server),	    cmocka_unit_test(a_client),
		cmocka_unit_test(several),	    cmocka_unit_test(nothing),
		cmocka_unit_test(nonsense),	    cmocka_unit_test(users),
		cmocka_unit_test(rows_of_one_kind),
	};

	return cmocka_run_group_tests(tests, make_buffer, free_buffer);
}
