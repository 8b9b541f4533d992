# Gantt chart of one run: a row per device, boxes for tasks, thin bars for bytes that leave and
# arrive.
#
#   gnuplot -e "dir='out'; strategy='coedge'" plots/gantt.gp
#   gnuplot -e "dir='out'; run=2; first=10; last=12" plots/gantt.gp
#
# Reads   dir/devices.csv, dir/requests.csv, dir/tasks.csv (docs/outputs.md)
# Writes  dir/gantt.png, or the file given as  output='…'
# Options dir, output, title
#         run          which run, by number (default 0), or
#         strategy     by the strategy's id: the first run of it
#         workload     by name (default: the first one of the run)
#         first, last  its requests to show, by number (default: request 0)

if (!exists("dir")) dir = "."
if (!exists("output")) output = dir."/gantt.png"
if (!exists("run")) run = 0
if (!exists("first")) first = 0
if (!exists("last")) last = first
devices = dir."/devices.csv"
requests = dir."/requests.csv"
tasks = dir."/tasks.csv"

set encoding utf8
set datafile separator ","
set datafile columnheaders
set datafile missing ""

has(name) = strlen(stringcolumn(name)) > 0

# -------------------------------------------------------------------- which run, which time
if (exists("strategy")) {
    stats devices using (stringcolumn("strategy") eq strategy ? column("run") : NaN) nooutput
    if (!exists("STATS_min")) { printerr devices.": no run of strategy ".strategy; exit status 1 }
    run = int(STATS_min)
}
of_run(x) = column("run") == run ? x : NaN

stats devices using (of_run(column("device_id"))) nooutput name "DEVICE"
if (!exists("DEVICE_max")) { printerr sprintf("%s: no run %d", devices, run); exit status 1 }
n = int(DEVICE_max) + 1
stats devices using (of_run(strlen(stringcolumn("device")))) nooutput name "NAME"
if (!exists("workload")) {
    workload = ""
    stats requests using (workload = workload eq "" && column("run") == run \
                                     ? stringcolumn("workload") : workload, 0) nooutput
}
shown(x) = column("run") == run && stringcolumn("workload") eq workload && \
           column("request") >= first && column("request") <= last ? x : NaN
stats requests using (shown(has("arrival_s") ? column("arrival_s") : NaN)) nooutput name "FROM"
if (!exists("FROM_min")) {
    printerr sprintf("%s: run %d, workload '%s': no requests %d to %d", requests, run, workload, \
                     first, last)
    exit status 1
}
stats tasks using (shown(column("end_s"))) nooutput name "TO"
if (!exists("TO_max")) { printerr sprintf("%s: nothing kept of these requests", tasks); exit status 1 }
from_s = FROM_min
to_s = TO_max
name = ""
stats devices using (name = of_run(0) == 0 ? stringcolumn("strategy") : name, 0) nooutput
if (!exists("title")) title = name.(first == last ? sprintf(", request %d", first) \
                                                  : sprintf(", requests %d to %d", first, last))

span_s = to_s - from_s > 0 ? to_s - from_s : 1e-6
unit = span_s < 2e-3 ? "µs" : span_s < 2 ? "ms" : "s"
scale = span_s < 2e-3 ? 1e6 : span_s < 2 ? 1e3 : 1

