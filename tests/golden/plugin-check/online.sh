# Of a file with many ways to observe only the lines about observing.
ew plugin-check plugins/online.so --plan-limit-s 1 2>/dev/null | grep -A 1 -E 'decides|^\$' | grep -v -E ' plans |prints|frees|found|created|^--'
