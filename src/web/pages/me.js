// SPDX-License-Identifier: BSD-2-Clause
// The page of a client: what it got, since when, and how good it is.
import {Chart, ago, count, date, drops, duration, element, facts, find, follow, now, octets, pill, rate, say,
	small} from "/common.js";

const chart = new Chart("chart-traffic", {
	lines: [{key: "in", name: "download"}, {key: "out", name: "upload"}], words: rate, unit: 1 / 8});

const STATES = {
	up: ["Up", "good"],
	held: ["Held: it logs in again", "poor"],
	connecting: ["Connecting", "poor"],
	waiting: ["Waiting for the next try", "bad"],
	down: ["Down, as it was asked to be", ""],
};
const PATHS = {alive: "alive", dead: "dead", unknown: "unknown"};
const TRANSPORTS = {udp: "UDP", ipv6: "protocol 41"};

const at = (time) => time === undefined ? undefined
	: element("time", {datetime: new Date(time * 1000).toISOString(), title: date(time)}, ago(time));

// What it does now, in a sentence or two.
function sentence(status) {
	const server = status.server && status.server.name;
	const next = status.next_try && status.next_try > now() ? ` The next try comes in ${duration(status.next_try - now())}.` : "";
	const lasts = status.since ? ` for ${duration(now() - status.since)}` : "";
	if (status.state === "up")
		return `Connected to ${server || "the server"}${lasts}.`;
	if (status.state === "waiting" || status.state === "held")
		return `Not connected${lasts}${status.last_error ? `: ${status.last_error.text}` : ""}.${next}`;
	if (status.state === "connecting")
		return `Asking ${server || "the server"}.`;
	return `No tunnel${lasts}.`;
}

function draw(status, daemon) {
	const up = status.state === "up";
	const [text, kind] = STATES[status.state] || [status.state || "", ""];
	const title = status.name || status.interface || daemon.interface;
	say("name", `Tunnel ${title}`);
	document.title = `${title}: ${text}`;
	pill(up && status.path === "dead" ? "Up, but the server does not answer" : text,
		up && status.path === "dead" ? "bad" : kind);
	say("summary", sentence(status));
	say("total-in", `${octets(status.in_octets)} in all`);
	say("total-out", `${octets(status.out_octets)} in all`);
	say("rtt", small(status.rtt));
	say("heard", status.last_handshake ? `last answer ${ago(status.last_handshake)}` : "");
	say("path", up ? PATHS[status.path] || "unknown" : "–");
	find("path").className = up ? {alive: "good", dead: "bad"}[status.path] || "" : "";
	say("carried", up && status.carried ? `carried by ${status.carried === "kernel" ? "the kernel" : "user space"}` : "");
	facts("have", [
		["Since", at(status.since)],
		["User", status.user],
		["Type", status.type],
		["Address", status.address],
		["Prefixes", (status.prefixes || []).join(", ")],
		...(status.lan || []).map((lan) => [`On ${lan.interface}`, lan.prefix]),
		["MTU", status.mtu === undefined ? undefined : count(status.mtu)],
	]);
	const server = status.server || {};
	facts("how", [
		["Server", server.name && server.address && server.name !== server.address
			? `${server.name} (${server.address})` : server.name || server.address],
		["Others", (status.servers || []).filter((name) => name !== server.name).join(", ")],
		["Over", TRANSPORTS[status.transport] || status.transport],
		["Why that", status.transport ? status.why : undefined],
		["Interface", status.interface],
		["Far end", status.peer_address],
		["Last error", status.last_error ? element("span", {}, at(status.last_error.time), `: ${status.last_error.text}`) : "none"],
		["Next try", status.next_try && status.next_try > now() ? `in ${duration(status.next_try - now())}` : undefined],
		["Program", `${status.program} ${status.release}`],
	]);
	drops(status.drops || []);
}

follow("dtcpclient", {
	begin(daemon) {
		say("name", `Tunnel ${daemon.interface}`);
	},
	draw,
	charts: [chart],
	other: "No tunnel client runs on this machine, but a server does: see Server.",
});
