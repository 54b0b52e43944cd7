"""A slow model of IAM's policies, and random cases for it.

It shares nothing with the server: patterns are regular expressions, numbers
decimal.Decimal, networks ipaddress, and a document is read anew for each
question.  Three values are True, False and None for unknown.

run() compares decisions thousands at a time.  Where something is unknown, it
also asks the server about worlds in which it is not: what was certain must be
so in each of them.
"""
import base64
import copy
import datetime
import decimal
import ipaddress
import json
import random
import re

ABSENT = object()
ACCOUNT = '000000000001'
USER = f'arn:aws:iam::{ACCOUNT}:user/a'
ROLE = f'arn:aws:iam::{ACCOUNT}:role/r'
SESSION = f'arn:aws:sts::{ACCOUNT}:assumed-role/r/s'


# --- three values ---

def all3(values):
    values = list(values)
    return False if False in values else None if None in values else True


def any3(values):
    values = list(values)
    return True if True in values else None if None in values else False


def not3(value):
    return None if value is None else not value


# --- patterns ---

VARIABLE = re.compile(r"\$\{(?:([*?$])|([^,}]+?)(?:,\s*'([^']*)')?)\}")


def values_of(request, key):
    """A list of texts, ABSENT, or None for unknown; and whether it is a list by nature."""
    for name, value in request['context'].items():
        if name.lower() == key.lower():
            if value is None:
                return None, False
            if isinstance(value, list):
                return value or ABSENT, True
            return [value], False
    return ABSENT, False


def like(pattern, text, request, wildcards=True, fold=False, resource=False):
    """Whether it fits, and whether it lacks the value of a variable."""
    def literal(part):
        return re.escape(lower(part) if fold else part)

    def regular(part, following=''):
        """following: what comes after the part, or nothing."""
        if not wildcards:
            return literal(part)
        out = []
        for i, c in enumerate(part):
            rest = (part[i + 1:] + following).lstrip('*')
            colons = sum(s.count(':') for s in seen) + part[:i].count(':')
            within = resource and colons < 5
            if c == '*':
                out.append('[^:]*' if within and rest and rest[0] != ':' else '.*')
            elif c == '?':
                out.append('[^:]' if within else '.')
            else:
                out.append(literal(c))
        seen.append(part)
        return ''.join(out)

    seen = []
    out, at, known, lacking = [], 0, [True], [False]
    for match in VARIABLE.finditer(pattern):
        out.append(regular(pattern[at:match.start()], match.group()))
        at = match.end()
        character, key, default = match.groups()
        values, is_list = (character, False) if character else values_of(request, key)
        if values is None:
            out.append('.*')
            known.append(None)
            lacking.append(None if default is None else False)
        elif values is not ABSENT and not is_list:
            out.append(literal(values[0]))
        elif default is not None:
            out.append(literal(default))
        else:
            known.append(False)
            lacking.append(True)
    out.append(regular(pattern[at:]))
    if resource and sum(s.count(':') for s in seen) < 5 and not pattern.endswith('*'):
        out.append('(:.*)?')
    fits = re.fullmatch(''.join(out), lower(text) if fold else text, re.S) is not None
    return all3(known) if fits else False, any3(lacking)


def lower(text):
    return ''.join(c.lower() if ord(c) < 256 else c for c in text)


def cut_arn(text):
    """At the first five colons that are not in variables."""
    return re.split(r':(?![^{}]*\})', text, maxsplit=5)


def arn_like(pattern, arn, request):
    parts, own = cut_arn(pattern), arn.split(':', 5)
    if pattern == '*':
        return True, False
    if len(own) < 6 or len(parts) < 6:
        return False, False
    pairs = [like(part, text, request) for part, text in zip(parts, own)]
    return all3(fits for fits, _ in pairs), any3(lacking for _, lacking in pairs)


def any_fits(pairs, negated, deny):
    """What lacks a value equals nothing: enough to be denied for being something else, not to be allowed."""
    pairs = list(pairs)
    fits = any3(fits for fits, _ in pairs)
    return not3(any3([fits] + [False if deny else lacking for _, lacking in pairs])) if negated else fits


# --- conditions ---

def number(text):
    try:
        if not re.fullmatch(r'[+-]?\d+(\.\d+)?([eE][+-]?\d+)?', text, re.A):
            return None
        return decimal.Decimal(text)
    except decimal.InvalidOperation:
        return None


