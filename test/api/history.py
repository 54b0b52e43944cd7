"""Is a history of transactions serialisable?  Elle's method for lists.

Kingsbury and Alvaro, "Elle: Inferring Isolation Anomalies from Experimental
Observations" (VLDB 2020).  Transactions append numbers, each used once, to
lists, and read lists.  A list's final state tells the order of all its
versions, so every dependency is known, not guessed:

    ww   T2 appended right after T1: T2 overwrote what T1 left behind
    wr   T2 read a state whose last element is T1's
    rw   T1 read a state, and T2 appended the next element to it
    rt   T2 began after T1's answer had come

A cycle of these is an anomaly: of ww alone G0 (dirty write), of ww and wr G1c
(circular information flow), with rw G2 (anti-dependency: write skew, read
skew, lost update), with rt a violation of strictness, such as a stale read.
Without cycles: reads of what never was committed (G1a) or of an order that
is not the final one, commits that are not there, and half-done ones.
"""
from dataclasses import dataclass, field

COMMITTED, ABORTED, UNKNOWN = 'committed', 'aborted', 'unknown'


@dataclass
class Transaction:
    begin: float                # before it was sent
    end: float = None           # after its answer; None: there never was one
    outcome: str = UNKNOWN
    appends: dict = field(default_factory=dict)     # list -> element
    reads: dict = field(default_factory=dict)       # list -> elements seen,
    #                             or how many: a condition on its length held


def components(graph):
    """The strongly connected components of more than one node (Tarjan)."""
    index, low, on_stack, stack, found = {}, {}, set(), [], []
    for root in graph:
        if root in index:
            continue
        work = [(root, iter(graph[root]))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, edges = work[-1]
            for other in edges:
                if other not in index:
                    index[other] = low[other] = len(index)
                    stack.append(other)
                    on_stack.add(other)
                    work.append((other, iter(graph[other])))
                    break
                if other in on_stack:
                    low[node] = min(low[node], index[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    component = []
                    while True:
                        component.append(stack.pop())
                        on_stack.discard(component[-1])
                        if component[-1] == node:
                            break
                    if len(component) > 1:
                        found.append(component)
    return found


def dependencies(transactions, final, problems):
    """Edges (kind, from, to) between numbers of transactions."""
    writer = {}
    for number, t in enumerate(transactions):
        for name, element in t.appends.items():
            assert element not in writer, 'an element was used twice'
            writer[element] = number
    edges = []
    for name, elements in final.items():
        for element, following in zip(elements, elements[1:]):
            edges.append(('ww', writer[element], writer[following]))
    for number, t in enumerate(transactions):
        if t.outcome == ABORTED:
            continue
        for name, seen in t.reads.items():
            elements = final.get(name, [])
            length = seen if isinstance(seen, int) else len(seen)
            if length > len(elements) or not isinstance(seen, int) and seen != elements[:length]:
                problems.append(f'{name} was read as {seen}, and is {elements} in the end')
                continue
            if length > 0:
                edges.append(('wr', writer[elements[length - 1]], number))
            if length < len(elements):
                edges.append(('rw', number, writer[elements[length]]))
    return [e for e in edges if e[1] != e[2]]


def real_time(transactions):
    """Edges by way of points in time: (number, point), (point, point), (point, number)."""
    ends = sorted((t.end, n) for n, t in enumerate(transactions)
                  if t.end is not None and t.outcome != ABORTED)
    edges, point = [], 0
    for begin, number in sorted((t.begin, n) for n, t in enumerate(transactions)
                                if t.outcome != ABORTED):
        while point < len(ends) and ends[point][0] < begin:
            edges.append(('rt', ends[point][1], ('t', point)))
            if point > 0:
                edges.append(('rt', ('t', point - 1), ('t', point)))
            point += 1
        if point > 0:
            edges.append(('rt', ('t', point - 1), number))
    return edges


def cycles(edges, kinds):
    graph = {}
    for kind, start, end in edges:
        if kind in kinds:
            graph.setdefault(start, []).append(end)
            graph.setdefault(end, [])
    return components(graph)


def describe_cycle(transactions, edges, kinds, component):
    """A shortest cycle through the component's first node, and who is in it."""
    graph = {}
    for kind, start, end in edges:
        if kind in kinds and start in component and end in component:
            graph.setdefault(start, {}).setdefault(end, kind)
    first = next((n for n in component if isinstance(n, int)), component[0])
    paths, found = [[first]], {first}
    while paths:
        path = paths.pop(0)
        if first in graph.get(path[-1], {}):
            break
        for end in graph.get(path[-1], {}):
            if end not in found:
                found.add(end)
                paths.append(path + [end])
    steps = ' '.join(f'{a} -{graph[a][b]}->' for a, b in zip(path, path[1:] + [first]))
    return f'{steps} {first}, where ' + '; '.join(
        f'{n} is {transactions[n]}' for n in path if isinstance(n, int))


def check(transactions, final):
    """What is wrong with the history: a list of texts, empty if it is strictly
    serialisable.  final: list -> elements at the end."""
    problems = []
    by_element = {e: t for t in transactions for e in t.appends.values()}
    there = {}
    for name, elements in final.items():
        if len(set(elements)) != len(elements):
            problems.append(f'{name} has an element twice: {elements}')
        for element in elements:
            if element not in by_element:
                problems.append(f'{name} has {element}, which nobody appended')
                return problems
            there.setdefault(element, []).append(name)
    for t in transactions:
        done = [e in there for e in t.appends.values()]
        if t.outcome == ABORTED and any(done):
            problems.append(f'G1a: aborted and there: {t}')
        if t.outcome == COMMITTED and not all(done):
            problems.append(f'lost: {t}')
        if done and any(done) != all(done):
            problems.append(f'half done: {t}')
    edges = dependencies(transactions, final, problems)
    all_edges = edges + real_time(transactions)
    for name, kinds in (('G0', {'ww'}), ('G1c', {'ww', 'wr'}), ('G2', {'ww', 'wr', 'rw'}),
                        ('not in real time', {'ww', 'wr', 'rw', 'rt'})):
        for component in cycles(all_edges, kinds):
            problems.append(f'{name}: ' + describe_cycle(transactions, all_edges, kinds, component))
        if problems:
            break
    return problems
