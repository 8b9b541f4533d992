#!/usr/bin/env python3
"""Write the profiles in platforms/profiles/ that are derived from a neighbour or from a paper.

The measured ones come from tools/make_profiles.sh; the derived ones scale these. The TensorRT
profiles take VGG-16's time from DistrEdge's figures and the ratios between classes of convolutions
from a plain class fit to ncnn's Vulkan benchmark of the same GPU:

    sum over conv classes of 2*MACs / rate  +  fc weight bytes / weight rate  +  layers * overhead

Rates and overhead minimise the sum of |relative error| over the networks (least absolute
deviations: one throttled run must not bend the fit), with depthwise never faster than 1x1.

    tools/fit_profiles.py            write platforms/profiles/*.json
    tools/fit_profiles.py --check    fail when a file differs from what would be written
    tools/fit_profiles.py --backtest how far off such scaling is between boards that are both
                                     measured, and the TensorRT profiles from ncnn's Vulkan times
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

# theoretical fp32 peaks (recalled, medium to high): no class but 3x3 s1, where Winograd's algorithm
# saves up to a factor of 5, may be faster
PEAK_FLOPS = {"raspberry_pi_3b_plus_cpu": 44.8e9, "raspberry_pi_4b_cpu": 57.6e9,
              "jetson_nano_cpu": 45.8e9, "jetson_tx2_nx_cpu": 96e9,
              "jetson_agx_xavier_cpu": 563.2e9, "desktop_i7_13700k_cpu": 1690e9,
              "jetson_nano_gpu": 471.6e9, "jetson_tx2_nx_gpu": 1331e9,
              "jetson_agx_xavier_gpu": 2820e9}
WINOGRAD_SAVING = 5

# new name, neighbour, factor for arithmetic, factor for memory and why
DERIVED = [
    ("raspberry_pi_3b.ncnn_cpu_fp32", "raspberry_pi_3b_plus.ncnn_cpu_fp32", 1.2 / 1.4, 1110 / 1230,
     "Raspberry Pi 3B+ times 1.2/1.4 (clock, same cores) for arithmetic and overhead, and times "
     "1110/1230 (memcpy, sbc-bench @53f79517) for memory"),
    ("odroid_xu4.ncnn_cpu_fp32", "raspberry_pi_4b.ncnn_cpu_fp32", 64 / 57.6, 2270 / 2560,
     "Raspberry Pi 4B times 64/57.6 (theoretical fp32 peaks of 4 cores, recalled, medium; the "
     "Cortex-A15 is an ARMv7 core, so this flatters it) and times 2270/2560 (memcpy, sbc-bench "
     "@53f79517) for memory"),
    ("raspberry_pi_5.ncnn_cpu_fp32", "rk3588.ncnn_cpu_fp32", 2.4 / 2.4, 1.0,
     "Rockchip RK3588, big cores, as it is: the same four Cortex-A76 at 2.4 GHz; the RK3588 has twice "
     "the memory bus, so this flatters layers that wait for memory"),
    ("jetson_xavier_nx.ncnn_cpu_fp32", "jetson_agx_xavier.ncnn_cpu_fp32", 6 * 1.4 / (8 * 2.2),
     59.7 / 136.5,
     "Jetson AGX Xavier times (6 cores x 1.4 GHz)/(8 cores x 2.2 GHz), the same Carmel cores, for "
     "arithmetic and overhead, and times 59.7/136.5 (peak bandwidths; all recalled, medium)"),
    ("desktop_pc.ncnn_cpu_fp32", "desktop_i7_13700k.ncnn_cpu_fp32", 4 * 3.4 / (8 * 5.2), 20 / 60,
     "Core i7-13700K times (4 cores x 3.4 GHz)/(8 cores x 5.2 GHz), its E-cores not counted, for "
     "a quad-core 3.4 GHz PC as in Edgent (arXiv 1806.07840, verified; clock of the i7 recalled); "
     "memory times 20/60, two channels of DDR3 against DDR5 (recalled, low)"),
    ("edge_server.ncnn_cpu_fp32", "desktop_i7_13700k.ncnn_cpu_fp32", 16 * 2.9 / (8 * 5.2), 140.8 / 76.8,
     "Core i7-13700K times (16 cores x 2.9 GHz)/(8 cores x 5.2 GHz), its E-cores not counted, and "
     "memory times 140.8/76.8, six channels of DDR4-2933 against two of DDR5-4800 (peaks, recalled, "
     "medium): one socket of a server; its size is a decision of ours, and more cores help small "
     "layers less than this says"),
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
    for row in read_csv("ncnn_latency.csv"):
        latencies[row["key"]][row["model"]] = float(row["min_ms"]) / 1e3
    return classes, latencies


def derived_profiles():
    for name, neighbour, arithmetic, memory, why in DERIVED:
        base = json.loads((PROFILES / (neighbour + ".json")).read_text(encoding="utf-8"))
        profile = {"schema": "edgeweave.profile/1", "name": name,
                   "source": f"derived from {neighbour}: {why}",
                   "confidence": "derived from a neighbour, low", "kind": "additive"}
        profile["class_flops_per_s"] = {k: rounded(v * arithmetic)
                                        for k, v in base["class_flops_per_s"].items()}
        for key in ("weight_bytes_per_s", "activation_bytes_per_s", "patch_bytes_per_s"):
            profile[key] = rounded(base[key] * memory)
        profile["layer_overhead_s"] = rounded(base["layer_overhead_s"] / arithmetic)
        profile["range_macs"] = base["range_macs"]
        yield profile


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


# measured board, as if derived from its measured neighbour: times that many times as fast
BACKTEST = [
    ("raspberry_pi_zero_2w_cpu", "raspberry_pi_3b_plus_cpu", 1.0 / 1.4, "same cores, clock"),
    ("raspberry_pi_3b_plus_cpu", "raspberry_pi_zero_2w_cpu", 1.4 / 1.0, "same cores, clock"),
    ("jetson_nano_cpu", "raspberry_pi_4b_cpu", 45.8 / 57.6, "theoretical peaks"),
    ("jetson_tx2_nx_cpu", "jetson_nano_cpu", 96 / 45.8, "theoretical peaks"),
    ("jetson_agx_xavier_cpu_4_threads", "jetson_agx_xavier_cpu", 4 / 8, "same cores, count"),
    ("jetson_agx_xavier_cpu", "jetson_agx_xavier_cpu_4_threads", 8 / 4, "same cores, count"),
    ("celeron_n5105_cpu", "desktop_i7_13700k_cpu", 4 * 2.9 / (8 * 5.2), "cores times clock"),
]


def print_backtest(latencies):
    print("| board | as if derived from | by | factor | mean error | measured / predicted, 10 % .. 90 % |")
    print("|---|---|---|---|---|---|")
    for board, neighbour, faster, rule in BACKTEST:
        models = sorted(set(latencies[board]) & set(latencies[neighbour]))
        ratios = sorted(latencies[board][m] * faster / latencies[neighbour][m] for m in models)
        error = sum(abs(1 / r - 1) for r in ratios) / len(ratios)
        low, high = ratios[len(ratios) // 10], ratios[-1 - len(ratios) // 10]
        print(f"| `{board}` | `{neighbour}` | {rule} | {faster:.3g} | {100 * error:.0f} % | "
              f"{low:.2f} .. {high:.2f} |")


def print_tensorrt(classes, latencies):
    print()
    print("| profile | VGG-16 | ncnn's Vulkan time / profile's, middle of the networks | 10 % .. 90 % |")
    print("|---|---|---|---|")
    keys = {name: (key, total_s, overhead_s) for name, key, total_s, _, overhead_s in TENSORRT}
    for profile in tensorrt_profiles(classes, latencies):
        key, total_s, overhead_s = keys[profile["name"]]
        rates = profile["class_flops_per_s"]
        per_flop = {k: 1 / rates[k] for k in CONV_CLASSES}
        ratios = sorted(time_s / predict(classes[m], per_flop, 2 * rates["fc"], overhead_s)
                        for m, time_s in latencies[key].items()
                        if m in classes and m not in LEFT_OUT)
        n = len(ratios)
        print(f"| `{profile['name']}` | {total_s * 1e3:g} ms | {ratios[n // 2]:.1f} | "
              f"{ratios[n // 10]:.1f} .. {ratios[-1 - n // 10]:.1f} |")


def make_all():
    classes, latencies = fit_all()
    made = {}
    for profile in list(derived_profiles()) + list(tensorrt_profiles(classes, latencies)):
        made[profile["name"]] = profile
    return made


def main(arguments):
    if arguments == ["--backtest"]:
        classes, latencies = fit_all()
        print_backtest(latencies)
        print_tensorrt(classes, latencies)
        return 0
    made = make_all()
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
