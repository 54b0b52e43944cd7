"""Which members of requests and responses the tests have sent and seen.

The service model inside botocore names every member of every shape.  While the
API tests run, record() counts what goes over the wire; as a program this prints,
for each operation this server has, how often each member was sent or seen, and
fails if one never was.

A member is counted by operation and shape: AttributeValue's S in a PutItem, a
GlobalSecondaryIndexDescription's IndexStatus in a DescribeTable.  So are the
values of enums that can be sent, and the exceptions.  members_untouched.txt
says what no test can touch, and why.

usage: member_coverage.py [--all] [OPERATION ...]
"""
import argparse
import collections
import functools
import json
import os
import pathlib
import re
import sys

import botocore.httpsession
import botocore.session

ROOT = pathlib.Path(__file__).resolve().parents[2]
RECORDS = ROOT / '.build/members'

SENT, SEEN, RAISED = 'sent', 'seen', 'raised'


def load_untouchable():
    """The excuses: regular expressions, with comments for the reasons."""
    lines = (pathlib.Path(__file__).parent / 'members_untouched.txt').read_text().splitlines()
    return [re.compile(line) for line in lines if line and not line.startswith('#')]


@functools.cache
def models():
    session = botocore.session.get_session()
    return [session.get_service_model(name) for name in ('dynamodb', 'dynamodbstreams')]


def shapes_of(operation):
    """The model of an operation, of whichever service it is."""
    return next(m for m in models() if operation in m.operation_names).operation_model(operation)


def operations():
    """The operations of this server."""
    text = (ROOT / 'src/operation/operation_list.h').read_text()
    return re.findall(r'^DYN_OPERATION\((\w+)', text, re.M)


# What was sent and seen: (operation, direction, "Shape.member") -> times.
counts = collections.Counter()


def walk(shape, value, touch):
    """Call touch(shape, member) for what value, a JSON value, has of shape."""
    if shape.type_name == 'structure' and isinstance(value, dict):
        # SDKs take either spelling of an error's text.
        value = {**value, **{n: value[o] for n, o in (('message', 'Message'), ('Message', 'message'))
                             if o in value}}
        for name, member in shape.members.items():
            if name in value and value[name] is not None:
                touch(shape, name)
                walk(member, value[name], touch)
    elif shape.type_name == 'list' and isinstance(value, list):
        for element in value:
            walk(shape.member, element, touch)
    elif shape.type_name == 'map' and isinstance(value, dict):
        for element in value.values():
            walk(shape.value, element, touch)
    elif getattr(shape, 'enum', None) and isinstance(value, str) and value in shape.enum:
        touch(shape, value)


def record(operation, request, response):
    """Count one exchange; both are bodies as bytes."""
    try:
        shapes = shapes_of(operation)
        request, response = json.loads(request), json.loads(response)
    except Exception:           # not an operation, or not JSON: a test of just that
        return

    def toucher(direction):
        def touch(shape, member):
            counts[operation, direction, f'{shape.name}.{member}'] += 1
        return touch

    if shapes.input_shape is not None:
        walk(shapes.input_shape, request, toucher(SENT))
    if isinstance(response, dict) and '__type' in response:
        counts[operation, RAISED, response['__type'].rpartition('#')[2]] += 1
        for error in shapes.error_shapes:
            if error.name == response['__type'].rpartition('#')[2]:
                walk(error, response, toucher(SEEN))
    elif shapes.output_shape is not None:
        walk(shapes.output_shape, response, toucher(SEEN))


def record_sdk():
    """Count what boto3 sends from now on."""
    send = botocore.httpsession.URLLib3Session.send

    def recording_send(self, request):
        reply = send(self, request)
        target = request.headers.get('X-Amz-Target', b'')
        if isinstance(target, bytes):
            target = target.decode()
        record(target.rpartition('.')[2], request.body or b'', reply.content)
        return reply

    botocore.httpsession.URLLib3Session.send = recording_send


def save():
    """Leave what this process has counted to the report."""
    RECORDS.mkdir(parents=True, exist_ok=True)
    (RECORDS / f'{os.getpid()}.json').write_text(json.dumps(
        [[*key, times] for key, times in counts.items()]))


def expected(operation):
    """All there is to touch in an operation: [(direction, "Shape.member")]."""
    shapes = shapes_of(operation)
    result = {}                 # of its keys; the order is the model's

    def add(direction, shape, seen):
        if shape.type_name == 'structure':
            if shape.name in seen:
                return
            seen.add(shape.name)
            for name, member in shape.members.items():
                result[direction, f'{shape.name}.{name}'] = True
                add(direction, member, seen)
        elif shape.type_name == 'list':
            add(direction, shape.member, seen)
        elif shape.type_name == 'map':
            add(direction, shape.value, seen)
        elif getattr(shape, 'enum', None) and direction == SENT and shape.name not in seen:
            seen.add(shape.name)
            result.update(((direction, f'{shape.name}.{value}'), True) for value in shape.enum)

    if shapes.input_shape is not None:
        add(SENT, shapes.input_shape, set())
    if shapes.output_shape is not None:
        add(SEEN, shapes.output_shape, set())
    for error in shapes.error_shapes:
        result[RAISED, error.name] = True
        add(SEEN, error, set())
    return result


def report(names, show_all):
    """Print the report; returns how many members are untouched without a reason."""
    for path in RECORDS.glob('*.json'):
        for operation, direction, member, times in json.loads(path.read_text()):
            counts[operation, direction, member] += times
    untouchable = load_untouchable()
    used = set()
    missing = []
    print(f'{"operation":38} {"members":>8} {"touched":>8} {"excused":>8} {"missing":>8}')
    totals = [0, 0, 0, 0]
    details = []
    for operation in names:
        row = [0, 0, 0, 0]
        for direction, member in expected(operation):
            times = counts[operation, direction, member]
            label = f'{operation} {direction} {member}'
            excuses = [e for e in untouchable if e.fullmatch(label)]
            used.update(excuses if not times else [])
            row[0] += 1
            if times:
                row[1] += 1
            elif excuses:
                row[2] += 1
            else:
                row[3] += 1
                missing.append(label)
            details.append(f'{times:9} {label}')
        print(f'{operation:38} {row[0]:8} {row[1]:8} {row[2]:8} {row[3]:8}')
        totals = [a + b for a, b in zip(totals, row)]
    print(f'{"all":38} {totals[0]:8} {totals[1]:8} {totals[2]:8} {totals[3]:8}')
    if show_all:
        print('\n'.join(['', *details]))
    absent = sorted({name for m in models() for name in m.operation_names} - set(operations()))
    print(f'\nOperations this server does not have: {", ".join(absent)}')
    stale = [e.pattern for e in untouchable if e not in used] \
        if len(names) == len(operations()) else []
    for label in missing:
        print(f'never touched: {label}')
    for pattern in stale:
        print(f'excused for nothing: {pattern}')
    return len(missing) + len(stale)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--all', action='store_true', help='every member with its count')
    parser.add_argument('operations', nargs='*')
    options = parser.parse_args()
    sys.exit(1 if report(options.operations or operations(), options.all) else 0)


if __name__ == '__main__':
    main()