def moment(text):
    match = re.fullmatch(r'(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d):(\d\d)(?:Z|([+-])(\d\d):(\d\d)))?)?)?', text, re.A)
    if not match:
        return int(text) if re.fullmatch(r'\d+', text, re.A) else None
    year, month, day, hour, minute, second, sign, east, minutes = match.groups()
    at = datetime.datetime(int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0),
                           tzinfo=datetime.timezone.utc)
    offset = datetime.timedelta(hours=int(east or 0), minutes=int(minutes or 0))
    return int((at + offset if sign == '-' else at - offset).timestamp())


def address(text):
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(found, 'ipv4_mapped', None) or found


def compare(operator, text, own, request):
    """Does a value of the request fit one of the condition, without the negation?  And is a variable's lacking?"""
    own = {True: 'true', False: 'false'}.get(own, str(own)) if isinstance(own, (bool, int)) else own
    if operator in ('StringEquals', 'BinaryEquals'):
        if operator == 'BinaryEquals':
            return base64.b64encode(base64.b64decode(own)).decode() == text, False
        return like(own, text, request, wildcards=False)
    if operator in ('StringEqualsIgnoreCase', 'Bool'):
        return like(own, text, request, wildcards=False, fold=True)
    if operator == 'StringLike':
        return like(own, text, request)
    if operator in ('ArnLike', 'ArnEquals'):
        return arn_like(own, text, request)
    if operator == 'IpAddress':
        found, network = address(text), ipaddress.ip_network(own, strict=False)
        return found is not None and found.version == network.version and found in network, False
    read = number if operator.startswith('Numeric') else moment
    a, b = read(text), read(own)
    if a is None:
        return False, False
    return {'Equals': a == b, 'LessThan': a < b, 'LessThanEquals': a <= b, 'GreaterThan': a > b,
            'GreaterThanEquals': a >= b}[re.sub('Numeric|Date', '', operator)], False


def condition_holds(name, key, owns, request, deny):
    owns = owns if isinstance(owns, list) else [owns]
    quantifier, _, operator = name.rpartition(':')
    if_exists = operator.endswith('IfExists')
    operator = operator[:-8] if if_exists else operator
    known = re.match(r'aws:(username|userid|TagKeys|SourceIp|PrincipalArn|CurrentTime|SecureTransport|(Principal|Resource)Tag/.+)$'
                     r'|dynamodb:(LeadingKeys|Attributes)$', key, re.I)
    values, _ = values_of(request, key) if known else (ABSENT, False)
    if operator == 'Null':
        wanted = {str(own).lower() for own in owns}
        if values is None:
            return True if len(wanted) == 2 else None if wanted else False
        return ('true' if values is ABSENT else 'false') in wanted
    if values is None:
        return None
    negated = 'Not' in operator
    operator = operator.replace('Not', '')
    if values is ABSENT:
        return if_exists or quantifier == 'ForAllValues' or quantifier == '' and negated
    results = [any_fits((compare(operator, text, own, request) for own in owns), negated, deny) for text in values]
    if quantifier == 'ForAllValues' or quantifier == '' and not deny:
        return all3(results)
    return any3(results)


# --- statements ---

def as_list(value):
    return value if isinstance(value, list) else [value]


def named(statement, request):
    """How a statement names who asks: directly, by role, by account; None: not at all."""
    part = statement.get('Principal', statement.get('NotPrincipal'))
    if part is None:
        return 'directly'
    ways = set()
    for text in ['*'] if part == '*' else as_list(part.get('AWS', [])):
        if text == '*' or text == request['principal'] and ':role/' not in text:
            ways.add('directly')
        elif text == request['principal']:
            ways.add('directly' if 'NotPrincipal' in statement else 'role')
        elif text == request.get('role'):
            ways.add('role')
        elif text in (request['account'], f'arn:aws:iam::{request["account"]}:root'):
            ways.add('account')
    if 'NotPrincipal' in statement:
        return None if 'directly' in ways else 'directly'
    return next((way for way in ('directly', 'role', 'account') if way in ways), None)


def applies(statement, request):
    actions = as_list(statement.get('Action', statement.get('NotAction')))
    means = any(like(action, request['action'], request, fold=True)[0] for action in actions)
    if means == ('NotAction' in statement):
        return False
    results = []
    if 'Resource' in statement or 'NotResource' in statement:
        resources = as_list(statement.get('Resource', statement.get('NotResource')))
        results.append(any_fits((like(resource, request['resource'], request, resource=True) for resource in resources),
                                'NotResource' in statement, statement['Effect'] == 'Deny'))
    for name, keys in statement.get('Condition', {}).items():
        for key, owns in keys.items():
            results.append(condition_holds(name, key, owns, request, statement['Effect'] == 'Deny'))
    return all3(results)


