#!/usr/bin/env python3
"""Load this machine's own Debian package index into DynamoDB and question it.

usage: packages.py [--limit N] [--table NAME]

An ordinary boto3 program: it finds the endpoint and the key in the environment
(eval "$(make -s env)") and knows nothing of dynamo.  The records come from
apt-cache dumpavail, or from dpkg's list of what is installed where apt has no
lists.
"""
import argparse
import collections
import itertools
import re
import subprocess
import sys
import time

import boto3
from boto3.dynamodb.conditions import Attr, Key
from boto3.dynamodb.types import Binary
from botocore.exceptions import ClientError

RELATION = re.compile(r'([^ (:\[]+)(?::(\S+))?(?: *\((<<|<=|=|>=|>>) *([^)]+)\))?')
PERSON = re.compile(r'(.*?) *<(.*)>')


# --- the records --------------------------------------------------------------

def index_text():
    """The lines of the package index."""
    for command in (['apt-cache', 'dumpavail'], ['cat', '/var/lib/dpkg/status']):
        try:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True,
                                       encoding='utf-8', errors='replace')
        except FileNotFoundError:
            continue
        first = process.stdout.readline()
        if first:
            return itertools.chain([first], process.stdout)
    sys.exit('no package index here: this example wants a Debian system')


def stanzas(lines):
    """Each paragraph of the index as a dictionary of its fields."""
    fields, name = {}, None
    for line in lines:
        line = line.rstrip('\n')
        if not line:
            if fields:
                yield fields
            fields, name = {}, None
        elif line[0] in ' \t':
            fields[name] += '\n' + line[1:]
        else:
            name, _, value = line.partition(':')
            fields[name] = value.strip()
    if fields:
        yield fields


def relations(text):
    """'a (>= 1) | b, c' -> a list of lists of alternatives."""
    result = []
    for group in text.split(','):
        alternatives = []
        for alternative in group.split('|'):
            match = RELATION.match(alternative.strip())
            if match:
                name, architecture, operator, version = match.groups()
                relation = {'Package': name}
                if architecture:
                    relation['Architecture'] = architecture
                if operator:
                    relation['Version'] = {'Operator': operator, 'Value': version.strip()}
                alternatives.append(relation)
        if alternatives:
            result.append(alternatives)
    return result


def tags(text):
    """'role::program, use::{a,b}' -> {'role::program', 'use::a', 'use::b'}"""
    result = set()
    for facet, several, one in re.findall(r'([\w:-]+::)(?:\{([^}]*)\}|([\w:.+-]+))', text):
        result.update(facet + value for value in (several.split(',') if several else [one]))
    return result


def item(fields):
    """One stanza as an item.  The key: section, and the .deb's name."""
    result = {
        'Section': fields.get('Section', 'unknown'),
        'Deb': '_'.join((fields['Package'], fields['Version'], fields['Architecture'])),
        'Package': fields['Package'],
        'Version': fields['Version'],
        'Architecture': fields['Architecture'],
        'Description': fields.get('Description', ''),
        'Essential': fields.get('Essential') == 'yes',
        'Homepage': fields.get('Homepage'),
    }
    for name in ('Installed-Size', 'Size'):
        if name in fields:
            result[name.replace('-', '')] = int(fields[name])
    for name in ('Depends', 'Pre-Depends', 'Recommends', 'Suggests', 'Conflicts', 'Breaks',
                 'Replaces', 'Provides'):
        if name in fields:
            result[name.replace('-', '')] = relations(fields[name])
    if 'Tag' in fields and (found := tags(fields['Tag'])):
        result['Tags'] = found
    if 'SHA256' in fields:
        result['SHA256'] = Binary(bytes.fromhex(fields['SHA256']))
    if match := PERSON.match(fields.get('Maintainer', '')):
        result['Maintainer'] = {'Name': match[1], 'Email': match[2]}
    return result


def records(limit=None):
    """Items with unique keys; an index may name one .deb in two suites."""
    seen = set()
    for fields in stanzas(index_text()):
        if not {'Package', 'Version', 'Architecture'} <= fields.keys():
            continue
        record = item(fields)
        key = (record['Section'], record['Deb'])
        if key not in seen:
            seen.add(key)
            yield record
        if limit and len(seen) >= limit:
            return


# --- loading ------------------------------------------------------------------

def create_table(dynamodb, name):
    """A new, empty table; one of an earlier run goes."""
    table = dynamodb.Table(name)
    try:
        table.delete()
        table.wait_until_not_exists()
    except dynamodb.meta.client.exceptions.ResourceNotFoundException:
        pass
    table = dynamodb.create_table(
        TableName=name, BillingMode='PAY_PER_REQUEST',
        AttributeDefinitions=[{'AttributeName': 'Section', 'AttributeType': 'S'},
                              {'AttributeName': 'Deb', 'AttributeType': 'S'}],
        KeySchema=[{'AttributeName': 'Section', 'KeyType': 'HASH'},
                   {'AttributeName': 'Deb', 'KeyType': 'RANGE'}])
    table.wait_until_exists()
    return table


def load(table, limit=None, progress=lambda *_: None):
    """Write the records, 25 a call; return how many."""
    count, start = 0, time.monotonic()
    with table.batch_writer() as batch:
        for record in records(limit):
            batch.put_item(Item=record)
            count += 1
            if count % 250 == 0:
                progress(count, time.monotonic() - start)
    progress(count, time.monotonic() - start)
    return count


# --- questions ----------------------------------------------------------------