# -------------------------------------------------------------------- look
# Okabe-Ito colours: told apart with any colour vision, and in grey.
left = 36 + 8.5 * NAME_max # pixels, room for the longest name
top = 52
bottom = 122
row = n <= 16 ? 58 : n <= 48 ? 34 : 20
height = top + row * n + bottom
set terminal pngcairo size 1400, height font "DejaVu Sans,11" noenhanced background "white"
set output output
set lmargin at screen left / 1400.0
set rmargin at screen 0.97
set tmargin at screen 1 - real(top) / height
set bmargin at screen real(bottom) / height
set label 1 title at screen left / 1400.0, screen 1 - 26.0 / height left font "DejaVu Sans,13"
set style fill solid 1.0 noborder
set border 1 linecolor "#666666"
set tics nomirror out scale 0.6 textcolor "black"
set format x "%g"
set grid xtics linecolor "#E4E4E4" linetype 1 linewidth 1
unset ytics
set xrange [0 : span_s * scale * 1.005]
set yrange [n - 0.42 : -0.58]
set xlabel "time since the first of these requests arrived (".unit.")"
set key at screen left / 1400.0, screen 62.0 / height left top
set key vertical Left reverse samplen 1.5 spacing 1.3 maxrows 2

# x, y, half width, half height of a box in the row of a device. Rows count downwards.
begin(name) = (column(name) - from_s) * scale
half(name) = (column("end_s") - column(name)) * scale / 2
is(kind, class) = stringcolumn("kind") eq kind && (class eq "" || stringcolumn("class") eq class)
compute(class) = is("compute", class) ? shown(begin("start_s") + half("start_s")) : NaN
other(x) = is("compute", "") && !is("compute", "conv") && !is("compute", "fc") && \
           !is("compute", "pool") ? shown(begin("start_s") + half("start_s")) : NaN
kind(k) = is(k, "") ? shown(begin("start_s") + half("start_s")) : NaN
flow(x) = is("transfer", "") ? shown(begin("flow_s") + half("flow_s")) : NaN
# A line between neighbours, where a box is wide enough to bear it.
pixel = span_s * scale / (1400 * 0.97 - left)
edge(x) = is("compute", "") && half("start_s") > 2 * pixel ? shown(begin("start_s")) : NaN

tall = 0.22
thin = 0.045
task_y = -0.15
tx_y = 0.15
rx_y = 0.265

do for [d = 0 : n - 1] {
    set arrow from graph 0, first d + 0.5 to graph 1, first d + 0.5 nohead back \
        linecolor "#CCCCCC" linewidth 1
}

plot devices using (0):(of_run(column("device_id"))):(stringcolumn("device")) \
         with labels right offset -1, 0 notitle, \
     tasks using (compute("conv")):(column("device_id") + task_y):(half("start_s")):(tall) \
         with boxxyerror linecolor rgb "#0072B2" title "convolution", \
     "" using (compute("fc")):(column("device_id") + task_y):(half("start_s")):(tall) \
         with boxxyerror linecolor rgb "#E69F00" title "fully connected", \
     "" using (compute("pool")):(column("device_id") + task_y):(half("start_s")):(tall) \
         with boxxyerror linecolor rgb "#009E73" title "pooling", \
     "" using (other(0)):(column("device_id") + task_y):(half("start_s")):(tall) \
         with boxxyerror linecolor rgb "#999999" title "other layers", \
     "" using (kind("load")):(column("device_id") + task_y):(half("start_s")):(tall) \
         with boxxyerror linecolor rgb "#F0E442" title "loading weights", \
     "" using (edge(0)):(column("device_id") + task_y - tall):(0):(2 * tall) \
         with vectors nohead linewidth 1 linecolor rgb "white" notitle, \
     "" using (kind("send")):(column("device_id") + tx_y):(half("start_s")):(thin) \
         with boxxyerror linecolor rgb "#777777" title "message overhead", \
     "" using (flow(0)):(column("device_id") + tx_y):(half("flow_s")):(thin) \
         with boxxyerror linecolor rgb "#D55E00" title "bytes leave", \
     "" using (flow(0)):(column("peer_id") + rx_y):(half("flow_s")):(thin) \
         with boxxyerror linecolor rgb "#CC79A7" title "bytes arrive", \
     requests using (shown(has("end_s") ? begin("end_s") : NaN)):(-0.58):(0):(n + 0.16) \
         with vectors nohead dashtype 2 linewidth 1.5 linecolor rgb "#444444" title "request answered"
