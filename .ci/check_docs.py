#!/usr/bin/env python3
"""Check the docs against the source, and every link in them.

Each setting has its place in docs/settings.md, each exception of
base/error_list.h in docs/errors.md, each operation its page in
docs/operations/, and each directory of src/ its README.md.  What these pages
list must exist.  Relative links lead to a file, and to a heading in it; a test
that is named (`test/api/test_auth.py::test_expired`) is there.
Examples are not checked here: test/api/test_docs.py runs them.

usage: check_docs.py
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LINK = re.compile(r'\[[^\]]*\]\(([^)\s]+)\)')
errors = []


def text(path):
    try:
        return (ROOT / path).read_text()
    except FileNotFoundError:
        errors.append(f'{path} is missing')
        return ''


def snake(name):
    return re.sub(r'(?<!^)(?=[A-Z])', '_', name).lower()


def prose(markdown):
    """Without fenced code and code spans: a link there is none."""
    return re.sub(r'`[^`\n]*`', '', re.sub(r'^```.*?^```', '', markdown, flags=re.M | re.S))


def anchors(markdown):
    """The anchors of a page's headings, made as code hosts make them."""
    found = set()
    for heading in re.findall(r'^#+ +(.*)$', re.sub(r'^```.*?^```', '', markdown,
                                                    flags=re.M | re.S), re.M):
        found.add(re.sub(r'[^\w\- ]', '', heading.lower()).replace(' ', '-'))
    return found


def same(what, defined, page, described):
    for name in sorted(defined - described):
        errors.append(f'{page}: {what} {name} is not described')
    for name in sorted(described - defined):
        errors.append(f'{page}: there is no {what} {name}')


def check_lists():
    settings = set(re.findall(r'DefineCustom\w+Variable\("(dynamo\.\w+)"',
                              text('src/base/settings.c')))
    # Described: named first in a heading or a table's row.
    first = re.compile(r'^(?:#+ |\| *)`([\w.]+)`', re.M)
    same('setting', settings, 'docs/settings.md',
         {n for n in first.findall(text('docs/settings.md')) if n.startswith('dynamo.')})
    exceptions = set(re.findall(r'^DYN_EXCEPTION\(.*"(\w+)"\)$',
                                text('src/base/error_list.h'), re.M))
    same('exception', exceptions, 'docs/errors.md',
         set(first.findall(text('docs/errors.md'))))
    operations = {snake(n) for n in re.findall(
        r'^DYN_OPERATION\((\w+),', text('src/operation/operation_list.h'), re.M)}
    same('operation', operations, 'docs/operations',
         {p.stem for p in (ROOT / 'docs/operations').glob('*.md')} - {'README'})
    for directory in sorted((ROOT / 'src').glob('*/')):
        if not (directory / 'README.md').exists():
            errors.append(f'{directory.relative_to(ROOT)}/README.md is missing')


def check_links():
    pages = [p for p in ROOT.rglob('*.md')
             if not {'node_modules', '.venv', '.cluster'} & set(p.relative_to(ROOT).parts)]
    for page in sorted(pages):
        for link in LINK.findall(prose(page.read_text())):
            if re.match(r'[a-z]+:', link):
                continue
            target, _, anchor = link.partition('#')
            path = (page.parent / target).resolve() if target else page
            where = page.relative_to(ROOT)
            if not path.exists():
                errors.append(f'{where}: {link} leads nowhere')
            elif anchor and path.suffix == '.md' and anchor not in anchors(path.read_text()):
                errors.append(f'{where}: {link} names no heading')


def check_tests():
    """A claim whose test has gone is a claim no longer."""
    for page in sorted((ROOT / 'docs').rglob('*.md')):
        for path, name in re.findall(r'`(test/[\w./]+\.\w+)(?:::([\w ]+))?`', page.read_text()):
            where = page.relative_to(ROOT)
            if not (ROOT / path).exists():
                errors.append(f'{where}: there is no {path}')
            elif name and not re.search(rf'\b{re.escape(name)}\b', text(path)):
                errors.append(f'{where}: {path} has no {name}')


check_lists()
check_links()
check_tests()
print('\n'.join(errors), file=sys.stderr, end='\n' if errors else '')
sys.exit(1 if errors else 0)
