# Simulated and executed, side by side: latency of every strategy on simgrid and on exec, and how
# much later (or earlier) every single task and message ended in the execution.
#
#   gnuplot -e "dir='out'" plots/validate.gp
#
# Reads   dir/validation.csv, dir/validation_tasks.csv (docs/validation.md)
# Writes  dir/validate.png, or the file given as  output='…'
# Options dir, output, title

if (!exists("dir")) dir = "."
if (!exists("output")) output = dir."/validate.png"
if (!exists("title")) title = ""
rows = dir."/validation.csv"
tasks = dir."/validation_tasks.csv"

set encoding utf8
set datafile separator ","
set datafile columnheaders
set datafile missing ""

# Okabe-Ito colours: told apart with any colour vision, and in grey.
blue = "#0072B2"; vermillion = "#D55E00"; orange = "#E69F00"

has(name) = strlen(stringcolumn(name)) > 0
or_zero(name) = has(name) ? column(name) : 0

names = ""
stats rows using (names = names." ".stringcolumn("strategy"), or_zero("simgrid_latency_s")) nooutput name "LATENCY"
stats rows using (or_zero("exec_latency_s")) nooutput name "EXEC"
if (!exists("LATENCY_records")) { printerr rows.": no runs"; exit }
n = words(names)
largest = LATENCY_max > EXEC_max ? LATENCY_max : EXEC_max
largest = largest > 0 ? largest : 1
unit = largest < 1e-3 ? "µs" : largest < 1 ? "ms" : "s"
scale = largest < 1e-3 ? 1e6 : largest < 1 ? 1e3 : 1

row_of(name) = (r = -1, sum [i = 1:n] (word(names, i) eq name ? (r = i - 1) : 0), r)
difference(x) = has("exec_end_s") && has("simgrid_end_s") ? column("exec_end_s") - column("simgrid_end_s") : NaN
far = 0
stats tasks using (d = difference(0), far = (d == d && abs(d) > far ? abs(d) : far), 0) nooutput
far_unit = far < 1e-4 ? "µs" : far < 1 ? "ms" : "s"
far_scale = far < 1e-4 ? 1e6 : far < 1 ? 1e3 : 1
far = far * far_scale > 1e-3 ? far * far_scale : 1

top = title eq "" ? 24 : 56
bottom = 124
height = top + 46 * n + bottom
stats rows using (strlen(stringcolumn("strategy"))) nooutput name "NAME"
left = (36 + 8.5 * NAME_max) / 1200.0
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
bar = 0.17
scaled(name) = has(name) ? column(name) * scale : NaN
percent(x) = 100 * (column("exec_latency_s") / column("simgrid_latency_s") - 1)

# -------------------------------------------------------------------- left: latency
set key at screen left, screen 56.0 / height left top
set lmargin at screen left
set rmargin at screen 0.5
set xrange [0 : largest * scale * 1.2]
set xlabel "latency per request (".unit.")"
set ytics scale 0
plot rows using (scaled("simgrid_latency_s") / 2):($0 - 0.2):(scaled("simgrid_latency_s") / 2):(bar) \
         with boxxyerror linecolor rgb blue title "simgrid", \
     "" using (scaled("exec_latency_s") / 2):($0 + 0.2):(scaled("exec_latency_s") / 2):(bar) \
         with boxxyerror linecolor rgb orange title "exec", \
     "" using (has("exec_latency_s") ? scaled("exec_latency_s") : 0):($0 + 0.2): \
         (has("exec_latency_s") ? sprintf("%+.2f %%", percent(0)) : "not executed") \
         with labels left offset 0.6, 0 notitle, \
     "" using (NaN):0:ytic(stringcolumn("strategy")) with points notitle

# -------------------------------------------------------------------- right: every task
unset label 1
set key at screen 0.56, screen 56.0 / height left top
set lmargin at screen 0.56
set rmargin at screen 0.97
set xrange [-1.08 * far : 1.08 * far]
set xlabel "end in exec − end in simgrid (".far_unit.")"
set ytics format ""
set arrow 1 from 0, graph 0 to 0, graph 1 nohead linecolor "#666666"
spread(x) = 0.3 * (2 * ((column("node") * 0.618034) - floor(column("node") * 0.618034)) - 1)
kind_is(k) = stringcolumn("kind") eq k ? difference(0) * far_scale : NaN
plot tasks using (kind_is("message")):(row_of(stringcolumn("strategy")) + spread(0)) \
         with points pointtype 7 pointsize 0.5 linecolor rgb vermillion title "message", \
     "" using (kind_is("task")):(row_of(stringcolumn("strategy")) + spread(0)) \
         with points pointtype 7 pointsize 0.5 linecolor rgb blue title "task"

unset multiplot
