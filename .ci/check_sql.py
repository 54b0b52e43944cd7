#!/usr/bin/env python3
"""Check that no statement in src/ is made of text that has not been quoted.

SQL runs through one door, base/statement.c, which fixes the search path, and the
functions of ours that lead to it; worker/job.c runs what can't be in a
transaction.  What is given to them as a statement must be written down in the source: string
literals, macros, a choice between such, or psprintf() of a literal whose %s are
filled by what PostgreSQL has quoted (quote_identifier() and its kin) or by what
is listed here with a reason.  Values go in as parameters, $1 and so on.

usage: check_sql.py [src]
"""
import pathlib
import re
import sys

# Functions that run SQL, with the number of the argument that is the statement.
DOORS = {
    'SPI_execute': 0, 'SPI_exec': 0, 'SPI_execute_with_args': 0, 'SPI_execute_extended': 0,
    'SPI_prepare': 0, 'SPI_prepare_extended': 0, 'SPI_prepare_params': 0, 'SPI_cursor_open_with_args': 1,
    'SPI_cursor_parse_open': 1, 'pg_parse_query': 0, 'raw_parser': 0, 'pg_analyze_and_rewrite_fixedparams': 1,
}
# Who may use PostgreSQL's.
ENDS = {'base/statement.c', 'worker/job.c'}
# What may fill a %s: PostgreSQL's quoting, and in a file what it makes safe itself.
QUOTING = {'quote_identifier', 'quote_qualified_identifier', 'quote_literal_cstr'}
SAFE = {
    'auth/key_use.c': {'tables[i]': 'names of ours'},
    'stream/segment.c': {'name': 'change_log_N, made of a number', 'compression': 'one of two literals'},
    'table/ddl.c': {'compression': 'one of two literals', 'slots.data': 'columns, made of numbers',
                    'quoted_name': 'quoted by its maker', 'quoted_relation': 'quotes the names',
                    'storage_parameters': 'literals', 'tablespace_clause': 'quotes the name'},
}
# Statements that a function hands on; its callers are checked instead.
HANDED_ON = re.compile(r'^(statement|command|query)$')
# Functions that make a statement, checked where they are defined.
MAKERS = {'dyn_index_create_statement', 'drop_statement'}

LITERAL = re.compile(r'"(?:[^"\\]|\\.)*"')


def strip_comments(text):
    def blank(match):
        return match.group(0) if match.group(0)[0] == '"' else re.sub(r'[^\n]', ' ', match.group(0))
    return re.sub(r'"(?:[^"\\\n]|\\.)*"|/\*.*?\*/', blank, text, flags=re.S)


def arguments(text, start):
    """The arguments of the call whose '(' is at start, and where it ends."""
    depth, i, begin, found = 0, start, start + 1, []
    while i < len(text):
        c = text[i]
        if c == '"':
            i = LITERAL.match(text, i).end()
            continue
        if c == "'":
            i += 4 if text[i + 1] == '\\' else 3
            continue
        if c in '([{':
            depth += 1
        elif c in ')]}':
            depth -= 1
            if depth == 0:
                found.append(text[begin:i].strip())
                return found, i
        elif c == ',' and depth == 1:
            found.append(text[begin:i].strip())
            begin = i + 1
        i += 1
    raise ValueError('a call without an end')


def is_safe_text(argument, safe):
    """May it stand for a %s?"""
    argument = argument.strip()
    if re.fullmatch(r'(?:' + LITERAL.pattern + r'|\s)+', argument):
        return True
    choice = re.fullmatch(r'[\w\s>.\-!=&|()*]+\?(.+):(.+)', argument, re.S)
    if choice:
        return is_safe_text(choice.group(1), safe) and is_safe_text(choice.group(2), safe)
    first = re.match(r'[\w.]+(?:\[\w+\])?', argument)
    return first is not None and (first.group(0) in QUOTING or first.group(0) in safe)


