"$EW_PROGRAM" list strategies --json | sed -n '/"id": "local"/,/}/p'
