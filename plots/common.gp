# What plots/*.gp share: how CSV is read, units, colours, and opening the figure. Not run by itself.
#
# Needs   input; a script sets width and height (pixels), then  eval open_figure
# Options output (default: input with another ending), format ('png', 'svg' or 'pdf'; default: as
#         output says, else png), title, log ('x', 'y', 'xy' or 'none': logarithmic axes; default:
#         those whose values span a factor of 50)

if (!exists("input")) { printerr "expected -e \"input='data.csv'\""; exit status 1 }
if (!exists("title")) title = ""
if (!exists("log")) log = "auto"
ending(name) = strlen(name) > 4 ? name[strlen(name) - 3 : *] : ""
if (!exists("format")) {
    format = !exists("output") ? "png" : ending(output) eq ".svg" ? "svg" \
             : ending(output) eq ".pdf" ? "pdf" : "png"
}
if (!exists("output")) output = (ending(input) eq ".csv" ? input[1 : strlen(input) - 4] : input).".".format

set encoding utf8
set datafile separator ","
set datafile columnheaders
set datafile missing NaN # so that lines go on over the rows of other lines

has(name) = strlen(stringcolumn(name)) > 0
number(name) = has(name) ? column(name) : NaN
or_zero(name) = has(name) ? column(name) : 0
nth(list, k) = k <= words(list) ? int(word(list, k)) : -1
# Names that differ at the end stay different.
cut(text, n) = strlen(text) > n ? text[1 : n / 2]."…".text[strlen(text) - (n - 1) / 2 + 1 : *] : text
digits(x) = abs(x) >= 999.5 && abs(x) < 1e6 ? sprintf("%.0f", x) : sprintf("%.3g", x)

# Prefix that keeps ticks short: factor to multiply with, and the unit to write.
is_small(unit) = unit eq "s" || unit eq "J" || unit eq "W"
is_large(unit) = unit eq "bytes" || unit eq "bytes/s" || unit eq "FLOP/s"
factor(unit, x) = is_small(unit) ? (x <= 0 ? 1 : x < 1e-3 ? 1e6 : x < 1 ? 1e3 : 1) \
                : is_large(unit) ? (x >= 1e9 ? 1e-9 : x >= 1e6 ? 1e-6 : x >= 1e3 ? 1e-3 : 1) : 1
prefix(f) = f > 1e5 ? "µ" : f > 1e2 ? "m" : f > 0.1 ? "" : f > 1e-4 ? "k" : f > 1e-7 ? "M" : "G"
bytes(unit) = unit eq "bytes" ? "B" : unit eq "bytes/s" ? "B/s" : unit
scaled(unit, f) = f == 1 ? unit : prefix(f).bytes(unit)
middle_of(low, high) = low > 0 && high >= 50 * low ? sqrt(low * high) : high
label(name, unit, f) = unit eq "" || unit eq name ? name : unit eq "ratio" ? name \
                     : name." (".scaled(unit, f).")"

# Room beside the values; ones that differ by rounding only count as equal, or all ticks read the same.
larger(a, b) = abs(a) > abs(b) ? abs(a) : abs(b)
padding(low, high, share) = high - low > 1e-4 * larger(low, high) ? (high - low) * share \
                                                                  : abs(high) * 0.1 + 1e-12

is_log(axis, low, high) = log eq "auto" ? (low > 0 && high >= 50 * low) \
                                        : (strstrt(log, axis) > 0 && low > 0)

# Okabe-Ito colours: told apart with any colour vision; yellow last, it is faint on white. After
# eight series the same colours come again with other points and dashes.
array colours[8] = [0x0072B2, 0xD55E00, 0x009E73, 0xCC79A7, 0x56B4E9, 0xE69F00, 0x000000, 0xD0C000]
array points[8] = [7, 5, 9, 11, 13, 6, 4, 8]
array dashes[4] = [1, 2, 4, 3]
colour(i) = colours[(int(i) + 8) % 8 + 1]
shape(i) = points[(int(i) + int(i) / 8 + 8) % 8 + 1]
dash(i) = dashes[(int(i) / 8 + 4) % 4 + 1]

open_figure = "if (format eq 'svg') { \
    set terminal svg size width, height font 'DejaVu Sans,12' noenhanced background 'white' \
} else { if (format eq 'pdf') { \
    set terminal pdfcairo size width / 96.0, height / 96.0 font 'DejaVu Sans,9' noenhanced \
} else { \
    set terminal pngcairo size width, height font 'DejaVu Sans,10' noenhanced background 'white' \
} }; set output output"

set border 3 linecolor "#666666"
set tics nomirror out scale 0.6 textcolor "black"
set grid linecolor "#E0E0E0" linetype 1 linewidth 1
set style fill solid 1.0 noborder
set format x "%g"
set format y "%g"
set key outside right top vertical Left reverse samplen 1.6 spacing 1.25
# High enough for a legend of n rows: one that runs into a second column takes the plot's width.
with_legend(height, n) = height > 100 + 24 * n ? height : 100 + 24 * n