def problem(statement, safe):
    """Why this is no safe statement, or None."""
    statement = statement.strip()
    if HANDED_ON.match(statement):
        return None
    rest = LITERAL.sub('', statement).strip()
    rest = re.sub(r'\b(?:CppAsString2|[A-Z][A-Z0-9_]*)\(\s*[A-Z0-9_]*\s*\)', '', rest)
    if re.fullmatch(r'[A-Z0-9_\s]*', rest):
        return None
    call = re.match(r'(\w+)\s*\(', statement)
    if call and call.group(1) == 'psprintf':
        parts, _ = arguments(statement, call.end() - 1)
        formats = re.findall(r'%(?!%)[-0-9.*]*(?:ll|l|z)?[a-zA-Z]', ''.join(LITERAL.findall(parts[0])))
        if len(formats) != len(parts) - 1:
            return 'its format and its arguments differ in number'
        for kind, argument in zip(formats, parts[1:]):
            if kind[-1] == 's' and not is_safe_text(argument, safe):
                return f'{argument} is neither quoted nor known'
        return None
    if call and call.group(1) in MAKERS:
        return None
    choice = re.match(r'[\w\s>.\-!=&|()*]+\?', rest)
    if choice and re.fullmatch(r'[A-Z0-9_\s:]*', rest[choice.end():]):
        return None
    return 'it is not written down here'


def functions(text):
    """Each function: is it static, its name, its parameters, its body."""
    for match in re.finditer(r'^(.*)\n(\w+)\(((?:[^()]|\([^()]*\))*)\)\n\{', text, re.M):
        yield (match.group(1).startswith('static'), match.group(2), match.group(3),
               text[match.end():text.find('\n}', match.end())])


def doors_of(texts):
    """Path, or None for everybody's, to {door: number of the statement's argument}.

    Who hands a statement on to a door is one himself, for who can call him."""
    doors = {None: dict(DOORS)}
    grown = True
    while grown:
        grown = False
        for path, text in texts.items():
            for is_static, name, parameters, body in functions(text):
                known = {**doors[None], **doors.get(path, {})}
                names = [re.search(r'(\w+)(?:\[\])?$', p.strip()) for p in parameters.split(',')]
                handed = [i for i, n in enumerate(names) if n and HANDED_ON.match(n.group(1))]
                if handed and name not in known and any(
                        call in known for call in re.findall(r'\b(\w+)\s*\(', body)):
                    doors.setdefault(path if is_static else None, {})[name] = handed[0]
                    grown = True
    return doors


def main():
    source = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else 'src')
    texts = {path: strip_comments(path.read_text()) for path in sorted(source.rglob('*.c'))}
    own = doors_of(texts)
    errors, checked = [], 0
    for path, text in texts.items():
        doors = {**own[None], **own.get(path, {})}
        for match in re.finditer(r'\b(' + '|'.join(map(re.escape, doors)) + r')\s*\(', text):
            line_begin = text.rfind('\n', 0, match.start()) + 1
            if match.start() == line_begin:
                continue        # its definition
            parts, _ = arguments(text, match.end() - 1)
            line = text.count('\n', 0, match.start()) + 1
            if match.group(1) in DOORS and str(path.relative_to(source)) not in ENDS:
                errors.append(f'{path}:{line}: {match.group(1)}() in place of dyn_statement_run()')
            why = problem(parts[doors[match.group(1)]], SAFE.get(str(path.relative_to(source)), {}))
            checked += 1
            if why:
                errors.append(f'{path}:{line}: the statement of {match.group(1)}(): {why}')
        for match in re.finditer(r'\bsnprintf\s*\([^;]*"\s*(?:SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP)\b', text):
            errors.append(f'{path}:{text.count(chr(10), 0, match.start()) + 1}: SQL is made by snprintf()')
        for match in re.finditer(r'appendStringInfo\w*\s*\(\s*&?\w+,\s*"\s*(?:SELECT|INSERT INTO|UPDATE|DELETE FROM|CREATE|ALTER|DROP)\b', text):
            errors.append(f'{path}:{text.count(chr(10), 0, match.start()) + 1}: SQL is made by appendStringInfo()')
    if checked < 30:
        errors.append(f'only {checked} statements were found: the check has gone blind')
    for error in errors:
        print(error, file=sys.stderr)
    return 1 if errors else 0


sys.exit(main())
