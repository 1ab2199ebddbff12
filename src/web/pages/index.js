// SPDX-License-Identifier: BSD-2-Clause
// The page of a server.
import {Chart, ago, ask, count, date, drops, duration, element, facts, find, follow, now, octets, pill, rate, repeat,
	say, show, since, small} from "/common.js";

const ROWS = matchMedia("(max-width: 78rem)").matches ? 10 : 25;

const charts = [
	new Chart("chart-traffic", {
		lines: [{key: "in", name: "from clients"}, {key: "out", name: "to clients"}], words: rate, unit: 1 / 8}),
	new Chart("chart-sessions", {lines: [{key: "count", name: ""}], words: count, whole: true}),
];

// What the server calls them, and what they are.
const LOGINS = {
	granted: "Granted",
	auth: "Wrong user name or password",
	disabled: "Account disabled or expired",
	transport: "Transport that is not offered",
	type: "Type of tunnel that is not offered",
	sold_out: "No address or prefix was free",
	failed: "Failed here",
	limited: "Too many from one address",
	kicked: "Refused after a kick",
	address: "No tunnel to that address",
};
const LIMITS = {
	connections_dropped: "connections dropped",
	logins_rejected: "logins rejected",
	log_lines_left_out: "lines of the log left out",
};
const PATHS = {alive: ["alive", "good"], dead: ["dead", "bad"], unknown: ["unknown", ""]};
const words = (table, key) => table[key] || key.replaceAll("_", " ");

let daemon = null;
const view = {search: "", sort: "in_rate", order: "down", offset: 0, matched: 0};

/* The sessions. */

// [name, order, whether it begins with the largest, class, what is in a cell]
const COLUMNS = [
	["User", "user", false, "user", (row) => row.user],
	["Type", "type", false, "", (row) => row.type],
	["Peer", "peer", false, "peer", (row) => `${row.peer || ""}${row.port ? `:${row.port}` : ""}`],
	["Over", "transport", false, "", (row) => ({ipv6: "protocol 41", udp: "UDP"})[row.transport] || row.transport],
	["Address, prefixes", "prefixes", false, "address", (row) => [row.address, ...(row.prefixes || [])]
		.filter(Boolean).map((text) => element("div", {}, text))],
	["Since", "since", true, "number", (row) => row.since ? since(row.since) : ""],
	["From client", "in_rate", true, "number", (row) => rate(row.in_rate)],
	["To client", "out_rate", true, "number", (row) => rate(row.out_rate)],
	["In all, from", "in_octets", true, "number", (row) => octets(row.in_octets)],
	["In all, to", "out_octets", true, "number", (row) => octets(row.out_octets)],
	["Dropped", "dropped", true, "number", (row) => count(row.dropped)],
	["Path", "path", false, "", (row) => {
		const [text, kind] = PATHS[row.path] || [row.path || "", ""];
		return element("span", {class: kind}, text);
	}],
];

function drawHeads() {
	COLUMNS.forEach(([name, order, , kind], place) => {
		const head = find("heads").children[place];
		const on = view.sort === order;
		if (on)
			head.setAttribute("aria-sort", view.order === "up" ? "ascending" : "descending");
		else
			head.removeAttribute("aria-sort");
		head.querySelector("span").textContent = on ? (view.order === "up" ? "↑" : "↓") : "";
	});
	find("sort").value = view.sort;
	say("order", view.order === "up" ? "↑" : "↓");
}

function order(name, turned) {
	const column = COLUMNS.find(([, key]) => key === name);
	const first = column[2] ? "down" : "up";
	view.order = turned && view.sort === name ? (view.order === "up" ? "down" : "up") : first;
	view.sort = name;
	view.offset = 0;
	drawHeads();
	getSessions();
}

