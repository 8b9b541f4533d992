# Latency of every request over time, strategy by strategy, with the events of the scenario marked and,
# if wanted, a trace of bandwidth below.
#
#   gnuplot -e "dir='out'; events='60 nano down, 120 nano up'; trace='wifi.csv'" plots/timeline.gp
#
# Reads   dir/requests.csv, dir/runs.csv (docs/outputs.md), and the file given as  trace
# Writes  dir/timeline.png, or the file given as  output='…'
# Options dir, output, title, events ('TIME TEXT, TIME TEXT, …'), trace (time_s,bandwidth_mbit_per_s),
#         scale (multiplies the trace), window_s (mean over so many seconds, default: 1/60 of the run),
#         deadline_s, logarithmic (0 or 1; default: 1 when the longest latency is more than 20 times the shortest)

if (!exists("dir")) dir = "."
if (!exists("output")) output = dir."/timeline.png"
if (!exists("title")) title = ""
if (!exists("events")) events = ""
if (!exists("trace")) trace = ""
if (!exists("scale")) scale = 1
requests = dir."/requests.csv"

set encoding utf8
set datafile separator ","
set datafile columnheaders
set datafile missing ""

# Okabe-Ito colours: told apart with any colour vision.
dark = "#444444"
colours = "#0072B2 #D55E00 #009E73 #CC79A7 #E69F00 #56B4E9 #000000 #999999"
colour(r) = word(colours, r % 8 + 1)

has(name) = strlen(stringcolumn(name)) > 0
latency(run) = column("run") == run && has("latency_s") ? column("latency_s") : NaN

stats requests using (column("run")) nooutput name "RUN"
stats requests using (column("arrival_s")) nooutput name "TIME"
stats requests using (has("latency_s") && column("latency_s") > 0 ? column("latency_s") : NaN) nooutput name "LATENCY"
if (!exists("logarithmic")) logarithmic = LATENCY_max > 20 * LATENCY_min
n = int(RUN_max) + 1
n_each = TIME_records / n > 1 ? TIME_records / n : 2
if (!exists("window_s")) window_s = (TIME_max - TIME_min) * n_each / (n_each - 1) / 60.0
if (window_s <= 0) window_s = 1
unit = LATENCY_max < 1 ? "ms" : "s"
factor = LATENCY_max < 1 ? 1e3 : 1
bin(t) = floor(t / window_s + 1e-9) * window_s

# Names of the runs, in order.
names = ""
do for [r = 0:n - 1] {
    name = "run ".r
    stats dir."/runs.csv" using (column("run") == r ? (name = stringcolumn("strategy"), 1) : NaN) nooutput name "NAME"
    names = names.(r ? "|" : "").name
}
# Earlier runs are drawn thicker, so that one that coincides with another is still seen.
width(r) = 2 + 2.2 * (n - 1 - r < 4 ? n - 1 - r : 4)
name_of(r) = system(sprintf("printf '%%s' '%s' | cut -d'|' -f%d", names, r + 1))

set terminal pngcairo size 1200, (trace eq "" ? 520 : 720) font "DejaVu Sans,11" noenhanced background "white"
set output output
set multiplot
set border 3 linecolor "#666666"
set tics nomirror out scale 0.6 textcolor "black"
set grid linecolor "#DDDDDD" linetype 1 linewidth 1
set xrange [TIME_min : TIME_max > TIME_min ? TIME_max : TIME_min + 1]
if (logarithmic) set logscale y; set yrange [LATENCY_min * factor / 1.3 : LATENCY_max * factor * 2]
if (!logarithmic) set yrange [0 : LATENCY_max * factor * 1.15]
set lmargin at screen 0.07
set rmargin at screen 0.83
set tmargin at screen 0.92
set bmargin at screen (trace eq "" ? 0.11 : 0.38)
set ylabel "latency (".unit.")"
if (trace eq "") set xlabel "arrival (s)"
if (title ne "") set label 1 title at screen 0.07, screen 0.96 left font "DejaVu Sans,13"
set key at screen 0.845, screen 0.92 left top vertical Left reverse samplen 1.5 spacing 1.3

# Events: a dashed line each, its text at the top.
rest = events
k = 0
while (strlen(rest) > 0) {
    comma = strstrt(rest, ",")
    item = comma ? rest[1 : comma - 1] : rest
    rest = comma ? rest[comma + 1 : *] : ""
    t = real(word(item, 1))
    caption = ""
    do for [w = 2:words(item)] { caption = caption.(w > 2 ? " " : "").word(item, w) }
    k = k + 1
    set arrow k from first t, graph 0 to first t, graph 1 nohead dashtype 2 linewidth 1.5 linecolor rgb dark front
    set label 100 + k caption at first t, graph (0.98 - 0.05 * ((k - 1) % 2)) left offset 0.4, 0 textcolor rgb dark front
}
if (exists("deadline_s")) set arrow 99 from graph 0, first deadline_s * factor to graph 1, first deadline_s * factor nohead linewidth 1.5 linecolor rgb "#AA0000" front

plot for [r = 0:n - 1] requests using (column("run") == r ? column("arrival_s") : NaN):(latency(r) * factor) \
         with points pointtype 7 pointsize 0.25 linecolor rgb colour(r) notitle, \
     for [r = 0:n - 1] requests using (column("run") == r && has("latency_s") ? bin(column("arrival_s")) : NaN):(latency(r) * factor) \
         smooth unique with steps linewidth width(r) linecolor rgb colour(r) title name_of(r)

if (trace ne "") {
    unset label
    unset arrow 99
    unset title
    unset key
    unset logscale
    set tmargin at screen 0.30
    set bmargin at screen 0.09
    set yrange [0 : *]
    set ylabel "Mbit/s"
    set xlabel "time (s)"
    plot trace using (column("time_s")):(column("bandwidth_mbit_per_s") * scale) with steps linewidth 1.2 linecolor rgb dark notitle
}
unset multiplot
