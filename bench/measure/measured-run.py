"""Runs a program and says what it took: measured-run.py RESULT STDOUT STDERR PROGRAM [ARGUMENT...]

RESULT gets one JSON object: wall time from just before the start to the end of the program, processor time (user and
system) of the program and of every process that it waited for, and the largest resident size of any one of these
processes (ru_maxrss), which is never below that of this one when it starts the program, some 10 MB. wait4(2).
"""

import json
import os
import sys
import time

result, stdout, stderr, *command = sys.argv[1:]
write = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
actions = [
    (os.POSIX_SPAWN_OPEN, 0, '/dev/null', os.O_RDONLY, 0),
    (os.POSIX_SPAWN_OPEN, 1, stdout, write, 0o644),
    (os.POSIX_SPAWN_OPEN, 2, stderr, write, 0o644),
]
start = time.monotonic_ns()
child = os.posix_spawnp(command[0], command, os.environ, file_actions=actions)
_, status, usage = os.wait4(child, 0)
end = time.monotonic_ns()
with open(result, 'w', encoding='utf-8') as output:
    json.dump(
        {
            'wallSeconds': (end - start) / 1e9,
            'cpuSeconds': usage.ru_utime + usage.ru_stime,
            'peakBytes': usage.ru_maxrss * 1024,
            'exitCode': os.waitstatus_to_exitcode(status),
        },
        output,
    )
