#!/usr/bin/env python3
"""Fit the class-rate profiles in platforms/profiles/ from measured network latencies.

Reads only platforms/data/. Model of a network's time, the same as in sim/model/profile.c:

    sum over conv classes of 2*MACs / rate  +  fc weight bytes / weight rate  +  layers * overhead

Rates and overhead minimise the sum of |relative error| over the networks (least absolute
deviations: one throttled run must not bend the fit), with depthwise never faster than 1x1. The
weight rate is not fitted, since only two networks depend on it: it is four times the measured
memcpy speed, because a copy reads and writes, and because ncnn keeps fc weights as fp16 by default
(recalled, medium) while the bytes counted here are fp32. Left free, the fit gives 5.9 (Raspberry Pi
3B+) and 13.9 GB/s (Jetson Nano), the rule 4.9 and 14.9.

    tools/fit_profiles.py            write platforms/profiles/*.json
    tools/fit_profiles.py --check    fail when a file differs from what would be written
    tools/fit_profiles.py --report   print the fits as a Markdown table
"""

import collections
import csv
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
DATA = ROOT / "platforms" / "data"
PROFILES = ROOT / "platforms" / "profiles"
CONV_CLASSES = ["conv_3x3_s1", "conv_1x1", "conv_other", "depthwise"]
LEFT_OUT = {"blazeface", "FastestDet"}  # small nets with shapes the definitions do not confirm

NCNN = ("ncnn benchmark README, github.com/Tencent/ncnn @a4d2ea1d (BSD-3-Clause), run {run}: "
        "{device}, {threads} threads, fp32 networks, ncnn's default options")

# theoretical fp32 peaks (recalled, medium to high): no class but 3x3 s1, where Winograd's algorithm
# saves up to a factor of 5, may be faster
PEAK_FLOPS = {"raspberry_pi_3b_plus_cpu": 44.8e9, "raspberry_pi_4b_cpu": 57.6e9,
              "jetson_nano_cpu": 45.8e9, "jetson_tx2_nx_cpu": 96e9,
              "jetson_agx_xavier_cpu": 563.2e9, "desktop_i7_13700k_cpu": 1690e9,
              "jetson_nano_gpu": 471.6e9, "jetson_tx2_nx_gpu": 1331e9,
              "jetson_agx_xavier_gpu": 2820e9}
WINOGRAD_SAVING = 5

# key in the data, profile name, weight bytes/s, where that comes from
MEASURED = [
    ("raspberry_pi_3b_plus_cpu", "raspberry_pi_3b_plus.ncnn_cpu_fp32", 4 * 1.23e9,
     "4 x memcpy 1230 MB/s, sbc-bench @53f79517 (measured)"),
    ("raspberry_pi_4b_cpu", "raspberry_pi_4b.ncnn_cpu_fp32", 4 * 2.56e9,
     "4 x memcpy 2560 MB/s, sbc-bench @53f79517 (measured)"),
    ("jetson_nano_cpu", "jetson_nano.ncnn_cpu_fp32", 4 * 3.73e9,
     "4 x memcpy 3730 MB/s, sbc-bench @53f79517 (measured)"),
    ("jetson_tx2_nx_cpu", "jetson_tx2.ncnn_cpu_fp32", 4 * 3.73e9 / 25.6 * 51.2,
     "as Jetson Nano, times the ratio of peak bandwidths 51.2/25.6 (derived; peaks recalled, high)"),
    ("jetson_agx_xavier_cpu", "jetson_agx_xavier.ncnn_cpu_fp32", 4 * 10.91e9,
     "4 x memcpy 10910 MB/s, sbc-bench @53f79517 (measured)"),
    ("desktop_i7_13700k_cpu", "desktop_i7_13700k.ncnn_cpu_fp32", 2 * 60e9,
     "2 x 60 GB/s, two channels of DDR5 (recalled, low)"),
]

