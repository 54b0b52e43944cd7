"""Numbers against Python's decimal: text, order and arithmetic of random cases.

decimal is an implementation that shares nothing with ours.  The cases go
through SQL, thousands at a time; what the endpoint adds to them (UpdateItem's
ADD and arithmetic in SET) has tests of its own.
"""
import decimal
import random
from decimal import Decimal

import pytest

pytestmark = pytest.mark.not_aws

CASES = 5000
EXACT = decimal.Context(prec=1000, Emax=10**6, Emin=-10**6)
ROUNDED = decimal.Context(prec=38, rounding=decimal.ROUND_HALF_UP, Emax=10**6, Emin=-10**6)


def random_number(rng):
    """At most 38 digits, within the range; often short, often with many zeros."""
    count = rng.choice([1, 1, 2, 3, 5, 10, 20, 37, 38])
    letters = rng.choice(['0123456789', '09', '0000000001', '9999999998'])
    digits = ''.join(rng.choice(letters) for _ in range(count))
    exponent = rng.choice([0, 0, 1, -1, rng.randint(-10, 10), rng.randint(-45, 45),
                           rng.randint(-130, 125)])
    number = EXACT.create_decimal(digits)
    if number:
        number = number.scaleb(exponent - number.adjusted(), EXACT)
    return -number if rng.random() < .4 else number


def random_pair(rng):
    """Two numbers; now and then ones that cancel or carry."""
    a, b = random_number(rng), random_number(rng)
    chance = rng.random()
    if chance < .1:
        b = -a
    elif chance < .2 and a:
        # The next number of 38 digits, which is in range unless a is the last.
        neighbour = ROUNDED.next_plus(a)
        b = neighbour if neighbour and -130 <= neighbour.adjusted() <= 125 else a
    return a, b


def spelling(rng, number):
    """One of the texts of a number."""
    return rng.choice([str(number), format(number, 'f'), format(number, 'e'),
                       '+' + str(number) if number >= 0 else str(number)])


def plain(number):
    """What the service answers: never an exponent, no zero too many."""
    text = format(number, 'f')
    if '.' in text:
        text = text.rstrip('0').rstrip('.')
    return '0' if text in ('-0', '') else text


def outcome(number):
    """The text of a result, or which error it is."""
    if not number:
        return '0'
    if number.adjusted() > 125:
        return 'overflow'
    if number.adjusted() < -130:
        return 'underflow'
    return plain(number)


@pytest.mark.parametrize('seed', [1, random.SystemRandom().randrange(2, 10**9)])
def test_against_decimal(sql, seed):
    rng = random.Random(seed)
    pairs = [random_pair(rng) for _ in range(CASES)]
    texts = [(spelling(rng, a), spelling(rng, b)) for a, b in pairs]
    sql('''CREATE FUNCTION pg_temp.outcome(f text, a text, b text) RETURNS text LANGUAGE plpgsql AS $$
           DECLARE result text;
           BEGIN
               EXECUTE format('SELECT dynamo_internal.%I($1, $2)', f) INTO result USING a, b;
               RETURN result;
           EXCEPTION WHEN SQLSTATE 'KV001' THEN
               RETURN lower(split_part(split_part(sqlerrm, ' ', 2), '.', 1));
           END $$''')
    rows = sql('''SELECT dynamo_internal.number_decode(ea), (ea > eb)::int - (ea < eb)::int,
                         pg_temp.outcome('number_add', a, b), pg_temp.outcome('number_subtract', a, b)
                  FROM unnest(%s::text[], %s::text[]) WITH ORDINALITY AS t (a, b, n),
                       dynamo_internal.number_encode(a) AS ea, dynamo_internal.number_encode(b) AS eb
                  ORDER BY n''', [a for a, _ in texts], [b for _, b in texts])
    assert len(rows) == CASES
    for (a, b), text, row in zip(pairs, texts, rows):
        assert row == (plain(a), (a > b) - (a < b),
                       outcome(ROUNDED.plus(EXACT.add(a, b))),
                       outcome(ROUNDED.plus(EXACT.subtract(a, b)))), (seed, text)
