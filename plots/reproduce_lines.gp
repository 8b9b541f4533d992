# One figure of 'edgeweave reproduce' as lines over x: ours as lines with small points, the paper's
# values as hollow circles of the same colour.
#
#   gnuplot -e "input='out/distredge_fig4.csv'" plots/reproduce_lines.gp
#
# Reads   input, one PAPER_FIGURE.csv (docs/outputs.md)
# Writes  the file given as output='…', else input with the ending .png
# Options input, output, format ('png' or 'svg'), title, xlabel, logarithmic (0 or 1: x)

if (!exists("format")) format = "png"
if (!exists("output")) output = input[1:strlen(input) - 4].".".format
if (!exists("title")) title = ""
if (!exists("xlabel")) xlabel = ""
if (!exists("logarithmic")) logarithmic = 0

set encoding utf8
set datafile separator ","
set datafile columnheaders
set datafile missing NaN # so that lines go on over the rows of other lines

# Okabe-Ito colours first.
array colours[12] = [0x0072B2, 0xE69F00, 0x009E73, 0xCC79A7, 0x56B4E9, 0xD55E00, 0xF0E442, \
                     0x666666, 0x8C510A, 0x80CDC1, 0xB2182B, 0x4D4D4D]

has(name) = strlen(stringcolumn(name)) > 0
number(name) = has(name) ? column(name) : NaN

stats input using (column("series_index")) nooutput name "SERIES"
stats input using (column("group_index")) nooutput name "GROUP"
if (!exists("GROUP_records")) { printerr input.": no rows"; exit }
n_series = int(SERIES_max) + 1
n_groups = int(GROUP_max) + 1
n_lines = n_series * n_groups
array series_names[n_series]
array group_names[n_groups]
unit = ""
stats input using (series_names[int(column("series_index")) + 1] = stringcolumn("series"), \
                   group_names[int(column("group_index")) + 1] = stringcolumn("group"), \
                   unit = stringcolumn("unit"), 0) nooutput
line_name(i) = n_groups == 1 ? series_names[i + 1] : n_series == 1 ? group_names[i + 1] \
    : group_names[i / n_series + 1]." ".series_names[i % n_series + 1]

if (format eq "svg") {
    set terminal svg size 820, 480 font "DejaVu Sans,11" noenhanced background "white"
} else {
    set terminal pngcairo size 820, 480 font "DejaVu Sans,11" noenhanced background "white"
}
set output output
if (title ne "") set title title
set border 3 linecolor "#666666"
set tics nomirror out scale 0.6 textcolor "black"
set grid ytics linecolor "#DDDDDD" linetype 1 linewidth 1
if (logarithmic) set logscale x
set xlabel xlabel
set ylabel unit
set yrange [0 : *]
set autoscale xfix
set offsets graph 0.02, graph 0.02, graph 0.05, 0
set key outside right top Left reverse samplen 1.5

line(x) = int(column("group_index")) * n_series + int(column("series_index"))
colour(i) = colours[(n_groups > 1 ? i / n_series : i) % 12 + 1]
dash(i) = n_groups > 1 ? i % n_series + 1 : 1
n_published = 0
stats input using (n_published = n_published + has("published"), 0) nooutput

# gnuplot complains of a plot without points, so the paper's are plotted only where there are any.
ours(i) = line(0) == i ? number("ours") : NaN
place(i) = line(0) == i ? column("x") : NaN
if (n_published > 0) {
    plot for [i = 0 : n_lines - 1] input using (place(i)):(ours(i)) \
             with linespoints pointtype 7 pointsize 0.5 linewidth 1.5 dashtype dash(i) \
             linecolor rgb colour(i) title line_name(i), \
         "" using (column("x")):(number("published")):(colour(line(0))) \
             with points pointtype 6 pointsize 1.3 linewidth 1.5 linecolor rgb variable notitle, \
         keyentry with points pointtype 6 pointsize 1.3 linecolor rgb "black" title "paper"
} else {
    plot for [i = 0 : n_lines - 1] input using (place(i)):(ours(i)) \
             with linespoints pointtype 7 pointsize 0.5 linewidth 1.5 dashtype dash(i) \
             linecolor rgb colour(i) title line_name(i)
}
