# Latency and energy per request of every strategy of one comparison.
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

# Okabe-Ito colours: told apart with any colour vision, and in grey.
blue = "#0072B2"; vermillion = "#D55E00"; orange = "#E69F00"; grey = "#BBBBBB"

# "-" for the label, the position and the sizes: how many rows, and how large they get.
stats runs using (column("run")) nooutput
n = int(STATS_records)
stats runs using (column("latency_p99_s")) nooutput name "LATENCY"
stats runs using (column("energy_per_request_j")) nooutput name "ENERGY"
latency_max = exists("LATENCY_max") && LATENCY_records > 0 ? LATENCY_max : 1
energy_max = exists("ENERGY_max") && ENERGY_records > 0 ? ENERGY_max : 1

# Units that keep the ticks short.
latency_unit = latency_max < 1e-3 ? "µs" : latency_max < 1 ? "ms" : "s"
latency_scale = latency_max < 1e-3 ? 1e6 : latency_max < 1 ? 1e3 : 1
energy_unit = energy_max < 1e-3 ? "µJ" : energy_max < 1 ? "mJ" : "J"
energy_scale = energy_max < 1e-3 ? 1e6 : energy_max < 1 ? 1e3 : 1

height = 190 + 44 * n
set terminal pngcairo size 1200, height font "DejaVu Sans,11" noenhanced background "white"
set output output
set multiplot

set style fill solid 1.0 noborder
set border 1 linecolor "#666666"
set tics nomirror out scale 0.6 textcolor "black"
set grid xtics linecolor "#DDDDDD" linetype 1 linewidth 1
set yrange [n - 0.4 : -0.6]
set key outside bottom center horizontal Left reverse samplen 1.5 spacing 1.2 width 1
set bmargin 6
set tmargin (title eq "" ? 1.5 : 3)

if (title ne "") set label 1 title at screen 0.02, screen 1 - 20.0 / height left font "DejaVu Sans,13"

bar = 0.32
has(name) = strlen(stringcolumn(name)) > 0
number(name) = has(name) ? column(name) : NaN
met(name, wanted) = has(name) && column("requirements_met") == wanted ? column(name) : NaN

# -------------------------------------------------------------------- left: latency
set lmargin at screen 0.14
set rmargin at screen 0.53
set xrange [0 : latency_max * latency_scale * 1.08]
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
     "" using (has("error") ? latency_max * latency_scale * 0.01 : NaN):0:("cannot serve") \
         with labels left textcolor rgb "#777777" notitle

# -------------------------------------------------------------------- right: energy
unset label 1
set lmargin at screen 0.58
set rmargin at screen 0.97
set xrange [0 : energy_max * energy_scale * 1.08]
set xlabel "energy per request (".energy_unit.")"
set ytics format ""
dynamic(x) = number("dynamic_energy_per_request_j") * energy_scale
idle(x) = number("idle_share_per_request_j") * energy_scale
plot runs using (dynamic(0) / 2):0:(dynamic(0) / 2):(bar) \
         with boxxyerror linecolor rgb orange title "computing and radio (above idle)", \
     "" using (dynamic(0) + idle(0) / 2):0:(idle(0) / 2):(bar) \
         with boxxyerror linecolor rgb grey title "share of idle energy", \
     "" using (has("error") || has("energy_per_request_j") ? NaN : energy_max * 0.01):0: \
         ("no power figures") with labels left textcolor rgb "#777777" notitle

unset multiplot