def judge(document, request):
    """{'deny': ..., 'directly': ..., 'role': ..., 'account': ...}: whether it is denied, and allowed."""
    verdict = {'deny': [], 'directly': [], 'role': [], 'account': []}
    for statement in as_list(document['Statement']):
        way = named(statement, request)
        if way:
            verdict['deny' if statement['Effect'] == 'Deny' else way].append(applies(statement, request))
    return {name: any3(values) for name, values in verdict.items()}


def decide(policies, request):
    """allow, deny or depends; and of a denial whose it is."""
    identity = [judge(document, request) for document in policies.get('identity', [])]
    others = {name: judge(policies[name], request) for name in ('boundary', 'session', 'resource', 'trust') if name in policies}
    denials = [('identity', any3(v['deny'] for v in identity))] + [(name, v['deny']) for name, v in others.items()]
    for name, denial in denials:
        if denial:
            return 'deny', name
    allowed = any3([v['directly'] for v in identity] + [policies.get('granted', False)])
    limits = [(name, others[name]['directly']) for name in ('boundary', 'session') if name in others]
    limit = all3(value for _, value in limits)
    base, directly = allowed, False
    if 'resource' in others:
        base, directly = any3([allowed, others['resource']['role']]), others['resource']['directly']
    if 'trust' in others:
        base = any3([all3([others['trust']['account'], allowed]), others['trust']['role']])
        directly = others['trust']['directly']
    allow = any3([all3([base, limit]), directly])
    if allow is False:
        if base is not False:
            return 'deny', next(name for name, value in limits if value is False)
        return 'deny', 'trust' if 'trust' in others and others['trust']['account'] is False else 'nobody'
    if allow is None or None in [denial for _, denial in denials]:
        return 'depends', None
    return 'allow', None


# --- random cases ---

TEXTS = ['a', 'b', 'ab', 'A', 'é', 'É', '*', '?', 'a*', '', 'aba', '${aws:username}', '$', 'b a']
KEYS = ['aws:username', 'aws:userid', 'aws:PrincipalTag/t', 'aws:ResourceTag/t']
LISTS = ['dynamodb:LeadingKeys', 'dynamodb:Attributes', 'aws:TagKeys']
NUMBERS = ['0', '1', '-1', '1.0', '1e0', '10', '9.99', '-0', '00.1', '1e-1', '12345678901234567890', '12345678901234567891']
TIMES = ['2026', '2026-01', '2026-01-01', '2026-01-01T00:00:00Z', '2026-01-01T01:00:00+01:00', '2025-12-31T23:59:59Z', '1767225600', '1767225601',
         '2026-01-01T00:00:00-00:30', '0']
ADDRESSES = ['10.0.0.1', '10.0.0.2', '10.1.0.1', '::1', '2001:db8::1', '::ffff:10.0.0.1', 'none']
NETWORKS = ['10.0.0.1', '10.0.0.0/30', '10.0.0.0/8', '0.0.0.0/0', '::/0', '2001:db8::/32', '10.0.0.3/31']
ARNS = [USER, ROLE, SESSION, 'arn:aws:iam::2:user/a', 'arn:aws:iam::2:user/a:b', 'a']
ARN_PATTERNS = [USER, 'arn:aws:iam::*:user/*', 'arn:aws:iam::*:*/a', '*', 'arn:aws:*', 'arn:aws:iam::?:user/${aws:username}', 'arn:aws:iam:*:user/a',
                'arn:aws:i?m::2:user/a:?']
BINARIES = ['YQ==', 'YWI=', '', 'YWJh']
PATTERNS = TEXTS[:-2] + ['a?', '*a', '*a*', '?', '**', '${aws:username}*', 'a${aws:userid}', '${aws:PrincipalTag/t}', "${aws:userid, 'b'}", '${*}', '*${?}',
                         'a${$}', '${dynamodb:LeadingKeys}', "${s3:x,'a'}", '${s3:x}', '*b?a*']
