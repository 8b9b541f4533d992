#!/usr/bin/env python3
"""Checks traces of `edgeweave run --trace` against the Chrome trace event format.

    tests/trace/check.py BUILD_DIR          runs several scenarios and checks their traces
    tests/trace/check.py --file TRACE.json  checks one trace
    tests/trace/check.py --self             checks that the checker finds what is wrong
"""
import csv
import json
import os
import subprocess
import sys
import tempfile

PHASES = {"M", "X", "b", "e", "i"}
NEEDED = {"M": ("args",), "X": ("ts", "dur", "cat"), "b": ("ts", "id", "cat"),
          "e": ("ts", "id", "cat"), "i": ("ts", "s")}


def check(trace):
    """All faults of a trace, as texts."""
    faults = []
    events = trace.get("traceEvents")
    if not isinstance(events, list):
        return ["no list traceEvents"]
    named, spans, open_ids, last_ts = set(), {}, {}, None
    for i, e in enumerate(events):
        where = f"event {i}"
        phase = e.get("ph")
        missing = [k for k in ("name", "pid", "tid") + NEEDED.get(phase, ()) if k not in e]
        if phase not in PHASES or missing:
            faults.append(f"{where}: phase {phase!r}, missing {missing}")
            continue
        if not all(isinstance(e[k], int) for k in ("pid", "tid")) or not isinstance(e["name"], str):
            faults.append(f"{where}: pid, tid or name of the wrong type")
        if phase == "M":
            if e["name"] not in ("process_name", "thread_name") or "name" not in e["args"]:
                faults.append(f"{where}: metadata {e['name']}")
            named.add((e["name"], e["pid"], e["tid"] if e["name"] == "thread_name" else 0))
            continue
        ts = e["ts"]
        if not isinstance(ts, (int, float)) or ts < 0:
            faults.append(f"{where}: ts {ts!r}")
            continue
        if last_ts is not None and ts < last_ts:
            faults.append(f"{where}: ts {ts} after {last_ts}")
        last_ts = ts
        if phase == "X":
            if e["dur"] < 0:
                faults.append(f"{where}: dur {e['dur']}")
            if e["dur"] > 1e-3:  # a task without work takes no device
                spans.setdefault((e["pid"], e["tid"]), []).append((ts, ts + e["dur"], i))
        elif phase in "be":
            key = (e["pid"], e["cat"], e["id"])
            if phase == "b":
                if open_ids.get(key):
                    faults.append(f"{where}: {key} begins twice")
                open_ids[key] = e["name"]
            elif open_ids.pop(key, None) != e["name"]:
                faults.append(f"{where}: {key} ends without a beginning")
        elif e["s"] not in ("t", "p", "g"):
            faults.append(f"{where}: scope {e['s']!r}")
        if ("process_name", e["pid"], 0) not in named:
            faults.append(f"{where}: process {e['pid']} has no name")
        if phase == "X" and ("thread_name", e["pid"], e["tid"]) not in named:
            faults.append(f"{where}: track {e['pid']}.{e['tid']} has no name")
    for key in open_ids:
        faults.append(f"{key} never ends")
    for track, list_of in spans.items():
        list_of.sort()
        for (b0, e0, i0), (b1, e1, i1) in zip(list_of, list_of[1:]):
            if b1 < e0 - 1e-3 * 2 - 1e-9 * e0:  # two grains of 1 ns, and rounding
                faults.append(f"track {track}: events {i0} and {i1} overlap by {e0 - b1} us")
    return faults


def self_test():
    good = {"traceEvents": [
        {"name": "process_name", "ph": "M", "pid": 1, "tid": 0, "args": {"name": "p"}},
        {"name": "thread_name", "ph": "M", "pid": 1, "tid": 0, "args": {"name": "t"}},
        {"name": "a", "cat": "c", "ph": "X", "pid": 1, "tid": 0, "ts": 0, "dur": 5},
        {"name": "r", "cat": "c", "ph": "b", "pid": 1, "tid": 0, "ts": 1, "id": "1"},
        {"name": "b", "cat": "c", "ph": "X", "pid": 1, "tid": 0, "ts": 5, "dur": 1},
        {"name": "r", "cat": "c", "ph": "e", "pid": 1, "tid": 0, "ts": 6, "id": "1"}]}
    assert check(good) == [], check(good)
    for index, change in [(2, {"ph": "Q"}), (2, {"ts": -1}), (2, {"dur": 8}), (4, {"ts": 0}),
                          (5, {"id": "2"}), (5, {"name": "q"}), (3, {"ph": "e"}), (2, {"tid": 9}),
                          (2, {"pid": "1"}), (1, {"args": {}})]:
        bad = json.loads(json.dumps(good))
        bad["traceEvents"][index].update(change)
        assert check(bad), change
    bad = json.loads(json.dumps(good))
    del bad["traceEvents"][2]["dur"]
    assert check(bad)


