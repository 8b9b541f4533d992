ew run --arrival closed:0
ew run --arrival poisson
ew run --arrival poisson:-1
ew run --arrival periodic:inf
ew run --arrival trace:
ew run --arrival often
