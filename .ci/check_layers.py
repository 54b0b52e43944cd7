#!/usr/bin/env python3
"""Check src/ against src/LAYERS: every include must follow an allowed edge.

src/LAYERS has one line per directory, "name: directories it may include",
listed bottom first.  A directory may name only directories above its own line
in the file, so the graph cannot contain a cycle.  Only dynamo.c and
sql_functions.c, which have no directory, may include everything.  No directory
of ours may share a name with one of PostgreSQL's, or a reader could not tell
whose "catalog/..." a line names.  An edge that nothing uses goes, too.

usage: check_layers.py [--dot] [src]
"""
import os
import pathlib
import re
import subprocess
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"/]+)/[^"]+"', re.M)
EXTERN = re.compile(r'^extern\b(?!.*PG_FUNCTION_ARGS)', re.M)


def read_layers(path):
    allowed, errors = {}, []
    for n, line in enumerate(path.read_text().splitlines(), 1):
        line = line.split('#')[0].strip()
        if not line:
            continue
        name, _, deps = line.partition(':')
        for dep in deps.split():
            if dep not in allowed:
                errors.append(f'{path}:{n}: {name} names {dep}, which is not below it')
        allowed[name.strip()] = set(deps.split())
    return allowed, errors


def postgres_dirs():
    pg_config = os.environ.get('PG_CONFIG', 'pg_config')
    out = subprocess.run([pg_config, '--includedir-server'], check=True, capture_output=True, text=True)
    return {p.name for p in pathlib.Path(out.stdout.strip()).iterdir() if p.is_dir()}


def main(argv):
    src = pathlib.Path([a for a in argv if a != '--dot'][0] if argv and argv != ['--dot'] else 'src')
    allowed, errors = read_layers(src / 'LAYERS')
    errors += [f'{src}/LAYERS: {name} is also a directory of PostgreSQL headers'
               for name in allowed if name in postgres_dirs()]
    used = {name: set() for name in allowed}
    for path in sorted(src.glob('*/**/*.[chyl]')):
        own, text = path.relative_to(src).parts[0], path.read_text()
        if own not in allowed:
            errors.append(f'{path}: directory {own} is not in {src}/LAYERS')
            continue
        for m in INCLUDE.finditer(text):
            dep, line = m.group(1), text.count('\n', 0, m.start(1)) + 1
            if dep not in allowed or dep == own:
                continue            # a PostgreSQL or system header, or our own
            used[own].add(dep)
            if dep not in allowed[own]:
                errors.append(f'{path}:{line}: {own} may not include {dep}')
        if path.suffix == '.c':
            for m in EXTERN.finditer(text):
                line = text.count('\n', 0, m.start()) + 1
                errors.append(f'{path}:{line}: extern in a .c file hides a dependency; include the header')
    errors += [f'{src}/LAYERS: {a} -> {b} is allowed but unused'
               for a in allowed for b in sorted(allowed[a] - used[a])]
    if '--dot' in argv:
        print('digraph layers { rankdir=BT; node [shape=box];')
        print(''.join(f'  {a} -> {b};\n' for a in used for b in sorted(used[a])) + '}')
    print('\n'.join(errors), file=sys.stderr)
    return 1 if errors else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
