#!/usr/bin/env python3
"""Checks `edgeweave explain` against closed forms, and that critical paths have neither gap nor overlap.

    tests/explain/check.py BUILD_DIR
"""
import json
import os
import random
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, "..", "golden", "data")
TINY = ["--graph", os.path.join(DATA, "tiny.json"), "--platform", os.path.join(DATA, "tiny.xml")]


def close(a, b, rel=1e-6):
    return abs(a - b) <= rel * max(abs(a), abs(b)) + 1e-12


class Program:
    def __init__(self, build, where):
        self.path, self.where = os.path.join(os.path.abspath(build), "bin", "edgeweave"), where

    def __call__(self, command, *arguments, codes=(0,)):
        done = subprocess.run([self.path, command, *arguments, "--json"], cwd=self.where,
                              capture_output=True, text=True, check=False)
        assert done.returncode in codes, (command, arguments, done.returncode, done.stderr)
        return json.loads(done.stdout) if done.returncode == 0 else done.stderr


def check_path(e, where):
    """Parts follow each other without gap from arrival to answer, and add up to the latency."""
    at = e["arrival_s"]
    assert e["path"], where
    for part in e["path"]:
        assert part["begin_s"] == at and part["end_s"] > at, (where, part, at)
        at = part["end_s"]
    assert at - e["arrival_s"] == e["latency_s"], (where, at, e["latency_s"])
    assert close(sum(e["sums_s"].values()), e["latency_s"], 1e-12), where
    assert 0 <= e["redundant_rows"] <= e["rows"] and e["redundant_s"] <= e["latency_s"], where


def resource(e, name):
    return next(r for r in e["resources"] if r["name"] == name)


def two_devices(program, engine):
    """cam (1e7 FLOP/s) - radio (1e6 bytes/s, 1 ms) - hub (2e7 FLOP/s), 1 ms per message sent. The
    network is 315392 FLOP, its input 4096 bytes, its answer 40.
    local: F / 1e7; offload: F / 2e7 + 2 * (1 ms overhead + 1 ms latency) + 4136 bytes / 1e6."""
    work, extra, size = 315392 / 2e7, 4e-3, 4136
    e = program("explain", *TINY, "--devices", "2", "--strategy", "offload,local", "--engine", engine,
                "--range", "1e4:1e8", "--link", "radio")
    check_path(e, "two devices")
    assert close(e["latency_s"], work + extra + size / 1e6), e["latency_s"]
    sums = e["sums_s"]
    assert close(sums["compute"], work) and close(sums["overhead"], 2e-3), sums
    assert close(sums["latency"], 2e-3) and close(sums["transfer"], size / 1e6), sums
    assert sum(v for k, v in sums.items()
               if k not in ("compute", "overhead", "latency", "transfer")) < 1e-8, sums
    assert e["bottleneck_device"] == "hub" and e["bottleneck_link"] == "radio", e
    # a tenth more of the hub's speed and of the link's bandwidth
    assert close(resource(e, "hub")["more_same_plan"]["latency_mean_s"],
                 work / 1.1 + extra + size / 1e6)
    assert close(resource(e, "cam")["more_same_plan"]["latency_mean_s"], e["latency_s"])
    assert close(resource(e, "radio")["more_same_plan"]["latency_mean_s"],
                 work + extra + size / 1.1e6)
    assert "without" not in resource(e, "cam"), "the source cannot be left out"
    # without the hub nobody is left to offload to: F / 1e7
    assert close(resource(e, "hub")["without"]["latency_mean_s"], 2 * work)
    # break-even: F / 1e7 = F / 2e7 + 4 ms + 4136 / b
    crossings = e["break_even"]["crossings"]
    assert len(crossings) == 1 and not crossings[0]["is_jump"], crossings
    assert close(crossings[0]["bandwidth_bytes_per_s"], size / (work - extra)), crossings
    assert crossings[0]["faster_above"] == "offload" and \
        e["break_even"]["faster_at_first"] == "local", e["break_even"]


def marginal_value(program):
    """What a device is worth is the difference to the platform that never had it."""
    e = program("explain", *TINY, "--strategy", "modnn", "--engine", "fast")
    less = program("run", *TINY, "--strategy", "modnn", "--engine", "fast", "--devices", "2")
    without = resource(e, "box")["without"]
    assert close(without["latency_mean_s"], less["runs"][0]["latency_s"]["mean"])
    assert close(without["energy_per_request_j"], less["runs"][0]["energy_j"]["per_request"])
    wider = program("run", *TINY, "--strategy", "modnn", "--engine", "fast",
                    "--set", "link.radio.bandwidth_bytes_per_s=1.1e6")
    assert close(resource(e, "radio")["more_planned_anew"]["latency_mean_s"],
                 wider["runs"][0]["latency_s"]["mean"])
    faster = program("run", *TINY, "--strategy", "modnn", "--engine", "fast",
                     "--set", "device.hub.speed_flops_per_s=2.2e7")
    assert close(resource(e, "hub")["more_planned_anew"]["latency_mean_s"],
                 faster["runs"][0]["latency_s"]["mean"])


def properties(program, n):
    random.seed(7)
    strategies = ["local", "offload", "neurosurgeon", "modnn", "coedge", "aofl", "pico", "edgeld",
                  "deepthings", "deepslicing", "mednn", "edgeflow"]
    for _ in range(n):
        strategy, engine = random.choice(strategies), random.choice(["fast", "fast", "simgrid"])
        problem = random.choice([TINY, ["--graph", "alexnet", "--platform", "demo"]])
        arrival = random.choice(["closed:1", "closed:3", "poisson:30", "burst:3:5"])
        request = random.randrange(6)
        where = [*problem, "--strategy", strategy, "--engine", engine, "--arrival", arrival,
                 "--requests", "6", "--request", str(request), "--path-only"]
        e = program("explain", *where, codes=(0, 3))
        if isinstance(e, dict):
            check_path(e, where)
            assert e["request"] == request and e["resources"] == []
        else:
            assert "deadline" not in e, e


def errors(program):
    for arguments, text in [
            (["--strategy", "modnn", "--request", "5"], "request 5"),
            ([], "expected one strategy"),
            (["--strategy", "modnn,local,offload"], "expected one strategy"),
            (["--strategy", "modnn,local", "--range", "5:1"], "--range"),
            (["--strategy", "modnn,local", "--link", "nolink", "--path-only"], "nolink"),
            (["--strategy", "modnn", "--engine", "exec"], "exec")]:
        if "--engine" not in arguments:
            arguments = [*arguments, "--engine", "fast"]
        message = program("explain", *TINY, *arguments, codes=(2, 3))
        assert text in message, (arguments, message)


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as where:
        os.environ["HOME"] = os.environ["XDG_CACHE_HOME"] = where
        program = Program(sys.argv[1], where)
        for engine in ("fast", "simgrid"):
            two_devices(program, engine)
        marginal_value(program)
        properties(program, 200 if os.environ.get("EW_FULL") == "1" else 40)
        errors(program)
    return 0


if __name__ == "__main__":
    sys.exit(main())
