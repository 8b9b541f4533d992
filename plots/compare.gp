# Latency and energy per request of every strategy of one comparison. Figures beside the bars are
# means.
#
#   gnuplot -e "dir='out'" plots/compare.gp
#
# Reads   dir/runs.csv (docs/outputs.md)
# Writes  dir/compare.png, or the file given as  output='…'
# Options dir, output, title

if (!exists("dir")) dir = "."
if (!exists("output")) output = dir."/compare.png"
if (!exists("title")) title = ""
runs = dir."/runs.csv"

set encoding utf8
set datafile separator ","
set datafile columnheaders
set datafile missing ""

# Labels that do not apply are empty texts, not missing points: gnuplot 5.4 crashes on a plot of
# labels whose points are all missing.

# Okabe-Ito colours: told apart with any colour vision, and in grey.
blue = "#0072B2"; vermillion = "#D55E00"; orange = "#E69F00"; grey = "#BBBBBB"

has(name) = strlen(stringcolumn(name)) > 0
number(name) = has(name) ? column(name) : NaN
or_zero(name) = has(name) ? column(name) : 0

# How many rows there are and how large the figures get.
stats runs using (column("run")) nooutput
if (!exists("STATS_records")) { printerr runs.": no runs"; exit }
n = int(STATS_records)
stats runs using (or_zero("latency_p99_s")) nooutput name "LATENCY"
stats runs using (or_zero("energy_per_request_j")) nooutput name "ENERGY"
latency_max = LATENCY_max > 0 ? LATENCY_max : 1
energy_max = ENERGY_max > 0 ? ENERGY_max : 1

# Units that keep the ticks short.
latency_unit = latency_max < 1e-3 ? "µs" : latency_max < 1 ? "ms" : "s"
latency_scale = latency_max < 1e-3 ? 1e6 : latency_max < 1 ? 1e3 : 1
energy_unit = energy_max < 1e-3 ? "µJ" : energy_max < 1 ? "mJ" : "J"
energy_scale = energy_max < 1e-3 ? 1e6 : energy_max < 1 ? 1e3 : 1

# Pixels: a title line, a row per strategy, then axis and legend.
top = title eq "" ? 24 : 56
bottom = 136
height = top + 44 * n + bottom
stats runs using (strlen(stringcolumn("strategy"))) nooutput name "NAME"
left = (36 + 8.5 * NAME_max) / 1200.0 # room for the longest name
set terminal pngcairo size 1200, height font "DejaVu Sans,11" noenhanced background "white"
set output output
set multiplot

set style fill solid 1.0 noborder
set border 1 linecolor "#666666"
set tics nomirror out scale 0.6 textcolor "black"
set grid xtics linecolor "#DDDDDD" linetype 1 linewidth 1
set yrange [n - 0.4 : -0.6]
set format x "%g"
set tmargin at screen 1 - real(top) / height
set bmargin at screen real(bottom) / height
set key vertical Left reverse samplen 1.5 spacing 1.3 maxrows 2
if (title ne "") set label 1 title at screen 0.02, screen 1 - 26.0 / height left font "DejaVu Sans,13"

bar = 0.32
met(name, wanted) = has(name) && column("requirements_met") == wanted ? column(name) : NaN

# -------------------------------------------------------------------- left: latency
set key at screen left, screen 66.0 / height left top
set lmargin at screen left
set rmargin at screen 0.53
set xrange [0 : latency_max * latency_scale * 1.15]
set xlabel "latency per request (".latency_unit.")"
set ytics scale 0
plot runs using (met("latency_mean_s", 1) * latency_scale / 2):0: \
         (met("latency_mean_s", 1) * latency_scale / 2):(bar):ytic(stringcolumn("strategy")) \
         with boxxyerror linecolor rgb blue title "mean, requirements met", \
     "" using (met("latency_mean_s", 0) * latency_scale / 2):0: \
         (met("latency_mean_s", 0) * latency_scale / 2):(bar) \
         with boxxyerror linecolor rgb vermillion title "mean, not met", \
     "" using (number("latency_mean_s") * latency_scale):0: \
         ((number("latency_p99_s") - number("latency_mean_s")) * latency_scale):(0) \
         with vectors nohead linewidth 2 linecolor rgb "black" notitle, \
     "" using (number("latency_p99_s") * latency_scale):0 \
         with points pointtype 9 pointsize 0.9 linecolor rgb "black" title "99th percentile", \
     "" using (number("deadline_s") * latency_scale):($0 - 0.42):(0):(0.84) \
         with vectors nohead dashtype 2 linewidth 1.5 linecolor rgb "#444444" title "deadline", \
     "" using (or_zero("latency_p99_s") * latency_scale):0: \
         (has("error") ? "" : sprintf("%.3g", number("latency_mean_s") * latency_scale)) \
         with labels left offset 1.2, 0 notitle, \
     "" using (latency_max * latency_scale * 0.01):0:(has("error") ? "cannot serve" : "") \
         with labels left textcolor rgb "#777777" notitle

# -------------------------------------------------------------------- right: energy
unset label 1
set key at screen 0.58, screen 66.0 / height left top
set lmargin at screen 0.58
set rmargin at screen 0.97
set xrange [0 : energy_max * energy_scale * 1.15]
set xlabel "energy per request (".energy_unit.")"
set ytics format ""
dynamic(x) = number("dynamic_energy_per_request_j") * energy_scale
idle(x) = number("idle_share_per_request_j") * energy_scale
plot runs using (dynamic(0) / 2):0:(dynamic(0) / 2):(bar) \
         with boxxyerror linecolor rgb orange title "computing and radio (above idle)", \
     "" using (dynamic(0) + idle(0) / 2):0:(idle(0) / 2):(bar) \
         with boxxyerror linecolor rgb grey title "share of idle energy", \
     "" using (or_zero("energy_per_request_j") * energy_scale):0: \
         (has("energy_per_request_j") ? sprintf("%.3g", dynamic(0) + idle(0)) : "") \
         with labels left offset 0.6, 0 notitle, \
     "" using (energy_max * energy_scale * 0.01):0: \
         (has("error") || has("energy_per_request_j") ? "" : "no power figures") \
         with labels left textcolor rgb "#777777" notitle

unset multiplot
