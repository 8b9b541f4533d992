for run in 1 2; do
    mkdir $run && cd $run
    "$EW_PROGRAM" compare --graph "$DATA/tiny.json" --platform "$DATA/tiny.xml" --requests 5 --out out >table.txt
    rm out/report.json out/timing.csv
    cd ..
done
diff -r 1 2 && echo identical
