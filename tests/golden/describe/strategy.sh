ew describe strategy local
ew describe strategy local --json
# Long descriptions are wrapped: no line is longer than 100.
ew describe strategy modnn | awk 'length > 100 { print; n++ } END { print n + 0 " long lines" }'
