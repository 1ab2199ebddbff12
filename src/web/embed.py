#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes a C file with the contents of other files, for web/pages.h.

embed.py OUTPUT FRAME FILE...

What all pages of HTML have in common is in FRAME, with @name@ for what differs: each page has its
own in a comment at its beginning, and what follows that is @content@.
"""

import re
import sys
from pathlib import Path

TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8",
         ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


def framed(page, frame):
    head, content = re.fullmatch(r"<!-- (.*?) -->\n(.*)", page, re.DOTALL).groups()
    own = dict(line.split(": ", 1) for line in head.splitlines()) | {"content": content}
    here = f'<a href="{own.pop("path")}"'
    text = frame.replace(f"{here}>", f'{here} aria-current="page">')
    return re.sub("@([a-z]+)@", lambda name: own[name[1]], text)


def main():
    output, frame, *names = sys.argv[1:]
    lines = ["/* Made by embed.py. */", '#include "web/pages.h"', ""]
    rows = []
    for number, path in enumerate(map(Path, names)):
        data = path.read_bytes()
        if path.suffix == ".html":
            data = framed(data.decode(), Path(frame).read_text(encoding="utf-8")).encode()
        lines.append(f"static const unsigned char data_{number}[] = {{")
        lines += [",".join(map(str, data[at:at + 24])) + "," for at in range(0, len(data), 24)]
        lines.append("};")
        rows.append(f'\t{{"{path.name}", "{TYPES[path.suffix]}", data_{number}, sizeof(data_{number})}},')
    lines += ["", "const struct page pages[] = {", *rows, "};",
              "const size_t pages_count = sizeof(pages) / sizeof(pages[0]);", ""]
    Path(output).write_text("\n".join(lines))


main()
