"""What the server looks like from outside while it is soaked: processes, memory,
files, log."""
import collections
import datetime
import pathlib
import re
import statistics
import threading
import time

SAMPLE_SECONDS = 2
# A process may keep what its largest requests needed: that much and no more.
GROWTH_MB = 16
SETTLED_SECONDS = 60            # after its start a process is not looked at
SHORTEST_SECONDS = 240          # what is seen of it then has to be this long

# In the log, whatever was done to the server.
NEVER = re.compile(r'TRAP: |Sanitizer|runtime error: |stack smashing|resource leak|leaked|snapshot \S+ still active'
                   r'|terminated by signal (?!6:|9:)|invalid page|could not read block|unexpected (?:chunk|data)|missing chunk|XX00[12] (?:ERROR|FATAL|PANIC)')
# An error nobody foresaw, by one of our processes.
INTERNAL = re.compile(r'\] dynamo[^|]*\| (XX\d{3}|58\w{3})')
# What a fault has to explain, and as what.
EXPLAINED = [
    ('panic', re.compile(r'PANIC: |terminated by signal 6:')),
    ('memory', re.compile(r'^TopMemoryContext: ')),
    ('sessions', re.compile(r'\| 53\w{3} FATAL: ')),
    ('closed', re.compile(r'terminated by signal 9:|terminating any other active server processes|exited with exit code [1-9]|\| (?!53)\w{5} FATAL: ')),
]
STAMP = re.compile(r'^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+) UTC ')


def children(postmaster):
    """{pid: title} of a server's processes."""
    found = {}
    for stat in pathlib.Path('/proc').glob('[0-9]*/stat'):
        try:
            fields = stat.read_text().rpartition(')')[2].split()
            if int(fields[1]) == postmaster and fields[0] not in 'ZX':
                title = (stat.parent / 'cmdline').read_bytes().partition(b'\0')[0].decode().strip()
                found[int(stat.parent.name)] = title.removeprefix('postgres: ')
        except (OSError, ValueError, IndexError):
            pass                # it has just ended
    return found


def anonymous_memory(pid):
    """In MB."""
    return int(re.search(r'^RssAnon:\s+(\d+)', pathlib.Path(f'/proc/{pid}/status').read_text(), re.M)[1]) / 1024


class Watch(threading.Thread):
    """Samples memory and open files of the endpoint's processes."""

    def __init__(self, postmaster, log_contexts):
        super().__init__(daemon=True)
        self.postmaster = postmaster        # () -> pid or None
        self.log_contexts = log_contexts    # (pid): have it say what it has
        self.grown = set()
        self.begun = time.monotonic()
        self.samples = collections.defaultdict(list)    # (title, pid) -> [(seconds, MB, files)]
        self.stopped = threading.Event()

    def run(self):
        while not self.stopped.wait(SAMPLE_SECONDS):
            for pid, title in children(self.postmaster() or -1).items():
                if title.startswith('dynamo'):
                    try:
                        files = sum(1 for _ in pathlib.Path(f'/proc/{pid}/fd').iterdir())
                        sample = time.monotonic() - self.begun, anonymous_memory(pid), files
                        samples = self.samples[title, pid]
                        samples.append(sample)
                        settled = samples[min(len(samples) - 1, SETTLED_SECONDS // SAMPLE_SECONDS)]
                        if samples[-1][1] > settled[1] + GROWTH_MB and pid not in self.grown:
                            self.grown.add(pid)
                            self.log_contexts(pid)
                    except (OSError, TypeError):
                        pass    # it has just ended

    def judge(self):
        """(lines of the report, problems)."""
        lines, problems = [], []
        for (title, pid), samples in sorted(self.samples.items()):
            first = samples[0][0] + SETTLED_SECONDS
            samples = [s for s in samples if s[0] >= first]
            if not samples or samples[-1][0] - first < SHORTEST_SECONDS:
                continue
            memory, files = [s[1] for s in samples], [s[2] for s in samples]
            third = len(samples) // 3
            early, late = statistics.median(memory[:third]), statistics.median(memory[-third:])
            hours = (samples[-1][0] - first) / 3600
            slope = statistics.linear_regression([s[0] / 3600 for s in samples], memory).slope
            step = max(1, len(samples) // 12)
            curve = ' '.join(f'{statistics.median(memory[i:i + step]):.1f}' for i in range(0, len(samples), step))
            lines.append(f'  {title} [{pid}], {hours * 60:.0f} min from minute {first / 60:.0f}: {curve} MB; at most {max(memory):.1f};'
                         f' {slope:+.1f} MB/h; files {statistics.median(files[:third]):.0f} -> {statistics.median(files[-third:]):.0f}')
            if late > early + GROWTH_MB:
                problems.append(f'{title} [{pid}] grew from {early:.1f} to {late:.1f} MB')
            if statistics.median(files[-third:]) > statistics.median(files[:third]) + 50:
                problems.append(f'{title} [{pid}] has {files[-1]} open files')
        return lines, problems


def read_log(path, start, explained):
    """Problems in a server's log from a place on, and how many errors of each kind.
    explained: (time, kind) -> bool."""
    problems, errors = [], collections.Counter()
    unstamped = []              # what comes before its error
    with open(path, 'rb') as f:
        f.seek(start)
        for line in f:
            line = line.decode('utf-8', 'replace').rstrip()[:1000]
            if NEVER.search(line) or INTERNAL.search(line):
                problems.append(f'log: {line}')
                continue
            unstamped.append(line)
            if not (stamp := STAMP.match(line)):
                continue
            when = datetime.datetime.fromisoformat(stamp[1] + '+00:00').timestamp()
            if error := re.search(r'\| (\w{5}) (PANIC|FATAL|ERROR|WARNING):', line):
                errors[f'{error[2]} {error[1]}'] += 1
            problems += [f'log, and nothing explains it: {found}' for found in unstamped for kind, pattern in EXPLAINED
                         if pattern.search(found) and not explained(when, kind)]
            unstamped = []
    return problems, errors
