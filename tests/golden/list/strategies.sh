"$EW_PROGRAM" list strategies | grep -E '^(coedge|edgent|local|modnn|neurosurgeon|offload) '
