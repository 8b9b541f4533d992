#!/usr/bin/env python3
"""Write platforms/distredge_*.xml: the testbed of DistrEdge (IPDPS 2022), Tables I, II and III, and the
groups of Fig. 4.

    tools/make_distredge_platforms.py           write the files
    tools/make_distredge_platforms.py --check   fail when a file differs from what would be written
"""

import pathlib
import sys

PLATFORMS = pathlib.Path(__file__).resolve().parent.parent / "platforms"

# kind: (speed, profile, memory bytes, power, tx W, rx W, comment lines)
KINDS = {
    "pi3": ("38.4Gf", "raspberry_pi_3.distredge_cpu", 1 << 30, "1.3:1.3:6.5", 0.32, 0.12, [
        "speed: 4 A53 x 1.2 GHz x 8 FLOP/cycle (recalled, medium); 1 GB (recalled, high)",
        "wattage_per_state: Musical Chair (arXiv 1802.02138, measured, verified)",
        "tx_w, rx_w: ns-3's Wi-Fi defaults above its idle (code default)"]),
    "nano": ("471.6Gf", "jetson_nano.tensorrt_fp16", 4 << 30, "1.1:1.1:7.09", 0.64, 0.24, [
        "speed: GPU, fp16 peak (recalled, high); 4 GB (specification)",
        "wattage_per_state: idle with LAN, TensorRT inference (deepedgebench logs, measured)",
        "tx_w, rx_w: two antennas, twice ns-3's defaults above its idle (decision of ours)"]),
    "tx2": ("1331Gf", "jetson_tx2.tensorrt_fp16", 8 << 30, "5:5:15", 0.64, 0.24, [
        "speed: GPU, fp16 peak (recalled, high); 8 GB (Musical Chair, verified)",
        "wattage_per_state: Musical Chair (arXiv 1802.02138, measured, verified)",
        "tx_w, rx_w: two antennas, twice ns-3's defaults above its idle (decision of ours)"]),
    "xavier": ("2820Gf", "jetson_agx_xavier.tensorrt_fp16", 16 << 30, "8.17:8.17:15.85", 0.64, 0.24, [
        "speed: GPU, fp16 peak without tensor cores (recalled, high); 16 GB (recalled, medium).",
        "The paper says only Xavier: taken to be the AGX (decision of ours)",
        "wattage_per_state: AGX, MLPerf v1.1, ResNet-50 int8 in MaxQ mode, at the wall (measured):",
        "low for fp16 at full clock",
        "tx_w, rx_w: two antennas, twice ns-3's defaults above its idle (decision of ours)"]),
}

DA, DB, DC = ["tx2", "tx2", "nano", "nano"], ["xavier", "xavier", "nano", "nano"], \
    ["xavier", "tx2", "nano", "pi3"]
CAPS = {"na": [50, 50, 200, 200], "nb": [100, 100, 200, 200], "nc": [200, 200, 300, 300],
        "nd": [50, 100, 200, 300]}
# (kinds, Mbit/s) of four devices each
LARGE = {"la": (["nano", "nano", "nano", "nano"], [300, 200, 100, 50]),
         "lb": (["pi3", "nano", "tx2", "xavier"], [300, 200, 100, 50]),
         "lc": (["pi3", "nano", "tx2", "xavier"], [200, 200, 200, 200]),
         "ld": (["pi3", "nano", "tx2", "xavier"], [50, 100, 200, 300])}


def cases():
    for name, kinds in (("da", DA), ("db", DB), ("dc", DC)):
        for mbps in (50, 300) if name != "db" else (50, 100, 200, 300):
            yield name + ("" if mbps == 50 else f"_{mbps}"), name.upper(), "Table I", kinds, [mbps] * 4
    for name, mbps in CAPS.items():
        yield name, name.upper(), "Table II", ["nano"] * 4, mbps
        yield name + "_xavier", name.upper() + " with Xaviers", "Table II", ["xavier"] * 4, mbps
    yield "na_tx2", "NA with TX2", "Fig. 4", ["tx2"] * 4, CAPS["na"]
    for kind in ("nano", "tx2", "xavier"):
        yield f"4{kind}_200", f"four {kind}", "Fig. 4", [kind] * 4, [200] * 4
    for name, (kinds, mbps) in LARGE.items():
        yield (name, name.upper(), "Table III", [k for k in kinds for _ in range(4)],
               [b for b in mbps for _ in range(4)])