# new name, neighbour, factor for arithmetic, factor for memory and why
DERIVED = [
    ("raspberry_pi_3b.ncnn_cpu_fp32", "raspberry_pi_3b_plus.ncnn_cpu_fp32", 1.2 / 1.4, 1110 / 1230,
     "Raspberry Pi 3B+ times 1.2/1.4 (clock, same cores) for arithmetic and overhead, and times "
     "1110/1230 (memcpy, sbc-bench @53f79517) for weights"),
    ("odroid_xu4.ncnn_cpu_fp32", "raspberry_pi_4b.ncnn_cpu_fp32", 64 / 57.6, 2270 / 2560,
     "Raspberry Pi 4B times 64/57.6 (theoretical fp32 peaks of 4 cores, recalled, medium; the "
     "Cortex-A15 is an ARMv7 core, so this flatters it) and times 2270/2560 (memcpy, sbc-bench "
     "@53f79517) for weights"),
    ("desktop_pc.ncnn_cpu_fp32", "desktop_i7_13700k.ncnn_cpu_fp32", 4 * 3.4 / (8 * 5.2), 20 / 60,
     "Core i7-13700K times (4 cores x 3.4 GHz)/(8 cores x 5.2 GHz), its E-cores not counted, for "
     "a quad-core 3.4 GHz PC as in Edgent (arXiv 1806.07840, verified; clock of the i7 recalled); "
     "weights at 20 GB/s, two channels of DDR3 (recalled, low)"),
]

# name, GPU run whose class ratios are used, seconds for VGG-16, peak memory bytes/s, overhead
TENSORRT = [
    ("jetson_nano.tensorrt_fp16", "jetson_nano_gpu", 0.120, 25.6e9, 50e-6),
    ("jetson_tx2.tensorrt_fp16", "jetson_tx2_nx_gpu", 0.055, 59.7e9, 30e-6),
    ("jetson_agx_xavier.tensorrt_fp16", "jetson_agx_xavier_gpu", 0.022, 136.5e9, 20e-6),
]
ROW_GRANULARITY = 4
BANDWIDTH_SHARE = 0.7  # of the peak, for streaming fc weights of 2 bytes

# VGG-16's 3x3 convolutions: input channels, output channels, rows = columns
VGG16 = [(3, 64, 224), (64, 64, 224), (64, 128, 112), (128, 128, 112), (128, 256, 56),
         (256, 256, 56), (256, 256, 56), (256, 512, 28), (512, 512, 28), (512, 512, 28),
         (512, 512, 14), (512, 512, 14), (512, 512, 14)]
VGG16_FC_MACS = 25088 * 4096 + 4096 * 4096 + 4096 * 1000


