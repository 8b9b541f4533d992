ew run dynamic.json --replan on-failure
ew run dynamic.json --replan on-change:10 --charge-planning 0.05 --engine simgrid
ew run dynamic.json --replan period:0.1 --on-failure replan --retry-delay-s 0.01
ew run dynamic.json --on-failure replan
ew run dynamic.json --replan often
ew run dynamic.json --replan on-failure --charge-planning clock
