"""The checker of histories finds what it is there to find."""
import pytest

from history import ABORTED, COMMITTED, UNKNOWN, Transaction, check

pytestmark = pytest.mark.not_aws


def t(begin, end, outcome=COMMITTED, appends=None, **reads):
    return Transaction(begin, end, outcome, appends or {}, reads)


def test_good():
    assert check([t(0, 1, appends={'a': 1, 'b': 2}), t(0, 2, a=[1], b=[2]), t(0, 3, a=[]),
                  t(3, 4, appends={'a': 3}, b=1), t(4, None, UNKNOWN, {'b': 4, 'a': 5}),
                  t(4, 5, ABORTED, {'a': 6})], {'a': [1, 3], 'b': [2]}) == []


@pytest.mark.parametrize('name, transactions, final', [
    ('G0', [t(0, 9, appends={'a': 1, 'b': 2}), t(0, 9, appends={'a': 3, 'b': 4})], {'a': [1, 3], 'b': [4, 2]}),
    ('G1a', [t(0, 1, ABORTED, {'a': 1})], {'a': [1]}),
    ('was read as', [t(0, 1, ABORTED, {'a': 1}), t(0, 1, a=[1])], {'a': []}),
    ('was read as', [t(0, 9, appends={'a': 1}), t(0, 9, appends={'a': 2}), t(0, 9, a=[2])], {'a': [1, 2]}),
    ('G1c', [t(0, 9, appends={'a': 1}, b=[2]), t(0, 9, appends={'b': 2}, a=[1])], {'a': [1], 'b': [2]}),
    # Write skew: each checked that the other's list was empty.
    ('G2', [t(0, 9, appends={'a': 1}, b=0), t(0, 9, appends={'b': 2}, a=0)], {'a': [1], 'b': [2]}),
    # Read skew: half of a transaction was seen.
    ('G2', [t(0, 9, appends={'a': 1, 'b': 2}), t(0, 9, a=[1], b=[])], {'a': [1], 'b': [2]}),
    # Two readers who disagree on what came first.
    ('G2', [t(0, 9, appends={'a': 1}), t(0, 9, appends={'b': 2}), t(0, 9, a=[1], b=[]), t(0, 9, a=[], b=[2])],
     {'a': [1], 'b': [2]}),
    ('not in real time', [t(0, 1, appends={'a': 1}), t(2, 3, a=[])], {'a': [1]}),
    ('lost', [t(0, 1, appends={'a': 1})], {'a': []}),
    ('half done', [t(0, None, UNKNOWN, {'a': 1, 'b': 2})], {'a': [1], 'b': []}),
    ('nobody', [], {'a': [1]}),
    ('twice', [t(0, 1, appends={'a': 1})], {'a': [1, 1]}),
])
def test_bad(name, transactions, final):
    problems = check(transactions, final)
    assert problems and name in problems[0]


def test_size():
    """A long history is no problem."""
    transactions = [t(n, n + 1.5, appends={f'l{n // 30}': n}, **{f'l{(n - 1) // 30}': (n - 1) % 30 + 1})
                    for n in range(1, 30000)]
    final = {}
    for number, transaction in enumerate(transactions):
        for name, element in transaction.appends.items():
            final.setdefault(name, []).append(element)
        for name in transaction.reads:
            transaction.reads[name] = len([e for e in final.get(name, []) if e < number + 1])
    assert check(transactions, final) == []
