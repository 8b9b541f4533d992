# Measured against predicted times of a calibration: filled, rows that the fit has seen; open, the
# same rows left out of it. Dotted: 20 % off.
#
#   gnuplot -e "data='residuals.csv'" plots/residuals.gp
#
# Reads   data: the CSV that 'edgeweave calibrate compute --residuals FILE' writes
# Writes  residuals.png beside where gnuplot runs, or the file given as  output='…'
# Options data, output, title

if (!exists("data")) data = "residuals.csv"
if (!exists("output")) output = "residuals.png"
if (!exists("title")) title = ""

set encoding utf8
set datafile separator ","
set datafile columnheaders
set datafile missing ""

# Okabe-Ito colours: told apart with any colour vision, and in grey.
blue = "#0072B2"; vermillion = "#D55E00"; grey = "#BBBBBB"

stats data using (column("measured_s")) nooutput name "T"
if (!exists("T_records") || T_records < 1) { printerr data.": no rows"; exit }
unit = T_max < 1e-3 ? 1e6 : T_max < 1 ? 1e3 : 1
unit_name = T_max < 1e-3 ? "µs" : T_max < 1 ? "ms" : "s"
low = T_min * unit / 1.6; high = T_max * unit * 1.6

set terminal pngcairo size 900,900 font "DejaVu Sans,11" noenhanced
set output output
set title title
set logscale xy
set xrange [low:high]
set yrange [low:high]
set size square
set xlabel "measured (".unit_name.")"
set ylabel "predicted (".unit_name.")"
set grid lc rgb "#DDDDDD"
set key left top

# Names beside the rows that are far off when left out.
far(name) = (valid(6) && abs(column("left_out_s") / column("measured_s") - 1) > 0.25) ? name : ""

plot x with lines lc rgb grey title "exact", \
     x * 1.2 with lines dt 3 lc rgb grey title "20 % off", \
     x / 1.2 with lines dt 3 lc rgb grey notitle, \
     data using (column("measured_s") * unit):(column("left_out_s") * unit) \
         with points pt 6 ps 1.4 lc rgb vermillion title "left out of the fit", \
     data using (column("measured_s") * unit):(column("predicted_s") * unit) \
         with points pt 7 ps 0.9 lc rgb blue title "in sample", \
     data using (column("measured_s") * unit):(column("left_out_s") * unit):(far(stringcolumn("model"))) \
         with labels left offset 1,0 font ",9" notitle