FAMILIES = [
    (['StringEquals', 'StringNotEquals', 'StringEqualsIgnoreCase', 'StringNotEqualsIgnoreCase', 'StringLike', 'StringNotLike'], KEYS + LISTS, PATTERNS),
    (['NumericEquals', 'NumericNotEquals', 'NumericLessThan', 'NumericLessThanEquals', 'NumericGreaterThan', 'NumericGreaterThanEquals'],
     ['aws:PrincipalTag/n', 'aws:TagKeys'], NUMBERS),
    (['DateEquals', 'DateNotEquals', 'DateLessThan', 'DateLessThanEquals', 'DateGreaterThan', 'DateGreaterThanEquals'], ['aws:CurrentTime'], TIMES),
    (['Bool'], ['aws:SecureTransport'], ['true', 'false', 'TRUE', True, False]),
    (['BinaryEquals'], ['dynamodb:LeadingKeys', 'aws:PrincipalTag/b'], BINARIES),
    (['IpAddress', 'NotIpAddress'], ['aws:SourceIp'], NETWORKS),
    (['ArnEquals', 'ArnNotEquals', 'ArnLike', 'ArnNotLike'], ['aws:PrincipalArn'], ARN_PATTERNS),
]
VALUES = {'aws:PrincipalTag/n': NUMBERS + ['one'], 'aws:CurrentTime': TIMES + ['now'], 'aws:SecureTransport': ['true', 'false'],
          'aws:PrincipalTag/b': BINARIES, 'aws:SourceIp': ADDRESSES, 'aws:PrincipalArn': ARNS}
ACTIONS = ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:BatchGetItem', 'dynamodb:Query']
ACTION_PATTERNS = ACTIONS + ['*', 'dynamodb:*', 'dynamodb:get*', 'DynamoDB:*ITEM', 'dynamodb:?etItem', 'dynamodb:*t*e*', 's3:*', 'dynamodb:Quer?']
RESOURCES = ['arn:aws:dynamodb:us-east-1:000000000001:table/' + name for name in ('a', 'ab', 'a/index/i', 'b', 'a:b')] + ['*']
RESOURCE_PATTERNS = RESOURCES + ['arn:aws:dynamodb:*:*:table/*', 'arn:aws:dynamodb:*:*:table/a*', 'arn:aws:dynamodb:us-*:?00000000001:table/?',
                                 'arn:aws:dynamodb', 'arn:aws:dynamodb:us-west-1:*', 'arn:aws:dynamodb:us-*:table/a*', 'arn:aws:dynamodb:u*1:*:table/a', 'arn:aws:dynamodb:u*1:a',
                                 'arn:aws:dynamodb:*:*1:??ble/?', 'arn:aws:dynamodb:us?east-1', 'arn:aws:dynamodb:us-east-1?0*', 'arn:aws:dynamodb:*:${aws:username}',
                                 'arn:aws:dynamodb:u**:*:a*:b', 'arn:aws:dynamodb:*a*:*', 'arn:aws:dynamodb:*:*:table/${aws:username}', 'arn:aws:dynamodb:*:*:*/index/*',
                                 "arn:aws:dynamodb:*:*:table/${aws:userid, 'a'}*", 'arn:aws:dynamodb:us-west-1:*:table/${aws:username}', 'arn:*:dynamodb:*:*:table/a:?']
PRINCIPALS = ['*', ACCOUNT, f'arn:aws:iam::{ACCOUNT}:root', USER, ROLE, SESSION, '000000000002', 'arn:aws:iam::000000000002:user/a']


def some(rng, pool, most=3):
    chosen = rng.sample(pool, rng.choice([1, 1, 1, 2, min(most, len(pool))]))
    return chosen[0] if len(chosen) == 1 and rng.random() < .7 else chosen


def other_case(rng, text):
    return text.upper() if rng.random() < .05 else text


def make_condition(rng):
    if rng.random() < .05:
        return 'Null', rng.choice(KEYS + LISTS + ['s3:x']), some(rng, ['true', 'false', True])
    operators, keys, pool = rng.choice(FAMILIES[:1] * 3 + FAMILIES)
    name = rng.choice(['', '', 'ForAllValues:', 'ForAnyValue:']) + rng.choice(operators) + rng.choice(['', '', 'IfExists'])
    return name, other_case(rng, rng.choice(keys)), some(rng, pool)


