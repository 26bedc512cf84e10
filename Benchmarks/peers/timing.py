"""What the peers of `ito bench` share, without an engine: clocks, memory, one JSON line of result."""
import json
import os
import pathlib
import resource
import statistics
import time


def add_arguments(parser):
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--precision", choices=("bf16", "f32"), default="f32")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=5)


def clock(body, warmups, repeats):
    """Seconds of each of `repeats` calls of `body`, and processor seconds, after `warmups` that are not counted."""
    for _ in range(warmups):
        body()
    walls, processors = [], []
    for _ in range(repeats):
        start, used = time.perf_counter(), time.process_time()
        body()
        walls.append(time.perf_counter() - start)
        processors.append(time.process_time() - used)
    return walls, processors


def reset_peak():
    """Starts a new measurement of the most memory held, where the system can."""
    try:
        pathlib.Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass


def peak_mb():
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return round(int(line.split()[1]) * 1024 / 1e6, 1)
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6, 1)


def report(engine, part, body, args):
    """Times `body` and prints the result."""
    walls, processors = clock(body, 1, args.rounds)
    print(json.dumps({
        "peer": engine, "part": part, "precision": args.precision, "threads": args.threads,
        "batch": args.batch, "seconds_best": round(min(walls), 6),
        "seconds_median": round(statistics.median(walls), 6),
        "cpu_seconds_best": round(min(processors), 6), "peak_rss_mb": peak_mb(),
    }), flush=True)
