#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""docs/messages.md has each message that the daemons write, in the section of its part of the
source, with its event; and it has no others. Likewise the fields.

The argument is the folder of the sources. A message is the format that a function of the log is
called with, or a text that ends up in one; "..." stands for each conversion of printf(3). A section
names the files and folders that it is about in its first paragraph. A second argument has the
messages that are found printed, by file.
"""

import re
import sys
from pathlib import Path

ROOT = Path(sys.argv[1])
PAGE = ROOT / "docs" / "messages.md"

# Which argument of a function is a message, the first being 0, and which its event.
MESSAGES = {
    "log_debug": 0, "log_info": 0, "log_warn": 0, "log_warnx": 0, "log_limited": 2,
    "log_record_begin": 3, "options_bad": 0, "settings_bad": 3, "supervisor_fail": 1,
    "judge_find": 2, "users_fail_text": 1,
    "session_fail": 4, "session_fail_said": 5, "session_tell": 3, "session_change_to_udp": 4,
    "session_let_go": 2, "session_leave": 3, "session_path_say": 3, "control_lookup_none": 1,
    "broker_log_begin": 3, "admission_say": 2}
EVENTS = {"log_record_begin": 2, "session_tell": 2, "broker_log_begin": 2, "admission_say": 1,
          "session_path_say": 2}
# Those of functions that always have the same one.
SAME = {"session_fail": "attempt-failed", "session_fail_said": "attempt-failed",
        "session_change_to_udp": "transport-changed", "session_let_go": "tunnel-down",
        "session_leave": "tunnel-down", "control_lookup_none": "attempt-failed"}
# Here whole sentences are made that are a part of a message: by functions, and by assignment.
TEXTS = {"client/control/connection.c": "attempt-failed",
         "client/control/control_lookup.c": "attempt-failed",
         "server/control/broker_log.c": "tunnel-refused", "server/control/broker.c": "tunnel-refused",
         "users/tables.c": "", "users/file.c": ""}
PARTS = {"snprintf": 2, "strlcpy": 1, "broker_log_refused": 2}

LITERAL = r'"(?:[^"\\\n]|\\.)*"'
LITERALS = rf"{LITERAL}(?:\s*{LITERAL})*"
CONVERSION = re.compile(r"%[-+ 0#]*(?:\d+|\*)?(?:\.(?:\d+|\*)?)?(?:hh|h|ll|l|z|j|t)?[a-zA-Z]")


def sources():
    """{path below src: its text, without comments, with macros that are texts put in}."""
    files = {path: re.sub(r"/\*.*?\*/", " ", path.read_text(), flags=re.S)
             for path in sorted((ROOT / "src").rglob("*.[ch]")) if path.parent.name != "tools"}
    macros = {}
    for text in files.values():
        macros.update(re.findall(r"^#define (\w+)[ \t]+(%s)" % LITERALS.replace(r"\s", r"(?:\s|\\\n)"),
                                 text, re.M))
    found = {}
    for path, text in files.items():
        text = re.sub(r'%"\s*PRI\w+', '%d"', text)
        local = dict(re.findall(r"static const char (\w+)\[\] =\s*(%s);" % LITERALS, text))
        for name, value in {**macros, **local}.items():
            if name in text:
                text = re.sub(rf"(?<=[\s(,\"]){name}\b(?!\[)(?=[\s),\"])",
                              lambda _, value=value: value.replace("\\\n", " "), text)
        found[path.relative_to(ROOT / "src").as_posix()] = text
    return found


def arguments(text, at):
    """Those of a call, from behind its parenthesis."""
    depth, quote, found = 1, None, [""]
    while True:
        c = text[at]
        if quote:
            if c == "\\":
                found[-1] += c
                at += 1
                c = text[at]
            elif c == quote:
                quote = None
        elif c in "\"'":
            quote = c
        elif c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
            if depth == 0:
                return [word.strip() for word in found]
        elif c == "," and depth == 1:
            found.append("")
            at += 1
            continue
        found[-1] += c
        at += 1


def literals(expression):
    """The texts that an argument can be: one, or those of a choice."""
    return ["".join(part[1:-1] for part in re.findall(LITERAL, joined)).replace('\\"', '"')
            .replace("\\\\", "\\") for joined in re.findall(LITERALS, expression)]


def shown(text):
    text = CONVERSION.sub("...", text.replace("%%", "\0")).replace("\0", "%")
    return re.sub(r"(\.\.\.){2,}", "...", text).strip()


def calls(path, text):
    """What is said here: (texts, events)."""
    known = {**MESSAGES, **(PARTS if path in TEXTS else {})}
    for call in re.finditer(rf"\b({'|'.join(known)})\(", text):
        words = arguments(text, call.end())
        if len(words) <= known[call[1]]:
            continue
        said = literals(words[known[call[1]]])
        if call[1] in PARTS:
            yield [one for one in said if " " in one.strip()], [TEXTS[path]]
        elif call[1] in EVENTS:
            yield said, literals(words[EVENTS[call[1]]])
        else:
            yield said, [SAME.get(call[1], "")]
    if path in TEXTS:
        for value in re.findall(r"\b(?:why|text) = ([^;{]*?[\";])[;}]", text):
            yield literals(value), [TEXTS[path]]


def messages(files):
    """{path: {message: its events}}, and the names of all fields."""
    found, fields = {}, set()
    for path, text in files.items():
        for said, events in calls(path, text):
            for number, one in enumerate(map(shown, said)):
                if re.search(r"[A-Za-z]{2}", one):
                    event = events[min(number, len(events) - 1)] if events else ""
                    found.setdefault(path, {}).setdefault(one, set()).add(event)
        fields |= set(re.findall(r'\blog_record_(?:text|number)\([^,;"]+,\s*"(\w+)"', text))
    return found, fields


def rows(section):
    """The rows of its tables, as lists of cells; not the headings."""
    lines = re.findall(r"^\|(.*)\|$", section, re.M)
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)] for line in lines]
    return [row for row, after in zip(cells, [*cells[1:], [""]])
            if not set(row[0]) <= set("- :") and not set(after[0] or "x") <= set("- :")]


def code(cell):
    return re.findall(r"(`+) ?(.*?) ?\1", cell)


def page():
    """[(title of a section, its files and folders, [(messages, events) of each row])], and the fields."""
    sections, fields = [], set()
    for section in re.split(r"^##+ ", PAGE.read_text(), flags=re.M)[1:]:
        title = section.partition("\n")[0]
        if title == "Fields":
            fields = {name for row in rows(section) for _, name in code(row[0])}
            continue
        about = re.findall(r"`src/([\w/.*]+?)/?`", section.partition("\n|")[0])
        known = []
        for row in rows(section):
            if len(row) == 4 and all(row):
                known.append([{name for _, name in code(cell)} for cell in row[:2]])
            else:
                faults.append(f"{title}: a row without all of its cells: {row}")
        sections.append((title, about, known))
    return sections, fields


def owner(path, sections):
    """The section that names the file, or the innermost of its folders."""
    best, found = -1, None
    for section in sections:
        for name in section[1]:
            if (path == name or path.startswith(f"{name}/")) and len(name) > best:
                best, found = len(name), section
    return found


faults = []
found, fields = messages(sources())
if len(sys.argv) > 2:
    for path, said in found.items():
        print(path)
        for message, events in said.items():
            print(f"\t{message}\t{' '.join(sorted(events))}")
    sys.exit()
sections, told = page()
if sum(map(len, found.values())) < 300 or len(sections) < 8:
    sys.exit(f"{sum(map(len, found.values()))} messages, {len(sections)} sections: "
             "not what this test is for")
wanted = {title: {} for title, *_ in sections}
for path, said in found.items():
    section = owner(path, sections)
    if not section:
        faults.append(f"no section is about src/{path}")
        continue
    for message, events in said.items():
        wanted[section[0]].setdefault(message, set()).update(events)
for title, _, known in sections:
    said = wanted[title]
    listed = [message for row, _ in known for message in row]
    faults += [f"{title}: not in the document: {message}" for message in said if message not in listed]
    faults += [f"{title}: no program says: {message}" for message in listed if message not in said]
    faults += [f"{title}: twice: {message}" for message in set(listed) if listed.count(message) > 1]
    for row, events in known:
        meant = {event for message in row for event in said.get(message, ()) if event}
        if meant != events:
            faults.append(f"{title}: {sorted(row)}: the events are {sorted(meant)}")
faults += [f"Fields: not in the document: {name}" for name in sorted(fields - told)]
faults += [f"Fields: no event has {name}" for name in sorted(told - fields)]
if faults:
    sys.exit("\n".join(faults))
print(f"{sum(map(len, wanted.values()))} messages and {len(fields)} fields are in the document")
