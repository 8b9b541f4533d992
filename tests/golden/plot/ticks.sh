# Samples that differ by rounding only: ticks that read differently, not one text seven times.
cat >cdf.csv <<'END'
series_index,series,x,ratio,x_name,x_unit
0,modnn,0.5578955,0.5,latency,s
0,modnn,0.55789550000001,1,latency,s
END
LC_ALL=C.UTF-8 gnuplot -e "input='cdf.csv'; output='cdf.svg'" lib/../../share/edgeweave/plots/cdf.gp
sed -n "s/.*<text>\([^<]*\)<.*/\1/p" cdf.svg
# One row of cells: its axis' label fits beside it. Numbers with exponents are numbers, names that begin
# with a digit are names.
cat >heatmap.csv <<'END'
x_index,y_index,x,y,winner_index,winner,value,x_name,x_unit,y_name,y_unit,metric_name,metric_unit
0,0,1e-05,4nano.xml,0,local,0.62,latency,s,the platforms of all points,,mean latency,s
1,0,./4nano.xml,4nano.xml,0,local,0.62,latency,s,the platforms of all points,,mean latency,s
END
LC_ALL=C.UTF-8 gnuplot -e "input='heatmap.csv'; output='heatmap.svg'" lib/../../share/edgeweave/plots/heatmap.gp
sed -n "s/.*<text>\([^<]*\)<.*/\1/p" heatmap.svg
sed -n 's/.*viewBox="\([^"]*\)".*/\1/p' heatmap.svg
# Whole numbers have whole ticks.
cat >lines.csv <<'END'
series_index,series,x_name,x_unit,y_name,y_unit,x,x_text,value,low,high,points
0,modnn,devices,,mean latency,s,2,,0.5,0.45,0.55,2
0,modnn,devices,,mean latency,s,4,,0.4,0.35,0.45,2
END
LC_ALL=C.UTF-8 gnuplot -e "input='lines.csv'; output='lines.svg'" lib/../../share/edgeweave/plots/lines.gp
sed -n "s/.*<text>\([^<]*\)<.*/\1/p" lines.svg