function makeHeads() {
	find("heads").replaceChildren(...COLUMNS.map(([name, key, , kind]) => {
		const button = element("button", {type: "button"}, name, element("span", {"aria-hidden": "true"}));
		button.addEventListener("click", () => order(key, true));
		return element("th", {scope: "col", role: "columnheader", class: kind === "number" ? kind : ""}, button);
	}));
	find("sort").replaceChildren(...COLUMNS.map(([name, key]) => element("option", {value: key}, name)));
	find("sort").addEventListener("change", (event) => order(event.target.value, false));
	find("order").addEventListener("click", () => order(view.sort, true));
	drawHeads();
}

function drawRows(answer) {
	find("rows").replaceChildren(...answer.sessions.map((row) => element("tr", {role: "row"},
		...COLUMNS.map(([name, , , kind, cell]) =>
			element("td", {role: "cell", class: kind, "data-label": name}, ...[cell(row) ?? ""].flat())))));
	view.matched = answer.matched;
	const last = answer.offset + answer.sessions.length;
	say("matched", view.search ? `${count(answer.matched)} of ${count(answer.total)}` : "");
	say("part", `${count(answer.sessions.length ? answer.offset + 1 : 0)}–${count(last)} of ${count(answer.matched)}`);
	say("rows-none", answer.total ? "No session is like that." : "There is no session now.");
	show("rows-none", answer.matched === 0);
	show("scroll", answer.matched > 0);
	show("pager", answer.matched > ROWS);
	find("before").disabled = answer.offset === 0;
	find("next").disabled = last >= answer.matched;
}

let asked = 0;
async function getSessions() {
	if (!daemon)
		return;
	const number = ++asked;
	try {
		const answer = await ask("/api/sessions", {daemon: daemon.id, search: view.search.trim(), sort: view.sort,
			order: view.order, offset: view.offset, limit: ROWS});
		if (number !== asked)
			return;
		// Sessions have ended meanwhile.
		if (answer.sessions.length === 0 && view.offset > 0) {
			view.offset = 0;
			getSessions();
			return;
		}
		drawRows(answer);
	} catch {
		// The status, which is asked for more often, says what is wrong.
	}
}

function turn(direction) {
	view.offset = Math.max(0, view.offset + direction * ROWS);
	getSessions();
	find("sessions-title").scrollIntoView({block: "nearest"});
}

let typing = 0;
function searched(wait) {
	clearTimeout(typing);
	typing = setTimeout(() => {
		view.search = find("search").value;
		view.offset = 0;
		getSessions();
	}, wait);
}

/* The rest. */

// The bound that so many of 100 are below.
function within(histogram, part) {
	const bound = (histogram.le || []).find(([, below]) => below >= histogram.count * part / 100);
	return bound && typeof bound[0] === "number" ? bound[0] : undefined;
}

function drawLatency(histogram) {
	const some = histogram && histogram.count > 0;
	say("login-time", some ? small(histogram.sum / histogram.count) : "–");
	const most = some ? within(histogram, 99) : undefined;
	say("login-time-most", most === undefined ? "" : `99 of 100 below ${small(most)}`);
}

function drawPools(pools) {
	find("pools").replaceChildren(...pools.map((pool) => {
		const part = pool.size ? pool.used / pool.size : 0;
		const inner = element("div");
		inner.style.width = `${Math.min(100, 100 * part)}%`;
		const of = pool.size > 1e15 ? pool.size.toExponential(1) : count(pool.size);
		const what = pool.kind === "host" ? "addresses" : `prefixes of /${pool.length}`;
		return element("div", {class: part > 0.9 ? "pool full" : "pool"},
			element("p", {}, element("span", {}, `${pool.prefix}, ${what}`),
				element("span", {class: "quiet"}, `${count(pool.used)} of ${of} (${(100 * part).toFixed(part < 0.1 ? 2 : 0)} %)`)),
			element("div", {class: "track", "aria-hidden": "true"}, inner));
	}));
	show("pools-none", pools.length === 0);
}