def read_csv(name):
    with open(DATA / name, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def minimise(rows, weights, x, least):
    """Weighted least squares of rows*x = 1 with x >= least, by coordinate descent."""
    for _ in range(20000):
        change = 0.0
        for j in range(len(x)):
            top = bottom = 0.0
            for row, weight in zip(rows, weights):
                rest = 1 - sum(a * b for k, (a, b) in enumerate(zip(row, x)) if k != j)
                top += weight * row[j] * rest
                bottom += weight * row[j] * row[j]
            new = max(least[j], top / bottom) if bottom else least[j]
            change = max(change, abs(new - x[j]) / (abs(new) + 1e-300) if new or x[j] else 0.0)
            x[j] = new
        if change < 1e-10:
            break
    return x


def fit(latencies, classes, weight_bytes_per_s, peak_flops):
    """Seconds per FLOP of each conv class, overhead per layer, relative residual per network.

    `weight_bytes_per_s` counts 4 bytes per weight."""
    models = [m for m in latencies if m in classes and m not in LEFT_OUT]
    rows = []
    for model in models:
        c = {k: float(v) for k, v in classes[model].items() if k != "model"}
        time_s = latencies[model]
        fixed_s = 4 * c["fc_params"] / weight_bytes_per_s
        conv = [2 * c[name + "_macs"] for name in CONV_CLASSES]
        # depthwise = 1x1 + something: it is never faster
        row = [conv[0], conv[1] + conv[3], conv[2], conv[3], c["n_layers"]]
        rows.append([a / (time_s - fixed_s) for a in row] if time_s > 2 * fixed_s else None)
    kept = [(m, r) for m, r in zip(models, rows) if r]
    weights = [1.0] * len(kept)
    least = [1 / (WINOGRAD_SAVING * peak_flops), 1 / peak_flops, 1 / peak_flops, 0.0, 0.0]
    x = [1e-10, 1e-10, 1e-10, 1e-10, 1e-4]
    for _ in range(12):
        x = minimise([r for _, r in kept], weights, x, least)
        errors = [sum(a * b for a, b in zip(r, x)) - 1 for _, r in kept]
        weights = [1 / max(abs(e), 0.03) for e in errors]
    per_flop = {"conv_3x3_s1": x[0], "conv_1x1": x[1], "conv_other": x[2], "depthwise": x[1] + x[3]}
    residuals = {}
    for model in models:
        predicted = predict(classes[model], per_flop, weight_bytes_per_s, x[4])
        residuals[model] = predicted / latencies[model] - 1
    return per_flop, x[4], residuals


def predict(c, per_flop, weight_bytes_per_s, overhead_s):
    conv_s = sum(2 * float(c[name + "_macs"]) * per_flop[name] for name in CONV_CLASSES)
    return conv_s + 4 * float(c["fc_params"]) / weight_bytes_per_s + float(c["n_layers"]) * overhead_s


def rounded(x):
    return float(f"{x:.4g}")


def mean_abs(residuals):
    return sum(abs(r) for r in residuals.values()) / len(residuals)


def class_profile(name, rates, fields, source, confidence, notes):
    profile = {"schema": "edgeweave.profile/1", "name": name, "source": source,
               "confidence": confidence}
    profile.update(kind=fields.pop("kind"))
    profile["class_flops_per_s"] = {k: rounded(v) for k, v in rates.items()}
    profile.update({k: rounded(v) if isinstance(v, float) else v for k, v in fields.items()})
    profile["notes"] = notes
    return profile


def fit_all():
    classes = {row["model"]: row for row in read_csv("ncnn_network_classes.csv")}
    latencies = collections.defaultdict(dict)
    info = {}
    for row in read_csv("ncnn_latency.csv"):
        latencies[row["key"]][row["model"]] = float(row["min_ms"]) / 1e3
        info[row["key"]] = row
    return classes, latencies, info


def measured_profiles(classes, latencies, info):
    for key, name, weight_rate, weight_source in MEASURED:
        per_flop, overhead_s, residuals = fit(latencies[key], classes, weight_rate,
                                              PEAK_FLOPS[key])
        rates = {k: 1 / v for k, v in per_flop.items()}
        rates["fc"] = rates["conv_1x1"]
        row = info[key]
        source = NCNN.format(run=row["run"], device=row["device"], threads=row["num_threads"])
        notes = {
            "class_flops_per_s": "fitted by tools/fit_profiles.py to "
                                 f"{len(residuals)} fp32 networks; pooling, activations and "
                                 "element-wise layers are part of these rates. fc: as conv_1x1, "
                                 "counts only for large batches",
            "weight_bytes_per_s": weight_source + "; see tools/fit_profiles.py for the factor",
            "layer_overhead_s": "fitted with the rates",
            "residual_ratio": "mean over the networks of |predicted/measured - 1|",
        }
        confidence = "measured by ncnn's contributors, fitted here"
        if name.startswith("jetson_tx2."):
            source += " (the TX2 NX module has the same chip)"
        fields = {"kind": "class_rates", "weight_bytes_per_s": weight_rate,
                  "layer_overhead_s": overhead_s, "residual_ratio": mean_abs(residuals)}
        yield class_profile(name, rates, fields, source, confidence, notes), residuals


def derived_profiles(made):
    for name, neighbour, arithmetic, memory, why in DERIVED:
        base = made[neighbour]
        rates = {k: v * arithmetic for k, v in base["class_flops_per_s"].items()}
        fields = {"kind": "class_rates", "weight_bytes_per_s": base["weight_bytes_per_s"] * memory,
                  "layer_overhead_s": base["layer_overhead_s"] / arithmetic}
        notes = {"class_flops_per_s": why, "weight_bytes_per_s": why, "layer_overhead_s": why}
        yield class_profile(name, rates, fields, f"derived from {neighbour}: {why}",
                            "derived from a neighbour, low", notes)


def tensorrt_profiles(classes, latencies):
    for name, key, total_s, peak_bytes_per_s, overhead_s in TENSORRT:
        per_flop, _, _ = fit(latencies[key], classes, 2 * BANDWIDTH_SHARE * peak_bytes_per_s,
                               PEAK_FLOPS[key])
        fc_rate = BANDWIDTH_SHARE * peak_bytes_per_s  # one multiply-add, 2 FLOP, per 2-byte weight
        fc_s = 2 * VGG16_FC_MACS / fc_rate
        work = 0
        for channels_in, channels_out, rows in VGG16:
            padded = -(-rows // ROW_GRANULARITY) * ROW_GRANULARITY
            work += 2 * 9 * channels_in * channels_out * padded * rows
        rate_3x3 = work / (total_s - fc_s - (len(VGG16) + 3) * overhead_s)
        rates = {k: rate_3x3 * per_flop["conv_3x3_s1"] / v for k, v in per_flop.items()}
        rates["fc"] = fc_rate
        source = ("DistrEdge (IPDPS 2022): whole VGG-16 takes about "
                  f"{total_s * 1e3:g} ms, derived here from the Offload bars of Figs. 6b and 7")
        notes = {
            "class_flops_per_s": "conv_3x3_s1 so that VGG-16 takes that time; the other "
                                 "convolutions keep their ratio to it in ncnn's Vulkan benchmark of "
                                 "the same GPU (README @a4d2ea1d, fitted like the CPU profiles); fc: "
                                 f"{BANDWIDTH_SHARE:g} of {peak_bytes_per_s / 1e9:g} GB/s (peak, "
                                 "recalled, high) at 2 bytes per weight, so batches gain nothing",
            "row_granularity": "decision of ours: DistrEdge shows that latency is not linear in "
                               "height (Fig. 13) but gives no step",
            "layer_overhead_s": "decision of ours, low: a kernel launch",
        }
        fields = {"kind": "staircase", "row_granularity": ROW_GRANULARITY,
                  "layer_overhead_s": overhead_s}
        yield class_profile(name, rates, fields, source,
                            "derived here from digitised bars, low", notes)


def make_all():
    classes, latencies, info = fit_all()
    made, residuals = {}, {}
    for profile, errors in measured_profiles(classes, latencies, info):
        made[profile["name"]] = profile
        residuals[profile["name"]] = errors
    for profile in list(derived_profiles(made)) + list(tensorrt_profiles(classes, latencies)):
        made[profile["name"]] = profile
    return made, residuals


def report(made, residuals):
    print("| profile | 3x3 s1 | 1x1 | other | depthwise | weights | overhead | mean error |"
          " worst |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name, p in made.items():
        rates = p["class_flops_per_s"]
        errors = residuals.get(name)
        worst = max(errors, key=lambda m: abs(errors[m])) if errors else None
        print(f"| `{name}` | " +
              " | ".join(f"{rates[k] / 1e9:.3g}" for k in CONV_CLASSES) +
              (f" | {p['weight_bytes_per_s'] / 1e9:.3g}" if "weight_bytes_per_s" in p else " | -") +
              f" | {p['layer_overhead_s'] * 1e6:.0f}" +
              (f" | {mean_abs(errors) * 100:.0f} % | {worst} {errors[worst] * 100:+.0f} % |"
               if errors else " | - | - |"))


def main(arguments):
    made, residuals = make_all()
    if arguments == ["--report"]:
        report(made, residuals)
        return 0
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    stale = []
    for name, profile in made.items():
        path = PROFILES / (name + ".json")
        text = json.dumps(profile, indent=2) + "\n"
        if arguments == ["--check"]:
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                stale.append(path.name)
        else:
            path.write_text(text, encoding="utf-8")
    for name in stale:
        print(f"{name}: differs from what tools/fit_profiles.py writes", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
