# The baselines of two figures, without verdicts: DistrEdge's own values, which verdicts compare with,
# may differ between machines, since another BLAS rounds differently and the agent amplifies it.
ew reproduce distredge fig6b --quick | sed -n -e '/edgeweave/p' -e '/paper  *ours/p' -e '/DistrEdge/d' -e 's/^\([A-Z]*  .*\)  *[a-z]*$/\1/p' | tr -s ' '
ew reproduce distredge fig7b --quick | sed -n -e '/edgeweave/p' -e '/paper  *ours/p' -e '/DistrEdge/d' -e 's/^\([A-Z]*  .*\)  *[a-z]*$/\1/p' | tr -s ' '
