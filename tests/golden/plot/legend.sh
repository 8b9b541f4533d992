# Legends of 24 series keep to one column: all names begin at one place, and the plot keeps its width.
head="series_index,series,x_name,x_unit,y_name,y_unit,x,x_text,value,low,high,points"
echo "$head" >lines.csv
echo "series_index,series,x,ratio,x_name,x_unit" >cdf.csv
echo "series_index,series,on_front,x,y,x_name,x_unit,y_name,y_unit,x_more_is_better,y_more_is_better" >pareto.csv
for i in $(seq 0 23); do
    echo "$i,series$i,bandwidth,,mean latency,s,1,,0.5,0.5,0.5,1" >>lines.csv
    echo "$i,series$i,bandwidth,,mean latency,s,2,,0.4,0.4,0.4,1" >>lines.csv
    echo "$i,series$i,0.$((i + 10)),0.5,latency,s" >>cdf.csv
    echo "$i,series$i,0.9,1,latency,s" >>cdf.csv
    echo "$i,series$i,$((i == 0)),0.$((i + 10)),0.$((i + 10)),latency,s,energy,J,0,0" >>pareto.csv
done
for kind in lines cdf pareto; do
    LC_ALL=C.UTF-8 gnuplot -e "input='$kind.csv'; output='$kind.svg'" lib/../../share/edgeweave/plots/$kind.gp 2>/dev/null
    n=$(grep -B1 '<text>series' $kind.svg | sed -n 's/.*translate(\([0-9.]*\),.*/\1/p' | sort -u | wc -l)
    echo "$kind: names of $(grep -c '<text>series' $kind.svg) series in $n column"
done
