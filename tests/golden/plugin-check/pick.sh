# Of a file with many ways to pick only the lines about deciding.
ew plugin-check plugins/pick.so --plan-limit-s 1 2>/dev/null | grep -A 1 -E 'decides|^\$' | grep -v -E ' plans |prints|frees|found|created|^--'
