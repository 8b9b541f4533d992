printf 'bytes,ms,messages\n100,2.0,1\n1000,2.1,1\n10000,2.8,1\n100000,10.1,1\n1000000,82.3,1\n1000,5.1,11\n' >pings.csv
printf 'bytes,ms\n100,2.0\n100,2.1\n' >same.csv
ew calibrate network pings.csv --nominal-latency-s 0.0005 --nominal-bandwidth-bytes-per-s 12.5e6
ew calibrate network same.csv
ew calibrate network pings.csv --nominal-latency-s -1