def pages(call, **parameters):
    """The answers to one Query or Scan, page by page."""
    while True:
        answer = call(**parameters)
        yield answer
        if 'LastEvaluatedKey' not in answer:
            return
        parameters['ExclusiveStartKey'] = answer['LastEvaluatedKey']


def everything(call, **parameters):
    return [i for page in pages(call, **parameters) for i in page['Items']]


def count_in_segments(table, segments=4):
    """How many items?  A parallel Scan's segments, one after the other here."""
    return sum(page['Count'] for segment in range(segments)
               for page in pages(table.scan, Select='COUNT', Segment=segment,
                                 TotalSegments=segments))


def names_in_section(table, section, prefix):
    """Which packages of a section begin with these letters?  One Query."""
    return [i['Package'] for i in everything(
        table.query, ProjectionExpression='Package',
        KeyConditionExpression=Key('Section').eq(section) & Key('Deb').begins_with(prefix))]


def last_of_section(table, section, count):
    """The last ones by name: a Query backwards, in small pages."""
    found = []
    for page in pages(table.query, KeyConditionExpression=Key('Section').eq(section),
                      ScanIndexForward=False, Limit=3, ProjectionExpression='Deb'):
        found += [i['Deb'] for i in page['Items']]
        if len(found) >= count:
            break
    return found[:count]


def largest(table, at_least, count):
    """The largest installations: a Scan with a filter on a number."""
    found = everything(table.scan, FilterExpression=Attr('InstalledSize').gte(at_least),
                       ProjectionExpression='Deb, InstalledSize')
    return sorted(((int(i['InstalledSize']), i['Deb']) for i in found),
                  key=lambda f: (-f[0], f[1]))[:count]


def with_tag(table, tag):
    """How many have a tag?  contains() on a set."""
    return sum(page['Count'] for page in pages(
        table.scan, Select='COUNT', FilterExpression=Attr('Tags').contains(tag)))


def without_homepage(table):
    """NULL is a type of its own."""
    return sum(page['Count'] for page in pages(
        table.scan, Select='COUNT', FilterExpression=Attr('Homepage').attribute_type('NULL')))


def first_choices(table):
    """What is depended on most, as a first choice?  Two levels of a document."""
    counts = collections.Counter()
    for i in everything(table.scan, ProjectionExpression='Depends',
                        FilterExpression=Attr('Depends').exists()):
        counts.update({group[0]['Package'] for group in i['Depends']})
    return sorted(counts.items(), key=lambda c: (-c[1], c[0]))[:5]


def review(table, key):
    """Mark a package as reviewed, once; count how often it was tried."""
    try:
        table.update_item(
            Key=key, UpdateExpression='SET Review = :r', ConditionExpression=Attr('Review').not_exists(),
            ExpressionAttributeValues={':r': {'By': 'example', 'Steps': ['read']}})
        return True
    except ClientError as e:
        if e.response['Error']['Code'] != 'ConditionalCheckFailedException':
            raise
        return False
    finally:
        table.update_item(Key=key, UpdateExpression='ADD Tries :one',
                          ExpressionAttributeValues={':one': 1})


def add_step(table, key, step):
    """Append to a list two levels down; the item as it is then."""
    return table.update_item(
        Key=key, UpdateExpression='SET Review.Steps = list_append(Review.Steps, :s) REMOVE Review.#by',
        ExpressionAttributeNames={'#by': 'By'}, ExpressionAttributeValues={':s': [step]},
        ReturnValues='ALL_NEW')['Attributes']


# --- the program --------------------------------------------------------------

def show_progress(count, seconds):
    if sys.stdout.isatty():
        print(f'\r  {count} items, {count / max(seconds, .001):.0f} per second ', end='', flush=True)
    elif count % 10000 == 0:
        print(f'  {count} items', flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--limit', type=int, help='load only so many records')
    parser.add_argument('--table', default='DebianPackages')
    options = parser.parse_args()

    dynamodb = boto3.resource('dynamodb')
    print(f'Loading the package index into table {options.table}')
    table = create_table(dynamodb, options.table)
    start = time.monotonic()
    count = load(table, options.limit, show_progress)
    seconds = time.monotonic() - start
    print(f'\r  {count} items in {seconds:.1f} s, {count / seconds:.0f} per second')

    def answer(question, function, *arguments):
        begin = time.monotonic()
        result = function(table, *arguments)
        print(f'\n{question}  ({(time.monotonic() - begin) * 1000:.0f} ms)')
        return result

    print('  ', answer('How many items are there?', count_in_segments))
    print('  ', ', '.join(answer('Editors whose name begins with "vim"?', names_in_section,
                                 'editors', 'vim')) or 'none')
    for deb in answer('The last five of section libs?', last_of_section, 'libs', 5):
        print('  ', deb)
    top = answer('The largest installations?', largest, 100000, 5)
    for size, deb in top:
        print(f'   {size / 1024:8.0f} MB  {deb}')
    print('  ', answer('How many are written in C?', with_tag, 'implemented-in::c'))
    print('  ', answer('How many have no homepage?', without_homepage))
    for package, dependents in answer('What is depended on most?', first_choices):
        print(f'   {dependents:6}  {package}')
    first = table.scan(Limit=1)['Items'][0]
    first = {name: first[name] for name in ('Section', 'Deb')}
    print('  ', answer('Review one package: is it ours?', review, first))
    print('  ', answer('And again?', review, first))
    reviewed = answer('A step more?', add_step, first, 'built')
    print('  ', reviewed['Deb'], reviewed['Review'], 'tries:', reviewed['Tries'])


if __name__ == '__main__':
    main()
