for run in 1 2; do
    "$EW_PROGRAM" compare --graph tiny.json --platform tiny.xml --requests 5 --out out >table.txt
    rm out/report.json out/timing.csv
    mkdir $run && mv out table.txt $run/
done
diff -r 1 2 && echo identical
