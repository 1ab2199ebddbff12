// SPDX-License-Identifier: BSD-2-Clause
// What both pages have in common: asking, words for numbers, the list of daemons, graphs.
// What a daemon says is shown as text only, never as markup: names of users are anybody's choice.

export const find = (id) => document.getElementById(id);

// element("td", {class: "number"}, "text", other)
export function element(name, attributes = {}, ...children) {
	const made = document.createElement(name);
	for (const [key, value] of Object.entries(attributes))
		made.setAttribute(key, value);
	made.append(...children);
	return made;
}

export function say(id, text) {
	const place = find(id);
	if (place.textContent !== text)
		place.textContent = text;
	return place;
}

export function show(id, on) {
	find(id).hidden = !on;
}

/* Asking. */

// Returns the object, or throws an Error with a line for people; its code is the daemon's word.
export async function ask(path, words = {}) {
	const query = new URLSearchParams(words).toString();
	let answer;
	try {
		const reply = await fetch(query ? `${path}?${query}` : path, {signal: AbortSignal.timeout(15000)});
		answer = await reply.json();
	} catch {
		throw Object.assign(new Error("dtcpweb does not answer"), {code: "gone"});
	}
	if (!answer.ok)
		throw Object.assign(new Error(answer.error || "there was no answer"), {code: answer.code});
	return answer;
}

// Calls what() every so many seconds, one after the other, while somebody looks. Returns what calls it
// now, or once more at once if it is being called.
export function repeat(seconds, what) {
	let timer = 0;
	let running = false;
	let again = false;
	async function turn() {
		clearTimeout(timer);
		again = running;
		if (running)
			return;
		running = true;
		do {
			again = false;
			await what();
		} while (again);
		running = false;
		if (!document.hidden)
			timer = setTimeout(turn, seconds * 1000);
	}
	document.addEventListener("visibilitychange", () => document.hidden || turn());
	turn();
	return turn;
}

/* Words for numbers. */

export const count = (number) => number === undefined ? "–" : Number(number).toLocaleString("en");

function scaled(number, units, step) {
	let place = 0;
	while (Math.abs(number) >= step * 0.9995 && place < units.length - 1) {
		number /= step;
		place++;
	}
	const digits = place === 0 || number >= 99.95 ? 0 : number >= 9.995 ? 1 : 2;
	return `${number.toFixed(digits)} ${units[place]}`;
}

export const octets = (number) =>
	number === undefined ? "–" : scaled(number, ["B", "kB", "MB", "GB", "TB", "PB"], 1000);

// From octets per second, as networks are measured.
export const rate = (number) =>
	number === undefined || number === null ? "–"
		: scaled(8 * number, ["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"], 1000);

export function duration(seconds) {
	const s = Math.max(0, Math.floor(seconds));
	const [d, h, m] = [Math.floor(s / 86400), Math.floor(s / 3600) % 24, Math.floor(s / 60) % 60];
	if (d)
		return h ? `${d} d ${h} h` : `${d} d`;
	if (h)
		return m ? `${h} h ${m} min` : `${h} h`;
	return m ? `${m} min` : `${s} s`;
}

export function small(seconds) {
	if (seconds === undefined)
		return "–";
	return seconds < 0.001 ? `${(seconds * 1e6).toFixed(0)} µs`
		: seconds < 1 ? `${(seconds * 1000).toFixed(seconds < 0.1 ? 1 : 0)} ms` : `${seconds.toFixed(1)} s`;
}

// On the scale of a graph: without zeros that say nothing.
const plain = (text) => text.replace(/\.0+ /, " ");

export const now = () => Date.now() / 1000;
export const ago = (time) => `${duration(now() - time)} ago`;
const clock = (time) => new Date(time * 1000).toLocaleTimeString("en-GB");
export const date = (time) => new Date(time * 1000).toLocaleString("en-GB", {dateStyle: "medium", timeStyle: "medium"});

// The time since then; the date as well, for who points at it.
export const since = (time) =>
	element("time", {datetime: new Date(time * 1000).toISOString(), title: date(time)}, duration(now() - time));

/* Parts of the pages. */