def device_names(kinds):
    seen, names = {}, []
    for kind in kinds:
        seen[kind] = seen.get(kind, -1) + 1
        names.append(f"{kind}_{seen[kind]}" if kinds.count(kind) > 1 else kind)
    return names


def host(name, kind, with_comment):
    speed, profile, memory, power, tx_w, rx_w, comments = KINDS[kind]
    lines = [f"    <!-- {line} -->" for line in comments] if with_comment else []
    lines += [f'    <host id="{name}" speed="{speed}">',
              f'      <prop id="profile" value="{profile}"/>',
              f'      <prop id="memory_bytes" value="{memory}"/>',
              f'      <prop id="wattage_per_state" value="{power}"/>',
              '      <prop id="wattage_off" value="0"/>',
              f'      <prop id="tx_w" value="{tx_w}"/>',
              f'      <prop id="rx_w" value="{rx_w}"/>',
              '      <prop id="message_overhead_s" value="0.002"/>',
              "    </host>"]
    return lines


def listing(names, mbps):
    lines, line = [], " "
    for i, (name, cap) in enumerate(zip(names, mbps)):
        word = f" {name} at {cap} Mbit/s" + ("," if i + 1 < len(names) else ".")
        if len(line + word) > 100:
            lines.append(line)
            line = " "
        line += word
    return lines + [line]


def document(title, table, kinds, mbps):
    names = device_names(kinds)
    lines = ['<?xml version="1.0"?>',
             '<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">',
             "<!--",
             f"  DistrEdge (IPDPS 2022), case {title} of {table} (read in the paper):",
             *listing(names, mbps),
             "  The phone has the images and computes nothing. The router caps every device by itself,",
             "  5 GHz Wi-Fi with enough air for all: no contention (decision of ours, as the paper names",
             "  none). Written by tools/make_distredge_platforms.py.",
             "-->",
             '<platform version="4.1">',
             '  <zone id="lab" routing="Cluster">',
             "    <!-- message_overhead_s: 2 ms; the paper's layer-by-layer results ask for 2 to 6 ms",
             "         (derived from its figures, low) -->",
             "    <!-- phone: speed negligible on purpose; idle power: screen on (SIGCOMM21-5G artifact,",
             "         measured); compute and radio power: decisions of ours, low -->",
             '    <host id="phone" speed="1Mf">',
             '      <prop id="wattage_per_state" value="2.35:2.35:4.5"/>',
             '      <prop id="wattage_off" value="0"/>',
             '      <prop id="tx_w" value="0.64"/>',
             '      <prop id="rx_w" value="0.24"/>',
             '      <prop id="message_overhead_s" value="0.002"/>',
             "    </host>"]
    for i, (name, kind) in enumerate(zip(names, kinds)):
        lines += host(name, kind, kind not in kinds[:i])
    lines += ["    <!-- caps: the paper's, taken per direction; phone: not capped in the paper, 500 Mbit/s",
              "         (decision of ours). 0.1 ms per hop: the message overhead holds the rest -->",
              '    <link id="phone_wifi" bandwidth="500Mbps" latency="100us" '
              'sharing_policy="SPLITDUPLEX"/>']
    for name, cap in zip(names, mbps):
        lines.append(f'    <link id="{name}_wifi" bandwidth="{cap}Mbps" latency="100us" '
                     'sharing_policy="SPLITDUPLEX"/>')
    for name in ["phone"] + names:
        lines.append(f'    <host_link id="{name}" up="{name}_wifi_UP" down="{name}_wifi_DOWN"/>')
    lines += ["  </zone>", "</platform>"]
    return "\n".join(lines) + "\n"


def main(arguments):
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    stale = 0
    for name, title, table, kinds, mbps in cases():
        path = PLATFORMS / f"distredge_{name}.xml"
        text = document(title, table, kinds, mbps)
        if not arguments:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            print(f"{path.name}: differs from what tools/make_distredge_platforms.py writes",
                  file=sys.stderr)
            stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