def run(program, where, arguments, codes=(0,)):
    """A run's trace and its JSON report."""
    path = os.path.join(where, "t.json")
    done = subprocess.run([program, "run", *arguments, "--json", "--trace", path,
                           "--out", os.path.join(where, "out")], cwd=where,
                          capture_output=True, text=True, check=False)
    assert done.returncode in codes, (arguments, done.stderr)
    with open(path, encoding="utf-8") as f:
        return json.load(f), json.loads(done.stdout)


def check_run(program, where, arguments, codes=(0,)):
    trace, report = run(program, where, arguments, codes)
    faults = check(trace)
    assert not faults, (arguments, faults[:5])
    events = trace["traceEvents"]
    result = report["runs"][0]
    names = {(e["pid"], e["tid"]): e["args"]["name"] for e in events if e["name"] == "thread_name"}
    busy, messages = {}, 0
    for e in events:
        if e["ph"] == "X" and e["cat"] in ("compute", "load", "aborted") and e["pid"] == 2:
            name = names[(2, e["tid"])]
            busy[name] = busy.get(name, 0) + e["dur"] * 1e-6
        messages += e["ph"] == "X" and e["cat"] == "transfer"
        if e.get("cat") in ("compute", "transfer", "flow"):
            assert "layer" in e["args"] and "request" in e["args"], e
    # A task without work may end on a device where another one runs: tasks.csv keeps both.
    with open(os.path.join(where, "out", "tasks.csv"), encoding="utf-8", newline="") as f:
        written = {}
        for row in csv.DictReader(f):
            if row["kind"].startswith(("compute", "load")):
                seconds = float(row["end_s"]) - float(row["start_s"])
                written[row["device"]] = written.get(row["device"], 0) + seconds
    for device in result["devices"]:
        assert abs(written.get(device["name"], 0) - device["busy_s"]) <= 1e-6 * (
            1e-3 + device["busy_s"]), (arguments, device["name"], written, device["busy_s"])
    # What the tracks show adds up to what the report says.
    for device in result["devices"]:
        assert abs(busy.get(device["name"], 0) - device["busy_s"]) <= 1e-6 * (
            1e-3 + device["busy_s"]), (arguments, device["name"], busy, device["busy_s"])
    assert messages == result["transfers"], (arguments, messages, result["transfers"])
    ends = [e for e in events if e["ph"] == "e" and e["cat"] == "request"]
    assert len(ends) == result["requests"], arguments
    flows = [e for e in events if e["ph"] == "b" and e["cat"] == "flow"]
    assert messages == 0 or flows, arguments


def main():
    if sys.argv[1:] == ["--self"]:
        return self_test()
    if len(sys.argv) == 3 and sys.argv[1] == "--file":
        with open(sys.argv[2], encoding="utf-8") as f:
            faults = check(json.load(f))
        print("\n".join(faults) or "ok")
        return bool(faults)
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    self_test()
    program = os.path.join(os.path.abspath(sys.argv[1]), "bin", "edgeweave")
    data = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden", "data")
    scenarios = os.path.join(data, "..", "..", "..", "scenarios")
    tiny = ["--graph", os.path.join(data, "tiny.json"), "--platform", os.path.join(data, "tiny.xml")]
    with tempfile.TemporaryDirectory() as where:
        os.environ["HOME"] = os.environ["XDG_CACHE_HOME"] = where
        for engine in ("fast", "simgrid"):
            for strategy in ("local", "offload", "modnn", "coedge", "pico"):
                check_run(program, where, [*tiny, "--strategy", strategy, "--engine", engine,
                                           "--requests", "5", "--arrival", "poisson:40"])
            check_run(program, where, [os.path.join(data, "two_workloads.json"), "--engine", engine,
                                       "--strategy", "modnn"],
                      (0, 1))
            check_run(program, where, [os.path.join(scenarios, "node_loss.json"), "--engine", engine,
                                       "--strategy", "modnn", "--requests", "60"], (0, 1))
        bad = os.path.join(where, "missing", "t.json")
        done = subprocess.run([program, "run", *tiny, "--strategy", "local", "--engine", "fast",
                               "--trace", bad], capture_output=True, text=True, check=False)
        assert done.returncode == 6 and bad in done.stderr, done
    return 0


if __name__ == "__main__":
    sys.exit(main())
