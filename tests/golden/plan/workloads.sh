ew plan two_workloads.json --strategy local --save-plan mine.json >/dev/null
ls mine*