function drawLogins(logins) {
	find("logins").replaceChildren(...Object.entries(logins).map(([key, number]) => element("tr", {},
		element("td", {}, words(LOGINS, key)), element("td", {class: "number"}, count(number)))));
	const other = Object.entries(logins).reduce((sum, [key, number]) => sum + (key === "granted" ? 0 : number), 0);
	say("logins-granted", count(logins.granted));
	say("logins-other", other ? `${count(other)} others` : "no others");
}

function drawFacts(status) {
	const {sessions = {}, connections = {}, database = {}, limits = {}, fast = {}, last_error: error} = status;
	const reached = Object.entries(limits).filter(([, number]) => number > 0)
		.map(([key, number]) => `${count(number)} ${words(LIMITS, key)}`).join(", ");
	facts("facts", [
		["Listens on", `${(status.listen || []).join(", ")} port ${status.port}`],
		["Transports", (status.transports || []).map((name) => name === "udp" ? "UDP" : "protocol 41").join(", ")],
		["Sessions by type", `${count(sessions.network)} network, ${count(sessions.host)} host, ${count(sessions.tunnelonly)} tunnelonly`],
		["By transport", `${count(sessions.ipv6)} protocol 41, ${count(sessions.udp)} UDP`],
		["Clients silent", count(sessions.dead_paths)],
		["Connections", `${count(connections.now)} of ${count(connections.limit)}`],
		["Packets carried by", fast.active === undefined ? "" : fast.active ? "the kernel" : "user space"],
		["ICMP errors", `${count(status.icmp_errors)} came, ${count(status.icmp6_sent)} sent to senders`],
		["Users", database.users === undefined ? "" : count(database.users)],
		["Database", database.error ? element("span", {class: "bad"}, database.error) : database.path || ""],
		["Limits reached", reached || "none"],
		["Last warning", error ? element("span", {}, element("time", {datetime: new Date(error.time * 1000).toISOString(),
			title: date(error.time)}, ago(error.time)), `: ${error.text}`) : "none"],
	]);
}

function drawStatus(status) {
	const {sessions = {}, traffic = {}} = status;
	const sum = (name) => octets(Object.values(traffic).reduce((all, path) => all + (path[name] || 0), 0));
	say("name", `Tunnel server ${status.interface || daemon.interface}`);
	document.title = `${status.interface || daemon.interface}: ${count(sessions.now)} sessions`;
	if (status.database && status.database.error)
		pill("No logins: the database fails", "bad");
	else
		pill(status.ready === false ? "Not ready" : "Ready", status.ready === false ? "poor" : "good");
	say("summary", `Up for ${duration(now() - status.started)}, ${status.program} ${status.release}`);
	say("sessions-now", count(sessions.now));
	say("sessions-of", `of ${count(sessions.limit)} at most`);
	say("total-in", `${sum("in_octets")} in all`);
	say("total-out", `${sum("out_octets")} in all`);
	const list = [...(status.drops || [])].sort((one, other) => other.count - one.count);
	say("drops-total", count(list.reduce((all, drop) => all + drop.count, 0)));
	say("drops-most", list.length ? `most: ${list[0].text || list[0].reason}` : "");
	drawLatency(status.login_seconds);
	drawLogins(status.logins || {});
	drawPools(status.pools || []);
	drops(list);
	drawFacts(status);
}

makeHeads();
find("search").addEventListener("input", () => searched(200));
find("search-form").addEventListener("submit", (event) => {
	event.preventDefault();
	searched(0);
});
find("before").addEventListener("click", () => turn(-1));
find("next").addEventListener("click", () => turn(1));
repeat(10, getSessions);

follow("dtcps", {
	begin(chosen) {
		daemon = chosen;
		view.offset = 0;
		say("name", `Tunnel server ${daemon.interface}`);
		getSessions();
	},
	draw: drawStatus,
	charts,
	other: "No tunnel server runs on this machine, but a client does: see My tunnel.",
});