// [[name, text or element], ...]; those without a text are left out.
export function facts(id, list) {
	find(id).replaceChildren(...list.filter(([, value]) => value !== undefined && value !== "")
		.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
}

export function drops(list) {
	const sorted = [...list].sort((one, other) => other.count - one.count);
	find("drops").replaceChildren(...sorted.map((drop) => element("tr", {title: drop.reason},
		element("td", {}, drop.text || drop.reason), element("td", {class: "number"}, count(drop.count)))));
	show("drops-none", list.length === 0);
}

export function pill(text, kind) {
	say("state", text).className = `pill ${kind}`;
	show("state", true);
}

function banner(text) {
	say("banner", text);
	show("banner", text !== "");
	find("content").classList.toggle("stale", text !== "");
}

// Fills the list of those of a program. Calls chosen(daemon) for the first, and whenever the choice
// changes; nothing(text) while there is none.
function choose(program, chosen, nothing) {
	const list = find("daemon");
	let wanted = new URLSearchParams(location.search).get("daemon");
	let current = null;

	function take(id, daemons) {
		if (current === id)
			return;
		current = id;
		chosen(daemons.find((daemon) => daemon.id === id));
	}

	async function look() {
		let answer;
		try {
			answer = await ask("/api/daemons");
		} catch (error) {
			if (!current)
				nothing(`${error.message}.`, []);
			return;
		}
		say("release", `dtcpweb ${answer.release}`);
		const daemons = answer.daemons.filter((daemon) => daemon.program === program);
		if (daemons.length === 0) {
			nothing("", answer.daemons);
			return;
		}
		const best = daemons.find((daemon) => daemon.id === (wanted || current)) ||
			daemons.find((daemon) => daemon.there) || daemons[0];
		const names = daemons.map((daemon) => daemon.id).join(" ");
		if (list.dataset.names !== names) {
			list.dataset.names = names;
			list.replaceChildren(...daemons.map((daemon) =>
				element("option", {value: daemon.id}, daemon.interface)));
		}
		list.value = best.id;
		show("chooser", daemons.length > 1);
		take(best.id, daemons);
		list.onchange = () => {
			wanted = list.value;
			history.replaceState(null, "", `?${new URLSearchParams({daemon: wanted})}`);
			take(wanted, daemons);
		};
	}
	repeat(10, look);
}

// The last value that is known; undefined if there is none.
function latest(list) {
	return list.length && list[list.length - 1] !== null ? list[list.length - 1] : undefined;
}

// Follows the daemon of a program that is chosen. begin(daemon): another one was; draw(status, daemon):
// what it says; charts get its last hour. other: what to say if only another program runs here.
export function follow(program, {begin, draw, charts, other}) {
	let daemon = null;
	let heard = 0;

	// What ask() returns; null if another one was chosen meanwhile.
	async function answer(what) {
		const asked = daemon;
		const said = asked && await ask(what, {daemon: asked.id});
		return asked === daemon ? said : null;
	}

	const lookStatus = repeat(5, async () => {
		const asked = daemon;
		try {
			const said = await answer("/api/status");
			if (!said)
				return;
			heard = now();
			draw(said.status, daemon);
			banner("");
			show("content", true);
		} catch (error) {
			if (daemon !== asked)
				return;
			const gone = error.code === "absent" ? "Not running" : "No answer";
			pill(gone, "bad");
			// What they said is about now.
			say("summary", "");
			document.title = `${daemon.interface}: ${gone}`;
			banner(`${daemon.program} on ${daemon.interface}: ${error.message}.` +
				(heard ? ` What is below is from ${clock(heard)}.` : ""));
		}
	});
	const lookHistory = repeat(10, async () => {
		try {
			const said = await answer("/api/history");
			if (!said)
				return;
			for (const chart of charts)
				chart.set(said);
			say("rate-in", rate(latest(said.in)));
			say("rate-out", rate(latest(said.out)));
		} catch {
			// The status says what is wrong.
		}
	});
	choose(program, (chosen) => {
		daemon = chosen;
		heard = 0;
		show("nothing", false);
		show("content", false);
		say("summary", "");
		begin(daemon);
		lookStatus();
		lookHistory();
	}, (text, others) => {
		say("nothing", text || (others.length ? other
			: "Neither a tunnel server nor a client runs on this machine, or dtcpweb is not in the group that may ask them."));
		show("nothing", true);
	});
}

/* Graphs. */

const SVG = "http://www.w3.org/2000/svg";
const HOUR = 3600;

function drawn(name, attributes, text = "") {
	const made = document.createElementNS(SVG, name);
	for (const [key, value] of Object.entries(attributes))
		made.setAttribute(key, value);
	made.textContent = text;
	return made;
}

// A round number, three or four of which reach up to most.
function step(most, unit) {
	const rough = most / 3 / unit;
	const power = 10 ** Math.floor(Math.log10(rough));
	const nice = [1, 2, 5, 10].find((factor) => factor * power >= rough) * power;
	return nice * unit;
}

export class Chart {
	// lines: [{key, name}]; words(number) is a value in words; unit: what a round number is made of;
	// whole: there are no parts of one.
	constructor(id, {lines, words, unit = 1, whole = false}) {
		Object.assign(this, {lines, words, unit, whole, figure: find(id), data: null, place: -1});
		this.title = this.figure.querySelector("h2").textContent;
		this.read = this.figure.querySelector(".read");
		this.svg = drawn("svg", {role: "img", tabindex: "0"});
		this.figure.append(this.svg);
		new ResizeObserver(() => this.draw()).observe(this.svg);
		this.svg.addEventListener("pointermove", (event) => this.point(event));
		this.svg.addEventListener("pointerdown", (event) => this.point(event));
		this.svg.addEventListener("pointerleave", () => this.move(-1));
		this.svg.addEventListener("blur", () => this.move(-1));
		this.svg.addEventListener("keydown", (event) => this.key(event));
	}

	set(data) {
		this.data = data;
		this.draw();
	}

	x(time) {
		return this.left + (time - this.begin) / HOUR * (this.width - this.left - 1);
	}

	y(value) {
		return this.bottom - value / this.top * (this.bottom - 8);
	}

	draw() {
		const {data, svg} = this;
		const box = svg.getBoundingClientRect();
		if (!data || box.width === 0)
			return;
		Object.assign(this, {width: box.width, height: box.height, bottom: box.height - 22, left: this.whole ? 56 : 80});
		this.end = data.time.length ? data.time[data.time.length - 1] : now();
		this.begin = this.end - HOUR;
		const values = this.lines.flatMap(({key}) => data[key].filter((value) => value !== null));
		const most = Math.max(...values, this.whole ? 3 : 1000 * this.unit);
		const tick = this.whole ? Math.max(1, step(most, 1)) : step(most, this.unit);
		this.top = Math.ceil(most / tick) * tick;
		svg.setAttribute("viewBox", `0 0 ${this.width} ${this.height}`);
		svg.replaceChildren();
		this.scale(tick);
		for (const line of this.lines)
			this.curve(line.key);
		this.cursor = drawn("line", {class: "cursor", y1: 8, y2: this.bottom, visibility: "hidden"});
		svg.append(this.cursor);
		svg.setAttribute("aria-label", this.description(values));
		this.move(this.place);
	}

	scale(tick) {
		for (let value = 0; value <= this.top + tick / 2; value += tick) {
			const y = Math.round(this.y(value)) + 0.5;
			this.svg.append(drawn("line", {class: "grid", x1: this.left, x2: this.width, y1: y, y2: y}));
			this.svg.append(drawn("text", {x: this.left - 8, y: y + 4, "text-anchor": "end"}, plain(this.words(value))));
		}
		const every = this.width > 420 ? 600 : 1200;
		for (let time = Math.ceil(this.begin / every) * every; time <= this.end; time += every) {
			const x = this.x(time);
			const anchor = x > this.width - 18 ? "end" : x < this.left + 18 ? "start" : "middle";
			this.svg.append(drawn("text", {x, y: this.height - 4, "text-anchor": anchor}, clock(time).slice(0, 5)));
		}
	}

	// Parts without a gap, each with the ground below it.
	curve(key) {
		const part = {line: "", area: "", from: 0, last: 0};
		const close = () => {
			if (part.line)
				part.area += `L${part.last},${this.bottom}L${part.from},${this.bottom}Z`;
		};
		let path = "", inside = false;
		this.data[key].forEach((value, place) => {
			const x = this.x(this.data.time[place]).toFixed(1);
			if (value === null || x < this.left) {
				if (inside)
					close();
				inside = false;
				return;
			}
			const point = `${x},${this.y(value).toFixed(1)}`;
			path += `${inside ? "L" : "M"}${point}`;
			part.line = path;
			part.area += `${inside ? "L" : "M"}${point}`;
			if (!inside)
				part.from = x;
			part.last = x;
			inside = true;
		});
		if (inside)
			close();
		this.svg.append(drawn("path", {class: `area ${key}`, d: part.area}), drawn("path", {class: `line ${key}`, d: path}));
	}

	description(values) {
		if (values.length === 0)
			return `${this.title}: nothing is known yet`;
		return `${this.title}: now ${this.text(this.data.time.length - 1)}, at most ${this.words(Math.max(...values))}. Arrow keys go through it.`;
	}

	text(place) {
		return this.lines.map(({key, name}) => {
			const value = this.data[key][place];
			const words = value === null || value === undefined ? "not known" : this.words(value);
			return name ? `${name} ${words}` : words;
		}).join(", ");
	}

	move(place) {
		this.place = place;
		if (!this.cursor)
			return;
		const on = place >= 0 && place < this.data.time.length;
		this.cursor.setAttribute("visibility", on ? "visible" : "hidden");
		if (on) {
			this.cursor.setAttribute("x1", this.x(this.data.time[place]));
			this.cursor.setAttribute("x2", this.x(this.data.time[place]));
		}
		this.read.setAttribute("aria-live", on ? "polite" : "off");
		this.read.textContent = on ? `${clock(this.data.time[place])}: ${this.text(place)}`
			: this.data.time.length < 3 ? "The graph begins now." : "";
	}

	point(event) {
		if (!this.data || this.data.time.length === 0)
			return;
		const box = this.svg.getBoundingClientRect();
		const time = this.begin + (event.clientX - box.left - this.left) / (this.width - this.left - 1) * HOUR;
		const distances = this.data.time.map((at) => Math.abs(at - time));
		this.move(distances.indexOf(Math.min(...distances)));
	}

	key(event) {
		const length = this.data ? this.data.time.length : 0;
		const places = {ArrowLeft: (this.place < 0 ? length : this.place) - 1, ArrowRight: this.place + 1,
			Home: 0, End: length - 1, Escape: -1};
		if (!(event.key in places) || length === 0)
			return;
		event.preventDefault();
		this.move(event.key === "Escape" ? -1 : Math.min(Math.max(places[event.key], 0), length - 1));
	}
}