def make_statement(rng, kind):
    statement = {'Effect': rng.choice(['Allow', 'Allow', 'Allow', 'Allow', 'Deny'])}
    if kind == 'trust':
        statement['Action'] = some(rng, ['sts:AssumeRole', 'sts:*', 'sts:TagSession'])
    elif rng.random() < .5:     # what counts is the condition
        statement.update(Action='*', Resource='*')
    else:
        statement[rng.choice(['Action', 'Action', 'Action', 'NotAction'])] = some(rng, ACTION_PATTERNS)
        statement[rng.choice(['Resource', 'Resource', 'Resource', 'NotResource'])] = some(rng, RESOURCE_PATTERNS)
    if kind != 'identity':
        name = 'NotPrincipal' if statement['Effect'] == 'Deny' and rng.random() < .4 else 'Principal'
        statement[name] = '*' if rng.random() < .1 else {'AWS': some(rng, PRINCIPALS)}
    for _ in range(rng.choice([0, 0, 1, 1, 2])):
        name, key, owns = make_condition(rng)
        keys = statement.setdefault('Condition', {}).setdefault(name, {})
        keys[key] = owns
    return statement


def make_document(rng, kind):
    statements = [make_statement(rng, kind) for _ in range(rng.choice([1, 1, 2, 3]))]
    return {'Version': '2012-10-17', 'Statement': statements[0] if len(statements) == 1 and rng.random() < .5 else statements}


def make_value(rng, key):
    if key in LISTS:
        return [rng.choice(TEXTS + NUMBERS[:3]) for _ in range(rng.choice([0, 1, 1, 2, 3]))]
    return rng.choice(VALUES.get(key, TEXTS))


def make_request(rng, kind):
    request = {'account': ACCOUNT, 'action': 'sts:AssumeRole' if kind == 'trust' else rng.choice(ACTIONS), 'resource': rng.choice(RESOURCES),
               'principal': rng.choice([USER, SESSION, ROLE]), 'context': {}}
    if request['principal'] == SESSION:
        request['role'] = ROLE
    for key in KEYS + LISTS + list(VALUES):
        if rng.random() < .65:
            request['context'][other_case(rng, key)] = None if rng.random() < .25 else make_value(rng, key)
    return request


def make_case(rng):
    kind = rng.choice(['identity', 'resource', 'resource', 'trust'])
    policies = {'granted': rng.random() < .1, 'identity': [make_document(rng, 'identity') for _ in range(rng.choice([0, 1, 1, 2]))]}
    for name, odds in (('boundary', .25), ('session', .25)):
        if rng.random() < odds:
            policies[name] = make_document(rng, 'identity')
    if kind != 'identity':
        policies[kind] = make_document(rng, kind)
    return policies, make_request(rng, kind)


def world(rng, request):
    """The request with all that was unknown decided, or absent."""
    request = copy.deepcopy(request)
    for key, value in list(request['context'].items()):
        if value is None:
            if rng.random() < .3:
                del request['context'][key]
            else:
                name = next(name for name in KEYS + LISTS + list(VALUES) if name.lower() == key.lower())
                request['context'][key] = make_value(rng, name)
    return request


def documents_as_text(policies):
    return {name: json.dumps(value) if isinstance(value, dict) else [json.dumps(d) for d in value] if isinstance(value, list) else value
            for name, value in policies.items()}


def ask(sql, cases):
    rows = sql('SELECT dynamo_internal.decide(p, r) FROM unnest(%s::json[], %s::json[]) WITH ORDINALITY AS x(p, r, n) ORDER BY n',
               [json.dumps(documents_as_text(policies)) for policies, _ in cases], [json.dumps(request) for _, request in cases])
    assert len(rows) == len(cases)
    for (answer,) in rows:
        effect, source = re.match(r'(\w+) by (\w+)', answer).groups()
        yield effect, source if effect == 'deny' else None


def run(sql, count, seed, batch=2000):
    """Compare; sql(statement, *parameters) returns rows.  Returns how often each effect came out."""
    rng = random.Random(seed)
    effects = {'allow': 0, 'deny': 0, 'depends': 0}
    for start in range(0, count, batch):
        cases = [make_case(rng) for _ in range(min(batch, count - start))]
        answers = list(ask(sql, cases))
        for (policies, request), answer in zip(cases, answers):
            expected = decide(policies, request)
            effects[expected[0]] += 1
            assert answer == expected, \
                f'seed {seed}\n{json.dumps(policies)}\n{json.dumps(request)}\nexpected {expected}\nanswered {answer}'
        unsure = [(case, answer[0]) for case, answer in zip(cases, answers) if None in case[1]['context'].values()]
        worlds = [(policies, world(rng, request)) for (policies, request), _ in unsure]
        for ((policies, request), before), (_, known), (effect, _) in zip(unsure, worlds, ask(sql, worlds)):
            assert effect != 'depends' and before in ('depends', effect), \
                f'seed {seed}\n{json.dumps(policies)}\n{json.dumps(request)}\n{before}, but\n{json.dumps(known)}\n{effect}'
    return effects
