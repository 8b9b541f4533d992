# One request over time: a row per device with its tasks, a row per connection with its messages.
#
#   edgeweave plot gantt out/ --run 2 -o gantt.csv
#   gnuplot -e "input='gantt.csv'" plots/gantt_run.gp
#
# Reads   input (docs/outputs.md, Plot data)
# Writes  gantt.png, or the file given as  output='…'
# Options input, output, format, title (plots/common.gp; default: strategy and request)
#
# plots/gantt.gp draws several requests straight from the files of --out.

here = ARG0[1:1] eq " " ? ARG0[2:*] : ARG0 # gnuplot puts a blank in front
load here[1 : strlen(here) - 12]."common.gp"

stats input using (column("row_index")) nooutput name "ROW"
n = int(ROW_max) + 1
longest = 0; name = ""; n_devices = 0
stats input using (longest = longest < strlen(stringcolumn("row")) ? strlen(stringcolumn("row")) : longest, \
                   n_devices = stringcolumn("row_kind") eq "device" && column("row_index") + 1 > n_devices ? column("row_index") + 1 : n_devices, \
                   name = sprintf("%s, request %d", stringcolumn("strategy"), column("request")), 0) nooutput
if (title eq "") title = name
stats input using (column("end_s")) nooutput name "TO"
span_s = TO_max > 0 ? TO_max : 1e-9
f = factor("s", span_s)
longest = longest > 40 ? 40 : longest
left = 24 + 7.6 * longest
row = n <= 24 ? 32 : n <= 64 ? 22 : 14
top = 50
bottom = 100
width = left + 860 + 30
height = top + row * n + bottom
eval open_figure
set lmargin at screen left / width
set rmargin at screen (left + 860.0) / width
set tmargin at screen 1 - real(top) / height
set bmargin at screen real(bottom) / height
set label 1 title at screen 0.01, screen 1 - 24.0 / height left
set xrange [0 : span_s * f * 1.01]
set yrange [n - 0.4 : -0.6]
set ytics scale 0
unset grid
set grid xtics linecolor "#E0E0E0" linetype 1 linewidth 1
set xlabel label("time since the request began", "s", f)
set key at screen left / width, screen 46.0 / height left top maxrows 2 samplen 1.4
if (n_devices < n) {
    set arrow 1 from graph 0, first n_devices - 0.5 to graph 1, first n_devices - 0.5 nohead \
        linecolor "#666666" linewidth 1 front
}
set arrow 2 from first span_s * f, graph 0 to first span_s * f, graph 1 nohead dashtype 2 \
    linewidth 1.5 linecolor "#444444" front

array parts[9] = ["conv", "fc", "pool", "other", "load", "overhead", "bytes", "latency", "aborted"]
array part_names[9] = ["convolution", "fully connected", "pooling", "other layers", "loading weights", \
                       "message overhead", "bytes flow", "link latency", "aborted"]
array part_colours[9] = [0x0072B2, 0xE69F00, 0x009E73, 0x999999, 0xD0C000, 0x666666, 0xD55E00, 0xE8B89A, 0x000000]
array counts[9]
do for [k = 1 : 9] { counts[k] = 0 }
is_part(k) = stringcolumn("part") eq parts[k]
tally(k) = k > 9 ? 0 : (counts[k] = counts[k] + is_part(k), tally(k + 1))
stats input using (tally(1), column("end_s")) nooutput
half(x) = (column("end_s") - column("begin_s")) * f / 2
middle(k) = is_part(k) ? column("begin_s") * f + half(0) : NaN
tall(k) = parts[k] eq "overhead" ? 0.12 : parts[k] eq "latency" ? 0.16 : 0.34
pixel = span_s * f / 860
plot input using (0):(column("row_index")):(0):(0):ytic(cut(stringcolumn("row"), 40)) \
         with boxxyerror linecolor rgb "white" notitle, \
     for [k = 1 : 9] input using (middle(k)):(column("row_index")):(half(0)):(tall(k)) \
         with boxxyerror linecolor rgb part_colours[k] title (counts[k] > 0 ? part_names[k] : ""), \
     input using (half(0) > 2 * pixel && stringcolumn("row_kind") eq "device" ? column("begin_s") * f : NaN):(column("row_index") - 0.34):(0):(0.68) \
         with vectors nohead linewidth 1 linecolor rgb "white" notitle
set output
